//! Does what a block says, or fails with its line.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use suda_protocol::Codec;
use suda_server::{Config, Server};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::blocks::Block;
use crate::http;
use crate::pattern::Names;

/// Where the document says that the server is.
const ADDRESS: &str = "127.0.0.1:7300";

/// How long anything may take before the test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Player {
    server: Server,
    data: std::path::PathBuf,
    names: Names,
    socket: Option<WebSocketStream<MaybeTlsStream<TcpStream>>>,
    answer: Option<(u16, String)>,
}

impl Player {
    pub(crate) async fn start() -> Player {
        let data = std::env::temp_dir().join(format!("suda-document-{}", uuid::Uuid::new_v4()));
        let mut config = Config::new(&data);
        config.listen.set_port(0);
        let server = Server::start(config).await.unwrap();
        let mut names = Names::default();
        names.set("SETUP_TOKEN", &server.setup_token().unwrap());
        Player {
            server,
            data,
            names,
            socket: None,
            answer: None,
        }
    }

    pub(crate) async fn play(&mut self, block: &Block) {
        let played = tokio::time::timeout(PATIENCE, self.play_patiently(block)).await;
        let what = match played {
            Ok(Ok(())) => return,
            Ok(Err(what)) => what,
            Err(_) => format!("nothing happened for {PATIENCE:?}"),
        };
        panic!(
            "docs/protocol.md, line {}, `{}`: {what}\n{}",
            block.line, block.kind, block.text
        );
    }

    async fn play_patiently(&mut self, block: &Block) -> Result<(), String> {
        let words: Vec<&str> = block.kind.split(' ').collect();
        let here = self.server.local_addr().to_string();
        match words[..] {
            ["sh", "request"] => {
                assert!(self.answer.is_none(), "an answer was not looked at");
                self.answer = Some(http::run(&self.names.fill(&block.text), ADDRESS, &here).await);
                Ok(())
            }
            [_, "answer", status] => {
                let (came, body) = self.answer.take().ok_or("no request before")?;
                let as_told = match block.text.trim() {
                    "" => body.is_empty(),
                    text => self.names.matches(&json(text)?, &json(&body)?),
                };
                if came.to_string() == status && as_told {
                    Ok(())
                } else {
                    Err(format!("came: {came} {body}"))
                }
            }
            ["text", "connect"] => {
                let url = block.text.trim().replace(ADDRESS, &here);
                let (socket, _) = connect_async(url)
                    .await
                    .map_err(|error| error.to_string())?;
                self.socket = Some(socket);
                Ok(())
            }
            [_, "send"] => {
                let text = self.names.fill(block.text.trim());
                self.socket()
                    .send(Message::text(text))
                    .await
                    .map_err(|error| error.to_string())
            }
            ["json", "receive"] => self.receive(&block.text).await,
            ["json", "example"] => check_example(&block.text),
            ["text", "close", code] => match self.next().await? {
                Message::Close(Some(frame)) if u16::from(frame.code).to_string() == code => Ok(()),
                other => Err(format!("came: {other:?}")),
            },
            _ => Err("nobody knows what to do with this block".to_owned()),
        }
    }

    /// Receives as many messages as the block has; their order is free, each of them must come.
    async fn receive(&mut self, text: &str) -> Result<(), String> {
        let patterns = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let mut patterns = patterns
            .collect::<Result<Vec<Value>, _>>()
            .map_err(|error| error.to_string())?;
        while !patterns.is_empty() {
            let message = self.next().await?;
            let message = message.to_text().map_err(|error| error.to_string())?;
            let value = json(message)?;
            match patterns
                .iter()
                .position(|pattern| self.names.matches(pattern, &value))
            {
                Some(at) => patterns.remove(at),
                None => return Err(format!("came: {message}\nknown: {:?}", self.names)),
            };
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Message, String> {
        loop {
            let message = self
                .socket()
                .next()
                .await
                .ok_or("the connection ended")?
                .map_err(|error| error.to_string())?;
            // The server's own signs of life may come at any time.
            let heartbeat = message
                .to_text()
                .is_ok_and(|text| text.contains(r#""heartbeat":"#));
            if !message.is_ping() && !heartbeat {
                return Ok(message);
            }
        }
    }

    fn socket(&mut self) -> &mut WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.socket.as_mut().expect("a connection was made before")
    }

    pub(crate) async fn finish(self) {
        self.server.stop().await;
        std::fs::remove_dir_all(&self.data).unwrap();
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))
}

/// What a test can't make happen must at least be a message of the protocol, with no field that the protocol doesn't
/// have.
fn check_example(text: &str) -> Result<(), String> {
    let message = Codec::Json
        .decode_server_message(text.as_bytes())
        .map_err(|error| error.to_string())?;
    let again = Codec::Json.encode_server_message(&message);
    let (told, known) = (json(text)?, json(&String::from_utf8_lossy(&again))?);
    if told == known {
        Ok(())
    } else {
        Err(format!("the protocol knows of it only {known}"))
    }
}
