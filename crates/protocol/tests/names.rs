//! What names may be.

use proptest::prelude::*;
use suda_protocol::limits::{ROOM_NAME_CHARS_MAX, USER_NAME_CHARS_MAX};
use suda_protocol::names::{NameError, key, room_name, user_name};

#[test]
fn names_are_trimmed_composed_and_single_spaced() {
    assert_eq!(user_name("  하늘 ").as_deref(), Ok("하늘"));
    assert_eq!(room_name("점심  약속").as_deref(), Ok("점심 약속"));
    // Decomposed syllables, as some systems type them, are the same name.
    assert_eq!(
        room_name("\u{1109}\u{116E}\u{1103}\u{1161}").as_deref(),
        Ok("수다")
    );
}

#[test]
fn invisible_characters_are_refused_by_name() {
    for c in [
        '\u{0}',
        '\n',
        '\u{7F}',
        '\u{200B}',
        '\u{200D}',
        '\u{202E}',
        '\u{2066}',
        '\u{FEFF}',
        '\u{3164}',
        '\u{FE0F}',
        '\u{E0041}',
        '\u{1FFFF}',
    ] {
        let name = format!("수{c}다");
        assert_eq!(
            user_name(&name),
            Err(NameError::Invisible {
                code_point: c as u32
            }),
            "{c:?}"
        );
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    assert!(user_name(&"가".repeat(USER_NAME_CHARS_MAX)).is_ok());
    assert_eq!(
        user_name(&"가".repeat(USER_NAME_CHARS_MAX + 1)),
        Err(NameError::TooLong {
            chars_max: USER_NAME_CHARS_MAX
        })
    );
    assert!(room_name(&"가".repeat(ROOM_NAME_CHARS_MAX)).is_ok());
    assert_eq!(
        room_name(&"a".repeat(1_000_000)),
        Err(NameError::TooLong {
            chars_max: ROOM_NAME_CHARS_MAX
        })
    );
    assert_eq!(room_name(" \u{3000} "), Err(NameError::Empty));
}

#[test]
fn a_name_cannot_pass_for_an_id() {
    for name in [
        "01890a5d-ac96-774b-bcce-b302099a8001",
        "01890A5DAC96774BBCCEB302099A8001",
        "{01890a5d-ac96-774b-bcce-b302099a8001}",
    ] {
        assert_eq!(room_name(name), Err(NameError::LooksLikeId));
    }
}

#[test]
fn names_that_look_alike_have_one_key() {
    assert_eq!(key("Suda"), key("ＳＵＤＡ"));
    assert_ne!(key("수다"), key("수다방"));
}

proptest! {
    #[test]
    fn normalising_again_changes_nothing(name in "\\PC{0,80}") {
        if let Ok(once) = room_name(&name) {
            prop_assert_eq!(room_name(&once), Ok(once));
        }
    }
}
