//! What `suda serve` says when it cannot serve: one clear line on stderr and the documented exit code.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use support::person::{Person, assert_fails, assert_ok, stdout};
use support::server::{Server, free_port};
use support::{Folder, suda};

/// Runs a `suda serve` that is expected to end by itself.
fn serve(folder: &Folder, change: impl FnOnce(&mut Command)) -> Output {
    let mut command = suda();
    command
        .args(["serve", "--listen"])
        .arg(format!("127.0.0.1:{}", free_port()))
        .arg("--data")
        .arg(folder.join("data"))
        .args(["--log-filter", "off"])
        .stdin(Stdio::null());
    change(&mut command);
    command.output().unwrap()
}

#[test]
fn a_port_in_use_is_named() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = suda()
        .args([
            "serve",
            "--log-filter",
            "off",
            "--listen",
            &address,
            "--data",
        ])
        .arg(folder.join("data"))
        .output()
        .unwrap();
    let line = assert_fails(&output, 1);
    assert!(line.contains(&address) && line.contains("in use"), "{line}");
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    // A file in the place of a folder stops even a superuser, whom permissions don't.
    let file = folder.join("file");
    std::fs::write(&file, "").unwrap();
    let data = file.join("data");
    let output = suda()
        .args([
            "serve",
            "--log-filter",
            "off",
            "--listen",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(&data)
        .output()
        .unwrap();
    let line = assert_fails(&output, 1);
    assert!(line.contains(data.to_str().unwrap()), "{line}");
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    assert!(server.terminate().success());
    let database = server.data().join("suda.db");
    let before = {
        // SQLite keeps the application's version as a big-endian number at byte 60 of its header.
        let mut bytes = std::fs::read(&database).unwrap();
        bytes[60..64].copy_from_slice(&1_000_000_u32.to_be_bytes());
        std::fs::write(&database, &bytes).unwrap();
        bytes
    };
    let output = serve(&folder, |_| {});
    let line = assert_fails(&output, 1);
    assert!(line.contains("suda.db") && line.contains("newer"), "{line}");
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let output = serve(&folder, |_| {});
    let line = assert_fails(&output, 1);
    assert!(line.contains(server.data().to_str().unwrap()), "{line}");
    // And the first one works on.
    Person::administrator(&folder, &server, "민수");
}

#[test]
fn a_mistake_in_the_configuration_file_is_named_with_line_and_key() {
    let folder = Folder::new();
    let config = folder.join("suda.toml");
    for (text, place) in [
        (
            "log = \"text\"\nlistne = \"x\"\n",
            "suda.toml, line 2, key listne: ",
        ),
        ("workers = \"many\"\n", "suda.toml, line 1, key workers: "),
        ("data = \"x\"\n[[\n", "suda.toml, line 2"),
    ] {
        std::fs::write(&config, text).unwrap();
        let output = serve(&folder, |command| {
            command.arg("--config").arg(&config);
        });
        let line = assert_fails(&output, 2);
        assert!(line.contains(place), "{line}");
    }
}

#[test]
fn a_setting_that_makes_no_sense_is_wrong_usage() {
    let folder = Folder::new();
    let output = serve(&folder, |command| {
        command.args(["--public-url", "chat.example.org"]);
    });
    let line = assert_fails(&output, 2);
    assert!(line.contains("public_url"), "{line}");
}

#[test]
fn the_port_of_the_environment_is_read() {
    let folder = Folder::new();
    // 70000 is no port: the refusal shows that the variable is read, without opening this machine to the network.
    let output = suda()
        .args(["serve", "--data"])
        .arg(folder.join("data"))
        .env("PORT", "70000")
        .output()
        .unwrap();
    let line = assert_fails(&output, 2);
    assert!(line.contains("PORT") && line.contains("70000"), "{line}");
}

#[test]
fn data_and_sign_in_are_for_their_owner_alone() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let person = Person::administrator(&folder, &server, "민수");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(server.data()) & 0o777, 0o700);
    assert_eq!(
        mode(&person.config.join("suda/credentials.toml")) & 0o777,
        0o600
    );
}

#[test]
fn sigterm_stops_the_server_gracefully() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let person = Person::administrator(&folder, &server, "민수");
    assert_ok(&person.run(&["send", "lobby", "안녕"]));
    assert!(server.terminate().success());
    server.restart();
    let tail = person.run(&["tail", "lobby", "--from-start", "--until-now"]);
    assert_ok(&tail);
    assert!(stdout(&tail).contains("민수: 안녕"));
}

#[test]
fn the_setup_link_is_gone_once_there_is_an_administrator() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let token = server.setup_token().to_owned();
    Person::administrator(&folder, &server, "민수");
    let second = Person::nobody(&folder, "지영");
    let output = second.run_with_input(
        &[
            "login",
            "--server",
            &server.url(),
            "--name",
            "지영",
            "--password-stdin",
            "--setup",
            &token,
        ],
        support::person::PASSWORD,
    );
    assert_fails(&output, 4);
    server.kill();
    server.restart();
    assert!(!server.has_setup_token());
}
