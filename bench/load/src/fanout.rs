//! One connection sends, all others have to get each message; or all send in turn, and the members of the sender's room get it.
//!
//! A message begins with the time at which it was sent. Some servers join messages that wait into one frame, with newlines
//! between them, as gorilla's chat example does; such a frame counts as the messages in it.

use std::{
    io::Write as _,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::{
    frames,
    handshake::{self, Open},
    histogram::Histogram,
    options::{self, Target},
    poller::{Interest, Poller},
    replies::Replies,
    server_process,
    socket::{Moved, Socket},
    stop::{Phase, STALL, Stop},
};

/// Digits of the time at the start of a message.
const STAMP_BYTES: usize = 20;
/// How long the server may take to list its last members.
const SETTLING: Duration = Duration::from_millis(300);
const READ_BYTES: usize = 64 << 10;

#[derive(Serialize)]
pub(crate) struct Figures {
    deliveries: u64,
    deliveries_per_s: f64,
    cpu_s_per_million: f64,
    server_busy: f64,
    client_busy: f64,
    p50_us: f64,
    p99_us: f64,
    bytes_per_delivery: f64,
    rss_kib: u64,
}

struct Member {
    socket: Socket,
    replies: Replies,
}

pub(crate) fn run(target: &Target, load: &options::Fanout) -> Result<Figures> {
    ensure!(load.size > STAMP_BYTES, "a message must hold its time");
    let mut poller = Poller::new()?;
    let mut members = Vec::new();
    // Without rooms the sender is the last.
    let count = load.conns + usize::from(load.room.is_none());
    for (token, open) in handshake::open_all(target, count)?.into_iter().enumerate() {
        members.push(Member::new(open, token, &poller)?);
    }
    sleep(SETTLING);

    let receivers = load.room.unwrap_or(load.conns) as u64;
    let clock = Instant::now();
    let mut body = vec![b'x'; load.size];
    let mut buffer = vec![0; READ_BYTES];
    let mut latency = Histogram::new();
    let mut stop = Stop::new(target.pid, &load.duration, load.messages.is_some());
    let messages_max = load.messages.unwrap_or(u64::MAX);
    let (mut sent, mut delivered, mut bytes) = (0, 0, 0);
    // What was delivered, and received in bytes, before counting began.
    let mut before = (0, 0);
    loop {
        match stop.phase(Instant::now(), true)? {
            Phase::Begins => {
                before = (delivered, bytes);
                latency = Histogram::new();
            }
            Phase::Over => break,
            Phase::Warmup | Phase::Counting => {}
        }
        let under_way = (sent * receivers - delivered).div_ceil(receivers);
        for _ in under_way..load.window.min(under_way + messages_max - sent) {
            write!(
                &mut body[..],
                "{:0STAMP_BYTES$}",
                clock.elapsed().as_nanos()
            )?;
            let frame = frames::frame(frames::TEXT, &body);
            let sender = load.room.map_or(load.conns, |_| in_turn(load.conns, sent));
            members[sender].socket.send_whole(&frame)?;
            sent += 1;
        }
        if delivered == sent * receivers && sent == messages_max {
            break;
        }
        let count = poller.wait(STALL)?;
        ensure!(
            count > 0,
            "{} of {} deliveries are missing",
            sent * receivers - delivered,
            sent * receivers
        );
        for index in 0..count {
            let token = poller.ready(index).token;
            let member = &mut members[token];
            let Moved::Bytes(fresh) = member.socket.receive(&mut buffer)? else {
                continue;
            };
            let now = clock.elapsed().as_nanos() as u64;
            let (messages, stamps) = member.messages(&buffer[..fresh], load.size)?;
            // Some servers send to the sender, too; that is not a delivery.
            if token < load.conns {
                bytes += fresh as u64;
                delivered += messages;
                for stamp in stamps {
                    latency.add(now.saturating_sub(stamp), 1);
                }
            }
        }
    }

    let used = stop.used()?;
    let (deliveries, bytes) = (delivered - before.0, bytes - before.1);
    ensure!(deliveries > 0, "nothing was delivered while counting");
    Ok(Figures {
        deliveries,
        deliveries_per_s: deliveries as f64 / used.secs,
        cpu_s_per_million: used.server_cpu_secs / deliveries as f64 * 1e6,
        server_busy: used.server_cpu_secs / used.secs,
        client_busy: used.own_cpu_secs / used.secs,
        p50_us: latency.quantile_us(0.5),
        p99_us: latency.quantile_us(0.99),
        bytes_per_delivery: bytes as f64 / deliveries as f64,
        rss_kib: server_process::rss_kib(target.pid)?,
    })
}

/// Who sends the message with that number: all, in an order that has no pattern.
fn in_turn(conns: usize, number: u64) -> usize {
    /// Of a full turn.
    const GOLDEN: f64 = 0.618_033_988_749_895;
    ((number as f64 * GOLDEN).fract() * conns as f64) as usize
}

impl Member {
    fn new(open: Open, token: usize, poller: &Poller) -> Result<Self> {
        let Open { socket, behind } = open;
        ensure!(behind.is_empty(), "the server speaks unasked");
        socket.set_nonblocking()?;
        poller.add(&socket, token, Interest::Readable)?;
        Ok(Self {
            socket,
            replies: Replies::keeping(),
        })
    }

    /// How many messages became whole, and when they were sent.
    fn messages(&mut self, received: &[u8], size: usize) -> Result<(u64, Vec<u64>)> {
        let mut stamps = Vec::new();
        self.replies.feed(received, |_, kept| {
            let frame = kept.context("payloads are kept")?.payload;
            ensure!(
                (frame.len() + 1) % (size + 1) == 0,
                "a delivery of {} bytes",
                frame.len()
            );
            for message in frame.chunks(size + 1) {
                let stamp = std::str::from_utf8(&message[..STAMP_BYTES])?;
                stamps.push(stamp.parse().context("a damaged delivery")?);
            }
            Ok(())
        })?;
        Ok((stamps.len() as u64, stamps))
    }
}
