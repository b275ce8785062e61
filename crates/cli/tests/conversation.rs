//! Two people in `suda chat --plain` and a `suda tail`, all in pseudo-terminals, talk in Korean, while the server is restarted under them.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use support::Folder;
use support::person::{Person, assert_ok, stdout};
use support::server::Server;
use support::terminal::Terminal;

const ROOM: &str = "수다방";

/// The three screens that everything has to appear on.
struct Table {
    minsu: Terminal,
    jiyeong: Terminal,
    tail: Terminal,
    said: Vec<String>,
}

impl Table {
    fn screens(&self) -> [(&'static str, &Terminal); 3] {
        [
            ("민수", &self.minsu),
            ("지영", &self.jiyeong),
            ("tail", &self.tail),
        ]
    }

    fn terminal(&mut self, name: &str) -> &mut Terminal {
        match name {
            "민수" => &mut self.minsu,
            _ => &mut self.jiyeong,
        }
    }

    /// Types a line and doesn't wait for anybody.
    fn write(&mut self, name: &str, text: &str) {
        self.terminal(name).type_line(text);
        self.said.push(format!("{name}: {text}"));
    }

    /// Types a line and waits until everybody has it, the author included.
    fn say(&mut self, name: &str, text: &str) {
        self.write(name, text);
        self.wait_until_all_is_seen();
    }

    fn wait_until_all_is_seen(&self) {
        for (whose, screen) in self.screens() {
            screen.wait(
                &format!("{} messages of {whose}", self.said.len()),
                |lines| messages(lines).len() >= self.said.len(),
            );
        }
    }

    /// Waits until all three say that the link is gone.
    fn wait_until_offline(&self, times: usize) {
        let text = "연결이 끊겼습니다";
        for (_, terminal) in self.screens() {
            terminal.wait(&format!("{times} × {text:?}"), |lines| {
                lines.iter().filter(|line| line.contains(text)).count() >= times
            });
        }
    }

    /// Waits until all three say that the link is back.
    fn wait_until_online(&self, times: usize) {
        for (_, terminal) in self.screens() {
            terminal.wait(&format!("{times} × connected again"), |lines| {
                let again = lines
                    .iter()
                    .filter(|line| line.contains("다시 연결되었습니다"));
                again.count() >= times
            });
        }
    }

    fn assert_all_saw_the_same_once(&self) {
        let [minsu, jiyeong, tail] = self.screens().map(|(_, screen)| messages(&screen.lines()));
        assert_eq!(minsu, jiyeong);
        assert_eq!(minsu, tail);
        assert_eq!(minsu.len(), self.said.len());
        let (seen, said): (BTreeSet<_>, BTreeSet<_>) =
            (minsu.iter().collect(), self.said.iter().collect());
        assert_eq!(seen, said);
    }
}

/// The lines that are messages, "HH:MM name: text", without their times.
fn messages(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .filter_map(|line| {
            let (time, rest) = line.split_at_checked(6)?;
            let mut time = time.chars();
            let is_time = "dd:dd ".chars().all(|wanted| match time.next() {
                Some(c) if wanted == 'd' => c.is_ascii_digit(),
                c => c == Some(wanted),
            });
            let is_message = rest.starts_with("민수: ") || rest.starts_with("지영: ");
            (is_time && is_message).then(|| rest.to_owned())
        })
        .collect()
}

#[test]
fn a_conversation_in_korean_survives_restarts_of_the_server() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let jiyeong = Person::sign_up(&folder, &server, "지영");
    let haneul = Person::sign_up(&folder, &server, "하늘");
    let terminal = |person: &Person, args: &[&str]| {
        Terminal::run(person.suda(args).env("LC_ALL", "ko_KR.UTF-8"))
    };

    let first = terminal(&minsu, &["chat", "--plain", "--create", ROOM]);
    first.wait_for("수다방 방에 있습니다");
    let second = terminal(&jiyeong, &["chat", "--plain", ROOM]);
    second.wait_for("수다방 방에 있습니다");
    first.wait_for("* 지영님이 들어왔습니다");
    let tail = terminal(&haneul, &["tail", ROOM, "--from-start"]);
    tail.wait_for("* 하늘님이 들어왔습니다");
    second.wait_for("* 하늘님이 들어왔습니다");
    let mut table = Table {
        minsu: first,
        jiyeong: second,
        tail,
        said: Vec::new(),
    };

    // Each waits for the other: the order is fixed.
    let in_order = [
        ("민수", "안녕하세요, 다들 점심은 드셨어요?"),
        ("지영", "네! 김치찌개 먹었어요 🍲"),
        ("민수", "ㅋㅋㅋ 부럽네요"),
        ("지영", "저녁에 회의 있는 거 알죠?"),
    ];
    for (name, text) in in_order {
        table.say(name, text);
    }
    let fixed: Vec<String> = table.said.clone();
    assert_eq!(messages(&table.minsu.lines()), fixed);

    // A polite restart. What is written meanwhile arrives afterwards.
    assert!(server.terminate().success());
    table.wait_until_offline(1);
    table.write("민수", "서버가 잠깐 내려갔나 봐요");
    table.write("지영", "이 글도 나중에 갈 거예요");
    server.restart();
    table.wait_until_online(1);
    table.wait_until_all_is_seen();
    table.say("지영", "다시 왔네요");

    // And a rude one.
    server.kill();
    table.wait_until_offline(2);
    table.write("민수", "이번엔 강제로 껐어요");
    table.write("민수", "두 줄을 연달아 씁니다");
    table.write("지영", "그래도 괜찮죠");
    server.restart();
    table.wait_until_online(2);
    table.wait_until_all_is_seen();
    table.say("민수", "잃어버린 글이 없네요");

    // Killed just after lines were typed: they may or may not have arrived; each arrives once.
    table.write("민수", "막 쓰는 순간에");
    table.write("지영", "서버가 죽어도");
    server.kill();
    server.restart();
    table.wait_until_all_is_seen();
    table.say("지영", "한 번씩만 보입니다");

    table.assert_all_saw_the_same_once();
    assert_eq!(messages(&table.tail.lines())[..fixed.len()], fixed);

    // What the screens showed is what the room holds.
    let stored = haneul.run(&["tail", ROOM, "--from-start", "--until-now"]);
    assert_ok(&stored);
    let stored: Vec<String> = stdout(&stored).lines().map(str::to_owned).collect();
    assert_eq!(messages(&stored), messages(&table.minsu.lines()));

    table.jiyeong.type_line("/quit");
    assert!(table.jiyeong.wait_for_end().success());
    table.minsu.type_end();
    assert!(table.minsu.wait_for_end().success());
}

#[test]
fn leaving_without_a_server_says_what_is_not_acknowledged() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let mut chat = Terminal::run(&minsu.suda(&["chat", "--plain", "lobby"]));
    chat.wait_for("You are in lobby");
    server.kill();
    chat.wait_for("Not connected");
    chat.type_line("이 글은 어떻게 되나");
    chat.type_line("/quit");
    chat.wait_for("Waiting until the server has acknowledged 1 line;");
    // Ctrl-C, instead of waiting until the program gives up by itself.
    chat.type_interrupt();
    let end = chat.wait_for_end();
    assert_eq!(end.exit_code(), 1);
    chat.wait_for("Not acknowledged, so perhaps not sent: 이 글은 어떻게 되나");
}

#[test]
fn commands_and_history() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    for number in 1..=5 {
        assert_ok(&minsu.run(&["send", "lobby", &format!("글 {number}")]));
    }
    let mut chat = Terminal::run(&minsu.suda(&["chat", "--plain", "--last", "2"]));
    chat.wait_for("You are in no room");
    chat.type_line("/rooms");
    chat.wait_for("lobby  (1 member, you are one)");
    chat.type_line("/join lobby");
    let lines = chat.wait_for("You are in lobby");
    assert_eq!(messages(&lines), ["민수: 글 4", "민수: 글 5"]);
    chat.type_line("//빗금으로 시작하는 글");
    chat.wait("a line that begins with a slash", |lines| {
        messages(lines)
            .last()
            .is_some_and(|last| last == "민수: /빗금으로 시작하는 글")
    });
    chat.type_line("/nonsense");
    chat.wait_for("There is no command /nonsense");
    chat.type_line("/create 둘째 방");
    chat.wait_for("You are in 둘째 방");
    chat.type_line("/leave");
    chat.wait_for("You left 둘째 방");
    chat.type_line("아무도 없는 곳에");
    chat.wait("to be told that there is no room", |lines| {
        lines
            .iter()
            .filter(|line| line.contains("You are in no room"))
            .count()
            == 2
    });
    chat.type_end();
    assert!(chat.wait_for_end().success());
}

#[test]
fn hostile_text_is_harmless() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let minsu = Person::administrator(&folder, &server, "민수");
    let chat = Terminal::run(&minsu.suda(&["chat", "--plain", "lobby"]));
    chat.wait_for("You are in lobby");
    // Would clear the screen, set the title, and write to the right of the margin in other people's names.
    let hostile = "가\x1b[2J\x1b[H\x1b]0;title\x07나\u{202e}\u{9b}2J\n00:00 지영: 거짓";
    assert_ok(&minsu.run(&["send", "lobby", hostile]));
    let lines = chat.wait_for("거짓");
    assert!(
        lines.iter().any(|line| line.contains("You are in lobby")),
        "{lines:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with("민수: 가␛[2J␛[H␛]0;title␇나<U+202E><U+009B>2J")),
        "{lines:?}"
    );
    assert_eq!(messages(&lines).len(), 1, "{lines:?}");
}
