//! Colours. Only the terminal's own sixteen are used, so that people's palettes stay theirs; without colour, weight and signs carry everything.

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};

/// A choice of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ThemeName {
    /// For light text on a dark background
    Dark,
    /// For dark text on a light background
    Light,
    /// Without any colour
    Mono,
}

impl ThemeName {
    /// What the environment says: `NO_COLOR` (any value but an empty one), then the background in `COLORFGBG`.
    pub(super) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> ThemeName {
        if is_without_colour(&variable) {
            return ThemeName::Mono;
        }
        let background = variable("COLORFGBG").and_then(|value| {
            value
                .rsplit(';')
                .next()
                .and_then(|it| it.parse::<u8>().ok())
        });
        match background {
            Some(7 | 15) => ThemeName::Light,
            _ => ThemeName::Dark,
        }
    }

    pub(super) fn next(self) -> ThemeName {
        match self {
            ThemeName::Dark => ThemeName::Light,
            ThemeName::Light => ThemeName::Mono,
            ThemeName::Mono => ThemeName::Dark,
        }
    }
}

/// Whether `NO_COLOR` is set, which stands above what was chosen in an earlier run.
pub(super) fn is_without_colour(variable: &impl Fn(&str) -> Option<String>) -> bool {
    variable("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// How each kind of thing looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub(super) text: Style,
    pub(super) dim: Style,
    pub(super) accent: Style,
    pub(super) selected: Style,
    pub(super) unread: Style,
    pub(super) code: Style,
    pub(super) link: Style,
    pub(super) quote: Style,
    pub(super) new_mark: Style,
    pub(super) error: Style,
    pub(super) good: Style,
    pub(super) found: Style,
    pub(super) found_here: Style,
    own: Style,
    authors: [Style; 5],
}

impl Theme {
    pub(super) fn of(name: ThemeName) -> Theme {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        match name {
            ThemeName::Mono => Theme {
                text: plain,
                dim: plain.add_modifier(Modifier::DIM),
                accent: bold,
                selected: plain.add_modifier(Modifier::REVERSED),
                unread: bold,
                code: plain,
                link: plain.add_modifier(Modifier::UNDERLINED),
                quote: plain.add_modifier(Modifier::DIM),
                new_mark: bold,
                error: bold,
                good: plain,
                found: plain.add_modifier(Modifier::UNDERLINED),
                found_here: plain.add_modifier(Modifier::REVERSED),
                own: bold,
                authors: [bold; 5],
            },
            ThemeName::Dark => Theme {
                dim: plain.fg(Color::DarkGray),
                accent: bold.fg(Color::Cyan),
                selected: bold.fg(Color::Black).bg(Color::Cyan),
                unread: bold.fg(Color::Yellow),
                code: plain.fg(Color::LightYellow),
                link: plain
                    .fg(Color::LightBlue)
                    .add_modifier(Modifier::UNDERLINED),
                quote: plain.fg(Color::Gray),
                new_mark: bold.fg(Color::Yellow),
                error: bold.fg(Color::LightRed),
                good: plain.fg(Color::Green),
                found: plain.fg(Color::Black).bg(Color::Yellow),
                found_here: bold.fg(Color::Black).bg(Color::LightGreen),
                own: bold.fg(Color::Cyan),
                authors: [
                    Color::LightGreen,
                    Color::LightMagenta,
                    Color::LightYellow,
                    Color::LightBlue,
                    Color::LightRed,
                ]
                .map(|colour| bold.fg(colour)),
                text: plain,
            },
            ThemeName::Light => Theme {
                dim: plain.fg(Color::DarkGray),
                accent: bold.fg(Color::Blue),
                selected: bold.fg(Color::White).bg(Color::Blue),
                unread: bold.fg(Color::Magenta),
                code: plain.fg(Color::Magenta),
                link: plain.fg(Color::Blue).add_modifier(Modifier::UNDERLINED),
                quote: plain.fg(Color::DarkGray),
                new_mark: bold.fg(Color::Magenta),
                error: bold.fg(Color::Red),
                good: plain.fg(Color::Green),
                found: plain.fg(Color::Black).bg(Color::Yellow),
                found_here: bold.fg(Color::White).bg(Color::Green),
                own: bold.fg(Color::Blue),
                authors: [
                    Color::Green,
                    Color::Magenta,
                    Color::Red,
                    Color::Cyan,
                    Color::Black,
                ]
                .map(|colour| bold.fg(colour)),
                text: plain,
            },
        }
    }

    /// A person's colour: the same for the same id, everywhere.
    pub(super) fn author(&self, id: &str, is_me: bool) -> Style {
        if is_me {
            return self.own;
        }
        let sum = id.bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        self.authors[sum % self.authors.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> ThemeName {
        ThemeName::of_environment(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_decides() {
        assert_eq!(of(&[]), ThemeName::Dark);
        assert_eq!(of(&[("COLORFGBG", "0;15")]), ThemeName::Light);
        assert_eq!(of(&[("COLORFGBG", "15;0")]), ThemeName::Dark);
        assert_eq!(
            of(&[("NO_COLOR", "1"), ("COLORFGBG", "0;15")]),
            ThemeName::Mono
        );
        assert_eq!(of(&[("NO_COLOR", "")]), ThemeName::Dark);
    }

    #[test]
    fn monochrome_has_no_colour() {
        let theme = format!("{:?}", Theme::of(ThemeName::Mono));
        for colour in [
            "Red", "Green", "Yellow", "Blue", "Magenta", "Cyan", "Gray", "White", "Black",
        ] {
            assert!(!theme.contains(colour), "{theme}");
        }
    }
}
