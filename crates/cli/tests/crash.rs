//! `kill -9` of the server, several times, in the middle of twenty people writing five hundred messages each.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use suda_client::{Client, ClientConfig, Event, Events, account};
use suda_protocol::v1::{Cursor, Entry, Posted, entry::What};
use support::person::{PASSWORD, Person, assert_ok, stdout};
use support::server::Server;
use support::{DEADLINE, Folder};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use uuid::Uuid;

const WRITERS: usize = 20;
const POSTS_EACH: usize = 500;
const READERS: usize = 3;

/// The server is killed each time that this many more posts are acknowledged, while more are under way.
const POSTS_BETWEEN_KILLS: usize = 2_000;

/// What one reader was given, in the order in which it came.
#[derive(Default)]
struct Reading {
    entries: Vec<Entry>,
    online: usize,
    resets: usize,
}

#[test]
fn no_acknowledged_post_is_lost_or_doubled_when_the_server_is_killed() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let runtime = Runtime::new().unwrap();

    let people = runtime.block_on(sign_up_all(&server));
    let (acknowledged, progress) = watch::channel(0_usize);
    let acknowledged = Arc::new(acknowledged);
    let (allow, allowed) = watch::channel(0_usize);

    let readings: Vec<Arc<Mutex<Reading>>> = (0..READERS).map(|_| Arc::default()).collect();
    let (seen, seen_by) = watch::channel(0_u64);
    let seen = Arc::new(seen);
    let mut readers = Vec::new();
    for (number, reading) in readings.iter().enumerate() {
        let (client, events) = runtime.block_on(begin(&server, &people[WRITERS + number]));
        runtime.block_on(async {
            client.join("lobby").await.unwrap();
            client.open("lobby", Some(Cursor::default())).await.unwrap();
        });
        runtime.spawn(read(events, Arc::clone(reading), Arc::clone(&seen)));
        readers.push(client);
    }
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let (client, events) = runtime.block_on(begin(&server, &people[number]));
            // Nobody needs a writer's events.
            drop(events);
            runtime.spawn(write(
                number,
                client,
                Arc::clone(&acknowledged),
                allowed.clone(),
            ))
        })
        .collect();

    let mut kills = 0;
    for goal in (POSTS_BETWEEN_KILLS..WRITERS * POSTS_EACH).step_by(POSTS_BETWEEN_KILLS) {
        wait_for_readers(&runtime, &seen_by, &readings, kills);
        // Far more may be written than is waited for: the kill falls into the middle of it.
        allow.send_replace(goal + POSTS_BETWEEN_KILLS);
        wait(&runtime, &progress, |count| *count >= goal);
        server.kill();
        assert!(
            *progress.borrow() < goal + POSTS_BETWEEN_KILLS,
            "nobody was writing any more"
        );
        kills += 1;
        server.restart();
    }
    allow.send_replace(usize::MAX);
    let mut posted: HashMap<String, Posted> = HashMap::new();
    for writer in writers {
        posted.extend(
            runtime
                .block_on(async { tokio::time::timeout(DEADLINE * 3, writer).await })
                .unwrap()
                .unwrap(),
        );
    }
    assert_eq!(posted.len(), WRITERS * POSTS_EACH);

    // One more kill, of a server at rest; a last message, which everything else comes before.
    wait_for_readers(&runtime, &seen_by, &readings, kills);
    server.kill();
    kills += 1;
    server.restart();
    let last = runtime.block_on(readers[0].post("lobby", "끝")).unwrap();
    wait(&runtime, &seen_by, |_| {
        readings.iter().all(|reading| {
            let reading = reading.lock().unwrap();
            reading
                .entries
                .last()
                .is_some_and(|entry| entry.seq >= last.seq)
        })
    });

    // Who comes only now reads what is on disk.
    let stored = runtime.block_on(read_log(&readers[0], last.seq));
    assert_whole(&stored, last.seq);
    let mut found: HashMap<&str, &Entry> = HashMap::new();
    for entry in &stored {
        if let Some(What::MessagePosted(message)) = &entry.what {
            let before = found.insert(&message.text, entry);
            assert!(before.is_none(), "{} is there twice", message.text);
        }
    }
    for (text, posted) in &posted {
        let entry = found.get(text.as_str());
        let entry = entry.unwrap_or_else(|| panic!("{text} was acknowledged and is not there"));
        assert_eq!(
            (entry.seq, &entry.id, entry.at_ms),
            (posted.seq, &posted.id, posted.at_ms)
        );
    }
    assert_eq!(found.len(), WRITERS * POSTS_EACH + 1);

    // Who was there all the time saw exactly that, once, and came back by itself after every kill.
    for reading in &readings {
        let reading = reading.lock().unwrap();
        assert_whole(&reading.entries, last.seq);
        assert!(
            reading.entries == stored,
            "a reader saw something else than what is stored"
        );
        assert_eq!(reading.resets, 0);
        assert!(
            reading.online > kills,
            "{} sessions for {kills} kills",
            reading.online
        );
    }

    // Through the program, a newcomer sees as much, page after page, and their own joining as the last.
    let newcomer = Person::sign_up(&folder, &server, "나중에 온 사람");
    let tail = newcomer.run(&["tail", "lobby", "--json", "--from-start", "--until-now"]);
    assert_ok(&tail);
    let tailed: Vec<Entry> = stdout(&tail)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_whole(&tailed, last.seq + 1);
    assert!(tailed.starts_with(&stored));
}

/// A client that waits before its next attempt could sleep through a whole life of the server; each reader is to see each.
fn wait_for_readers(
    runtime: &Runtime,
    seen_by: &watch::Receiver<u64>,
    readings: &[Arc<Mutex<Reading>>],
    kills: usize,
) {
    wait(runtime, seen_by, |_| {
        readings
            .iter()
            .all(|reading| reading.lock().unwrap().online > kills)
    });
}

struct Device {
    token: String,
    device: Uuid,
}

/// Accounts for all writers and readers; the first one becomes the administrator.
async fn sign_up_all(server: &Server) -> Vec<Device> {
    let address = server.url().parse().unwrap();
    let mut people = Vec::new();
    for number in 0..WRITERS + READERS {
        let setup = (number == 0).then(|| server.setup_token());
        let name = format!("사람 {number}");
        let account = account::sign_up(&address, &name, PASSWORD, setup)
            .await
            .unwrap();
        people.push(Device {
            token: account.token,
            device: Uuid::new_v4(),
        });
    }
    people
}

async fn begin(server: &Server, person: &Device) -> (Client, Events) {
    let config = ClientConfig::new(
        server.url().parse().unwrap(),
        person.token.clone(),
        person.device,
        "crash-test/1",
    );
    Client::connect(config).unwrap()
}

/// Posts one message after the other, as long as all together have not posted as many as is allowed, and gives what was acknowledged, by text.
async fn write(
    number: usize,
    client: Client,
    acknowledged: Arc<watch::Sender<usize>>,
    mut allowed: watch::Receiver<usize>,
) -> Vec<(String, Posted)> {
    client.join("lobby").await.unwrap();
    let mut posted = Vec::new();
    for post in 0..POSTS_EACH {
        let count = || *acknowledged.borrow();
        allowed
            .wait_for(|allowed| count() < *allowed)
            .await
            .unwrap();
        let text = format!("{number}번의 {post}번째 글");
        let answer = client.post("lobby", &text).await.unwrap();
        posted.push((text, answer));
        acknowledged.send_modify(|count| *count += 1);
    }
    posted
}

async fn read(mut events: Events, reading: Arc<Mutex<Reading>>, seen: Arc<watch::Sender<u64>>) {
    while let Some(event) = events.next().await {
        {
            let mut reading = reading.lock().unwrap();
            match event {
                Event::Entry(entry) => reading.entries.push(entry),
                Event::Online { .. } => reading.online += 1,
                Event::Reset { .. } => reading.resets += 1,
                _ => {}
            }
        }
        seen.send_modify(|count| *count += 1);
    }
}

async fn read_log(client: &Client, last_seq: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    while entries.last().is_none_or(|entry| entry.seq < last_seq) {
        let after = entries.last().map_or_else(Cursor::default, |entry| Cursor {
            seq: entry.seq,
            id: entry.id.clone(),
        });
        let page = client.log("lobby", after, 0).await.unwrap();
        assert!(page.continues && !page.entries.is_empty());
        entries.extend(page.entries);
    }
    entries
}

/// The entries are 1, 2, 3 … up to the last, each with an id of its own.
fn assert_whole(entries: &[Entry], last_seq: u64) {
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry.seq, index as u64 + 1, "a hole or a double");
    }
    assert_eq!(entries.len() as u64, last_seq);
    let ids: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids.len(), entries.len());
}

/// Waits, without polling, until the watched value is as wanted.
fn wait<T>(runtime: &Runtime, watched: &watch::Receiver<T>, until: impl FnMut(&T) -> bool) {
    let mut watched = watched.clone();
    runtime
        .block_on(async {
            tokio::time::timeout(DEADLINE * 3, watched.wait_for(until))
                .await
                .map(drop)
        })
        .expect("there was no progress");
}
