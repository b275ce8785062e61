//! Where the sign-in is kept, on machines whose keyring is not there or does not answer. (One that does answer is another program on
//! somebody's desk; the choice between it and the file is tested beside the code.)
#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};

use support::Folder;
use support::person::{PASSWORD, Person, assert_fails, assert_ok};
use support::server::Server;

/// Signs in with this session bus, where the keyring would be found.
fn sign_in(person: &Person, server: &Server, bus: &str, keeping: &str) -> Output {
    let mut login: Command = person.suda(&["login", "--password-stdin", "--name", &person.name]);
    login.args(["--server", &server.url(), "--credentials", keeping]);
    login.env("DBUS_SESSION_BUS_ADDRESS", bus);
    let mut child = login
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn without_a_session_bus_the_file_keeps_the_sign_in_and_says_so() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let bus = format!("unix:path={}", folder.join("nobody").display());
    let first = minsu.token();

    let output = sign_in(&minsu, &server, &bus, "auto");
    assert_ok(&output);
    let said = stderr(&output);
    assert!(said.contains("credentials.toml"), "{said}");
    assert!(said.contains("no keyring"), "{said}");
    assert_ne!(minsu.token(), first);
    assert_ok(&minsu.run(&["send", "lobby", "안녕"]));

    // Asked for the file, nobody asks for a keyring.
    let output = sign_in(&minsu, &server, &bus, "file");
    assert_ok(&output);
    assert!(!stderr(&output).contains("no keyring"));

    // Insisted on the keyring, nothing happens without one.
    let before = minsu.token();
    let line = assert_fails(&sign_in(&minsu, &server, &bus, "keyring"), 1);
    assert!(line.contains("--credentials file"), "{line}");
    assert_eq!(minsu.token(), before);
    assert_ok(&minsu.run(&["logout"]));
    assert_fails(&minsu.run(&["rooms"]), 3);
}

#[test]
fn a_session_bus_that_never_answers_is_not_waited_for_for_ever() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let path = folder.join("silent");
    // Takes connections, and says nothing.
    let _silent = UnixListener::bind(&path).unwrap();
    let bus = format!("unix:path={}", path.display());

    let output = sign_in(&minsu, &server, &bus, "auto");
    assert_ok(&output);
    let said = stderr(&output);
    assert!(said.contains("it does not answer"), "{said}");
    assert_ok(&minsu.run(&["send", "lobby", "안녕"]));
}
