//! Reading `Sec-WebSocket-Extensions` (RFC 6455, section 9.1).

use std::borrow::Cow;

use http::header::SEC_WEBSOCKET_EXTENSIONS;

use super::field::{Lines, is_token, is_token_byte, text};

/// The field does not follow its grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// One extension with its parameters, in order and as they stand, duplicates included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    pub(super) name: &'a str,
    pub(super) parameters: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

/// All extensions over all lines of the field. Empty list items are skipped (RFC 9110, section 5.6.1).
pub(super) fn extensions(lines: &(impl Lines + ?Sized)) -> Result<Vec<Extension<'_>>, Malformed> {
    let mut all = Vec::new();
    for line in lines.named(SEC_WEBSOCKET_EXTENSIONS) {
        let mut scanner = Scanner {
            rest: text(line).ok_or(Malformed)?,
        };
        loop {
            while scanner.eat(',') {}
            if scanner.at_end() {
                break;
            }
            all.push(scanner.extension()?);
            if !scanner.at_end() && !scanner.eat(',') {
                return Err(Malformed);
            }
        }
    }
    Ok(all)
}

struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        self.skip_space();
        let end = self.rest.bytes().take_while(|&b| is_token_byte(b)).count();
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        if token.is_empty() {
            Err(Malformed)
        } else {
            Ok(token)
        }
    }

    fn extension(&mut self) -> Result<Extension<'a>, Malformed> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        while self.eat(';') {
            let name = self.token()?;
            let value = if self.eat('=') {
                Some(self.value()?)
            } else {
                None
            };
            parameters.push((name, value));
        }
        Ok(Extension { name, parameters })
    }

    /// A token, or a quoted string whose content is a token.
    fn value(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if !self.eat('"') {
            return self.token().map(Cow::Borrowed);
        }
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next().ok_or(Malformed)? {
                '"' => break,
                '\\' => text.push(chars.next().ok_or(Malformed)?),
                other => text.push(other),
            }
        }
        self.rest = chars.as_str();
        if is_token(&text) {
            Ok(Cow::Owned(text))
        } else {
            Err(Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SEC_WEBSOCKET_EXTENSIONS, line.parse().unwrap());
        }
        let all = extensions(&headers).ok()?;
        let shown = all.iter().map(|Extension { name, parameters }| {
            let parameters = parameters.iter().map(|(name, value)| {
                format!(
                    ";{name}{}",
                    value
                        .as_deref()
                        .map_or(String::new(), |value| format!("={value}"))
                )
            });
            format!("{name}{}", parameters.collect::<String>())
        });
        Some(shown.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn extensions_are_read_with_parameters_over_lists_and_lines() {
        for (lines, expected) in [
            (&[][..], ""),
            (&[""], ""),
            (&["a"], "a"),
            (&[" a ; b = 1 ;c , ,d;e=\"f\\g\"", "h"], "a;b=1;c,d;e=fg,h"),
            (&["a;b=\"1,2\""], "!"),
            (&["a;b;b=1"], "a;b;b=1"),
        ] {
            let expected = (expected != "!").then(|| expected.to_owned());
            assert_eq!(read(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_malformed() {
        for line in [
            ";",
            "a;",
            "a;=1",
            "a;b=",
            "a b",
            "a;b=\"",
            "a;b=\"\"",
            "a;b=\"\\",
            "a=1",
            "a;b=1 2",
            "a/b",
            "a;b=\"c d\"",
        ] {
            assert_eq!(read(&[line]), None, "{line}");
        }
    }
}
