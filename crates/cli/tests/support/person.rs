//! A person: a folder with their sign-in, and the commands that they run.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::server::Server;
use super::{Folder, suda};

/// Everybody's.
pub const PASSWORD: &str = "열려라 참깨 1234";

pub struct Person {
    pub name: String,
    pub config: PathBuf,
}

impl Person {
    /// The first person on a server: becomes its administrator with the printed token.
    pub fn administrator(folder: &Folder, server: &Server, name: &str) -> Person {
        Person::with_account(folder, server, name, &["--setup", server.setup_token()])
    }

    /// Anybody later.
    pub fn sign_up(folder: &Folder, server: &Server, name: &str) -> Person {
        Person::with_account(folder, server, name, &["--sign-up"])
    }

    fn with_account(folder: &Folder, server: &Server, name: &str, how: &[&str]) -> Person {
        let person = Person::nobody(folder, name);
        let output = person.run_with_input(
            &[
                &[
                    "login",
                    "--server",
                    &server.url(),
                    "--name",
                    name,
                    "--password-stdin",
                ],
                how,
            ]
            .concat(),
            PASSWORD,
        );
        assert_ok(&output);
        person
    }

    /// A person without any account.
    pub fn nobody(folder: &Folder, name: &str) -> Person {
        Person {
            name: name.to_owned(),
            config: folder.join(&format!("config-{}", uuid::Uuid::new_v4())),
        }
    }

    /// `suda` as this person runs it.
    pub fn suda(&self, args: &[&str]) -> Command {
        let mut command = suda();
        command.env("XDG_CONFIG_HOME", &self.config).args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.suda(args).stdin(Stdio::null()).output().unwrap()
    }

    pub fn run_with_input(&self, args: &[&str], input: &str) -> Output {
        let mut child = self
            .suda(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that ends early doesn't read all of it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The token that the server gave this person.
    pub fn token(&self) -> String {
        let text = std::fs::read_to_string(self.config.join("suda/credentials.toml")).unwrap();
        let file: toml::Table = text.parse().unwrap();
        file["server"][0]["token"].as_str().unwrap().to_owned()
    }
}

/// Fails with both outputs where the command failed.
pub fn assert_ok(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", both(output));
}

/// Asserts a failure with this exit code and exactly one line on stderr, and gives that line.
pub fn assert_fails(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", both(output));
    let line = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(line.lines().count(), 1, "{}", both(output));
    line.trim_end().to_owned()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn both(output: &Output) -> String {
    format!(
        "{:?}\n--- stdout\n{}--- stderr\n{}---",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
