//! `suda chat`: here its arguments, and the line-oriented `--plain` one; the full-screen one is in [`crate::tui`].
//!
//! `suda chat --plain`: a line-oriented chat for any terminal and for screen readers. No cursor is moved, nothing is redrawn.
//!
//! Here the pieces are wired: lines from the keyboard, events from the server, lines to the screen. What they mean is in `plain`.

pub(crate) mod input;
mod plain;
mod runner;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::exit::Failure;
use crate::lines;
use crate::session::{self, Session};
use crate::texts::Texts;
use crate::transcript::Transcript;
use crate::tui::{self, ThemeName};
use plain::{Chat, Effect};
use runner::Runner;

/// How long leaving waits for the next acknowledgement.
const LEAVE_WAIT: Duration = Duration::from_secs(10);

/// Chat in a terminal.
///
/// Fills the terminal; F1 shows the keys. Drafts, the last room and what could not be sent yet are kept for the next time.
///
/// With --plain, line by line: each line that is written is sent to the room; each message comes as a line "HH:MM name: text", one's
/// own as soon as the server has it on disk. /help shows the commands. Ctrl-D or /quit leaves once everything is acknowledged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The room; joined if need be
    room: Option<String>,
    /// Line by line, for any terminal and for screen readers
    #[arg(long)]
    plain: bool,
    /// Make the room if there is none of that name
    #[arg(long, requires = "room")]
    create: bool,
    /// The colours [default: the last ones; without colour where NO_COLOR is set]
    #[arg(long, conflicts_with = "plain")]
    theme: Option<ThemeName>,
    /// How many earlier messages to show when entering a room, with --plain
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=100))]
    last: u32,
    #[command(flatten)]
    server: session::ServerArg,
}

/// Chats until the person leaves.
pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    if !args.plain {
        let options = tui::Options {
            server: args.server,
            room: args.room,
            create: args.create,
            theme: args.theme,
        };
        return tui::run(options, texts).await;
    }
    let Session {
        server,
        client,
        mut events,
        ..
    } = Session::begin(&args.server, texts)?;
    let (runner, mut done) = Runner::start(client.clone());
    let mut chat = Chat::new(texts, Transcript::new(texts, Clock::of_system()), args.last);
    let mut keyboard = lines::of_stdin();
    let mut keyboard_is_open = true;
    let mut interrupt = signal(SignalKind::interrupt())
        .map_err(|error| Failure::failed(format!("cannot listen for Ctrl-C: {error}")))?;
    let mut leaving = Box::pin(tokio::time::sleep(LEAVE_WAIT));

    let mut effects = vec![Effect::Show(texts.connecting(&server.to_string()) + "\n")];
    effects.extend(chat.start(args.room, args.create));
    loop {
        for effect in effects.drain(..) {
            match effect {
                Effect::Show(text) => show(&text)?,
                Effect::Do(order) => runner.run(order),
                Effect::StartLeaving => leaving
                    .as_mut()
                    .reset(tokio::time::Instant::now() + LEAVE_WAIT),
                Effect::Leave => {
                    client.close(session::CLOSE_WAIT).await;
                    return Ok(());
                }
                Effect::Fail(failure) => return Err(failure),
            }
        }
        effects = tokio::select! {
            line = keyboard.recv(), if keyboard_is_open && chat.takes_lines() => match line {
                Some(Ok(line)) => chat.handle_line(&line),
                Some(Err(error)) => chat.handle_unreadable_line(&error),
                None => {
                    keyboard_is_open = false;
                    chat.handle_end()
                }
            },
            event = events.next() => match event {
                Some(event) => chat.handle_event(event),
                None => chat.give_up(),
            },
            Some(outcome) = done.recv() => chat.handle_done(outcome),
            () = &mut leaving, if chat.is_leaving() => chat.give_up(),
            _ = interrupt.recv() => chat.give_up(),
        };
    }
}

fn show(text: &str) -> Result<(), Failure> {
    let mut screen = io::stdout().lock();
    screen
        .write_all(text.as_bytes())
        .and_then(|()| screen.flush())
        .map_err(|error| Failure::failed(format!("cannot write: {error}")))
}
