//! What each event changes, and what is to be done then. Pure: no terminal, no connection, no clock and no chance.

mod done;
mod keys;
mod mouse;
mod overlay;
mod posts;
mod reply;
mod rooms;
mod scroll;
mod server;

pub(super) use posts::last_words;

use super::event::{Done, Effect, Event, Order, Stamp};
use super::model::Model;

/// The first thing: what an earlier run could not send goes out, and the room that was asked for is entered.
pub(super) fn start(model: &mut Model, room: Option<String>, create: bool) -> Vec<Effect> {
    let mut effects = posts::resend_kept(model);
    if let Some(room) = room {
        effects.push(Effect::Ask(Order::Enter { room, create }));
    }
    effects
}

/// Takes an event in.
pub(super) fn update(model: &mut Model, stamp: Stamp, event: Event) -> Vec<Effect> {
    model.now_ms = stamp.now_ms;
    // Whatever could not be loaded is not asked for again on the spot.
    let may_load = !matches!(&event, Event::Done(Done::History { result: Err(_), .. }));
    let mut effects = match event {
        Event::Key(key) => keys::handle(model, stamp, key),
        Event::Mouse(mouse) => mouse::handle(model, mouse),
        Event::Paste(text) => keys::paste(model, &text),
        Event::Resize(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Event::Server(event) => server::handle(model, event),
        Event::Done(done) => done::handle(model, done),
        Event::Tick => Vec::new(),
        Event::WaitedLongEnough | Event::Terminate => vec![Effect::End(None)],
    };
    scroll::settle(model, may_load, &mut effects);
    effects
}
