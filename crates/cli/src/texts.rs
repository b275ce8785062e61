//! Every sentence that the program says to a person, in each language. What a command means, `--help` says.

use suda_client::OfflineReason;
use suda_client::account::AccountError;
use suda_protocol::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use suda_protocol::v1::{self, ErrorCode};

use crate::credentials::{Kept, KeyringError};
use crate::language::Language;
use crate::visible;

/// A number and its noun, as English has it.
pub(crate) fn counted<N: Copy + std::fmt::Display + PartialEq + From<u8>>(
    count: N,
    one: &str,
    many: &str,
) -> String {
    let noun = if count == N::from(1) { one } else { many };
    format!("{count} {noun}")
}

/// The sentences in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts {
    pub(crate) language: Language,
}

/// Picks the sentence of the language; both are written side by side, so that neither is forgotten.
macro_rules! say {
    ($texts:expr, $english:literal, $korean:literal) => {
        match $texts.language {
            Language::English => format!($english),
            Language::Korean => format!($korean),
        }
    };
}

pub(crate) use say;

/// Of the server and of signing in.
impl Texts {
    pub(crate) fn new(language: Language) -> Texts {
        Texts { language }
    }

    pub(crate) fn listening(self, url: &str) -> String {
        say!(
            self,
            "Suda is listening on {url}\n",
            "수다 서버가 열렸습니다: {url}\n"
        )
    }

    pub(crate) fn no_administrator(self, program: &str, url: &str, token: &str) -> String {
        say!(
            self,
            "There is no administrator yet. Whoever uses this first becomes one:\n  in a browser:   {url}/setup#{token}\n  in a terminal:  {program} login --server {url} --setup {token}\n\n",
            "아직 관리자가 없습니다. 아래 방법 가운데 하나를 먼저 쓰는 사람이 관리자가 됩니다.\n  브라우저:  {url}/setup#{token}\n  터미널:    {program} login --server {url} --setup {token}\n\n"
        )
    }

    pub(crate) fn ask_name(self) -> String {
        say!(self, "Name: ", "이름: ")
    }

    pub(crate) fn ask_password(self) -> String {
        say!(self, "Password: ", "비밀번호: ")
    }

    pub(crate) fn ask_password_again(self) -> String {
        say!(self, "The same password again: ", "비밀번호 확인: ")
    }

    pub(crate) fn passwords_differ(self) -> String {
        say!(
            self,
            "the two passwords are not the same",
            "두 비밀번호가 서로 다릅니다"
        )
    }

    pub(crate) fn signed_in(self, name: &str, server: &str) -> String {
        say!(
            self,
            "Signed in to {server} as {name}.",
            "{server}에 {name}(으)로 로그인했습니다."
        )
    }

    pub(crate) fn signed_out(self, server: &str) -> String {
        say!(
            self,
            "Signed out of {server}.",
            "{server}에서 로그아웃했습니다."
        )
    }

    pub(crate) fn signed_out_only_here(self, server: &str, reason: &str) -> String {
        say!(
            self,
            "the sign-in on {server} is forgotten here, but the server could not be told: {reason}",
            "이 기기에서는 {server}에서 로그아웃했지만 서버에 알리지 못했습니다: {reason}"
        )
    }

    pub(crate) fn not_signed_in(self, server: Option<&str>) -> String {
        match server {
            Some(server) => say!(
                self,
                "not signed in to {server}: run `suda login --server {server}`",
                "{server}에 로그인되어 있지 않습니다. `suda login --server {server}`로 로그인하세요"
            ),
            None => say!(
                self,
                "not signed in: run `suda login --server URL`",
                "로그인되어 있지 않습니다. `suda login --server URL`로 로그인하세요"
            ),
        }
    }

    pub(crate) fn sign_in_ended(self, reason: &str) -> String {
        say!(
            self,
            "the sign-in is no longer valid: {reason}",
            "로그인이 만료되었습니다: {reason}"
        )
    }

    pub(crate) fn unreachable(self, server: &str, reason: &str) -> String {
        say!(
            self,
            "{server} cannot be reached: {reason}",
            "{server}에 연결할 수 없습니다: {reason}"
        )
    }
}

/// Of where a sign-in is kept.
impl Texts {
    pub(crate) fn kept(self, kept: &Kept) -> String {
        match kept {
            Kept::InKeyring => say!(
                self,
                "The sign-in is kept in the system's keyring.",
                "로그인 정보는 시스템 키링에 보관합니다."
            ),
            Kept::InFile(path, None) => {
                let path = path.display();
                say!(
                    self,
                    "The sign-in is kept in {path}, which only you can read.",
                    "로그인 정보는 본인만 읽을 수 있는 {path} 파일에 보관합니다."
                )
            }
            Kept::InFile(path, Some(error)) => {
                let (path, reason) = (path.display(), self.keyring_error(error));
                say!(
                    self,
                    "The sign-in is kept in {path}, which only you can read: there is no keyring to be had ({reason}).",
                    "시스템 키링을 쓸 수 없어({reason}) 로그인 정보를 본인만 읽을 수 있는 {path} 파일에 보관합니다."
                )
            }
        }
    }

    pub(crate) fn no_keyring(self, error: &KeyringError) -> String {
        let reason = self.keyring_error(error);
        say!(
            self,
            "there is no keyring to be had ({reason}); `--credentials file` keeps the sign-in in a file",
            "시스템 키링을 쓸 수 없습니다({reason}). `--credentials file`을 쓰면 파일에 보관합니다"
        )
    }

    pub(crate) fn keyring_closed(self, server: &str, error: &KeyringError) -> String {
        let reason = self.keyring_error(error);
        say!(
            self,
            "the sign-in on {server} is in the system's keyring, which does not give it ({reason}): unlock the keyring, or sign in again with `suda login --server {server}`",
            "{server} 로그인 정보가 시스템 키링에 있지만 꺼낼 수 없습니다({reason}). 키링의 잠금을 풀거나 `suda login --server {server}`로 다시 로그인하세요"
        )
    }

    pub(crate) fn not_in_keyring(self, server: &str) -> String {
        say!(
            self,
            "the sign-in on {server} is no longer in the system's keyring: run `suda login --server {server}`",
            "시스템 키링에 {server} 로그인 정보가 더는 없습니다. `suda login --server {server}`로 로그인하세요"
        )
    }

    pub(crate) fn waiting_for_keyring(self) -> String {
        say!(
            self,
            "Waiting for the system's keyring; it may be asking for its password.",
            "시스템 키링의 응답을 기다리는 중입니다. 키링 비밀번호를 묻는 창이 떠 있는지 확인하세요."
        )
    }

    fn keyring_error(self, error: &KeyringError) -> String {
        match error {
            KeyringError::Silent => say!(self, "it does not answer", "응답 없음"),
            KeyringError::Failed(reason) => visible::line(reason),
        }
    }
}

/// Of sending and reading in scripts.
impl Texts {
    pub(crate) fn refused(self, reason: &str) -> String {
        say!(self, "refused: {reason}", "서버가 거절했습니다: {reason}")
    }

    pub(crate) fn line_refused(self, line: u64, reason: &str) -> String {
        say!(
            self,
            "line {line} was refused: {reason}",
            "{line}번째 줄을 서버가 거절했습니다: {reason}"
        )
    }

    pub(crate) fn line_unreadable(self, line: u64, reason: &str) -> String {
        say!(
            self,
            "line {line} cannot be read: {reason}",
            "{line}번째 줄을 읽을 수 없습니다: {reason}"
        )
    }

    pub(crate) fn not_all_sent(self, sent: u64) -> String {
        let lines = counted(sent, "line was", "lines were");
        say!(
            self,
            "not everything was sent; {lines}",
            "일부를 보내지 못했습니다. 보낸 줄: {sent}"
        )
    }

    pub(crate) fn nothing_to_send(self) -> String {
        say!(self, "there was nothing to send", "보낼 내용이 없습니다")
    }

    pub(crate) fn not_acknowledged_in_time(self, server: &str, seconds: u64) -> String {
        say!(
            self,
            "{server} did not acknowledge within {seconds} s; whether the message arrived is not known",
            "{server}에서 {seconds}초 안에 확인이 오지 않았습니다. 메시지가 전달되었는지 알 수 없습니다"
        )
    }

    pub(crate) fn interrupted(self, reason: &str) -> String {
        say!(
            self,
            "not connected ({reason}); trying again",
            "연결이 끊겼습니다({reason}). 다시 연결합니다"
        )
    }

    pub(crate) fn resumed(self) -> String {
        say!(self, "connected again", "다시 연결되었습니다")
    }

    pub(crate) fn no_rooms(self) -> String {
        say!(self, "There are no rooms yet.", "아직 방이 없습니다.")
    }

    pub(crate) fn room_line(self, name: &str, members: u32, member: bool) -> String {
        let counted = counted(members, "member", "members");
        match member {
            true => say!(
                self,
                "{name}  ({counted}, you are one)",
                "{name}  ({members}명, 참여 중)"
            ),
            false => say!(self, "{name}  ({counted})", "{name}  ({members}명)"),
        }
    }
}

/// Of the conversation.
impl Texts {
    pub(crate) fn room_created(self, author: &str, room: &str) -> String {
        say!(
            self,
            "* {author} made the room {room}",
            "* {author}님이 {room} 방을 만들었습니다"
        )
    }

    pub(crate) fn member_joined(self, author: &str) -> String {
        say!(self, "* {author} joined", "* {author}님이 들어왔습니다")
    }

    pub(crate) fn member_left(self, author: &str) -> String {
        say!(self, "* {author} left", "* {author}님이 나갔습니다")
    }

    pub(crate) fn connecting(self, server: &str) -> String {
        say!(
            self,
            "* Connecting to {server} …",
            "* {server}에 연결하는 중입니다 …"
        )
    }

    pub(crate) fn online(self, name: &str) -> String {
        say!(
            self,
            "* Connected as {name}.",
            "* {name}(으)로 연결되었습니다."
        )
    }

    pub(crate) fn online_again(self) -> String {
        say!(self, "* Connected again.", "* 다시 연결되었습니다.")
    }

    pub(crate) fn offline(self, reason: &str) -> String {
        say!(
            self,
            "* Not connected ({reason}). Trying again; what you write is kept and sent then.",
            "* 연결이 끊겼습니다({reason}). 다시 연결하는 중이며, 그동안 쓴 글은 연결되면 보냅니다."
        )
    }

    pub(crate) fn entered(self, room: &str) -> String {
        say!(
            self,
            "* You are in {room}. /help shows the commands.",
            "* 지금 {room} 방에 있습니다. /help로 명령을 볼 수 있습니다."
        )
    }

    pub(crate) fn no_room_yet(self) -> String {
        say!(
            self,
            "* You are in no room. /rooms lists them, /join ROOM enters one.",
            "* 아직 들어간 방이 없습니다. /rooms로 방을 보고 /join 방이름으로 들어가세요."
        )
    }

    pub(crate) fn left_room(self, room: &str) -> String {
        say!(self, "* You left {room}.", "* {room} 방에서 나왔습니다.")
    }

    pub(crate) fn removed_from_room(self, room: &str) -> String {
        say!(
            self,
            "* You are no longer a member of {room}.",
            "* 이제 {room} 방의 멤버가 아닙니다."
        )
    }

    pub(crate) fn history_is_another(self) -> String {
        say!(
            self,
            "The server's history is no longer the one shown above; it goes on below as the server has it now.",
            "서버의 기록이 위에 보이는 것과 달라졌습니다. 아래부터는 지금 서버에 있는 기록입니다."
        )
    }

    pub(crate) fn delayed(self, reason: &str) -> String {
        say!(
            self,
            "* Not sent yet ({reason}) It is tried again by itself.",
            "* 아직 보내지 못했습니다({reason}) 자동으로 다시 시도합니다."
        )
    }

    pub(crate) fn not_sent(self, text: &str, reason: &str) -> String {
        say!(
            self,
            "! Not sent: {text} ({reason})",
            "! 보내지 못했습니다: {text} ({reason})"
        )
    }

    pub(crate) fn command_failed(self, reason: &str) -> String {
        say!(self, "! {reason}", "! {reason}")
    }

    pub(crate) fn unknown_command(self, command: &str) -> String {
        say!(
            self,
            "! There is no command {command}. /help shows them; // at the start sends a line that begins with /.",
            "! {command} 명령은 없습니다. /help로 명령을 볼 수 있습니다. /로 시작하는 글은 //로 시작해 보내세요."
        )
    }

    pub(crate) fn command_needs_room(self, command: &str) -> String {
        say!(
            self,
            "! Which room? Like this: {command} lobby",
            "! 방 이름이 필요합니다. 예: {command} lobby"
        )
    }

    pub(crate) fn help(self) -> String {
        say!(
            self,
            "* Lines are sent to the room. Commands:\n  /rooms         list the rooms\n  /join ROOM     enter a room, as a member\n  /create ROOM   make a public room and enter it\n  /leave [ROOM]  end your membership\n  /help          this text\n  /quit          leave; your memberships stay (Ctrl-D does the same)\n  //text         send a line that begins with /",
            "* 쓴 줄은 그대로 방에 보냅니다. 명령:\n  /rooms         방 목록 보기\n  /join 방       멤버로 방에 들어가기\n  /create 방     공개 방을 만들고 들어가기\n  /leave [방]    방에서 완전히 나가기\n  /help          이 도움말\n  /quit          끝내기(멤버로는 남음, Ctrl-D도 같음)\n  //글           /로 시작하는 글 보내기"
        )
    }

    pub(crate) fn waiting_for_acknowledgement(self, count: usize) -> String {
        let lines = counted(count, "line", "lines");
        say!(
            self,
            "* Waiting until the server has acknowledged {lines}; Ctrl-C leaves at once.",
            "* 서버가 아직 확인하지 않은 {count}줄을 기다립니다. 바로 끝내려면 Ctrl-C를 누르세요."
        )
    }

    pub(crate) fn not_acknowledged(self, text: &str) -> String {
        say!(
            self,
            "! Not acknowledged, so perhaps not sent: {text}",
            "! 서버의 확인을 받지 못해 전달되지 않았을 수 있습니다: {text}"
        )
    }

    pub(crate) fn some_not_acknowledged(self, count: usize) -> String {
        let lines = counted(count, "line was", "lines were");
        say!(
            self,
            "{lines} not acknowledged by the server",
            "{count}줄을 서버가 확인하지 않았습니다"
        )
    }

    pub(crate) fn all_answered(self) -> String {
        say!(
            self,
            "* The server has answered everything.",
            "* 서버가 모두 확인했습니다."
        )
    }

    pub(crate) fn some_refused(self, count: usize) -> String {
        let lines = counted(count, "line was", "lines were");
        say!(
            self,
            "{lines} refused by the server",
            "{count}줄을 서버가 거절했습니다"
        )
    }

    /// Why there is no connection, as a part of a sentence.
    pub(crate) fn offline_reason(self, reason: &OfflineReason) -> String {
        match reason {
            OfflineReason::Unreachable { message } if message.is_empty() => {
                say!(
                    self,
                    "the server cannot be reached",
                    "서버에 연결할 수 없음"
                )
            }
            OfflineReason::Unreachable { message } => visible::line(message),
            OfflineReason::Lost { .. } => say!(self, "the link was lost", "연결이 끊어짐"),
            OfflineReason::GoingAway => {
                say!(self, "the server is restarting", "서버가 다시 시작하는 중")
            }
            OfflineReason::Silent => {
                say!(self, "nothing was heard for too long", "서버의 응답이 없음")
            }
            OfflineReason::Refused { error } => self.error(error),
        }
    }
}

/// The server's refusals.
impl Texts {
    pub(crate) fn account_error(self, error: &AccountError) -> String {
        match error {
            AccountError::Refused(error) => self.refused(&self.error(error)),
            AccountError::Unreachable { server, reason } => {
                self.unreachable(server, &visible::line(reason))
            }
            AccountError::NotSuda { server, status } => say!(
                self,
                "what answers at {server} is not a Suda server (status {status})",
                "{server}에서 응답한 것은 수다 서버가 아닙니다(상태 {status})"
            ),
        }
    }

    /// The sentence for an error of the server: ours in Korean, the server's own otherwise; with the numbers that it comes with.
    pub(crate) fn error(self, error: &v1::Error) -> String {
        let known = match self.language {
            Language::English => None,
            Language::Korean => {
                korean_with_numbers(error).or_else(|| korean(error.code()).map(str::to_owned))
            }
        };
        let mut sentence = known.unwrap_or_else(|| visible::line(&error.message));
        if error.retry_after_ms > 0 {
            let seconds = error.retry_after_ms.div_ceil(1000);
            sentence.push_str(&say!(self, " (in {seconds} s)", " ({seconds}초 뒤)"));
        }
        sentence
    }
}

/// The sentences that say a bound: the server's own, or the one that both sides of the protocol know.
fn korean_with_numbers(error: &v1::Error) -> Option<String> {
    let limit = error.limit;
    Some(match error.code() {
        ErrorCode::TextTooLong if limit > 0 => {
            format!("메시지가 너무 깁니다. {limit}바이트까지 보낼 수 있습니다.")
        }
        ErrorCode::TooManyOpenRooms if limit > 0 => {
            format!("한 연결에서 방은 {limit}개까지 열 수 있습니다. 먼저 하나를 닫으세요.")
        }
        ErrorCode::WeakPassword => format!(
            "비밀번호는 {PASSWORD_CHARS_MIN}자 이상, {PASSWORD_BYTES_MAX}바이트 이하여야 합니다."
        ),
        _ => return None,
    })
}

/// The protocol's table of errors in Korean; what a newer server adds is shown as the server says it.
fn korean(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::Unspecified => return None,
        ErrorCode::Malformed => "명령을 읽을 수 없습니다.",
        ErrorCode::UnknownCommand => "이 서버가 모르는 명령입니다.",
        ErrorCode::NotConnected => "첫 명령은 connect여야 합니다.",
        ErrorCode::AlreadyConnected => "이미 세션이 시작된 연결입니다.",
        ErrorCode::Unauthenticated => "토큰이 없거나 틀렸거나 만료되었습니다. 다시 로그인하세요.",
        ErrorCode::WrongPassword => "이름이나 비밀번호가 틀렸습니다.",
        ErrorCode::Forbidden => "권한이 없습니다.",
        ErrorCode::SignUpClosed => "이 서버는 가입을 받지 않습니다. 관리자에게 문의하세요.",
        ErrorCode::WrongSetupToken => {
            "설정 토큰이 없거나 틀렸거나 이미 사용되었습니다. 관리자가 아직 없다면 서버가 시작할 때 출력한 링크나 명령으로 먼저 관리자를 만드세요."
        }
        ErrorCode::UnknownRoom => "그런 방이 없거나 볼 수 없는 방입니다.",
        ErrorCode::NotAMember => "이 방의 멤버가 아닙니다. 먼저 방에 들어가세요.",
        ErrorCode::NameTaken => "이미 사용 중인 이름입니다.",
        ErrorCode::InvalidName => "이름이 비었거나 너무 길거나 쓸 수 없는 문자가 들어 있습니다.",
        ErrorCode::InvalidId => "명령에 든 식별자가 UUID가 아닙니다.",
        ErrorCode::WeakPassword => "비밀번호가 너무 짧거나 너무 깁니다.",
        ErrorCode::EmptyText => "빈 메시지는 보낼 수 없습니다.",
        ErrorCode::TextTooLong => "메시지가 너무 깁니다.",
        ErrorCode::UnknownMessage => "답장하려는 메시지가 없습니다.",
        ErrorCode::ClientIdReused => "다른 명령에 이미 사용한 클라이언트 식별자입니다.",
        ErrorCode::TooManyOpenRooms => {
            "한 연결에서 방을 너무 많이 열었습니다. 먼저 하나를 닫으세요."
        }
        ErrorCode::RateLimited => "너무 빠릅니다. 잠시 뒤에 다시 시도하세요.",
        ErrorCode::Busy => "서버가 바쁩니다. 다시 시도하세요.",
        ErrorCode::StorageFull => {
            "서버의 디스크가 가득 차 저장하지 못했습니다. 나중에 다시 시도하세요."
        }
        ErrorCode::Unavailable => "서버가 지금 읽거나 저장할 수 없습니다. 다시 시도하세요.",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_numbers_are_told_in_both_languages() {
        let too_long = v1::Error::of(ErrorCode::TextTooLong).with_limit(16_384);
        let too_fast = v1::Error::of(ErrorCode::RateLimited).with_retry_after_ms(2_100);
        for language in [Language::English, Language::Korean] {
            let texts = Texts::new(language);
            assert!(texts.error(&too_long).contains("16384"));
            assert!(texts.error(&too_fast).contains('3'));
        }
    }

    #[test]
    fn one_is_not_many() {
        let texts = Texts::new(Language::English);
        assert_eq!(texts.some_refused(1), "1 line was refused by the server");
        assert_eq!(texts.some_refused(2), "2 lines were refused by the server");
        assert_eq!(texts.room_line("lobby", 1, false), "lobby  (1 member)");
    }
}
