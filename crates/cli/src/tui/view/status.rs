//! The lowest line: the connection as it is, and one sentence on what has just happened; or the search.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use unicode_width::UnicodeWidthStr;

use super::{place, write};
use crate::tui::areas::Areas;
use crate::tui::clean;
use crate::tui::model::{Link, Model, Overlay};
use crate::tui::search::Search;
use crate::tui::wrap;

/// Gives the cursor's place where something is searched for.
pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) -> Option<Position> {
    let area = areas.status;
    if let Some(Overlay::Search(search)) = &model.overlay {
        return draw_search(model, search, areas, buffer);
    }
    if let Some(Overlay::Reply(_)) = &model.overlay {
        let text = wrap::cut(&model.texts.choosing_reply(), area.width.into());
        write(buffer, area, 0, 0, &text, model.theme.accent);
        return None;
    }
    // What may be long stands last: where the line ends, it ends there.
    let (sign, style, text, long) = match &model.link {
        Link::Connecting => (
            "○",
            model.theme.dim,
            model.texts.status_connecting(),
            model.server.clone(),
        ),
        Link::Online => {
            let name = clean::line(&model.my_name);
            let text = model.texts.status_online(&name);
            ("●", model.theme.good, text, model.server.clone())
        }
        Link::Offline {
            reason,
            retry_at_ms,
        } => {
            // Rounded up: "in 0 s" would never be true for long.
            let seconds = (retry_at_ms - model.now_ms).max(0).saturating_add(999) / 1000;
            let text = model.texts.status_offline(seconds);
            let reason = clean::line(&model.texts.offline_reason(reason));
            ("○", model.theme.error, text, reason)
        }
    };
    let mut column = write(buffer, area, 0, 0, &format!("{sign} "), style);
    let text_style = match model.link {
        Link::Offline { .. } => model.theme.error,
        _ => model.theme.dim,
    };
    let told = match model.unanswered().count() {
        0 => format!("{text} · {long}"),
        count => format!("{text} · {} · {long}", model.texts.status_unsent(count)),
    };
    let room = usize::from(area.width.saturating_sub(column));
    column = write(buffer, area, 0, column, &wrap::cut(&told, room), text_style);
    let (notice, style) = match &model.notice {
        Some(notice) => (
            clean::line(notice.text.trim_start_matches(['!', '*', ' '])),
            if notice.is_error {
                model.theme.error
            } else {
                model.theme.accent
            },
        ),
        None => (model.texts.status_help(), model.theme.dim),
    };
    let width = usize::from(area.width);
    let room = match &model.notice {
        // What has just happened is more than where one is.
        Some(_) => width,
        None => width.saturating_sub(usize::from(column) + 2),
    };
    let notice = wrap::cut(&notice, room);
    if model.notice.is_none() && notice.ends_with('…') {
        return None;
    }
    let start = width.saturating_sub(notice.width());
    if let (Some(_), Ok(start)) = (&model.notice, u16::try_from(start.saturating_sub(2))) {
        write(buffer, area, 0, start, "  ", model.theme.text);
    }
    if let Ok(start) = u16::try_from(start) {
        write(buffer, area, 0, start, &notice, style);
    }
    None
}

fn draw_search(
    model: &Model,
    search: &Search,
    areas: &Areas,
    buffer: &mut Buffer,
) -> Option<Position> {
    let area = areas.status;
    let here = search.here.map_or(0, |here| here + 1);
    let label = model.texts.search_label();
    let column = write(buffer, area, 0, 0, &format!("{label} "), model.theme.accent);
    let query = clean::line(&search.query);
    let cursor = write(buffer, area, 0, column, &query, model.theme.text);
    let found = model.texts.search_found(here, search.matches.len());
    let hint = wrap::cut(&found, usize::from(area.width.saturating_sub(cursor + 2)));
    let start = area
        .width
        .saturating_sub(u16::try_from(hint.width()).unwrap_or(u16::MAX));
    write(buffer, area, 0, start, &hint, model.theme.dim);
    place(area, 0, cursor.into())
}
