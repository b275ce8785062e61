//! `suda chat`: the full-screen client.
//!
//! In the middle stands [`update`](update::update), which takes an event and gives effects, and [`view`](view::draw), which draws the
//! model: both pure. The [`driver`] feeds them; [`screen`] knows the terminal and not the chat, [`orders`] the chat and not the
//! terminal.

mod areas;
mod clean;
mod composer;
mod days;
mod driver;
mod event;
mod kept;
mod keys;
mod markdown;
mod model;
mod orders;
mod room;
mod screen;
mod search;
mod switcher;
#[cfg(test)]
mod tests;
mod texts;
mod theme;
mod timeline;
mod update;
mod view;
mod wrap;

use std::io::IsTerminal;

use crate::clock::Clock;
use crate::exit::Failure;
use crate::session::{self, Session};
use crate::texts::Texts;
pub(crate) use theme::ThemeName;

/// What the full-screen client is started with.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) server: session::ServerArg,
    /// The room to enter, and whether to make it.
    pub(crate) room: Option<String>,
    pub(crate) create: bool,
    pub(crate) theme: Option<ThemeName>,
}

/// Runs the client until the person leaves.
pub(crate) async fn run(options: Options, texts: Texts) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::usage(texts.needs_terminal()));
    }
    let Session {
        server,
        client,
        events,
        name,
        device,
    } = Session::begin(&options.server, texts)?;
    let store = kept::Store::of_environment(device);
    let kept = store.load(&name);
    let screen = screen::Screen::take().map_err(|error| driver::lost(&error))?;
    let size = screen.size().map_err(|error| driver::lost(&error))?;
    let model = model::Model::new(
        texts,
        Clock::of_system(),
        server.to_string(),
        theme(options.theme, kept.theme),
        size,
        kept,
    );
    let first = (options.room, options.create);
    driver::run(model, store, client, events, first, screen).await
}

/// What was asked for now, then what `NO_COLOR` says, then the last run's choice, then the rest of the environment.
fn theme(asked: Option<ThemeName>, kept: Option<ThemeName>) -> ThemeName {
    let variable = |name: &str| std::env::var(name).ok();
    let without_colour = theme::is_without_colour(&variable).then_some(ThemeName::Mono);
    asked
        .or(without_colour)
        .or(kept)
        .unwrap_or_else(|| ThemeName::of_environment(variable))
}
