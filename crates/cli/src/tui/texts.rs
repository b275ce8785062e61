//! What the full-screen client says, in each language.

use super::keys::HelpLine;
use crate::language::Language;
use crate::texts::{Texts, counted, say};
use crate::visible;

impl Texts {
    pub(crate) fn needs_terminal(self) -> String {
        say!(
            self,
            "the full-screen chat needs a terminal for input and output: run `suda chat --plain` instead",
            "전체 화면 채팅은 터미널에서만 쓸 수 있습니다. 대신 `suda chat --plain`을 실행하세요"
        )
    }

    pub(super) fn new_messages(self) -> String {
        say!(self, "new messages", "여기부터 새 메시지")
    }

    pub(super) fn answers_older(self) -> String {
        say!(self, "↪ an older message", "↪ 이전 메시지에 대한 답장")
    }

    pub(super) fn post_pending(self) -> String {
        say!(self, "… sending", "… 보내는 중")
    }

    pub(super) fn post_sent(self) -> String {
        say!(self, "✓ sent", "✓ 보냄")
    }

    pub(super) fn post_delayed(self, reason: &str) -> String {
        say!(
            self,
            "↻ not sent yet, trying again ({reason})",
            "↻ 아직 보내지 못해 다시 시도하는 중 ({reason})"
        )
    }

    pub(super) fn post_failed(self, reason: &str) -> String {
        say!(
            self,
            "✗ not sent: {reason} (Ctrl+R sends it again, Ctrl+X takes it back)",
            "✗ 보내지 못함: {reason} (Ctrl+R 다시 보내기, Ctrl+X 거두기)"
        )
    }

    pub(super) fn members(self, count: u32) -> String {
        let members = counted(count, "member", "members");
        say!(self, "{members}", "{count}명")
    }

    pub(super) fn new_below(self, count: usize) -> String {
        let messages = counted(count, "new message", "new messages");
        say!(self, "▼ {messages} (Esc)", "▼ 새 메시지 {count}개 (Esc)")
    }

    pub(super) fn older_shown(self) -> String {
        say!(self, "▼ to the newest (Esc)", "▼ 맨 아래로 (Esc)")
    }

    pub(super) fn tui_empty_room(self) -> String {
        say!(
            self,
            "Nothing has been said here yet.",
            "아직 아무 이야기도 없습니다. 첫마디를 건네 보세요."
        )
    }

    pub(super) fn tui_loading(self) -> String {
        say!(self, "Loading …", "불러오는 중 …")
    }

    pub(super) fn tui_not_loaded(self) -> String {
        say!(
            self,
            "The messages could not be loaded.",
            "메시지를 불러오지 못했습니다."
        )
    }

    pub(super) fn tui_not_connected(self) -> String {
        say!(
            self,
            "There is no connection to the server yet.",
            "아직 서버에 연결되지 않았습니다."
        )
    }

    pub(super) fn tui_no_room(self) -> String {
        say!(
            self,
            "You are in no room yet. Ctrl+K shows the rooms.",
            "아직 들어간 방이 없습니다. Ctrl+K로 방을 찾아보세요."
        )
    }

    pub(super) fn tui_left(self, room: &str) -> String {
        say!(
            self,
            "You are no longer a member of {room}.",
            "{room} 방에서 나왔습니다."
        )
    }

    pub(super) fn tui_unknown_room(self, room: &str) -> String {
        say!(self, "There is no room {room}.", "{room} 방이 없습니다.")
    }

    pub(super) fn too_long(self, bytes: usize, bytes_max: usize) -> String {
        say!(
            self,
            "Too long: {bytes} of {bytes_max} bytes.",
            "너무 깁니다. {bytes_max}바이트까지 보낼 수 있는데 {bytes}바이트입니다."
        )
    }

    pub(super) fn composer_full(self) -> String {
        say!(
            self,
            "That is too much for a message; nothing of it was taken.",
            "메시지 하나에 담기에는 너무 길어서 넣지 않았습니다."
        )
    }

    pub(super) fn no_room_to_take_back(self) -> String {
        say!(
            self,
            "There is no room to take back everything: send or shorten what is written first.",
            "입력란이 가득 차서 다 거두지 못했습니다. 쓰던 글을 먼저 보내거나 줄여 주세요."
        )
    }

    pub(super) fn composer_hint(self) -> String {
        say!(
            self,
            "Message (Enter sends, Alt+Enter breaks the line)",
            "메시지 입력 (Enter 보내기, Alt+Enter 줄바꿈)"
        )
    }

    pub(super) fn status_connecting(self) -> String {
        say!(self, "connecting …", "연결하는 중 …")
    }

    pub(super) fn status_online(self, name: &str) -> String {
        say!(self, "connected · {name}", "연결됨 · {name}")
    }

    pub(super) fn status_offline(self, seconds: i64) -> String {
        match seconds {
            0 => say!(
                self,
                "not connected, connecting …",
                "연결 끊김, 다시 연결하는 중 …"
            ),
            _ => say!(
                self,
                "not connected, next attempt in {seconds} s",
                "연결 끊김, {seconds}초 뒤 다시 연결"
            ),
        }
    }

    pub(super) fn status_unsent(self, count: usize) -> String {
        say!(self, "{count} unsent", "안 보낸 메시지 {count}개")
    }

    pub(super) fn choosing_reply(self) -> String {
        say!(
            self,
            "Answer which message? ↑ older, ↓ newer, Enter answers, Esc ends",
            "어느 메시지에 답장할까요? ↑ 이전, ↓ 다음, Enter 답장, Esc 취소"
        )
    }

    pub(super) fn nothing_to_answer(self) -> String {
        say!(
            self,
            "There is no message here to answer.",
            "답장할 메시지가 없습니다."
        )
    }

    pub(super) fn reply_hint(self) -> String {
        say!(self, "(Esc: no answer)", "(Esc 답장 취소)")
    }

    pub(super) fn status_help(self) -> String {
        say!(self, "F1 help", "F1 도움말")
    }

    pub(super) fn search_label(self) -> String {
        say!(self, "Search:", "찾기:")
    }

    pub(super) fn search_found(self, here: usize, count: usize) -> String {
        match count {
            0 => say!(
                self,
                "nothing found (Esc ends)",
                "찾은 것 없음 (Esc 끝내기)"
            ),
            _ => say!(
                self,
                "{here}/{count} (Enter older, ↓ newer, Esc ends)",
                "{here}/{count} (Enter 이전, ↓ 다음, Esc 끝내기)"
            ),
        }
    }

    pub(super) fn switcher_title(self) -> String {
        say!(self, " Rooms ", " 방 찾기 ")
    }

    pub(super) fn switcher_create(self, name: &str) -> String {
        say!(self, "+ make the room {name}", "+ {name} 방 만들기")
    }

    pub(super) fn switcher_join(self) -> String {
        say!(self, "join", "들어가기")
    }

    pub(super) fn help_title(self) -> String {
        say!(self, " Keys ", " 도움말 ")
    }

    pub(super) fn leaving(self, count: usize) -> [String; 2] {
        [
            say!(
                self,
                "Waiting until the server has {count} of your messages …",
                "서버가 메시지 {count}개를 받을 때까지 기다리는 중 …"
            ),
            say!(
                self,
                "Ctrl+C leaves at once, Esc stays.",
                "바로 끝내려면 Ctrl+C, 계속하려면 Esc를 누르세요."
            ),
        ]
    }

    /// Said on the plain terminal, after the end.
    pub(super) fn unsent_is_kept(self, unsent: &[&str]) -> String {
        let count = unsent.len();
        let messages = counted(count, "message is", "messages are");
        let mut said = say!(
            self,
            "{messages} not sent yet, but kept, and sent when `suda chat` runs again:",
            "아직 보내지 못한 메시지가 {count}개 있습니다. 보관해 두었다가 `suda chat`을 다시 실행하면 보냅니다:"
        );
        list(&mut said, unsent);
        said
    }

    /// Said on the plain terminal, after the end.
    pub(super) fn words_are_not_kept(self, words: &[&str], reason: &str) -> String {
        let mut said = say!(
            self,
            "what you wrote is not sent, and could not be kept either ({reason}). Copy what you need:",
            "쓰던 글과 보내지 못한 메시지를 저장하지 못했습니다({reason}). 필요한 내용은 지금 복사해 두세요:"
        );
        list(&mut said, words);
        said
    }

    pub(super) fn help_line(self, line: HelpLine) -> String {
        match line {
            HelpLine::Send => say!(self, "send", "보내기"),
            HelpLine::BreakLine => say!(self, "break the line", "줄바꿈"),
            HelpLine::Switch => say!(
                self,
                "find, join or make a room",
                "방 찾기, 들어가기, 만들기"
            ),
            HelpLine::Neighbours => say!(self, "next and previous room", "다음 방, 이전 방"),
            HelpLine::NextUnread => say!(
                self,
                "next room with something new",
                "새 메시지가 있는 다음 방"
            ),
            HelpLine::Scroll => say!(
                self,
                "scroll (or the mouse wheel)",
                "넘겨 보기 (마우스 휠도 가능)"
            ),
            HelpLine::Oldest => say!(
                self,
                "to the oldest that is loaded",
                "불러온 것 가운데 맨 위로"
            ),
            HelpLine::Newest => say!(self, "to the newest", "맨 아래로"),
            HelpLine::Search => say!(self, "search in what is loaded", "불러온 메시지에서 찾기"),
            HelpLine::Reply => say!(
                self,
                "answer a message: ↑ ↓ choose, Enter",
                "답장하기: ↑ ↓로 고르고 Enter"
            ),
            HelpLine::Failed => say!(
                self,
                "what was refused: send again, take back",
                "보내지 못한 메시지 다시 보내기, 거두기"
            ),
            HelpLine::DeleteWord => say!(
                self,
                "delete the word before, behind",
                "앞 낱말 지우기, 뒤 낱말 지우기"
            ),
            HelpLine::Theme => say!(
                self,
                "dark, light, without colour",
                "어둡게, 밝게, 흑백으로"
            ),
            HelpLine::Redraw => say!(self, "draw the screen again", "화면 다시 그리기"),
            HelpLine::Suspend => say!(
                self,
                "back to the shell (fg returns)",
                "셸로 잠깐 나가기 (fg로 돌아오기)"
            ),
            HelpLine::Commands => say!(
                self,
                "enter, make, leave a room",
                "방에 들어가기, 만들기, 나가기"
            ),
            HelpLine::Quit => say!(self, "end", "끝내기"),
            HelpLine::Help => say!(self, "this help", "이 도움말"),
        }
    }
}

fn list(said: &mut String, texts: &[&str]) {
    for text in texts {
        said.push_str("\n  ");
        said.push_str(&visible::line(text));
    }
}
