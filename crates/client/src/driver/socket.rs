//! One connection as the task sees it: messages come out of one channel, commands go into another. The only file that knows
//! the WebSocket library.

use std::future::Future;

use bytes::Bytes;
use suda_protocol::Codec;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Server;

/// Commands that wait to be written. Few: the machine keeps the others, with their order and their chance to change.
const COMMANDS_MAX: usize = 8;

/// Messages that were read and not looked at yet.
const MESSAGES_MAX: usize = 1;

/// What comes out of a connection.
#[derive(Debug)]
pub(crate) enum Incoming {
    Message(Bytes),
    /// The last: how it closed.
    Closed(Option<u16>),
}

/// A connection. Dropping it drops the connection.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) messages: mpsc::Receiver<Incoming>,
    pub(crate) commands: mpsc::Sender<Bytes>,
    task: JoinHandle<()>,
}

impl Socket {
    /// Closes with a close frame, after what was given to it is written.
    pub(crate) async fn close(mut self) {
        let (commands, _) = mpsc::channel(1);
        self.commands = commands;
        self.messages.close();
        // However it ends, there is nothing left to do about it.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What makes connections. Tests bring one without sockets.
pub(crate) trait Dial: Send + 'static {
    /// Makes one, or says what was in the way.
    fn dial(&self) -> impl Future<Output = Result<Socket, String>> + Send + 'static;
}

/// Dials a server's WebSocket.
#[derive(Debug)]
pub(crate) struct WebSocketDial {
    url: String,
    codec: Codec,
}

impl WebSocketDial {
    pub(crate) fn new(server: &Server, codec: Codec) -> WebSocketDial {
        WebSocketDial {
            url: server.websocket(),
            codec,
        }
    }
}

impl Dial for WebSocketDial {
    fn dial(&self) -> impl Future<Output = Result<Socket, String>> + Send + 'static {
        let (url, codec) = (self.url.clone(), self.codec);
        async move {
            Err(format!(
                "no connection to {url} with {}",
                codec.subprotocol()
            ))
        }
    }
}
