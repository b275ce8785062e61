//! What is being written.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use super::{cells, place, write};
use crate::tui::areas::{Areas, PROMPT_WIDTH};
use crate::tui::composer::Layout;
use crate::tui::model::Model;
use crate::tui::timeline::block;
use crate::tui::wrap;

/// The line about the message that is answered, and how to answer it no more.
pub(super) fn draw_reply(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let area = areas.reply;
    let Some(room) = model.current().filter(|_| !area.is_empty()) else {
        return;
    };
    let hint = model.texts.reply_hint();
    let width =
        usize::from(area.width).saturating_sub(usize::from(PROMPT_WIDTH) + hint.width() + 2);
    let told = block::answered(model.texts, room, room.reply_to);
    let told = wrap::cut(&told, width);
    let column = write(buffer, area, 0, PROMPT_WIDTH, &told, model.theme.quote);
    write(buffer, area, 0, column + 2, &hint, model.theme.dim);
}

/// Gives the cursor's place.
pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) -> Option<Position> {
    let area = areas.composer;
    if area.is_empty() {
        return None;
    }
    write(buffer, area, 0, 0, "›", model.theme.accent);
    let text_area = Rect {
        x: area.x + PROMPT_WIDTH.min(area.width),
        width: area.width.saturating_sub(PROMPT_WIDTH),
        ..area
    };
    let composer = model.composer();
    if composer.is_empty() && model.current().is_some() {
        let hint = model.texts.composer_hint();
        write(buffer, text_area, 0, 0, &hint, model.theme.dim);
    }
    let layout = Layout::of(composer.text(), composer.cursor(), areas.composer_width());
    let (row, column) = layout.cursor();
    // What doesn't fit scrolls so that the cursor's row is seen.
    let height = usize::from(area.height);
    let first = (row + 1).saturating_sub(height);
    for (number, shown) in layout.rows().skip(first).take(height).enumerate() {
        write(buffer, text_area, cells(number), 0, shown, model.theme.text);
    }
    place(text_area, row - first, column)
}
