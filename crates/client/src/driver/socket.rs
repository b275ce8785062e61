//! One connection as the task sees it: messages come out of one channel, commands go into another. The only file that
//! knows the WebSocket library.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use suda_protocol::Codec;
use suda_protocol::limits::SERVER_MESSAGE_BYTES_MAX;
use suda_websocket::{CloseCode, Config, Conn, Dialer, Error, MaybeTlsStream, Message, Utf8Bytes};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Server;

/// Commands that wait to be written. Few: the machine keeps the others, with their order and their chance to change.
const COMMANDS_MAX: usize = 8;

/// Messages that were read and not looked at yet.
const MESSAGES_MAX: usize = 1;

/// How long making a connection may take.
const DIAL_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the server may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

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
        let (nobody, _) = mpsc::channel(1);
        self.commands = nobody;
        self.messages.close();
        // However it ends, there is nothing left to do about it.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, &mut self.task).await;
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
            let dialer = Dialer::new()
                .subprotocols([codec.subprotocol()])
                .handshake_timeout(DIAL_TIMEOUT)
                .config(Config::default().read_limit(SERVER_MESSAGE_BYTES_MAX));
            let (conn, _) = dialer.dial(&url).await.map_err(|error| error.to_string())?;
            if conn.subprotocol() != Some(codec.subprotocol()) {
                return Err(format!("the server does not speak {}", codec.subprotocol()));
            }
            let (commands, commands_receiver) = mpsc::channel(COMMANDS_MAX);
            let (messages_sender, messages) = mpsc::channel(MESSAGES_MAX);
            let task = tokio::spawn(carry(conn, codec, commands_receiver, messages_sender));
            Ok(Socket {
                messages,
                commands,
                task,
            })
        }
    }
}

/// Carries both directions, neither waiting for the other, until the connection ends. When nobody has commands any
/// more, closes it.
async fn carry(
    conn: Conn<MaybeTlsStream>,
    codec: Codec,
    mut commands: mpsc::Receiver<Bytes>,
    messages: mpsc::Sender<Incoming>,
) {
    let (mut reader, mut writer, control) = conn.split();
    let write = async {
        while let Some(command) = commands.recv().await {
            let message = match codec {
                Codec::Json => {
                    Utf8Bytes::from_bytes(command).map_or_else(Message::Binary, Message::Text)
                }
                Codec::Proto => Message::Binary(command),
            };
            // A connection that can't be written to ends for the reader too, who knows why.
            if writer.write_message(message).await.is_err() {
                break;
            }
        }
        let _ = control.close(CloseCode::NORMAL, "");
        std::future::pending::<()>().await;
    };
    let read = async {
        loop {
            let incoming = match reader.read_message().await {
                Ok(message) => Incoming::Message(message.into_bytes()),
                Err(Error::Closed(close)) => Incoming::Closed(Some(close.code.0)),
                Err(_) => Incoming::Closed(None),
            };
            let last = matches!(incoming, Incoming::Closed(_));
            // While closing nobody listens, but the server's answer is waited for.
            let _ = messages.send(incoming).await;
            if last {
                break;
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
}
