//! A chat room: a hub, a page, and nobody waits for a slow member.
//!
//! The hub keeps each member's writer. A message is framed once and put into every queue as a reference; a member whose queue
//! is full is let go, and so is one that does not answer pings.
//!
//! `cargo run --example chat`, then open the address that it prints in two windows.

#[path = "support/failure.rs"]
mod failure;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{FromRef, State},
    response::{Html, Response},
    routing::{any, get},
    serve::ListenerExt,
};
use clap::Parser;
use failure::Outcome;
use suda_websocket::{
    CloseCode, Config, Conn, Control, Message, PreparedMessage, Upgrader, Writer,
    axum::WebSocketUpgrade, hyper::HyperStream,
};
use tokio::net::TcpListener;

const PAGE: &str = include_str!("chat.html");
/// Longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// What may wait for a member before it counts as too slow.
const QUEUE_BYTES_MAX: usize = 256 << 10;
/// Who says nothing for so long is pinged,
const PING_EVERY: Duration = Duration::from_secs(30);
/// and who does not answer either is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A chat room in a browser: every message goes to everybody.
#[derive(Debug, Parser)]
struct Args {
    /// Address and port to listen on; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9003")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Outcome {
    let listener = TcpListener::bind(Args::parse().listen).await?;
    println!("listening on http://{}/", listener.local_addr()?);

    let config = Config::default()
        .read_limit(MESSAGE_BYTES_MAX)
        .outbox_bytes_max(QUEUE_BYTES_MAX)
        .heartbeat(PING_EVERY, SILENCE_MAX);
    let app = App {
        upgrader: Upgrader::new().config(config),
        hub: Arc::default(),
    };
    let router = Router::new()
        .route("/", get(Html(PAGE)))
        .route("/ws", any(join))
        .with_state(app);
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await?;
    Ok(())
}

#[derive(Clone)]
struct App {
    upgrader: Upgrader,
    hub: Arc<Hub>,
}

impl FromRef<App> for Upgrader {
    fn from_ref(app: &App) -> Self {
        app.upgrader.clone()
    }
}

async fn join(upgrade: WebSocketUpgrade, State(app): State<App>) -> Response {
    upgrade.on_upgrade(|conn| member(conn, app.hub))
}

async fn member(conn: Conn<HyperStream>, hub: Arc<Hub>) {
    let (mut reader, writer, control) = conn.split();
    let id = hub.add(writer, control.clone());
    loop {
        match reader.read_message().await {
            Ok(Message::Text(text)) => hub.send(&PreparedMessage::text(text)),
            Ok(Message::Binary(_)) => {
                let _ = control.close(CloseCode::UNSUPPORTED_DATA, "text only");
            }
            Err(_) => break,
        }
    }
    hub.lock().remove(&id);
}

struct Member {
    writer: Writer<HyperStream>,
    control: Control<HyperStream>,
}

/// Who is in the room. The lock is held for as long as it takes to queue, never while anybody waits.
#[derive(Default)]
struct Hub {
    members: Mutex<HashMap<u64, Member>>,
    last_id: AtomicU64,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, writer: Writer<HyperStream>, control: Control<HyperStream>) -> u64 {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(id, Member { writer, control });
        id
    }

    /// Lets those go who are too slow. Aborting ends their readers, too; a close frame would only queue up behind the rest.
    fn send(&self, message: &PreparedMessage) {
        self.lock().retain(|_, Member { writer, control }| {
            let queued = writer.try_send_prepared(message);
            let stays = queued.and_then(|()| writer.try_flush()).is_ok();
            if !stays {
                control.abort();
            }
            stays
        });
    }
}
