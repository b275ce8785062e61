//! What connections cost a server that has nothing to do for them.

use std::{thread::sleep, time::Duration};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::{
    frames,
    handshake::{self, Open},
    options::{self, Target},
    replies::Replies,
    server_process,
    socket::Moved,
};

/// Opened and closed first, so that what a server allocates only once does not count.
const FIRST_CONNS: usize = 50;
const PAYLOAD_BYTES: usize = 16;
/// How long the server may take to come to rest.
const REST: Duration = Duration::from_millis(1500);
/// For how long the CPU time of doing nothing is taken.
const WATCHED: Duration = Duration::from_secs(2);

#[derive(Serialize)]
pub(crate) struct Figures {
    conns: usize,
    base_rss_kib: u64,
    /// Resident memory gained for each connection after its handshake.
    fresh_kib_per_conn: f64,
    /// The same after one message each.
    kib_per_conn: f64,
    /// Cores that the server keeps busy while nothing happens.
    idle_busy: f64,
}

pub(crate) fn run(target: &Target, load: &options::Idle) -> Result<Figures> {
    drop(handshake::open_all(target, FIRST_CONNS)?);
    sleep(REST);
    let base_rss_kib = server_process::rss_kib(target.pid)?;
    let opened = handshake::open_all(target, load.conns)?;
    sleep(REST);
    let fresh_rss_kib = server_process::rss_kib(target.pid)?;
    let frame = frames::frame(frames::BINARY, &frames::random(PAYLOAD_BYTES));
    for open in &opened {
        exchange(open, &frame)?;
    }
    sleep(REST);
    let rss_kib = server_process::rss_kib(target.pid)?;
    let cpu_secs = server_process::cpu_secs(target.pid)?;
    sleep(WATCHED);
    let idle_secs = server_process::cpu_secs(target.pid)? - cpu_secs;
    let per_conn = |rss_kib: u64| rss_kib.saturating_sub(base_rss_kib) as f64 / load.conns as f64;
    Ok(Figures {
        conns: load.conns,
        base_rss_kib,
        fresh_kib_per_conn: per_conn(fresh_rss_kib),
        kib_per_conn: per_conn(rss_kib),
        idle_busy: idle_secs / WATCHED.as_secs_f64(),
    })
}

/// Sends a frame and waits until something whole came back.
fn exchange(open: &Open, frame: &[u8]) -> Result<()> {
    let mut replies = Replies::default();
    let mut whole = 0;
    replies.feed(&open.behind, |_, _| Ok(()))?;
    open.socket.send_whole(frame)?;
    let mut buffer = [0; 256];
    while whole == 0 {
        let Moved::Bytes(fresh) = open.socket.receive(&mut buffer)? else {
            bail!("no reply on an idle connection");
        };
        replies.feed(&buffer[..fresh], |_, _| {
            whole += 1;
            Ok(())
        })?;
    }
    Ok(())
}
