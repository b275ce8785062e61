//! How entries look as lines: the view shared by `tail` and `chat --plain`. Pure.

use suda_protocol::v1::{Entry, Message, entry::What};

use crate::clock::Clock;
use crate::texts::Texts;
use crate::visible;

/// Stands before each further line of a message, so that no line of a message can look like the first line of another.
const CONTINUATION: &str = "      ";

/// Turns entries into lines for a person.
#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    texts: Texts,
    clock: Clock,
}

impl Transcript {
    pub(crate) fn new(texts: Texts, clock: Clock) -> Transcript {
        Transcript { texts, clock }
    }

    /// The entry's text, one or more lines each with its line break; nothing for a kind that this program does not know.
    pub(crate) fn entry(&self, entry: &Entry) -> String {
        let author = visible::line(&entry.author_name);
        let said = match &entry.what {
            Some(What::MessagePosted(posted)) => {
                return self.said(entry.at_ms, &author, &posted.text);
            }
            Some(What::RoomCreated(room)) => {
                self.texts.room_created(&author, &visible::line(&room.name))
            }
            Some(What::MemberJoined(_)) => self.texts.member_joined(&author),
            Some(What::MemberLeft(_)) => self.texts.member_left(&author),
            None => return String::new(),
        };
        format!("{} {said}\n", self.clock.hour_minute(entry.at_ms))
    }

    /// A message from the history, as [`Transcript::entry`] shows it when it is new.
    pub(crate) fn message(&self, message: &Message) -> String {
        let author = visible::line(&message.author_name);
        self.said(message.at_ms, &author, &message.text)
    }

    fn said(&self, at_ms: i64, author: &str, text: &str) -> String {
        let mut shown = format!("{} {author}: ", self.clock.hour_minute(at_ms));
        for (number, line) in visible::lines(text).iter().enumerate() {
            if number > 0 {
                shown.push_str(CONTINUATION);
            }
            shown.push_str(line);
            shown.push('\n');
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use suda_protocol::v1::{MemberJoined, MessagePosted};

    use super::*;
    use crate::language::Language;

    fn transcript(language: Language) -> Transcript {
        Transcript::new(Texts::new(language), Clock::utc())
    }

    fn entry(author: &str, what: What) -> Entry {
        Entry {
            author_name: author.into(),
            at_ms: 75 * 60_000,
            what: Some(what),
            ..Entry::default()
        }
    }

    fn posted(text: &str) -> What {
        What::MessagePosted(MessagePosted {
            text: text.into(),
            reply_to: 0,
        })
    }

    #[test]
    fn a_message_is_time_name_and_text() {
        let shown = transcript(Language::Korean).entry(&entry("민수", posted("안녕하세요")));
        assert_eq!(shown, "01:15 민수: 안녕하세요\n");
    }

    #[test]
    fn a_member_is_announced_in_the_readers_language() {
        let joined = entry("민수", What::MemberJoined(MemberJoined {}));
        assert_eq!(
            transcript(Language::Korean).entry(&joined),
            "01:15 * 민수님이 들어왔습니다\n"
        );
        assert_eq!(
            transcript(Language::English).entry(&joined),
            "01:15 * 민수 joined\n"
        );
    }

    #[test]
    fn nobody_can_forge_a_line_of_somebody_else() {
        let hostile = entry("이브\n01:15 민수", posted("가\r\n01:15 민수: 거짓\x1b[1A"));
        assert_eq!(
            transcript(Language::Korean).entry(&hostile),
            "01:15 이브␊01:15 민수: 가\n      01:15 민수: 거짓␛[1A\n"
        );
    }

    #[test]
    fn an_unknown_kind_is_no_line() {
        assert_eq!(transcript(Language::Korean).entry(&Entry::default()), "");
    }
}
