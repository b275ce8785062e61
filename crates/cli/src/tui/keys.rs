//! Which key does what, in [`action`], and which of the keys the help names, in [`HELP`].

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::composer::Step;

/// What a key asks for in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Send,
    BreakLine,
    Move(Step),
    Delete(Step),
    RowUp,
    RowDown,
    PageUp,
    PageDown,
    Oldest,
    Newest,
    PreviousRoom,
    NextRoom,
    NextUnread,
    Switch,
    Search,
    Reply,
    Help,
    RetryFailed,
    TakeBackFailed,
    NextTheme,
    Redraw,
    Suspend,
    Cancel,
    Quit,
}

/// The action of a key; none for one that writes or does nothing.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    use KeyCode as Code;
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    Some(match key.code {
        Code::Enter if alt || shift || control => Action::BreakLine,
        Code::Enter => Action::Send,
        Code::F(1) => Action::Help,
        Code::Esc => Action::Cancel,
        Code::PageUp => Action::PageUp,
        Code::PageDown => Action::PageDown,
        Code::Home if control => Action::Oldest,
        Code::End if control => Action::Newest,
        Code::Home => Action::Move(Step::Home),
        Code::End => Action::Move(Step::End),
        Code::Up if alt => Action::PreviousRoom,
        Code::Down if alt => Action::NextRoom,
        Code::Up => Action::RowUp,
        Code::Down => Action::RowDown,
        Code::Left if control || alt => Action::Move(Step::WordLeft),
        Code::Right if control || alt => Action::Move(Step::WordRight),
        Code::Left => Action::Move(Step::Left),
        Code::Right => Action::Move(Step::Right),
        Code::Backspace if alt => Action::Delete(Step::WordLeft),
        Code::Backspace => Action::Delete(Step::Left),
        Code::Delete => Action::Delete(Step::Right),
        Code::Char(c) if control => match c.to_ascii_lowercase() {
            'j' => Action::BreakLine,
            'k' => Action::Switch,
            'f' => Action::Search,
            'n' => Action::NextRoom,
            'p' => Action::PreviousRoom,
            'u' => Action::NextUnread,
            'r' => Action::RetryFailed,
            'x' => Action::TakeBackFailed,
            't' => Action::NextTheme,
            'l' => Action::Redraw,
            'z' => Action::Suspend,
            'c' | 'q' => Action::Quit,
            'a' => Action::Move(Step::Home),
            'e' => Action::Move(Step::End),
            'w' => Action::Delete(Step::WordLeft),
            'h' => Action::Delete(Step::Left),
            'd' => Action::Delete(Step::Right),
            _ => return None,
        },
        Code::Char(c) if alt => match c {
            'b' => Action::Move(Step::WordLeft),
            'f' => Action::Move(Step::WordRight),
            'd' => Action::Delete(Step::WordRight),
            'r' => Action::Reply,
            '?' => Action::Help,
            _ => return None,
        },
        _ => return None,
    })
}

/// The character that a key writes.
pub(super) fn written(key: KeyEvent) -> Option<char> {
    let plain = KeyModifiers::SHIFT.union(KeyModifiers::NONE);
    match key.code {
        KeyCode::Char(c) if plain.contains(key.modifiers) => Some(c),
        KeyCode::Tab => Some('\t'),
        _ => None,
    }
}

/// The keys as the help names them, in its order.
pub(super) const HELP: [(&str, HelpLine); 18] = [
    ("Enter", HelpLine::Send),
    ("Alt+Enter, Ctrl+J", HelpLine::BreakLine),
    ("Ctrl+K", HelpLine::Switch),
    ("Ctrl+N, Ctrl+P", HelpLine::Neighbours),
    ("Ctrl+U", HelpLine::NextUnread),
    ("PageUp, PageDown", HelpLine::Scroll),
    ("Ctrl+Home", HelpLine::Oldest),
    ("Ctrl+End, Esc", HelpLine::Newest),
    ("Ctrl+F", HelpLine::Search),
    ("Alt+R", HelpLine::Reply),
    ("Ctrl+R, Ctrl+X", HelpLine::Failed),
    ("Ctrl+W, Alt+D", HelpLine::DeleteWord),
    ("Ctrl+T", HelpLine::Theme),
    ("Ctrl+L", HelpLine::Redraw),
    ("Ctrl+Z", HelpLine::Suspend),
    ("/join /create /leave", HelpLine::Commands),
    ("Ctrl+C, /quit", HelpLine::Quit),
    ("F1, /help", HelpLine::Help),
];

/// What a line of the help is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HelpLine {
    Send,
    BreakLine,
    Switch,
    Neighbours,
    NextUnread,
    Scroll,
    Oldest,
    Newest,
    Search,
    Reply,
    Failed,
    DeleteWord,
    Theme,
    Redraw,
    Suspend,
    Commands,
    Quit,
    Help,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_sends_and_its_relatives_break_the_line() {
        let of = |code, modifiers| action(KeyEvent::new(code, modifiers));
        assert_eq!(of(KeyCode::Enter, KeyModifiers::NONE), Some(Action::Send));
        assert_eq!(
            of(KeyCode::Enter, KeyModifiers::ALT),
            Some(Action::BreakLine)
        );
        assert_eq!(
            of(KeyCode::Char('j'), KeyModifiers::CONTROL),
            Some(Action::BreakLine)
        );
    }

    #[test]
    fn syllables_are_written() {
        let key = KeyEvent::new(KeyCode::Char('안'), KeyModifiers::NONE);
        assert_eq!((action(key), written(key)), (None, Some('안')));
        let key = KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT);
        assert_eq!((action(key), written(key)), (None, Some('A')));
        let key = KeyEvent::new(KeyCode::Char('y'), KeyModifiers::CONTROL);
        assert_eq!((action(key), written(key)), (None, None));
    }

    /// A key as the help writes it.
    fn parsed(name: &str) -> KeyEvent {
        let (modifiers, name) = match name.split_once('+') {
            Some(("Ctrl", name)) => (KeyModifiers::CONTROL, name),
            Some(("Alt", name)) => (KeyModifiers::ALT, name),
            _ => (KeyModifiers::NONE, name),
        };
        let code = match name {
            "Enter" => KeyCode::Enter,
            "Esc" => KeyCode::Esc,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "PageUp" => KeyCode::PageUp,
            "PageDown" => KeyCode::PageDown,
            "F1" => KeyCode::F(1),
            letter => KeyCode::Char(letter.parse::<char>().unwrap().to_ascii_lowercase()),
        };
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn the_help_names_keys_that_do_what_it_says() {
        let named = |line| {
            let (keys, _) = HELP.iter().find(|(_, it)| *it == line).unwrap();
            let keys = keys
                .split([',', ' '])
                .filter(|key| !key.is_empty() && !key.starts_with('/'));
            keys.map(|key| action(parsed(key)).unwrap())
                .collect::<Vec<_>>()
        };
        for (line, actions) in [
            (HelpLine::Send, vec![Action::Send]),
            (
                HelpLine::BreakLine,
                vec![Action::BreakLine, Action::BreakLine],
            ),
            (HelpLine::Switch, vec![Action::Switch]),
            (
                HelpLine::Neighbours,
                vec![Action::NextRoom, Action::PreviousRoom],
            ),
            (HelpLine::NextUnread, vec![Action::NextUnread]),
            (HelpLine::Scroll, vec![Action::PageUp, Action::PageDown]),
            (HelpLine::Oldest, vec![Action::Oldest]),
            (HelpLine::Newest, vec![Action::Newest, Action::Cancel]),
            (HelpLine::Search, vec![Action::Search]),
            (HelpLine::Reply, vec![Action::Reply]),
            (
                HelpLine::Failed,
                vec![Action::RetryFailed, Action::TakeBackFailed],
            ),
            (
                HelpLine::DeleteWord,
                vec![
                    Action::Delete(Step::WordLeft),
                    Action::Delete(Step::WordRight),
                ],
            ),
            (HelpLine::Theme, vec![Action::NextTheme]),
            (HelpLine::Redraw, vec![Action::Redraw]),
            (HelpLine::Suspend, vec![Action::Suspend]),
            (HelpLine::Quit, vec![Action::Quit]),
            (HelpLine::Help, vec![Action::Help]),
        ] {
            assert_eq!(named(line), actions, "{line:?}");
        }
    }
}
