//! Finding a room by a few of its letters: fuzzily, and in Korean by initial consonants too ("ㅅㄷㅂ" finds 수다방).

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What is on offer for what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// A room; joined first where the person is no member.
    Room { id: String },
    /// A new room of that name.
    Create { name: String },
}

/// The open switcher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Switcher {
    pub(super) query: String,
    pub(super) choices: Vec<Choice>,
    pub(super) selected: usize,
}

/// A room that can be chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) is_member: bool,
    pub(super) unread: usize,
}

impl Switcher {
    /// Looks again: with a query the best match first, without one what is unread first, then one's own rooms.
    pub(super) fn look(&mut self, candidates: &[Candidate<'_>]) {
        let query = self.query.trim();
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
        let initials_only = !query.is_empty() && query.chars().all(is_initial);
        let mut buffer = Vec::new();
        let mut found: Vec<(u32, &Candidate<'_>)> = candidates
            .iter()
            .filter_map(|candidate| {
                let initials: String;
                let text = if initials_only {
                    initials = candidate.name.chars().map(initial).collect();
                    initials.as_str()
                } else {
                    candidate.name
                };
                let score = pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher)?;
                Some((score, candidate))
            })
            .collect();
        found.sort_by(|(a_score, a), (b_score, b)| {
            b_score
                .cmp(a_score)
                .then_with(|| b.is_member.cmp(&a.is_member))
                .then_with(|| (b.unread > 0).cmp(&(a.unread > 0)))
                .then_with(|| a.name.cmp(b.name))
        });
        self.choices = found
            .into_iter()
            .map(|(_, candidate)| Choice::Room {
                id: candidate.id.to_owned(),
            })
            .collect();
        let exists = candidates.iter().any(|candidate| candidate.name == query);
        if !query.is_empty() && !exists {
            self.choices.push(Choice::Create {
                name: query.to_owned(),
            });
        }
        self.selected = 0;
    }

    pub(super) fn step(&mut self, down: bool) {
        let count = self.choices.len().max(1);
        self.selected = match down {
            true => (self.selected + 1) % count,
            false => (self.selected + count - 1) % count,
        };
    }

    pub(super) fn choice(&self) -> Option<&Choice> {
        self.choices.get(self.selected)
    }
}

/// The initial consonants of Hangul syllables in the order of Unicode's table.
const INITIALS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ',
    'ㅌ', 'ㅍ', 'ㅎ',
];

/// Vowels and final consonants that each initial has syllables for: Unicode, chapter 3.12.
const SYLLABLES_PER_INITIAL: u32 = 21 * 28;

fn is_initial(c: char) -> bool {
    c == ' ' || INITIALS.contains(&c)
}

fn initial(c: char) -> char {
    match c {
        '가'..='힣' => {
            let at = (u32::from(c) - u32::from('가')) / SYLLABLES_PER_INITIAL;
            usize::try_from(at)
                .ok()
                .and_then(|at| INITIALS.get(at))
                .copied()
                .unwrap_or(c)
        }
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Vec<String> {
        let room = |name, is_member, unread| Candidate {
            id: name,
            name,
            is_member,
            unread,
        };
        let candidates = [
            room("lobby", true, 0),
            room("수다방", true, 2),
            room("점심 메뉴", false, 0),
            room("release-notes", true, 0),
        ];
        let mut switcher = Switcher {
            query: query.into(),
            ..Switcher::default()
        };
        switcher.look(&candidates);
        switcher
            .choices
            .into_iter()
            .map(|choice| match choice {
                Choice::Room { id } => id,
                Choice::Create { name } => format!("+{name}"),
            })
            .collect()
    }

    #[test]
    fn without_a_query_unread_rooms_come_first_and_joinable_ones_last() {
        assert_eq!(found(""), ["수다방", "lobby", "release-notes", "점심 메뉴"]);
    }

    #[test]
    fn letters_in_their_order_are_enough() {
        assert_eq!(found("rno"), ["release-notes", "+rno"]);
        assert_eq!(found("메뉴"), ["점심 메뉴", "+메뉴"]);
        assert_eq!(found("LOBBY"), ["lobby", "+LOBBY"]);
        assert_eq!(found("lobby"), ["lobby"]);
    }

    #[test]
    fn initial_consonants_find_korean_rooms() {
        assert_eq!(found("ㅅㄷㅂ")[0], "수다방");
        assert_eq!(found("ㅈㅅ")[0], "점심 메뉴");
    }

    #[test]
    fn what_is_nowhere_can_be_made() {
        assert_eq!(found("새 방 "), ["+새 방"]);
    }
}
