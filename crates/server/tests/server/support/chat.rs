//! One chat connection as a client has it: commands with their replies, and the pushes in between.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use suda_protocol::v1::{self, ServerMessage, command, push, reply, server_message};
use suda_protocol::{Codec, ErrorCode};
use suda_websocket::{Conn, Dialer, Error, Message};
use tokio::net::{TcpSocket, TcpStream};
use uuid::Uuid;

/// A test that waits longer than this hangs. Nothing is asserted about how long anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Chat {
    conn: Conn<TcpStream>,
    codec: Codec,
    last_id: u64,
    pushes: VecDeque<push::Event>,
}

impl Chat {
    /// A WebSocket on which nothing was said yet.
    pub(crate) async fn dial(to: SocketAddr, codec: Codec) -> Self {
        Self::dial_with(to, codec, |_| {}).await
    }

    /// As [`Chat::dial`], with more headers on the upgrade: a browser's, say.
    pub(crate) async fn dial_with_headers(
        to: SocketAddr,
        codec: Codec,
        headers: &[(&str, &str)],
    ) -> Self {
        let mut dialer = Dialer::new().subprotocols([codec.subprotocol()]);
        for (name, value) in headers {
            let name = name.parse().expect("a header's name");
            dialer = dialer.header(name, value.parse().expect("a header's value"));
        }
        let stream = TcpStream::connect(to).await.expect("the server listens");
        let (conn, _) = dialer
            .client(stream, &format!("ws://{to}/ws"))
            .await
            .expect("the server takes WebSockets");
        Self {
            conn,
            codec,
            last_id: 0,
            pushes: VecDeque::new(),
        }
    }

    /// Whether the server takes one more connection; it is given up at once.
    pub(crate) async fn finds_a_place(to: SocketAddr) -> bool {
        Dialer::new().dial(&format!("ws://{to}/ws")).await.is_ok()
    }

    /// As [`Chat::dial`], on a socket that is set up otherwise.
    pub(crate) async fn dial_with(
        to: SocketAddr,
        codec: Codec,
        set_up: impl FnOnce(&TcpSocket),
    ) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        set_up(&socket);
        let stream = socket.connect(to).await.expect("the server listens");
        let (conn, _) = Dialer::new()
            .subprotocols([codec.subprotocol()])
            .client(stream, &format!("ws://{to}/ws"))
            .await
            .expect("the server takes WebSockets");
        assert_eq!(conn.subprotocol(), Some(codec.subprotocol()));
        Self {
            conn,
            codec,
            last_id: 0,
            pushes: VecDeque::new(),
        }
    }

    /// A session.
    pub(crate) async fn connect(to: SocketAddr, codec: Codec, token: &str) -> Self {
        let mut chat = Self::dial(to, codec).await;
        chat.hello(token).await;
        chat
    }

    pub(crate) async fn hello(&mut self, token: &str) -> v1::Hello {
        let connect = v1::Connect {
            token: token.to_owned(),
            device: Uuid::new_v4().to_string(),
            client: "test".to_owned(),
        };
        match self.call(command::Request::Connect(connect)).await {
            reply::Result::Hello(hello) => hello,
            other => panic!("no hello but {other:?}"),
        }
    }

    /// Sends a command without waiting.
    pub(crate) async fn send(&mut self, request: command::Request) -> u64 {
        self.last_id += 1;
        self.send_as(self.last_id, request).await;
        self.last_id
    }

    /// The same, under an id of the caller's choice.
    pub(crate) async fn send_as(&mut self, id: u64, request: command::Request) {
        let command = v1::Command {
            id,
            request: Some(request),
        };
        let bytes = self.codec.encode_command(&command);
        self.send_raw(bytes.to_vec()).await;
    }

    /// Sends anything, in a message of the codec's kind.
    pub(crate) async fn send_raw(&mut self, bytes: Vec<u8>) {
        let message = if self.codec.is_text() {
            Message::text(String::from_utf8(bytes).expect("text"))
        } else {
            Message::binary(bytes)
        };
        self.conn.write_message(message).await.expect("it is open");
    }

    /// Sends a text where the codec has binary messages, or the other way round.
    pub(crate) async fn send_in_the_wrong_kind(&mut self, text: &'static [u8]) {
        let message = if self.codec.is_text() {
            Message::binary(text)
        } else {
            Message::text(str::from_utf8(text).expect("text"))
        };
        self.conn.write_message(message).await.expect("it is open");
    }

    /// Sends a command and gives its answer.
    pub(crate) async fn call(&mut self, request: command::Request) -> reply::Result {
        let id = self.send(request).await;
        self.reply(id).await
    }

    /// Waits for the reply to that command, which must be the next. Pushes that come before are kept.
    pub(crate) async fn reply(&mut self, id: u64) -> reply::Result {
        let reply = self.any_reply().await;
        assert_eq!(reply.id, id, "{reply:?}");
        reply.result.expect("a result")
    }

    /// The next reply. Questions to the store may be answered in another order than they were asked.
    pub(crate) async fn any_reply(&mut self) -> v1::Reply {
        loop {
            match self.message().await.expect("it is open") {
                server_message::Kind::Reply(reply) => return reply,
                server_message::Kind::Push(push) => {
                    self.pushes.push_back(push.event.expect("an event"));
                }
            }
        }
    }

    /// The refusal that a command gets.
    pub(crate) async fn refusal(&mut self, request: command::Request) -> ErrorCode {
        match self.call(request).await {
            reply::Result::Error(error) => error.code(),
            other => panic!("not refused but {other:?}"),
        }
    }

    /// The next push that is no heartbeat.
    pub(crate) async fn push(&mut self) -> push::Event {
        loop {
            match self.any_push().await {
                push::Event::Heartbeat(_) => {}
                event => return event,
            }
        }
    }

    pub(crate) async fn any_push(&mut self) -> push::Event {
        if let Some(event) = self.pushes.pop_front() {
            return event;
        }
        match self.message().await.expect("it is open") {
            server_message::Kind::Push(push) => push.event.expect("an event"),
            server_message::Kind::Reply(reply) => panic!("nobody asked for {reply:?}"),
        }
    }

    /// Whether nothing but heartbeats came before the last reply.
    pub(crate) fn has_no_push(&self) -> bool {
        self.pushes
            .iter()
            .all(|event| matches!(event, push::Event::Heartbeat(_)))
    }

    /// The next entry.
    pub(crate) async fn entry(&mut self) -> v1::Entry {
        match self.push().await {
            push::Event::Entry(entry) => entry,
            other => panic!("no entry but {other:?}"),
        }
    }

    /// The text of the next message, whatever else happens in between.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            if let Some(v1::entry::What::MessagePosted(message)) = self.entry().await.what {
                return message.text;
            }
        }
    }

    /// Reads until the connection ends, and gives the close code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(error) = self.message().await {
                return error.as_close().map_or(1006, |close| close.code.into());
            }
        }
    }

    /// Waits, without reading, until the server has ended the connection: then a write fails.
    pub(crate) async fn ended_unread(&mut self) {
        loop {
            let ping = command::Request::Ping(v1::Ping {});
            let command = v1::Command {
                id: u64::MAX,
                request: Some(ping),
            };
            let bytes = self.codec.encode_command(&command);
            let written = self.conn.write_message(Message::binary(bytes)).await;
            if written.is_err() || self.conn.flush().await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn message(&mut self) -> Result<server_message::Kind, Error> {
        let read = tokio::time::timeout(PATIENCE, self.conn.read_message());
        let message = read.await.expect("something comes")?;
        assert_eq!(self.codec.is_text(), message.as_text().is_some());
        let ServerMessage { kind } = self
            .codec
            .decode_server_message(message.as_bytes())
            .expect("the server's own encoding");
        Ok(kind.expect("a kind"))
    }

    pub(crate) async fn join(&mut self, room: &str) -> v1::Room {
        let join = v1::Join {
            client_id: Uuid::new_v4().to_string(),
            room: room.to_owned(),
        };
        match self.call(command::Request::Join(join)).await {
            reply::Result::Joined(joined) => joined.room.expect("a room"),
            other => panic!("not joined but {other:?}"),
        }
    }

    pub(crate) async fn leave(&mut self, room: &str) {
        let leave = v1::Leave {
            client_id: Uuid::new_v4().to_string(),
            room: room.to_owned(),
        };
        match self.call(command::Request::Leave(leave)).await {
            reply::Result::Left(_) => {}
            other => panic!("not left but {other:?}"),
        }
    }

    pub(crate) async fn open(&mut self, room: &str, cursor: Option<v1::Cursor>) -> v1::Opened {
        let open = v1::Open {
            room: room.to_owned(),
            cursor,
        };
        match self.call(command::Request::Open(open)).await {
            reply::Result::Opened(opened) => opened,
            other => panic!("not opened but {other:?}"),
        }
    }

    pub(crate) async fn post(&mut self, room: &str, text: &str) -> v1::Posted {
        match self.call(post(room, text)).await {
            reply::Result::Posted(posted) => posted,
            other => panic!("not posted but {other:?}"),
        }
    }

    pub(crate) async fn log(&mut self, room: &str, after: Option<v1::Cursor>) -> v1::LogPage {
        let log = v1::Log {
            room: room.to_owned(),
            after,
            count_max: 0,
        };
        match self.call(command::Request::Log(log)).await {
            reply::Result::LogPage(page) => page,
            other => panic!("no page but {other:?}"),
        }
    }
}

/// A post with a client id of its own.
pub(crate) fn post(room: &str, text: &str) -> command::Request {
    post_as(Uuid::new_v4(), room, text)
}

pub(crate) fn post_as(client_id: Uuid, room: &str, text: &str) -> command::Request {
    command::Request::Post(v1::Post {
        client_id: client_id.to_string(),
        room: room.to_owned(),
        text: text.to_owned(),
        reply_to: 0,
    })
}

/// Before the first entry.
pub(crate) fn beginning() -> Option<v1::Cursor> {
    Some(v1::Cursor::default())
}
