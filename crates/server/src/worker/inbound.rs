//! A new socket, and what comes in on it.

use super::connection::{Connection, Key};
use super::hand_over::HandOver;
use super::liveness::Liveness;
use super::metered::Metered;
use super::state::{Phase, State, Worker};
use crate::clock::{new_id, now_ms};
use std::rc::Rc;
use std::sync::Arc;
use suda_engine::{Session, SessionId};
use suda_protocol::v1::{self, ErrorCode, reply};
use suda_protocol::{CloseCode, DecodeError};
use suda_websocket::{Conn, Message, Reader};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

impl Worker {
    /// Takes a socket in, and reads from it until it ends.
    pub(super) fn take_in(self: &Rc<Self>, socket: HandOver) {
        let stream = match TcpStream::from_std(socket.stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, client = %socket.client, "a socket could not be taken over");
                return;
            }
        };
        let (stream, meter) = Metered::new(stream);
        let (reader, writer, control) = Conn::from_parts(stream, socket.parts).split();
        let connection = Connection {
            writer,
            control,
            codec: socket.codec,
            session: Session::new(SessionId(new_id()), Arc::clone(&self.engine_limits)),
            upgrade_token: socket.token,
            device: None,
            client: socket.client,
            liveness: Liveness::new(meter, Instant::now(), &self.tools.limits),
            refused: false,
            reading_waits: false,
            touched: false,
            draining: false,
            paused: false,
            resume: Rc::new(Notify::new()),
            closing_since: None,
            reading: None,
            _place: socket.place,
        };
        self.with(|state| {
            state.last_key += 1;
            let key = state.last_key;
            state.connections.insert(key, connection);
            let reading = tokio::task::spawn_local(Rc::clone(self).read(key, reader));
            if let Some(connection) = state.connections.get_mut(key) {
                connection.reading = Some(reading.abort_handle());
            }
        });
    }

    async fn read(self: Rc<Self>, key: Key, mut reader: Reader<Metered>) {
        while self.may_read(key).await {
            match reader.read_message().await {
                Ok(message) => self.received(key, &message),
                Err(error) => {
                    tracing::debug!(connection = key, %error, "a connection ended");
                    break;
                }
            }
        }
        self.with(|state| state.gone(key));
    }

    /// Waits until another command may be read. False where the connection is gone.
    async fn may_read(self: &Rc<Self>, key: Key) -> bool {
        loop {
            let resume = {
                let waiting = self.with(|state| {
                    let running = state.phase == Phase::Running;
                    let Some(connection) = state.connections.get_mut(key) else {
                        return Err(false);
                    };
                    let outbox_bytes_max = self.tools.limits.outbox_bytes_max;
                    let full = connection.is_full(outbox_bytes_max);
                    let room = running && connection.session.may_read() && !full;
                    // A closing connection is read on, for the peer's half of the close.
                    connection.paused = !room && connection.closing_since.is_none();
                    connection.reading_waits = connection.paused && full;
                    if connection.paused {
                        Ok(Rc::clone(&connection.resume))
                    } else {
                        Err(true)
                    }
                });
                match waiting {
                    Ok(resume) => resume,
                    Err(answer) => return answer,
                }
            };
            resume.notified().await;
        }
    }

    fn received(self: &Rc<Self>, key: Key, message: &Message) {
        self.with(|state| {
            let Some(connection) = state.connections.get_mut(key) else {
                return;
            };
            if connection.closing_since.is_some() {
                return;
            }
            let codec = connection.codec;
            let right_kind = codec.is_text() == message.as_text().is_some();
            let decoded = if right_kind {
                codec.decode_command(message.as_bytes())
            } else {
                Err(DecodeError::WrongKind {
                    subprotocol: codec.subprotocol(),
                    kind: if codec.is_text() { "text" } else { "binary" },
                })
            };
            match decoded {
                Ok(command) => {
                    let action = connection.session.handle(now_ms(), command);
                    self.act(state, key, action);
                }
                Err(error) => malformed(state, key, &error),
            }
        });
    }
}

/// Answers what could not be read, and ends the connection once there was too much of it.
fn malformed(state: &mut State, key: Key, error: &DecodeError) {
    let Some(connection) = state.connections.get_mut(key) else {
        return;
    };
    let said = Some(reply::Result::Error(error.into()));
    // A command that only a newer server knows is a fair question, not garbage.
    if error.code() == ErrorCode::UnknownCommand {
        let id = error.command_id();
        let reply = v1::Reply { id, result: said };
        return state.connections.reply_at_once(key, reply);
    }
    let (mut reply, close): (_, Option<CloseCode>) =
        connection.session.malformed(error.command_id());
    reply.result = said;
    state.connections.reply_at_once(key, reply);
    if let Some(code) = close {
        state.close(key, code);
    }
}
