//! A client without terminal and connection, and a conversation to put into it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use suda_client::Event as ServerEvent;
use suda_protocol::v1;
use suda_protocol::v1::entry::What;
use unicode_width::UnicodeWidthStr;
use uuid::Uuid;

use crate::clock::Clock;
use crate::language::Language;
use crate::texts::Texts;
use crate::tui::event::{Done, Effect, Event, Order, Stamp};
use crate::tui::kept::Kept;
use crate::tui::model::Model;
use crate::tui::theme::ThemeName;
use crate::tui::{update, view};

/// 20 November 2026, 09:00 UTC.
pub(super) const MORNING_MS: i64 = 1_795_165_200_000;
pub(super) const MINUTE_MS: i64 = 60_000;

pub(super) struct Bench {
    pub(super) model: Model,
    pub(super) now_ms: i64,
    ids: u128,
}

impl Bench {
    /// Minsu's client before its first connection.
    pub(super) fn start(size: (u16, u16), language: Language, kept: Kept) -> Bench {
        let model = Model::new(
            Texts::new(language),
            Clock::utc(),
            "http://127.0.0.1:8080".into(),
            ThemeName::Mono,
            size,
            Kept {
                user: "민수".into(),
                ..kept
            },
        );
        Bench {
            model,
            now_ms: MORNING_MS,
            ids: 0,
        }
    }

    /// Connected, in 수다방 and lobby, of which nothing was loaded so far.
    pub(super) fn connected(size: (u16, u16), language: Language) -> Bench {
        let mut bench = Bench::start(size, language, Kept::default());
        bench.online();
        bench.rooms();
        bench
    }

    /// In 수다방 with these messages, and an empty lobby.
    pub(super) fn in_room(
        size: (u16, u16),
        language: Language,
        messages: Vec<v1::Message>,
    ) -> Bench {
        let mut bench = Bench::connected(size, language);
        bench.history("room", 0, messages, false);
        bench.history("lobby", 0, Vec::new(), false);
        bench.show("수다방");
        bench
    }

    pub(super) fn online(&mut self) -> Vec<Effect> {
        self.server(ServerEvent::Online {
            user: v1::User {
                id: "minsu".into(),
                name: "민수".into(),
                administrator: true,
            },
        })
    }

    pub(super) fn rooms(&mut self) -> Vec<Effect> {
        let room = |id: &str, name: &str, member, member_count| v1::Room {
            id: id.into(),
            name: name.into(),
            top: None,
            member_count,
            member,
        };
        self.feed(Event::Done(Done::Rooms(Ok(vec![
            room("lobby", "lobby", true, 12),
            room("lunch", "점심 메뉴", false, 4),
            room("room", "수다방", true, 3),
        ]))))
    }

    pub(super) fn feed(&mut self, event: Event) -> Vec<Effect> {
        self.ids += 1;
        let stamp = Stamp {
            now_ms: self.now_ms,
            id: Uuid::from_u128(self.ids),
        };
        update::update(&mut self.model, stamp, event)
    }

    pub(super) fn server(&mut self, event: ServerEvent) -> Vec<Effect> {
        self.feed(Event::Server(event))
    }

    pub(super) fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        self.feed(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    pub(super) fn control(&mut self, c: char) -> Vec<Effect> {
        self.feed(Event::Key(KeyEvent::new(
            KeyCode::Char(c),
            KeyModifiers::CONTROL,
        )))
    }

    pub(super) fn alt(&mut self, code: KeyCode) -> Vec<Effect> {
        self.feed(Event::Key(KeyEvent::new(code, KeyModifiers::ALT)))
    }

    /// Types as an IME commits: a key per syllable.
    pub(super) fn write(&mut self, text: &str) {
        for c in text.chars() {
            assert!(posts(&self.key(KeyCode::Char(c))).is_empty());
        }
    }

    pub(super) fn wheel(&mut self, up: bool) -> Vec<Effect> {
        let kind = if up {
            MouseEventKind::ScrollUp
        } else {
            MouseEventKind::ScrollDown
        };
        self.mouse(kind, 40, 5)
    }

    pub(super) fn click(&mut self, column: u16, row: u16) -> Vec<Effect> {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row)
    }

    fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
        self.feed(Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }))
    }

    /// Shows the room of that name, with the switcher.
    pub(super) fn show(&mut self, name: &str) {
        self.control('k');
        self.write(name);
        self.key(KeyCode::Enter);
        assert_eq!(self.model.current().unwrap().name, name);
    }

    /// A page of messages, given oldest first.
    pub(super) fn history(
        &mut self,
        room: &str,
        before_seq: u64,
        mut messages: Vec<v1::Message>,
        more: bool,
    ) -> Vec<Effect> {
        messages.reverse();
        self.feed(Event::Done(Done::History {
            room: room.into(),
            before_seq,
            result: Ok(v1::MessagePage {
                messages,
                as_of_seq: 0,
                more,
            }),
        }))
    }

    /// A new message in 수다방.
    pub(super) fn said(&mut self, seq: u64, author: &str, name: &str, text: &str) -> Vec<Effect> {
        let at_ms = self.now_ms;
        self.entry(v1::Entry {
            room: "room".into(),
            seq,
            id: format!("entry-{seq}"),
            author: author.into(),
            author_name: name.into(),
            at_ms,
            what: Some(What::MessagePosted(v1::MessagePosted {
                text: text.into(),
                reply_to: 0,
            })),
        })
    }

    pub(super) fn entry(&mut self, entry: v1::Entry) -> Vec<Effect> {
        self.server(ServerEvent::Entry(entry))
    }

    /// The answer to a post.
    pub(super) fn posted(
        &mut self,
        client_id: Uuid,
        result: Result<u64, v1::Error>,
    ) -> Vec<Effect> {
        let at_ms = self.now_ms;
        self.feed(Event::Done(Done::Post {
            client_id,
            result: result.map(|seq| v1::Posted {
                room: "room".into(),
                seq,
                id: format!("entry-{seq}"),
                at_ms,
                duplicate: false,
            }),
        }))
    }

    /// Writes a text and sends it; gives its client id.
    pub(super) fn send(&mut self, text: &str) -> Uuid {
        self.write(text);
        let effects = self.key(KeyCode::Enter);
        posts(&effects).first().unwrap().0
    }

    /// The screen as text. Every row has exactly the width of the screen.
    pub(super) fn screen(&self) -> String {
        let (columns, _) = self.model.size;
        let terminal = self.drawn();
        let buffer = terminal.backend().buffer();
        let mut rows = Vec::new();
        for row in buffer.area.rows() {
            let (mut text, mut column) = (String::new(), 0);
            while column < row.width {
                let symbol = buffer[(column, row.y)].symbol();
                text.push_str(symbol);
                column += u16::try_from(symbol.width().max(1)).unwrap();
            }
            assert_eq!(column, columns, "a character is cut at the edge: {text}");
            assert_eq!(text.width(), usize::from(columns), "{text:?}");
            rows.push(text.trim_end().to_owned());
        }
        rows.join("\n")
    }

    /// The rows of the screen that contain the text.
    pub(super) fn rows_with(&self, text: &str) -> usize {
        self.screen()
            .lines()
            .filter(|row| row.contains(text))
            .count()
    }

    /// The row of the screen, from above, that contains the text.
    pub(super) fn row_of(&self, text: &str) -> Option<usize> {
        self.screen().lines().position(|row| row.contains(text))
    }

    /// Column and row.
    pub(super) fn cursor(&self) -> (u16, u16) {
        let mut terminal = self.drawn();
        let position = terminal.get_cursor_position().unwrap();
        (position.x, position.y)
    }

    fn drawn(&self) -> Terminal<TestBackend> {
        let (columns, rows) = self.model.size;
        self.draw_in(columns, rows)
    }

    /// Draws into a terminal of that size, whatever the client knows of it.
    pub(super) fn draw_in(&self, columns: u16, rows: u16) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| view::draw(&self.model, frame))
            .unwrap();
        terminal
    }
}

/// A message of 수다방.
pub(super) fn message(seq: u64, author: &str, name: &str, at_ms: i64, text: &str) -> v1::Message {
    v1::Message {
        seq,
        id: format!("entry-{seq}"),
        author: author.into(),
        author_name: name.into(),
        at_ms,
        text: text.into(),
        reply_to: 0,
    }
}

/// Messages with these seqs, by one person, a minute apart; each says its seq.
pub(super) fn numbered(seqs: std::ops::RangeInclusive<u64>) -> Vec<v1::Message> {
    seqs.map(|seq| {
        let at_ms = MORNING_MS + i64::try_from(seq).unwrap() * MINUTE_MS;
        message(seq, "jiyeong", "지영", at_ms, &format!("글 {seq}."))
    })
    .collect()
}

/// The posts among the effects.
pub(super) fn posts(effects: &[Effect]) -> Vec<(Uuid, String)> {
    orders(effects)
        .into_iter()
        .filter_map(|order| match order {
            Order::Post {
                client_id, text, ..
            } => Some((client_id, text)),
            _ => None,
        })
        .collect()
}

pub(super) fn orders(effects: &[Effect]) -> Vec<Order> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Ask(order) => Some(order.clone()),
        _ => None,
    });
    asked.collect()
}
