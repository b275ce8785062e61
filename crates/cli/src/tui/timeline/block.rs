//! How one thing in the timeline looks: its rows, with the day, the author and the mark of what is new where they are due.

use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use crate::clock::Clock;
use crate::texts::Texts;
use crate::tui::room::{Post, PostState, Room, Thing};
use crate::tui::search;
use crate::tui::theme::Theme;
use crate::tui::timeline::{Item, What};
use crate::tui::wrap::{self, Spans};
use crate::tui::{clean, days, markdown};

/// Stands before the text of the message that one stands at.
const CHOSEN: &str = "› ";

/// Stands before the text of a message, below its author's name.
const INDENT: &str = "  ";

/// Messages of one author closer together than this stand below one name.
const GROUP_MS_MAX: i64 = 5 * 60_000;

/// What the looks depend on, besides the room.
#[derive(Debug, Clone, Copy)]
pub(in crate::tui) struct Look<'a> {
    pub(in crate::tui) width: usize,
    pub(in crate::tui) theme: &'a Theme,
    pub(in crate::tui) texts: Texts,
    pub(in crate::tui) clock: &'a Clock,
    /// The id of the person.
    pub(in crate::tui) me: &'a str,
    /// The person's name.
    pub(in crate::tui) my_name: &'a str,
    /// What is searched for, and the seq of the match that one stands at.
    pub(in crate::tui) found: Option<(&'a str, Option<u64>)>,
    /// The seq of the message that one stands at, to answer it.
    pub(in crate::tui) chosen: Option<u64>,
}

/// The rows of the thing at this place; at least one.
pub(in crate::tui) fn rows(look: Look<'_>, room: &Room, index: usize) -> Vec<Spans> {
    let Some(thing) = room.thing(index) else {
        return vec![Spans::new()];
    };
    let before = index.checked_sub(1).and_then(|index| room.thing(index));
    let mut rows = Vec::new();
    let day = days::divider(
        before.map(at_ms),
        at_ms(thing),
        look.clock,
        look.texts.language,
    );
    let has_day = day.is_some();
    if let Some(day) = day {
        rows.push(divider(&day, look, look.theme.dim));
    }
    let is_new = is_first_new(look, room, before, thing);
    if is_new {
        rows.push(divider(
            &look.texts.new_messages(),
            look,
            look.theme.new_mark,
        ));
    }
    let follows =
        !has_day && !is_new && before.is_some_and(|before| is_grouped(look, before, thing));
    match thing {
        Thing::Item(item) => item_rows(look, room, item, follows, &mut rows),
        Thing::Post(post) => post_rows(look, room, post, follows, &mut rows),
    }
    rows
}

fn item_rows(look: Look<'_>, room: &Room, item: &Item, follows: bool, rows: &mut Vec<Spans>) {
    let author = clean::line(&item.author_name);
    let told = match &item.what {
        What::Message { text, reply_to } => {
            let is_me = item.author == look.me;
            if !follows {
                rows.push(name(look, &author, &item.author, is_me, item.at_ms));
            }
            if *reply_to > 0 {
                rows.push(reply(look, room, *reply_to));
            }
            let from = rows.len();
            text_rows(look, text, rows);
            if look.chosen == Some(item.seq) {
                for row in &mut rows[from..] {
                    row[0] = Span::styled(CHOSEN, look.theme.accent);
                }
            }
            if let Some((query, here)) = look.found {
                let style = match here == Some(item.seq) {
                    true => look.theme.found_here,
                    false => look.theme.found,
                };
                for row in &mut rows[from..] {
                    search::highlight(row, query, style);
                }
            }
            return;
        }
        What::RoomCreated { name } => look.texts.room_created(&author, &clean::line(name)),
        What::Joined => look.texts.member_joined(&author),
        What::Left => look.texts.member_left(&author),
    };
    let told = format!("{told}  {}", look.clock.hour_minute(item.at_ms));
    rows.extend(wrap::rows(
        &[Span::styled(told, look.theme.dim)],
        look.width,
    ));
}

fn post_rows(look: Look<'_>, room: &Room, post: &Post, follows: bool, rows: &mut Vec<Spans>) {
    if !follows {
        rows.push(name(look, look.my_name, look.me, true, post.at_ms));
    }
    if post.reply_to > 0 {
        rows.push(reply(look, room, post.reply_to));
    }
    text_rows(look, &post.text, rows);
    let (mark, style) = match &post.state {
        PostState::Pending => (look.texts.post_pending(), look.theme.dim),
        PostState::Acknowledged { .. } => (look.texts.post_sent(), look.theme.dim),
        PostState::Delayed { reason } => (look.texts.post_delayed(reason), look.theme.new_mark),
        PostState::Failed { reason } => (look.texts.post_failed(reason), look.theme.error),
    };
    let mark = [Span::styled(mark, style)];
    for row in wrap::rows(&mark, text_width(look)) {
        rows.push(indented(row));
    }
}

fn text_rows(look: Look<'_>, text: &str, rows: &mut Vec<Spans>) {
    for row in markdown::rows(text, text_width(look), look.theme) {
        rows.push(indented(row));
    }
}

fn text_width(look: Look<'_>) -> usize {
    look.width.saturating_sub(INDENT.len()).max(1)
}

fn indented(mut row: Spans) -> Spans {
    row.insert(0, Span::raw(INDENT));
    row
}

fn name(look: Look<'_>, name: &str, id: &str, is_me: bool, at_ms: i64) -> Spans {
    let time = look.clock.hour_minute(at_ms);
    let room = look.width.saturating_sub(time.width() + 2);
    vec![
        Span::styled(wrap::cut(name, room), look.theme.author(id, is_me)),
        Span::styled(format!("  {time}"), look.theme.dim),
    ]
}

/// One row about the message that is answered.
fn reply(look: Look<'_>, room: &Room, seq: u64) -> Spans {
    let told = answered(look.texts, room, seq);
    indented(vec![Span::styled(
        wrap::cut(&told, text_width(look)),
        look.theme.quote,
    )])
}

/// What is said of the message that is answered; its author and how it begins, where it is loaded.
pub(in crate::tui) fn answered(texts: Texts, room: &Room, seq: u64) -> String {
    let answered = room
        .timeline
        .find(seq)
        .and_then(|index| room.timeline.items().get(index))
        .and_then(|item| Some((item, item.text()?)));
    match answered {
        Some((item, text)) => {
            let first = clean::lines(text).swap_remove(0);
            format!("↪ {}: {first}", clean::line(&item.author_name))
        }
        None => texts.answers_older(),
    }
}

fn divider(text: &str, look: Look<'_>, style: ratatui::style::Style) -> Spans {
    let text = wrap::cut(text, look.width.saturating_sub(6));
    let rest = look.width.saturating_sub(text.width() + 4);
    vec![Span::styled(
        format!("── {text} {}", "─".repeat(rest)),
        style,
    )]
}

fn at_ms(thing: Thing<'_>) -> i64 {
    match thing {
        Thing::Item(item) => item.at_ms,
        Thing::Post(post) => post.at_ms,
    }
}

/// Who said it; none where nobody said anything.
fn speaker<'a>(look: Look<'a>, thing: Thing<'a>) -> Option<&'a str> {
    match thing {
        Thing::Item(item) => item.text().map(|_| item.author.as_str()),
        Thing::Post(_) => Some(look.me),
    }
}

fn is_grouped(look: Look<'_>, before: Thing<'_>, thing: Thing<'_>) -> bool {
    speaker(look, thing).is_some()
        && speaker(look, before) == speaker(look, thing)
        && (0..GROUP_MS_MAX).contains(&(at_ms(thing).saturating_sub(at_ms(before))))
}

/// Whether this is the first message of somebody else behind where the person left off.
fn is_first_new(look: Look<'_>, room: &Room, before: Option<Thing<'_>>, thing: Thing<'_>) -> bool {
    let (Some(after), Thing::Item(item)) = (room.new_after, thing) else {
        return false;
    };
    let is_known = |item: &Item| item.seq <= after;
    let starts = match before {
        Some(Thing::Item(before)) => is_known(before),
        _ => true,
    };
    !is_known(item) && starts && item.author != look.me
}
