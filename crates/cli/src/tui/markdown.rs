//! The subset of Markdown that messages are written in, as styled rows: bold, italic, code, code blocks, links, quotes, lists.
//! What is outside of it, HTML above all, is shown as the text it is. A link always shows where it leads.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use super::clean;
use super::theme::Theme;
use super::wrap::{self, Spans};

/// Columns that text keeps however deep it is nested; what is nested deeper stands no further to the right.
const TEXT_COLUMNS_MIN: usize = 12;

/// The message as rows of at most that width; at least one.
pub(super) fn rows(text: &str, width: usize, theme: &Theme) -> Vec<Spans> {
    let mut page = Page::new(width, theme);
    for event in Parser::new_ext(text, Options::empty()) {
        page.handle(event);
    }
    page.end_line();
    if page.is_blank() {
        // Nothing but, say, a link's definition: what was written is shown, rather than nothing.
        let lines = clean::lines(text);
        return lines
            .into_iter()
            .flat_map(|line| wrap::rows(&[Span::styled(line, theme.text)], width))
            .collect();
    }
    page.rows
}

struct Page<'a> {
    width: usize,
    theme: &'a Theme,
    rows: Vec<Spans>,
    line: Spans,
    styles: Vec<Style>,
    containers: Vec<Container>,
    /// The numbers of the lists that are open; none for one with bullets.
    lists: Vec<Option<u64>>,
    in_code_block: bool,
    links: Vec<Link>,
    /// A blank row is due before the next block.
    gap: bool,
}

/// What stands to the left of a block.
enum Container {
    Quote,
    Item { marker: String, is_begun: bool },
}

/// A link that is being read: its text so far, and where it leads.
struct Link {
    text: String,
    target: String,
}

impl<'a> Page<'a> {
    fn new(width: usize, theme: &'a Theme) -> Page<'a> {
        Page {
            width,
            theme,
            rows: Vec::new(),
            line: Vec::new(),
            styles: vec![theme.text],
            containers: Vec::new(),
            lists: Vec::new(),
            in_code_block: false,
            links: Vec::new(),
            gap: false,
        }
    }

    fn handle(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code_block => {
                for line in clean::lines(text.strip_suffix('\n').unwrap_or(&text)) {
                    self.push(format!("│ {line}"), self.theme.code);
                    self.end_line();
                }
            }
            Event::Html(html) => {
                for line in clean::lines(html.strip_suffix('\n').unwrap_or(&html)) {
                    self.push(line, self.style());
                    self.end_line();
                }
            }
            Event::Text(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(code) => {
                let code = clean::line(&code);
                if let Some(link) = self.links.last_mut() {
                    link.text.push_str(&code);
                }
                self.push(format!("`{code}`"), self.style().patch(self.theme.code));
            }
            Event::SoftBreak | Event::HardBreak => self.end_line(),
            Event::Rule => {
                self.begin_block();
                self.push("───".into(), self.theme.dim);
                self.end_line();
                self.end_block();
            }
            // Not in the subset, so never given: footnotes, task lists, mathematics.
            Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.begin_block(),
            Tag::Heading { .. } => {
                self.begin_block();
                self.add_style(Modifier::BOLD);
            }
            Tag::CodeBlock(_) => {
                self.begin_block();
                self.in_code_block = true;
            }
            Tag::BlockQuote(_) => {
                self.begin_block();
                self.containers.push(Container::Quote);
                self.styles.push(self.style().patch(self.theme.quote));
            }
            Tag::List(first) => {
                // A list inside of an item follows its text at once.
                self.end_line();
                if self.lists.is_empty() {
                    self.begin_block();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.end_line();
                self.gap = false;
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let marker = format!("{number}. ");
                        *number = number.saturating_add(1);
                        marker
                    }
                    _ => "• ".to_owned(),
                };
                self.containers.push(Container::Item {
                    marker,
                    is_begun: false,
                });
            }
            Tag::Emphasis => self.add_style(Modifier::ITALIC),
            Tag::Strong => self.add_style(Modifier::BOLD),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push(Link {
                    text: String::new(),
                    target: clean::line(&dest_url),
                });
                self.styles.push(self.style().patch(self.theme.link));
            }
            _ => self.styles.push(self.style()),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.end_line();
                self.end_block();
            }
            TagEnd::Heading(_) => {
                self.styles.pop();
                self.end_line();
                self.end_block();
            }
            TagEnd::CodeBlock => {
                self.in_code_block = false;
                self.end_block();
            }
            TagEnd::BlockQuote(_) => {
                self.end_line();
                self.containers.pop();
                self.styles.pop();
                self.end_block();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.end_block();
                }
            }
            TagEnd::Item => {
                // An item without text still shows its marker.
                if let Some(Container::Item {
                    is_begun: false, ..
                }) = self.containers.last()
                    && self.line.is_empty()
                {
                    self.push(String::new(), self.theme.text);
                }
                self.end_line();
                self.containers.pop();
            }
            TagEnd::Link | TagEnd::Image => {
                self.styles.pop();
                if let Some(link) = self.links.pop()
                    && !link.target.is_empty()
                    && link.text != link.target
                {
                    self.push(format!(" ({})", link.target), self.theme.dim);
                }
            }
            _ => {
                self.styles.pop();
            }
        }
    }

    fn text(&mut self, text: &str) {
        // A character reference can stand for a line break.
        for (number, line) in clean::lines(text).into_iter().enumerate() {
            if number > 0 {
                self.end_line();
            }
            if let Some(link) = self.links.last_mut() {
                link.text.push_str(&line);
            }
            self.push_with_addresses(&line);
        }
    }

    /// Addresses that stand bare in the text look like links.
    fn push_with_addresses(&mut self, text: &str) {
        let style = self.style();
        for (number, word) in text.split(' ').enumerate() {
            if number > 0 {
                self.push(" ".into(), style);
            }
            let is_address = word.starts_with("https://") || word.starts_with("http://");
            self.push(
                word.to_owned(),
                if is_address {
                    style.patch(self.theme.link)
                } else {
                    style
                },
            );
        }
    }

    fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or_default()
    }

    fn add_style(&mut self, modifier: Modifier) {
        self.styles.push(self.style().add_modifier(modifier));
    }

    fn push(&mut self, text: String, style: Style) {
        self.line.push(Span::styled(text, style));
    }

    fn begin_block(&mut self) {
        self.end_line();
        // Inside of a list, rows stand close together.
        if std::mem::take(&mut self.gap) && self.lists.is_empty() {
            let (prefix, _) = self.prefix();
            self.rows.push(prefix);
        }
    }

    fn end_block(&mut self) {
        self.gap = true;
    }

    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        let (first, rest) = self.prefix();
        for container in &mut self.containers {
            if let Container::Item { is_begun, .. } = container {
                *is_begun = true;
            }
        }
        let width = self.width.saturating_sub(wrap::width(&first)).max(1);
        for (number, row) in wrap::rows(&line, width).into_iter().enumerate() {
            let mut whole = if number == 0 {
                first.clone()
            } else {
                rest.clone()
            };
            whole.extend(row);
            self.rows.push(whole);
        }
    }

    /// What stands to the left of the next row, and of the rows that it wraps into.
    fn prefix(&self) -> (Spans, Spans) {
        let (mut first, mut rest) = (Spans::new(), Spans::new());
        for container in &self.containers {
            let (marker, is_begun) = match container {
                Container::Quote => ("▎ ", true),
                Container::Item { marker, is_begun } => (marker.as_str(), *is_begun),
            };
            let room = self.width.saturating_sub(wrap::width(&first));
            if room < TEXT_COLUMNS_MIN + marker.chars().count() {
                break;
            }
            if matches!(container, Container::Quote) {
                first.push(Span::styled("▎ ", self.theme.quote));
                rest.push(Span::styled("▎ ", self.theme.quote));
                continue;
            }
            // Markers are digits, a bullet and blanks: one column each.
            let blanks = " ".repeat(marker.chars().count());
            rest.push(Span::raw(blanks.clone()));
            first.push(match is_begun {
                true => Span::raw(blanks),
                false => Span::styled(marker.to_owned(), self.theme.dim),
            });
        }
        (first, rest)
    }

    fn is_blank(&self) -> bool {
        let mut spans = self.rows.iter().flatten();
        spans.all(|span| span.content.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::ThemeName;

    fn theme() -> Theme {
        Theme::of(ThemeName::Mono)
    }

    fn shown(text: &str) -> Vec<String> {
        rows(text, 40, &theme())
            .iter()
            .map(|row| row.iter().map(|span| span.content.as_ref()).collect())
            .collect()
    }

    fn style_of(text: &str, part: &str) -> Style {
        let rows = rows(text, 40, &theme());
        let mut spans = rows.iter().flatten();
        spans
            .find(|span| span.content.contains(part))
            .map(|span| span.style)
            .unwrap()
    }

    #[test]
    fn inline_styles() {
        assert_eq!(shown("**굵게** *기울여* `코드`"), ["굵게 기울여 `코드`"]);
        assert!(
            style_of("**굵게**", "굵게")
                .add_modifier
                .contains(Modifier::BOLD)
        );
        assert!(
            style_of("*기울여*", "기울여")
                .add_modifier
                .contains(Modifier::ITALIC)
        );
    }

    #[test]
    fn every_line_break_that_was_typed_is_a_line_break() {
        assert_eq!(
            shown("첫 줄\n둘째 줄\n\n셋째 줄"),
            ["첫 줄", "둘째 줄", "", "셋째 줄"]
        );
    }

    #[test]
    fn blocks() {
        assert_eq!(
            shown(
                "할 일:\n- 하나\n- 둘\n  1. 안쪽\n\n> 인용\n> 둘째\n\n```rust\nlet x = 1;\n\nx\n```\n끝"
            ),
            [
                "할 일:",
                "",
                "• 하나",
                "• 둘",
                "  1. 안쪽",
                "",
                "▎ 인용",
                "▎ 둘째",
                "",
                "│ let x = 1;",
                "│ ",
                "│ x",
                "",
                "끝"
            ]
        );
    }

    #[test]
    fn a_link_shows_where_it_leads() {
        assert_eq!(
            shown("[수다](https://suda.example)"),
            ["수다 (https://suda.example)"]
        );
        assert_eq!(shown("<https://suda.example>"), ["https://suda.example"]);
        assert_eq!(
            shown("[눌러](javascript:alert(1))"),
            ["눌러 (javascript:alert(1))"]
        );
        assert_eq!(
            shown("![고양이](https://x/c.png)"),
            ["고양이 (https://x/c.png)"]
        );
    }

    #[test]
    fn html_is_text() {
        assert_eq!(
            shown("<script>alert(1)</script>"),
            ["<script>alert(1)</script>"]
        );
        assert_eq!(shown("a <b onclick=x>b</b>"), ["a <b onclick=x>b</b>"]);
    }

    #[test]
    fn character_references_bring_no_controls() {
        assert_eq!(shown("&#27;[2J &#x202e;x"), ["␛[2J <U+202E>x"]);
        assert_eq!(shown("[a](https://x/&#27;[2J)"), ["a (https://x/␛[2J)"]);
    }

    #[test]
    fn nothing_that_was_written_disappears_altogether() {
        assert_eq!(shown("[x]: https://y"), ["[x]: https://y"]);
        assert_eq!(shown("-"), ["• "]);
    }

    #[test]
    fn deep_nesting_leaves_columns_for_the_text() {
        let deep = format!("{}글", "> ".repeat(2_000));
        let rows = rows(&deep, 40, &theme());
        assert!(rows.iter().all(|row| wrap::width(row) <= 40));
        assert!(rows.iter().flatten().any(|span| span.content == "글"));
    }

    #[test]
    fn a_very_long_word_is_wrapped() {
        let rows = rows(&"가".repeat(5_000), 40, &theme());
        assert_eq!(rows.len(), 250);
        assert!(rows.iter().all(|row| wrap::width(row) <= 40));
    }
}
