//! What a typed line means.

/// A line that the person typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input<'a> {
    /// Nothing but blanks.
    Nothing,
    /// Text for the room.
    Say(&'a str),
    Help,
    Rooms,
    Join(&'a str),
    Create(&'a str),
    /// Ends a membership: of the room given, else of the room that is shown.
    Leave(Option<&'a str>),
    Quit,
    /// `/join` or `/create` without a room.
    NeedsRoom(&'a str),
    Unknown(&'a str),
}

/// Reads one line. `//x` is the text `/x`.
pub(crate) fn parse(line: &str) -> Input<'_> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.trim().is_empty() {
        return Input::Nothing;
    }
    if !line.starts_with('/') {
        return Input::Say(line);
    }
    if line.starts_with("//") {
        return Input::Say(&line[1..]);
    }
    let (command, argument) = match line.split_once(char::is_whitespace) {
        Some((command, argument)) => (command, Some(argument.trim())),
        None => (line, None),
    };
    let argument = argument.filter(|argument| !argument.is_empty());
    match (command, argument) {
        ("/help", _) => Input::Help,
        ("/rooms", _) => Input::Rooms,
        ("/quit", _) => Input::Quit,
        ("/leave", room) => Input::Leave(room),
        ("/join", Some(room)) => Input::Join(room),
        ("/create", Some(room)) => Input::Create(room),
        ("/join" | "/create", None) => Input::NeedsRoom(command),
        _ => Input::Unknown(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_said_as_it_is() {
        assert_eq!(parse("안녕하세요 \r\n"), Input::Say("안녕하세요 "));
        assert_eq!(parse("  indented"), Input::Say("  indented"));
        assert_eq!(parse("//join"), Input::Say("/join"));
        assert_eq!(parse(" \t\n"), Input::Nothing);
    }

    #[test]
    fn commands_are_read_with_their_room() {
        assert_eq!(parse("/join 수다방"), Input::Join("수다방"));
        assert_eq!(parse("/create  점심 메뉴 "), Input::Create("점심 메뉴"));
        assert_eq!(parse("/join"), Input::NeedsRoom("/join"));
        assert_eq!(parse("/create  "), Input::NeedsRoom("/create"));
        assert_eq!(parse("/leave"), Input::Leave(None));
        assert_eq!(parse("/leave lobby"), Input::Leave(Some("lobby")));
        assert_eq!(parse("/quit\n"), Input::Quit);
        assert_eq!(parse("/joint"), Input::Unknown("/joint"));
        assert_eq!(parse("/"), Input::Unknown("/"));
    }
}
