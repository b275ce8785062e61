//! The loop between the terminal, the connection and the pure middle: takes what happens, feeds it, carries out what comes of it, draws.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::Event as TerminalEvent;
use suda_client::{Client, Events};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep};

use super::event::{Done, Effect, Event, Stamp};
use super::kept::{Keeper, Store};
use super::model::Model;
use super::orders::Orders;
use super::screen::{self, Screen};
use super::{update, view};
use crate::exit::Failure;
use crate::session;

/// How long leaving waits for the next acknowledgement.
const LEAVE_WAIT: Duration = Duration::from_secs(10);

/// How often what changed is written down, and what the clock changes is drawn.
const BEAT: Duration = Duration::from_secs(1);

/// Events that are taken in between two drawings.
const EVENTS_PER_DRAWING_MAX: usize = 1_000;

/// How long the shell may take to stop the program. A shell without job control never does; then the program goes on.
const STOP_WAIT: Duration = Duration::from_millis(500);

/// Where everything that happens comes from.
struct Sources {
    terminal: mpsc::Receiver<TerminalEvent>,
    events: Events,
    done: mpsc::UnboundedReceiver<Done>,
    beat: Interval,
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    leaving: std::pin::Pin<Box<Sleep>>,
    is_leaving: bool,
}

/// One thing that happened, as the loop sees it.
enum Input {
    Event(Event),
    Beat,
    /// Nothing for the middle.
    Nothing,
}

/// Runs the client until the person leaves. However it ends, what is kept between runs is written down.
pub(super) async fn run(
    mut model: Model,
    store: Store,
    client: Client,
    events: Events,
    first: (Option<String>, bool),
    mut screen: Screen,
) -> Result<(), Failure> {
    let (orders, done) = Orders::new(client.clone());
    let mut sources = Sources::new(events, done)?;
    let mut keeper = Keeper::new(store, model.kept());
    model.now_ms = stamp().now_ms;
    let effects = update::start(&mut model, first.0, first.1);
    let end = drive(
        &mut model,
        effects,
        &mut sources,
        &orders,
        &mut keeper,
        &mut screen,
    )
    .await;
    drop(screen);
    let is_kept = keeper.keep_for_good(model.kept());
    client.close(session::CLOSE_WAIT).await;
    update::last_words(&model, end, is_kept)
}

/// The loop.
async fn drive(
    model: &mut Model,
    mut effects: Vec<Effect>,
    sources: &mut Sources,
    orders: &Orders,
    keeper: &mut Keeper,
    screen: &mut Screen,
) -> Result<(), Failure> {
    loop {
        for effect in effects.drain(..) {
            match effect {
                Effect::Ask(order) => orders.give(order),
                Effect::Keep => keeper.keep(model.kept()),
                Effect::StartLeaving => {
                    sources.is_leaving = true;
                    sources.leaving.as_mut().reset(Instant::now() + LEAVE_WAIT);
                }
                Effect::Suspend => suspend(screen).await.map_err(|error| lost(&error))?,
                Effect::Redraw => screen.clear().map_err(|error| lost(&error))?,
                // Whatever else was to be done is not worth more waiting.
                Effect::End(None) => return Ok(()),
                Effect::End(Some(failure)) => return Err(failure),
            }
        }
        screen
            .draw(|frame| view::draw(model, frame))
            .map_err(|error| lost(&error))?;
        let mut input = sources.next(model).await;
        for _ in 0..EVENTS_PER_DRAWING_MAX {
            match input {
                Input::Event(event) => effects.extend(update::update(model, stamp(), event)),
                Input::Beat => {
                    keeper.keep(model.kept());
                    if model.wants_ticks() {
                        effects.extend(update::update(model, stamp(), Event::Tick));
                    }
                }
                Input::Nothing => {}
            }
            // An effect may change what happens next: the rest has to wait for it.
            if !effects.is_empty() {
                break;
            }
            match sources.ready(model) {
                Some(next) => input = next,
                None => break,
            }
        }
    }
}

impl Sources {
    fn new(events: Events, done: mpsc::UnboundedReceiver<Done>) -> Result<Sources, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))
        };
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Sources {
            terminal: screen::read_events(),
            events,
            done,
            beat,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            interrupt: listen(SignalKind::interrupt())?,
            leaving: Box::pin(tokio::time::sleep(LEAVE_WAIT)),
            is_leaving: false,
        })
    }

    /// The next thing that happens. Cancel safe.
    async fn next(&mut self, model: &Model) -> Input {
        tokio::select! {
            event = self.terminal.recv() => match event {
                Some(event) => of_terminal(event),
                // The terminal is gone.
                None => Input::Event(Event::Terminate),
            },
            Some(event) = self.events.next() => Input::Event(Event::Server(event)),
            Some(done) = self.done.recv() => Input::Event(Event::Done(done)),
            _ = self.beat.tick() => Input::Beat,
            () = &mut self.leaving, if self.is_leaving => {
                self.is_leaving = false;
                Input::Event(match model.is_leaving() {
                    true => Event::WaitedLongEnough,
                    false => Event::Tick,
                })
            },
            _ = self.terminate.recv() => Input::Event(Event::Terminate),
            _ = self.hang_up.recv() => Input::Event(Event::Terminate),
            _ = self.interrupt.recv() => Input::Event(Event::Terminate),
        }
    }

    /// What has happened already, if anything.
    fn ready(&mut self, model: &Model) -> Option<Input> {
        let mut next = pin!(self.next(model));
        match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(input) => Some(input),
            Poll::Pending => None,
        }
    }
}

fn of_terminal(event: TerminalEvent) -> Input {
    Input::Event(match event {
        TerminalEvent::Key(key) => Event::Key(key),
        TerminalEvent::Mouse(mouse) => Event::Mouse(mouse),
        TerminalEvent::Paste(text) => Event::Paste(text),
        TerminalEvent::Resize(columns, rows) => Event::Resize(columns, rows),
        TerminalEvent::FocusGained | TerminalEvent::FocusLost => return Input::Nothing,
    })
}

fn stamp() -> Stamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    Stamp {
        now_ms: since_1970.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX)),
        id: uuid::Uuid::now_v7(),
    }
}

/// Gives the terminal to the shell until the person comes back.
async fn suspend(screen: &mut Screen) -> io::Result<()> {
    // Heard from before the stop on, so that coming back is not missed.
    let mut come_back = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    screen::give_back();
    // The whole group, as if the terminal itself had seen the key: a wrapper script is to stop too.
    rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
    let _ = tokio::time::timeout(STOP_WAIT, come_back.recv()).await;
    screen.take_again()
}

pub(super) fn lost(error: &io::Error) -> Failure {
    Failure::failed(format!("the terminal is lost: {error}"))
}
