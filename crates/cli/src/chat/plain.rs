//! What happens in the chat: typed lines and events in, effects out. Pure; no terminal and no socket is known here.

use std::collections::VecDeque;

use suda_client::Event;
use suda_protocol::v1;

use super::input::{self, Input};
use crate::exit::{Exit, Failure};
use crate::lines::LineError;
use crate::texts::Texts;
use crate::transcript::Transcript;
use crate::visible;

/// Lines without an acknowledgement; over that, no further ones are read. Only a program types so fast.
const UNACKNOWLEDGED_MAX: usize = 1_000;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Effect {
    /// Write this, line breaks included.
    Show(String),
    /// Ask the server for something; its outcome comes back through [`Chat::handle_done`].
    Do(Order),
    /// From now on, wait only so long for the next acknowledgement.
    StartLeaving,
    /// End; all is well.
    Leave,
    /// End; not all is well.
    Fail(Failure),
}

/// What the server is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    Post {
        room: String,
        text: String,
    },
    Enter {
        room: String,
        create: bool,
    },
    Leave {
        room: String,
    },
    /// Earlier messages. They come before the stream is opened, so that nothing can come between.
    History {
        room: String,
        count: u32,
    },
    Open {
        room: String,
        cursor: Option<v1::Cursor>,
    },
    Close {
        room: String,
    },
    Rooms,
}

/// What became of an order.
#[derive(Debug)]
pub(super) enum Done {
    /// The oldest post that had no answer yet is on disk, or is refused.
    Post(Result<(), v1::Error>),
    Enter {
        asked: String,
        result: Result<v1::Room, v1::Error>,
    },
    Leave {
        room: String,
        result: Result<(), v1::Error>,
    },
    Rooms(Result<Vec<v1::Room>, v1::Error>),
    /// Earlier messages of the room, newest first.
    History {
        room: String,
        result: Result<Vec<v1::Message>, v1::Error>,
    },
    /// The stream of the room was refused, or could not even be asked for or given up.
    Open {
        room: String,
        error: v1::Error,
    },
}

/// The conversation as one person has it.
#[derive(Debug)]
pub(super) struct Chat {
    texts: Texts,
    transcript: Transcript,
    history_count: u32,
    link: Link,
    room: Option<Shown>,
    /// The room that is being entered. What is written meanwhile is for it, and is sent once it is entered.
    entering: Option<String>,
    /// What was sent and is not acknowledged, oldest first: posts are answered in the order of sending.
    unacknowledged: VecDeque<String>,
    leaving: bool,
    refused: usize,
    /// Whether the person knows that the server does not take posts just now.
    delay_is_said: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    NeverUp,
    NeverUpAndSaid,
    Up,
    Down,
}

/// The room on the screen.
#[derive(Debug)]
struct Shown {
    id: String,
    name: String,
    /// Whether the stream has been asked for: the earlier messages are on the screen.
    is_open: bool,
}

impl Chat {
    pub(super) fn new(texts: Texts, transcript: Transcript, history_count: u32) -> Chat {
        Chat {
            texts,
            transcript,
            history_count,
            link: Link::NeverUp,
            room: None,
            entering: None,
            unacknowledged: VecDeque::new(),
            leaving: false,
            refused: 0,
            delay_is_said: false,
        }
    }

    /// The first thing: enter the room that was asked for.
    pub(super) fn start(&mut self, room: Option<String>, create: bool) -> Vec<Effect> {
        match room {
            Some(room) => self.enter(&room, create),
            None => vec![self.say(self.texts.no_room_yet())],
        }
    }

    /// Whether the person wants to leave and only acknowledgements are waited for.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Whether a further line may be read.
    pub(super) fn takes_lines(&self) -> bool {
        self.unacknowledged.len() < UNACKNOWLEDGED_MAX
    }

    pub(super) fn handle_line(&mut self, line: &str) -> Vec<Effect> {
        if self.leaving {
            return Vec::new();
        }
        match input::parse(line) {
            Input::Nothing => Vec::new(),
            Input::Say(text) => self.post(text),
            Input::Help => vec![self.say(self.texts.help())],
            Input::Rooms => vec![Effect::Do(Order::Rooms)],
            Input::Join(room) => self.enter(room, false),
            Input::Create(room) => self.enter(room, true),
            Input::Leave(room) => {
                match room.or(self.room.as_ref().map(|room| room.name.as_str())) {
                    Some(room) => vec![Effect::Do(Order::Leave {
                        room: room.to_owned(),
                    })],
                    None => vec![self.say(self.texts.no_room_yet())],
                }
            }
            Input::Quit => self.handle_end(),
            Input::NeedsRoom(command) => vec![self.say(self.texts.command_needs_room(command))],
            Input::Unknown(command) => {
                vec![self.say(self.texts.unknown_command(&visible::line(command)))]
            }
        }
    }

    pub(super) fn handle_unreadable_line(&mut self, error: &LineError) -> Vec<Effect> {
        vec![self.say(self.texts.command_failed(&error.to_string()))]
    }

    /// The person wants to leave: at once if nothing is pending.
    pub(super) fn handle_end(&mut self) -> Vec<Effect> {
        if self.leaving {
            return Vec::new();
        }
        self.leaving = true;
        match self.unacknowledged.len() {
            0 => vec![self.end()],
            count => vec![
                self.say(self.texts.waiting_for_acknowledgement(count)),
                Effect::StartLeaving,
            ],
        }
    }

    /// Nothing more is waited for: says what is not acknowledged.
    pub(super) fn give_up(&mut self) -> Vec<Effect> {
        let unsent = std::mem::take(&mut self.unacknowledged);
        let mut effects: Vec<Effect> = unsent
            .iter()
            .map(|text| self.say(self.texts.not_acknowledged(&visible::line(text))))
            .collect();
        effects.push(match unsent.len() {
            0 => self.end(),
            count => Effect::Fail(Failure::failed(self.texts.some_not_acknowledged(count))),
        });
        effects
    }

    pub(super) fn handle_event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Online { user } => {
                let text = match self.link {
                    Link::NeverUp | Link::NeverUpAndSaid => {
                        self.texts.online(&visible::line(&user.name))
                    }
                    Link::Up | Link::Down => self.texts.online_again(),
                };
                self.link = Link::Up;
                vec![self.say(text)]
            }
            Event::Offline { reason, .. } => {
                let said = matches!(self.link, Link::Down | Link::NeverUpAndSaid);
                self.link = match self.link {
                    Link::Up | Link::Down => Link::Down,
                    Link::NeverUp | Link::NeverUpAndSaid => Link::NeverUpAndSaid,
                };
                if said {
                    return Vec::new();
                }
                vec![self.say(self.texts.offline(&self.texts.offline_reason(&reason)))]
            }
            Event::SignedOut { error } => {
                let text = self.texts.sign_in_ended(&self.texts.error(&error));
                self.fail(Exit::NotSignedIn, text)
            }
            Event::Stopped { message, .. } => {
                let text = self.texts.refused(&visible::line(&message));
                self.fail(Exit::Refused, text)
            }
            Event::OpenRefused { asked, error } => self.open_failed(&asked, &error),
            Event::Delayed { error, .. } => {
                if std::mem::replace(&mut self.delay_is_said, true) {
                    return Vec::new();
                }
                vec![self.say(self.texts.delayed(&self.texts.error(&error)))]
            }
            Event::Entry(entry) => self.entry(&entry),
            Event::Reset { room } => match &mut self.room {
                Some(shown) if shown.id == room => {
                    shown.is_open = false;
                    let mut effects =
                        vec![self.say(format!("* {}", self.texts.history_is_another()))];
                    effects.push(Effect::Do(Order::Close { room: room.clone() }));
                    effects.push(self.ask_history(room));
                    effects
                }
                _ => Vec::new(),
            },
            Event::Removed { room } => match self.room.take_if(|shown| shown.id == room) {
                Some(shown) => {
                    let name = visible::line(&shown.name);
                    vec![self.say(self.texts.removed_from_room(&name))]
                }
                None => Vec::new(),
            },
            // What was ordered is answered through `handle_done`; what is not known is not shown.
            _ => Vec::new(),
        }
    }

    pub(super) fn handle_done(&mut self, done: Done) -> Vec<Effect> {
        match done {
            Done::Post(result) => {
                self.delay_is_said = false;
                let text = self.unacknowledged.pop_front().unwrap_or_default();
                let mut effects = Vec::new();
                if let Err(error) = result {
                    self.refused += 1;
                    let reason = self.texts.error(&error);
                    effects.push(self.say(self.texts.not_sent(&visible::line(&text), &reason)));
                }
                if self.leaving {
                    if self.unacknowledged.is_empty() {
                        effects.push(self.say(self.texts.all_answered()));
                        effects.push(self.end());
                    } else {
                        effects.push(Effect::StartLeaving);
                    }
                }
                effects
            }
            Done::Enter { asked, result } => {
                self.entering.take_if(|entering| *entering == asked);
                match result {
                    Ok(room) => self.entered(room),
                    Err(error) => self.failed(&error),
                }
            }
            Done::Leave {
                result: Ok(()),
                room,
            } => {
                // The removal usually comes first; then the room is gone from the screen already.
                self.room.take_if(|shown| shown.name == room);
                vec![self.say(self.texts.left_room(&visible::line(&room)))]
            }
            Done::Rooms(Ok(rooms)) => self.rooms(&rooms),
            Done::History { room, result } => self.history(&room, result),
            Done::Leave {
                result: Err(error), ..
            }
            | Done::Rooms(Err(error)) => self.failed(&error),
            Done::Open { room, error } => self.open_failed(&room, &error),
        }
    }

    fn post(&mut self, text: &str) -> Vec<Effect> {
        let shown = self.room.as_ref().map(|shown| &shown.id);
        let Some(room) = self.entering.as_ref().or(shown) else {
            return vec![self.say(self.texts.no_room_yet())];
        };
        let order = Order::Post {
            room: room.clone(),
            text: text.to_owned(),
        };
        self.unacknowledged.push_back(text.to_owned());
        vec![Effect::Do(order)]
    }

    fn enter(&mut self, room: &str, create: bool) -> Vec<Effect> {
        self.entering = Some(room.to_owned());
        vec![Effect::Do(Order::Enter {
            room: room.to_owned(),
            create,
        })]
    }

    fn entered(&mut self, room: v1::Room) -> Vec<Effect> {
        if self.room.as_ref().is_some_and(|shown| shown.id == room.id) {
            return vec![self.say(self.texts.entered(&visible::line(&room.name)))];
        }
        let mut effects = Vec::new();
        if let Some(before) = self.room.take() {
            effects.push(Effect::Do(Order::Close { room: before.id }));
        }
        effects.push(self.ask_history(room.id.clone()));
        self.room = Some(Shown {
            id: room.id,
            name: room.name,
            is_open: false,
        });
        effects
    }

    fn ask_history(&self, room: String) -> Effect {
        Effect::Do(Order::History {
            room,
            count: self.history_count.max(1),
        })
    }

    fn history(&mut self, room: &str, result: Result<Vec<v1::Message>, v1::Error>) -> Vec<Effect> {
        let Some(shown) = self
            .room
            .as_mut()
            .filter(|shown| shown.id == room && !shown.is_open)
        else {
            return Vec::new();
        };
        shown.is_open = true;
        let entered = self.texts.entered(&visible::line(&shown.name));
        let messages = match result {
            Ok(messages) => messages,
            Err(error) => {
                // What was said before is not to be had, which is told; what is said from now on still is.
                let mut effects = self.failed(&error);
                effects.push(self.say(entered));
                effects.push(Effect::Do(Order::Open {
                    room: room.to_owned(),
                    cursor: None,
                }));
                return effects;
            }
        };
        let count = usize::try_from(self.history_count).unwrap_or(usize::MAX);
        let lines = messages.iter().take(count).rev();
        // The stream goes on behind the newest message, or, where there is none, starts at the room's beginning.
        let cursor = messages
            .first()
            .map_or_else(v1::Cursor::default, |newest| v1::Cursor {
                seq: newest.seq,
                id: newest.id.clone(),
            });
        vec![
            Effect::Show(lines.map(|m| self.transcript.message(m)).collect()),
            self.say(entered),
            Effect::Do(Order::Open {
                room: room.to_owned(),
                cursor: Some(cursor),
            }),
        ]
    }

    fn entry(&self, entry: &v1::Entry) -> Vec<Effect> {
        match &self.room {
            Some(shown) if shown.id == entry.room && shown.is_open => {
                vec![Effect::Show(self.transcript.entry(entry))]
            }
            _ => Vec::new(),
        }
    }

    fn rooms(&self, rooms: &[v1::Room]) -> Vec<Effect> {
        if rooms.is_empty() {
            return vec![self.say(self.texts.no_rooms())];
        }
        rooms
            .iter()
            .map(|room| {
                let name = visible::line(&room.name);
                let line = self.texts.room_line(&name, room.member_count, room.member);
                self.say(format!("  {line}"))
            })
            .collect()
    }

    fn failed(&self, error: &v1::Error) -> Vec<Effect> {
        vec![self.say(self.texts.command_failed(&self.texts.error(error)))]
    }

    /// Without its stream a room is not really there, so that /join is to try again.
    fn open_failed(&mut self, room: &str, error: &v1::Error) -> Vec<Effect> {
        self.room.take_if(|shown| shown.id == room);
        self.failed(error)
    }

    /// Says what is lost, then fails.
    fn fail(&mut self, exit: Exit, text: String) -> Vec<Effect> {
        let mut effects = self.give_up();
        effects.pop();
        effects.push(Effect::Fail(Failure::new(exit, text)));
        effects
    }

    /// The end when nothing is pending: a script that fed the chat learns whether something was refused.
    fn end(&self) -> Effect {
        match self.refused {
            0 => Effect::Leave,
            _ => Effect::Fail(Failure::new(
                Exit::Refused,
                self.texts.some_refused(self.refused),
            )),
        }
    }

    fn say(&self, text: String) -> Effect {
        Effect::Show(text + "\n")
    }
}
