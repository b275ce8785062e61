//! `suda send`, `suda tail` and their relatives as scripts use them: text and JSON lines, exit codes.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::Folder;
use support::person::{PASSWORD, Person, assert_fails, assert_ok, stdout};
use support::server::Server;

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn lines_of_text_go_in_and_come_out_in_order() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    assert_ok(&minsu.run(&["send", "lobby", "안녕", "여러분"]));
    let input = "첫째\n\n둘째\r\n셋째";
    assert_ok(&minsu.run_with_input(&["send", "lobby"], input));

    let all = minsu.run(&["tail", "lobby", "--from-start", "--until-now"]);
    assert_ok(&all);
    let all = stdout(&all);
    let texts: Vec<&str> = all
        .lines()
        .filter_map(|line| line.split_once("민수: ").map(|(_, text)| text))
        .collect();
    assert_eq!(texts, ["안녕 여러분", "첫째", "둘째", "셋째"]);

    let last = minsu.run(&["tail", "lobby", "--last", "2", "--until-now"]);
    assert_ok(&last);
    let last = stdout(&last);
    assert_eq!(last.lines().count(), 2, "{last}");
    assert!(all.ends_with(&last), "{all}{last}");
}

#[test]
fn lines_of_json_go_in_and_come_out() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let id = uuid::Uuid::new_v4().to_string();
    let draft = serde_json::json!({ "text": "수다\n두 줄", "clientId": id }).to_string();
    let input = format!("{draft}\n{{\"text\":\"둘\"}}\n{draft}\n");
    let sent = minsu.run_with_input(&["send", "새 방", "--create", "--json"], &input);
    assert_ok(&sent);
    let answers = json_lines(&stdout(&sent));
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["clientId"], Value::from(id));
    // The same client id again is the same message again.
    assert_eq!(answers[0]["posted"]["seq"], answers[2]["posted"]["seq"]);
    assert_eq!(answers[2]["posted"]["duplicate"], Value::from(true));

    let tail = minsu.run(&["tail", "새 방", "--json", "--from-start", "--until-now"]);
    assert_ok(&tail);
    let entries = json_lines(&stdout(&tail));
    let seqs: Vec<&str> = entries.iter().map(|e| e["seq"].as_str().unwrap()).collect();
    assert_eq!(seqs, ["1", "2", "3"]);
    assert_eq!(entries[0]["roomCreated"]["name"], Value::from("새 방"));
    assert_eq!(
        entries[1]["messagePosted"]["text"],
        Value::from("수다\n두 줄")
    );
    assert_eq!(entries[1]["id"], answers[0]["posted"]["id"]);
    assert_eq!(entries[2]["authorName"], Value::from("민수"));
}

#[test]
fn a_refused_line_is_told_and_the_others_are_sent() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let long = "가".repeat(20_000);
    let output = minsu.run_with_input(&["send", "lobby"], &format!("앞\n{long}\n뒤\n"));
    assert_eq!(output.status.code(), Some(4));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("line 2 was refused"), "{errors}");
    let tail = stdout(&minsu.run(&["tail", "lobby", "--from-start", "--until-now"]));
    assert!(
        tail.contains("민수: 앞") && tail.contains("민수: 뒤"),
        "{tail}"
    );

    let output = minsu.run_with_input(
        &["send", "lobby", "--json"],
        "{\"text\":\"하나\"}\n{\"txt\":1}\n{\"text\":\"\"}\n{\"text\":\"둘\"}\n",
    );
    assert_eq!(output.status.code(), Some(1));
    let answers = json_lines(&String::from_utf8(output.stdout).unwrap());
    let lines: Vec<u64> = answers
        .iter()
        .map(|a| a["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [1, 3, 4]);
    assert_eq!(answers[1]["error"]["name"], Value::from("empty_text"));
}

#[test]
fn each_kind_of_failure_has_its_exit_code_and_one_line() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let url = server.url();

    // 2: wrong usage.
    assert_eq!(minsu.run(&["send"]).status.code(), Some(2));
    assert_fails(&minsu.run(&["rooms", "--server", "ftp://x"]), 2);

    // 3: not signed in, or no longer.
    let nobody = Person::nobody(&folder, "아무개");
    let line = assert_fails(&nobody.run(&["send", "lobby", "안녕"]), 3);
    assert!(line.contains("suda login"), "{line}");
    assert_fails(&nobody.run(&["tail", "lobby"]), 3);
    let forged = Person::sign_up(&folder, &server, "도둑");
    let credentials = forged.config.join("suda/credentials.toml");
    let text = std::fs::read_to_string(&credentials).unwrap();
    std::fs::write(
        &credentials,
        text.replace(&forged.token(), "bm90IGEgdG9rZW4"),
    )
    .unwrap();
    for args in [
        &["send", "lobby", "안녕"][..],
        &["tail", "lobby"],
        &["rooms"],
    ] {
        let line = assert_fails(&forged.run(args), 3);
        assert!(line.contains("no longer valid"), "{line}");
    }

    // 4: refused.
    assert_fails(&minsu.run(&["send", "없는 방", "안녕"]), 4);
    assert_fails(&minsu.run(&["tail", "없는 방"]), 4);
    assert_fails(&minsu.run(&["send", "lobby", ""]), 4);
    let wrong = minsu.run_with_input(
        &[
            "login",
            "--server",
            &url,
            "--name",
            "민수",
            "--password-stdin",
        ],
        "틀린 비밀번호",
    );
    assert_fails(&wrong, 4);
    let taken = nobody.run_with_input(
        &[
            "login",
            "--server",
            &url,
            "--name",
            "민수",
            "--password-stdin",
            "--sign-up",
        ],
        PASSWORD,
    );
    assert_fails(&taken, 4);

    // Nothing of that disturbed the first sign-in.
    assert_ok(&minsu.run(&["send", "lobby", "안녕"]));

    // 5: unreachable.
    server.kill();
    let line = assert_fails(&minsu.run(&["send", "lobby", "안녕", "--timeout", "1"]), 5);
    assert!(line.contains(&server.address()), "{line}");
    let line = assert_fails(
        &nobody.run_with_input(
            &[
                "login",
                "--server",
                &url,
                "--name",
                "민수",
                "--password-stdin",
            ],
            PASSWORD,
        ),
        5,
    );
    assert!(line.contains(&server.address()), "{line}");
}

#[test]
fn signing_out_ends_the_sign_in_and_every_connection_of_the_device() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let mut chat = support::terminal::Terminal::run(&minsu.suda(&["chat", "--plain", "lobby"]));
    chat.wait_for("You are in lobby");
    assert_ok(&minsu.run(&["logout"]));
    assert_eq!(chat.wait_for_end().exit_code(), 3);
    assert_fails(&minsu.run(&["rooms"]), 3);
    let again = minsu.run_with_input(
        &[
            "login",
            "--server",
            &server.url(),
            "--name",
            "민수",
            "--password-stdin",
        ],
        PASSWORD,
    );
    assert_ok(&again);
    let rooms = minsu.run(&["rooms", "--json"]);
    assert_ok(&rooms);
    let rooms = json_lines(&stdout(&rooms));
    assert_eq!(rooms.len(), 1);
    assert_eq!(rooms[0]["name"], Value::from("lobby"));
    assert_eq!(rooms[0]["member"], Value::from(true));
}

#[test]
fn a_script_reads_what_another_writes_as_it_is_written() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let mut tail = minsu
        .suda(&["tail", "lobby", "--json", "--from-start"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    for text in ["하나", "둘", "셋"] {
        assert_ok(&minsu.run(&["send", "lobby", text]));
        // Blocks until it comes; whatever else the room holds comes before.
        let found = lines.any(|line| {
            let entry: Value = serde_json::from_str(&line.unwrap()).unwrap();
            entry["messagePosted"]["text"] == text
        });
        assert!(found, "{text}");
    }
    // A reader that has enough ends the tail without a complaint.
    drop(lines);
    assert_ok(&minsu.run(&["send", "lobby", "넷"]));
    assert_eq!(tail.wait().unwrap().code(), Some(0));
}

#[test]
fn a_full_disk_refuses_and_loses_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    let mut server = Server::start_with(&folder, &["--database-bytes-max", "400000"]);
    let minsu = Person::administrator(&folder, &server, "민수");
    let line = "가".repeat(5_000);
    let input: String = (0..100)
        .map(|number| format!("{{\"text\":\"{number} {line}\"}}\n"))
        .collect();
    let output = minsu.run_with_input(&["send", "lobby", "--json", "--timeout", "2"], &input);
    assert_eq!(output.status.code(), Some(4));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("disk is full"), "{errors}");
    let acknowledged = String::from_utf8(output.stdout).unwrap().lines().count();
    assert!(acknowledged > 0);

    // With room again, everything acknowledged is there, and posting goes on.
    assert!(server.terminate().success());
    server.restart();
    assert_ok(&minsu.run(&["send", "lobby", "다시 됩니다"]));
    let tail = stdout(&minsu.run(&["tail", "lobby", "--from-start", "--until-now"]));
    for number in 0..acknowledged {
        assert_eq!(
            tail.matches(&format!("민수: {number} 가")).count(),
            1,
            "{number}"
        );
    }
    assert!(tail.contains("민수: 다시 됩니다"));
}
