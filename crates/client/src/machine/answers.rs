//! What the server's messages do to a [`Machine`].

use suda_protocol::v1::push::Event as Pushed;
use suda_protocol::v1::reply::Result as Answered;
use suda_protocol::{ErrorCode, v1};
use uuid::Uuid;

use super::backoff::retry_after_ms;
use super::event::{Answer, Event, OfflineReason, Outcome, RequestId};
use super::requests::Asked;
use super::{Machine, Timestamp};

impl Machine {
    pub(super) fn push(&mut self, push: v1::Push) {
        let (now, jitter, events) = (self.now, &mut self.jitter, &mut self.events);
        match push.event {
            Some(Pushed::Entry(entry)) => self.streams.entry(now, entry, jitter, events),
            Some(Pushed::Lag(lag)) => self.streams.lag(now, &lag.room, jitter),
            Some(Pushed::Heartbeat(heartbeat)) => {
                self.streams.heartbeat(now, &heartbeat.tops, jitter)
            }
            Some(Pushed::GoingAway(going)) => self.link.going_away(now, going.come_back_after_ms),
            Some(Pushed::Removed(removed)) => self.streams.removed(now, removed.room, events),
            None => {}
        }
    }

    pub(super) fn reply(&mut self, reply: v1::Reply) {
        let Some(asked) = self.requests.answered(reply.id) else {
            return;
        };
        // An answer of a kind that this version doesn't know is no answer that can be acted on.
        let answered = reply
            .result
            .unwrap_or_else(|| Answered::Error(unexpected()));
        match asked {
            Asked::Connect => self.connect_answered(answered),
            Asked::Open(key) => {
                let (now, jitter, events) = (self.now, &mut self.jitter, &mut self.events);
                match answered {
                    Answered::Opened(opened) => {
                        if let Some(room) = &opened.room {
                            self.names.learn(room);
                        }
                        self.streams.opened(now, key, opened, jitter, events);
                    }
                    other => self
                        .streams
                        .refused(now, key, error_of(other), jitter, events),
                }
            }
            Asked::Log(key) => {
                let resume_max = u64::from(self.limits.resume_entries_max);
                let (now, jitter, events) = (self.now, &mut self.jitter, &mut self.events);
                match answered {
                    Answered::LogPage(page) => self
                        .streams
                        .log_page(now, key, page, resume_max, jitter, events),
                    other => self
                        .streams
                        .refused(now, key, error_of(other), jitter, events),
                }
            }
            Asked::Close => {}
            Asked::Mutation(client_id) => self.mutation_answered(client_id, answered),
            Asked::Question(id) => self.question_answered(id, answered),
        }
    }

    fn connect_answered(&mut self, answered: Answered) {
        match answered {
            Answered::Hello(hello) => {
                self.link.greeted(self.now, &hello);
                if let Some(limits) = hello.limits {
                    self.limits = or_standard(limits);
                }
                self.events.push_back(Event::Online {
                    user: hello.user.unwrap_or_default(),
                });
            }
            other => {
                let error = error_of(other);
                if error.retryable {
                    let wait_ms = retry_after_ms(&error);
                    self.drop_connection(OfflineReason::Refused { error }, wait_ms);
                } else {
                    self.link.order_drop();
                    self.ended(Event::SignedOut { error });
                }
            }
        }
    }

    fn mutation_answered(&mut self, client_id: Uuid, answered: Answered) {
        let outcome = match answered {
            Answered::RoomCreation(it) => Outcome::RoomCreated(it),
            Answered::Joined(it) => Outcome::Joined(it),
            Answered::Left(it) => Outcome::Left(it),
            Answered::Posted(it) => Outcome::Posted(it),
            other => return self.mutation_refused(client_id, error_of(other)),
        };
        if let Outcome::RoomCreated(v1::RoomCreation {
            room: Some(room), ..
        })
        | Outcome::Joined(v1::Joined {
            room: Some(room), ..
        }) = &outcome
        {
            self.names.learn(room);
        }
        if self.outbox.settle(client_id) {
            self.events
                .push_back(Event::Accepted { client_id, outcome });
        }
    }

    fn mutation_refused(&mut self, client_id: Uuid, error: v1::Error) {
        if error.retryable {
            let refusals = self.outbox.refused(client_id);
            let wait_ms = self.jitter.wait_ms(refusals).max(retry_after_ms(&error));
            let retry_at: Timestamp = self.now.saturating_add(wait_ms);
            self.outbox.wait_until(client_id, retry_at);
            self.events.push_back(Event::Delayed {
                client_id,
                error,
                retry_at,
            });
        } else if self.outbox.settle(client_id) {
            self.events.push_back(Event::Refused { client_id, error });
        }
    }

    fn question_answered(&mut self, request: RequestId, answered: Answered) {
        let result = match answered {
            Answered::RoomList(it) => Ok(Answer::Rooms(it)),
            Answered::MessagePage(it) => Ok(Answer::Messages(it)),
            Answered::LogPage(it) => Ok(Answer::Log(it)),
            other => Err(error_of(other)),
        };
        if self.questions.settle(request) {
            self.events.push_back(Event::Answer { request, result });
        }
    }
}

/// The limits with those that the server left out as they usually are.
fn or_standard(told: v1::Limits) -> v1::Limits {
    let or = |told: u32, usual: u32| if told == 0 { usual } else { told };
    let usual = v1::Limits::standard();
    v1::Limits {
        command_bytes_max: or(told.command_bytes_max, usual.command_bytes_max),
        text_bytes_max: or(told.text_bytes_max, usual.text_bytes_max),
        room_name_chars_max: or(told.room_name_chars_max, usual.room_name_chars_max),
        open_rooms_max: or(told.open_rooms_max, usual.open_rooms_max),
        commands_in_flight_max: or(told.commands_in_flight_max, usual.commands_in_flight_max),
        log_page_max: or(told.log_page_max, usual.log_page_max),
        message_page_max: or(told.message_page_max, usual.message_page_max),
        resume_entries_max: or(told.resume_entries_max, usual.resume_entries_max),
        room_list_max: or(told.room_list_max, usual.room_list_max),
    }
}

/// The error that was answered, or that an answer to another question is.
fn error_of(answered: Answered) -> v1::Error {
    match answered {
        Answered::Error(error) => error,
        _ => unexpected(),
    }
}

fn unexpected() -> v1::Error {
    v1::Error::of(ErrorCode::Unspecified)
        .with_message("The server gave an answer that this client does not understand.")
}
