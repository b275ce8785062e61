//! Sends every text message to all others, without waking a task for each of them.
//!
//! A thread keeps the writers of its own connections. Whoever reads messages frames each once and sends all that came together to
//! every writer (`broadcast`, one system call for each member). The other threads are handed each message once and do the
//! same. A member that doesn't read holds up nobody: it is given up when its queue is full.
//!
//! `cargo run --example broadcast_server -- --listen 127.0.0.1:9002 --threads 2`

#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/failure.rs"]
mod failure;
#[path = "support/serving.rs"]
mod serving;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use clap::Parser;
use failure::Outcome;
use futures_util::FutureExt;
use serving::{Serving, Sockets};
use suda_websocket::{Control, Message, PreparedMessage, Upgrader, Writer, broadcast};
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, Receiver, Sender, error::TrySendError},
};

/// Messages of one author that go out together.
const TOGETHER_MAX: usize = 64;
/// From so many bytes on, messages go out without more of them: far fewer than a member's queue takes, so that none is too long for an
/// empty one.
const TOGETHER_BYTES: usize = 1 << 20;
/// Messages that may wait for a thread. What is over that is lost to its members, so that a thread that is behind holds up no other.
const RELAYED_MAX: usize = 16 * 1024;

/// A WebSocket server that sends every text message to all others.
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    serving: Serving,
}

/// The way to the other threads, by number.
type Threads = Arc<Mutex<HashMap<usize, Sender<PreparedMessage>>>>;

fn main() -> Outcome {
    let Args { serving } = Args::parse();
    let upgrader = serving.upgrader();
    let threads = Threads::default();
    serving.run(move |sockets, number| {
        let (sender, relayed) = mpsc::channel(RELAYED_MAX);
        lock(&threads).insert(number, sender);
        let room = Room {
            number,
            threads: threads.clone(),
            members: Rc::default(),
        };
        serve(sockets, relayed, room, upgrader.clone())
    })?;
    Ok(())
}

async fn serve(
    mut sockets: Sockets,
    mut relayed: Receiver<PreparedMessage>,
    room: Room,
    upgrader: Upgrader,
) {
    let mut id = 0;
    loop {
        tokio::select! {
            message = relayed.recv() => match message {
                Some(first) => {
                    let mut messages = vec![first];
                    gather(&mut messages, RELAYED_MAX, || relayed.try_recv().ok());
                    room.deliver(None, &messages).await;
                }
                None => return,
            },
            stream = sockets.next() => match stream {
                Some(stream) => {
                    id += 1;
                    tokio::task::spawn_local(member(stream, id, room.clone(), upgrader.clone()));
                }
                None => return,
            },
        }
    }
}

async fn member(stream: TcpStream, id: u64, room: Room, upgrader: Upgrader) {
    let conn = match upgrader.upgrade(stream).await {
        Ok((conn, _)) => conn,
        Err(error) => return eprintln!("{error}"),
    };
    let (mut reader, writer, control) = conn.split();
    room.members.borrow_mut().insert(id, (writer, control));
    let mut messages = Vec::new();
    while let Ok(first) = reader.read_message().await {
        messages.extend(prepared(first));
        // What is here already goes out together. A failure is told by the next call, too.
        gather(&mut messages, TOGETHER_MAX, || {
            loop {
                let next = reader.read_message().now_or_never()?.ok()?;
                if let Some(text) = prepared(next) {
                    return Some(text);
                }
            }
        });
        room.relay(&messages);
        room.deliver(Some(id), &messages).await;
        messages.clear();
    }
    room.members.borrow_mut().remove(&id);
}

fn prepared(message: Message) -> Option<PreparedMessage> {
    matches!(message, Message::Text(_)).then(|| PreparedMessage::new(message))
}

/// Adds what `next` gives, until it is enough to go out.
fn gather(
    messages: &mut Vec<PreparedMessage>,
    messages_max: usize,
    mut next: impl FnMut() -> Option<PreparedMessage>,
) {
    let mut bytes = bytes_of(messages);
    while bytes < TOGETHER_BYTES
        && messages.len() < messages_max
        && let Some(message) = next()
    {
        bytes += message.payload().len();
        messages.push(message);
    }
}

fn bytes_of(messages: &[PreparedMessage]) -> usize {
    messages.iter().map(|message| message.payload().len()).sum()
}

type Member = (Writer<TcpStream>, Control<TcpStream>);

/// One thread's share of those who hear each other.
#[derive(Clone)]
struct Room {
    number: usize,
    threads: Threads,
    /// By number: in the order in which they came, and so in the order in which they lie in memory.
    members: Rc<RefCell<BTreeMap<u64, Member>>>,
}

impl Room {
    /// To all members of this thread but the one who said it.
    async fn deliver(&self, author: Option<u64>, messages: &[PreparedMessage]) {
        self.send(author, messages);
        if bytes_of(messages) >= TOGETHER_BYTES {
            // Whoever reads is to have a chance to do so before more comes.
            tokio::task::yield_now().await;
        }
    }

    fn send(&self, author: Option<u64>, messages: &[PreparedMessage]) {
        let mut members = self.members.borrow_mut();
        let others = (members.iter_mut())
            .filter(|(id, _)| Some(**id) != author)
            .map(|(id, (writer, _))| (*id, writer));
        for (id, _) in broadcast(others, messages) {
            if let Some((_, control)) = members.remove(&id) {
                // Its queue is full, or it is going anyway; its reader ends with this.
                control.abort();
            }
        }
    }

    fn relay(&self, messages: &[PreparedMessage]) {
        for (number, thread) in lock(&self.threads).iter() {
            if *number == self.number {
                continue;
            }
            for message in messages {
                if let Err(TrySendError::Full(_)) = thread.try_send(message.clone()) {
                    eprintln!("thread {number} is {RELAYED_MAX} messages behind: one is lost");
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
