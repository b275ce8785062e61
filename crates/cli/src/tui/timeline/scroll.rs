//! Which part of a timeline is seen. The place is kept as a thing and the rows of it below the edge of the screen, never as a count
//! of rows from somewhere: whatever loads above or comes in below, and however the width changes, the same text stays in its place.

use super::Key;
use super::block::{self, Look};
use crate::tui::room::Room;
use crate::tui::wrap::Spans;

/// Where the lower edge of the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::tui) enum Position {
    /// At the end, wherever that goes.
    #[default]
    Bottom,
    /// In that thing, with so many of its rows below the edge.
    At { key: Key, hidden: usize },
}

/// The rows that are seen.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Window {
    pub(in crate::tui) rows: Vec<Spans>,
    /// The place of the uppermost thing of which something is seen.
    pub(in crate::tui) first: usize,
}

/// Collects the rows that are seen, the last ones at the lower edge; where there are fewer than fit, all.
pub(in crate::tui) fn window(look: Look<'_>, room: &Room, height: usize) -> Window {
    let Some((mut index, hidden)) = resolve(look, room, room.position) else {
        return Window {
            rows: Vec::new(),
            first: 0,
        };
    };
    let mut rows = block::rows(look, room, index);
    let last = index;
    let below = rows.split_off(rows.len() - hidden);
    rows.reverse();
    while rows.len() < height && index > 0 {
        index -= 1;
        rows.extend(block::rows(look, room, index).into_iter().rev());
    }
    rows.truncate(height);
    rows.reverse();
    // Above there is nothing more: what is below fills the screen.
    let mut next = last;
    let mut below = below.into_iter();
    while rows.len() < height {
        match below.next() {
            Some(row) => rows.push(row),
            None => {
                next += 1;
                if next >= room.thing_count() {
                    break;
                }
                below = block::rows(look, room, next).into_iter();
            }
        }
    }
    Window { rows, first: index }
}

/// The place so many rows further up than that one.
pub(in crate::tui) fn up(
    look: Look<'_>,
    room: &Room,
    from: Position,
    height: usize,
    rows: usize,
) -> Position {
    let Some((mut index, hidden)) = resolve(look, room, from) else {
        return Position::Bottom;
    };
    let mut hidden = hidden + rows;
    let mut length = block::rows(look, room, index).len();
    while hidden >= length && index > 0 {
        hidden -= length;
        index -= 1;
        length = block::rows(look, room, index).len();
    }
    hidden = hidden.min(length.saturating_sub(1));
    // Not so far that the screen would not be full.
    let mut above = length - hidden;
    let mut first = index;
    while above < height && first > 0 {
        first -= 1;
        above += block::rows(look, room, first).len();
    }
    down_from(look, room, index, hidden, height.saturating_sub(above))
}

/// The place so many rows further down.
pub(in crate::tui) fn down(look: Look<'_>, room: &Room, rows: usize) -> Position {
    match resolve(look, room, room.position) {
        Some((index, hidden)) => down_from(look, room, index, hidden, rows),
        None => Position::Bottom,
    }
}

/// A place at which the thing is seen, with some of what follows it below.
pub(in crate::tui) fn at(look: Look<'_>, room: &Room, height: usize, key: Key) -> Position {
    match room.find(key) {
        Some(index) => down_from(look, room, index, 0, height / 3),
        None => room.position,
    }
}

fn down_from(
    look: Look<'_>,
    room: &Room,
    mut index: usize,
    mut hidden: usize,
    mut rows: usize,
) -> Position {
    while rows > hidden {
        rows -= hidden + 1;
        index += 1;
        if index >= room.thing_count() {
            return Position::Bottom;
        }
        // One row of it is above the edge already.
        hidden = block::rows(look, room, index).len() - 1;
    }
    hidden -= rows;
    if hidden == 0 && index + 1 == room.thing_count() {
        return Position::Bottom;
    }
    match room.key(index) {
        Some(key) => Position::At { key, hidden },
        None => Position::Bottom,
    }
}

/// The thing at the lower edge and its rows below the edge; none where nothing is loaded.
fn resolve(look: Look<'_>, room: &Room, position: Position) -> Option<(usize, usize)> {
    let last = room.thing_count().checked_sub(1)?;
    Some(match position {
        Position::Bottom => (last, 0),
        Position::At { key, hidden } => match room.find(key) {
            Some(index) => {
                let rows = block::rows(look, room, index).len();
                (index, hidden.min(rows - 1))
            }
            // A post that has become an entry: that is at the end.
            None => (last, 0),
        },
    })
}
