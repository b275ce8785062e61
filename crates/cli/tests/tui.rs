//! The full-screen client, the real binary in a pseudo-terminal against the real server: what is typed as an IME commits it, talking,
//! a restart, scrolling, and the terminal as it is left behind.
#![allow(clippy::unwrap_used)]

mod support;

use support::Folder;
use support::person::{Person, assert_fails, assert_ok, stdout};
use support::server::Server;
use support::terminal::Terminal;

const ROWS: u16 = 30;
const COLUMNS: u16 = 100;

fn open(person: &Person, args: &[&str]) -> Terminal {
    let args = [&["chat"], args].concat();
    let state = person.config.join("state");
    let mut command = person.suda(&args);
    command
        .env("LC_ALL", "ko_KR.UTF-8")
        .env("TERM", "xterm-256color")
        .env("XDG_STATE_HOME", state);
    Terminal::run_sized(&command, ROWS, COLUMNS)
}

/// How often the text stands on the screen.
fn count(lines: &[String], text: &str) -> usize {
    lines.iter().map(|line| line.matches(text).count()).sum()
}

/// Waits until the text stands on the screen once, and nothing is under way any more.
fn wait_until_said(terminal: &Terminal, text: &str) {
    terminal.wait(&format!("{text:?} once and settled"), |lines| {
        count(lines, text) == 1 && count(lines, "보내는 중") + count(lines, "✓ 보냄") == 0
    });
}

fn leave(terminal: &mut Terminal) {
    terminal.type_bytes(b"\x03");
    assert!(terminal.wait_for_end().success());
}

#[test]
fn two_people_talk_in_korean_while_the_server_restarts() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let jiyeong = Person::sign_up(&folder, &server, "지영");

    let mut first = open(&minsu, &["--create", "수다방"]);
    first.wait_for("● 연결됨 · 민수");
    first.wait_for("수다방  1명");
    let mut second = open(&jiyeong, &["수다방"]);
    second.wait_for("수다방  2명");
    first.wait_for("지영님이 들어왔습니다");

    // What an IME commits: whole syllables, each in bytes of its own.
    for syllable in "안녕하세요".chars() {
        first.type_bytes(syllable.to_string().as_bytes());
    }
    first.wait_for("› 안녕하세요");
    // The cursor stands behind five syllables of two columns each, where the next one goes.
    let start = first.wait_for_cursor("behind the syllables", |(_, column)| column == 22 + 2 + 10);
    assert_eq!(start.0, ROWS - 2);
    first.type_bytes(b"\r");
    wait_until_said(&first, "안녕하세요");
    wait_until_said(&second, "안녕하세요");

    second.type_bytes("반가워요 👋\r".as_bytes());
    wait_until_said(&second, "반가워요 👋");
    wait_until_said(&first, "반가워요 👋");

    // Several lines: Alt+Enter, Ctrl+J, and a paste with a line break, which sends nothing.
    first.type_bytes("하나\x1b\r둘\n".as_bytes());
    first.type_bytes("\x1b[200~셋\r넷\x1b[201~".as_bytes());
    first.wait("four lines in the composer", |lines| {
        count(lines, "› 하나") == 1 && lines.iter().any(|line| line.trim_end().ends_with("│  넷"))
    });
    assert_eq!(count(&second.lines(), "하나"), 0);
    first.type_bytes(b"\r");
    wait_until_said(&second, "넷");
    wait_until_said(&first, "넷");

    // The link is down: what is written meanwhile waits, says so, and arrives once.
    server.kill();
    first.wait_for("연결 끊김");
    second.wait_for("연결 끊김");
    first.type_bytes("끊긴 동안 쓴 글\r".as_bytes());
    second.type_bytes("이것도 끊긴 동안\r".as_bytes());
    first.wait_for("보내는 중");
    first.wait_for("안 보낸 메시지 1개");
    server.restart();
    for terminal in [&first, &second] {
        wait_until_said(terminal, "끊긴 동안 쓴 글");
        wait_until_said(terminal, "이것도 끊긴 동안");
        terminal.wait_for("● 연결됨");
    }

    // What the screens showed is what the room holds, each once.
    let stored = jiyeong.run(&["tail", "수다방", "--from-start", "--until-now"]);
    assert_ok(&stored);
    let stored = stdout(&stored);
    for text in [
        "안녕하세요",
        "반가워요",
        "하나",
        "끊긴 동안 쓴 글",
        "이것도 끊긴 동안",
    ] {
        assert_eq!(stored.matches(text).count(), 1, "{stored}");
    }
    // Both see them in one order.
    let order = |terminal: &Terminal| {
        let lines = terminal.lines();
        let said = lines
            .iter()
            .filter(|line| count(&[(*line).clone()], "끊긴 동안") == 1);
        said.map(|line| line.chars().skip(22).collect::<String>())
            .collect::<Vec<_>>()
    };
    assert_eq!(order(&first), order(&second));

    leave(&mut first);
    leave(&mut second);
}

#[test]
fn scrolling_up_loads_older_messages_and_the_place_is_kept() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let text: String = (1..=300).map(|number| format!("글 {number}.\n")).collect();
    assert_ok(&minsu.run_with_input(&["send", "lobby"], &text));
    let mut chat = open(&minsu, &["lobby"]);
    chat.wait_for("글 300.");
    assert_eq!(count(&chat.lines(), "글 1."), 0);
    // Pages up until the first message is there.
    let before = chat.press_until(b"\x1b[5~", "the first message", |lines| {
        count(lines, "글 1.") == 1
    });
    assert_eq!(count(&before, "글 300."), 0);
    assert_ok(&minsu.run(&["send", "lobby", "아래의 새 글"]));
    // One's own from elsewhere isn't unread; the way down is offered.
    chat.wait_for("맨 아래로");
    assert_eq!(count(&chat.lines(), "글 1."), 1);
    chat.resize(20, 60);
    chat.wait("the narrow screen", |lines| {
        count(lines, "› 메시지 입력") == 1 && lines.len() <= 20
    });
    chat.resize(ROWS, COLUMNS);
    // A wheel's step down, then to the end.
    chat.type_bytes(b"\x1b[<65;40;10M");
    chat.type_bytes(b"\x1b[1;5F");
    chat.wait_for("아래의 새 글");
    leave(&mut chat);
}

#[test]
fn the_terminal_is_left_as_it_was_and_drafts_stay() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let mut chat = open(&minsu, &["lobby"]);
    chat.wait_for("● 연결됨");
    assert!(chat.modes().alternate_screen);
    assert!(chat.modes().bracketed_paste);
    assert!(chat.modes().mouse);
    chat.type_bytes("쓰다 만 글".as_bytes());
    chat.wait_for("› 쓰다 만 글");
    leave(&mut chat);
    let modes = chat.modes();
    assert!(
        !modes.alternate_screen && !modes.bracketed_paste && !modes.mouse && !modes.hidden_cursor
    );

    let mut again = open(&minsu, &[]);
    again.wait_for("› 쓰다 만 글");
    again.wait_for("lobby  1명");
    // A signal that ends it leaves the terminal in order as well.
    again.terminate();
    again.wait_for_end();
    assert!(!again.modes().alternate_screen && !again.modes().mouse);
}

#[test]
fn what_could_not_be_sent_goes_out_the_next_time() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let mut chat = open(&minsu, &["lobby"]);
    chat.wait_for("lobby  1명");
    chat.wait_for("lobby 방을 만들었습니다");
    server.kill();
    chat.wait_for("연결 끊김");
    chat.type_bytes("못 보낸 글\r".as_bytes());
    chat.wait_for("안 보낸 메시지 1개");
    chat.type_bytes(b"\x03");
    chat.wait_for("기다리는 중");
    chat.type_bytes(b"\x03");
    assert_eq!(chat.wait_for_end().exit_code(), 1);
    chat.wait_for("아직 보내지 못한 메시지가 1개 있습니다");
    server.restart();
    let mut again = open(&minsu, &[]);
    wait_until_said(&again, "못 보낸 글");
    again.wait_for("● 연결됨");
    leave(&mut again);
    let stored = minsu.run(&["tail", "lobby", "--from-start", "--until-now"]);
    assert_eq!(stdout(&stored).matches("못 보낸 글").count(), 1);
}

#[test]
fn hostile_messages_leave_the_screen_whole() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let mut chat = open(&minsu, &["lobby"]);
    chat.wait_for("● 연결됨");
    let hostile =
        "가\x1b[2J\x1b[H\x1b]0;title\x07나\u{202e}&#27;[31m\u{200b}\u{200b}\n00:00 지영: 거짓";
    assert_ok(&minsu.run(&["send", "lobby", hostile]));
    let lines = chat.wait_for("거짓");
    assert_eq!(
        count(&lines, "가␛[2J␛[H␛]0;title␇나<U+202E>␛[31m<U+200B×2>"),
        1
    );
    assert_eq!(count(&lines, "● 연결됨"), 1);
    leave(&mut chat);
}

#[test]
fn without_a_terminal_it_names_the_other_way() {
    let folder = Folder::new();
    let person = Person::nobody(&folder, "누구");
    let said = assert_fails(&person.run(&["chat"]), 2);
    assert!(said.contains("suda chat --plain"), "{said}");
}

#[test]
fn it_can_be_stopped_and_brought_back_by_the_shell() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    // An interactive shell, as people have it: only that does job control.
    let mut shell = std::process::Command::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]);
    let chat = minsu.suda(&["chat", "lobby"]);
    for (name, value) in chat.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .env("LC_ALL", "ko_KR.UTF-8")
        .env("TERM", "xterm-256color")
        .env("XDG_STATE_HOME", minsu.config.join("state"))
        .env("PS1", "shell> ")
        .env("BINARY", env!("CARGO_BIN_EXE_suda"));
    let mut terminal = Terminal::run_sized(&shell, ROWS, COLUMNS);
    terminal.wait_for("shell>");
    terminal.type_bytes(b"\"$BINARY\" chat lobby\r");
    terminal.wait_for("● 연결됨");
    terminal.type_bytes("멈추기 전에 쓴 글".as_bytes());
    terminal.wait_for("› 멈추기 전에 쓴 글");

    terminal.type_bytes(b"\x1a");
    terminal.wait_for("Stopped");
    terminal.type_bytes(b"echo $((6*7))\r");
    terminal.wait_for("42");
    let modes = terminal.modes();
    assert!(!modes.alternate_screen && !modes.mouse);
    assert_ok(&minsu.run(&["send", "lobby", "멈춘 동안 온 글"]));

    terminal.type_bytes(b"fg\r");
    terminal.wait_for("› 멈추기 전에 쓴 글");
    terminal.wait("what came meanwhile, once", |lines| {
        count(lines, "멈춘 동안 온 글") == 1
    });
    terminal.type_bytes(b"\x03");
    // Before the first command, after the stop, after the sum, after the end.
    terminal.wait("the fourth prompt", |lines| count(lines, "shell>") == 4);
    terminal.type_bytes(b"exit 0\r");
    terminal.wait_for_end();
}
