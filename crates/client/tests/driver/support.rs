//! A server, people on it, and what they read.

use std::path::PathBuf;
use std::time::Duration;

use suda_client::account::{self, Account};
use suda_client::{Client, ClientConfig, Event, Events, Server};
use suda_protocol::Codec;
use suda_protocol::v1::entry::What;
use suda_protocol::v1::{Cursor, Entry};
use suda_server::Config;
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "열려라 참깨 1234";

/// How long anything may take before a test fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server whose data outlives it, so that another can follow at the same address.
pub(crate) struct Running {
    server: Option<suda_server::Server>,
    data: PathBuf,
    pub(crate) port: u16,
}

impl Running {
    pub(crate) async fn start() -> Running {
        let data = std::env::temp_dir().join(format!("suda-driver-{}", Uuid::new_v4()));
        let mut running = Running {
            server: None,
            data,
            port: 0,
        };
        running.begin().await;
        running
    }

    pub(crate) async fn begin(&mut self) {
        let mut config = Config::new(&self.data);
        config.listen.set_port(self.port);
        config.workers = 2;
        let server = suda_server::Server::start(config).await.unwrap();
        self.port = server.local_addr().port();
        self.server = Some(server);
    }

    pub(crate) async fn stop(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    pub(crate) fn address(&self) -> Server {
        address(self.port)
    }

    /// The first account, a member of the lobby.
    pub(crate) async fn set_up(&self) -> Account {
        let token = self.server.as_ref().unwrap().setup_token().unwrap();
        account::sign_up(&self.address(), "하늘", PASSWORD, Some(&token))
            .await
            .unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Left behind where the server still holds it; the system cleans its folder for such things.
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

pub(crate) fn address(port: u16) -> Server {
    format!("http://127.0.0.1:{port}").parse().unwrap()
}

pub(crate) fn config(server: Server, account: &Account, codec: Codec) -> ClientConfig {
    ClientConfig::new(server, &account.token, Uuid::new_v4(), "test/1").codec(codec)
}

pub(crate) fn connect(server: Server, account: &Account, codec: Codec) -> (Client, Events) {
    Client::connect(config(server, account, codec)).unwrap()
}

pub(crate) fn beginning() -> Option<Cursor> {
    Some(Cursor::default())
}

/// The next event that `pick` wants.
pub(crate) async fn wait_for<T>(
    events: &mut Events,
    mut pick: impl FnMut(Event) -> Option<T>,
) -> T {
    let waiting = async {
        loop {
            if let Some(picked) = pick(events.next().await.expect("the client is open")) {
                return picked;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("it happens in time")
}

/// Takes events until that many messages came; their texts. Fails on an entry that is not the next one, and on a reset.
pub(crate) async fn read_texts(events: &mut Events, count: usize) -> Vec<String> {
    let (mut texts, mut last_seq) = (Vec::new(), 0);
    let pick = |event: Event| {
        match event {
            Event::Entry(entry) => {
                assert_eq!(entry.seq, last_seq + 1, "the next entry, once");
                last_seq = entry.seq;
                texts.extend(text(entry));
            }
            Event::Reset { .. } => panic!("reset"),
            _ => {}
        }
        (texts.len() == count).then(|| std::mem::take(&mut texts))
    };
    wait_for(events, pick).await
}

fn text(entry: Entry) -> Option<String> {
    match entry.what {
        Some(What::MessagePosted(message)) => Some(message.text),
        _ => None,
    }
}
