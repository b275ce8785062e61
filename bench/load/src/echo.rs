//! Messages to a server that sends each back.

use std::{collections::VecDeque, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use crate::{
    frames,
    handshake::{self, Open},
    histogram::Histogram,
    options::{self, Deflate, Target},
    poller::{Interest, Poller},
    replies::{Kept, Replies},
    server_process,
    socket::{Moved, Socket},
    stop::{Phase, STALL, Stop},
};

/// Messages that a connection with compression takes turns with: a repeat inside the window would compress to nothing.
const VARIANTS: usize = 64;
/// Frames in flight are written with one call up to so many bytes.
const BATCH_BYTES_MAX: usize = 256 << 10;
/// Payloads longer than this are dropped in the kernel.
const RECEIVED_BYTES_MAX: usize = 16 << 10;
const READ_BYTES: usize = 256 << 10;
const DISCARD_BYTES: usize = 4 << 20;

#[derive(Serialize)]
pub(crate) struct Figures {
    messages: u64,
    messages_per_s: f64,
    cpu_s_per_million: f64,
    server_busy: f64,
    client_busy: f64,
    p50_us: f64,
    p99_us: f64,
    request_bytes: f64,
    reply_bytes: f64,
    rss_kib: u64,
}

/// The frames that all connections send.
struct Script {
    /// Payload and frame of each variant.
    variants: Vec<(Vec<u8>, Vec<u8>)>,
    /// The one variant many times, for one call.
    batch: Vec<u8>,
}

struct Client {
    socket: Socket,
    replies: Replies,
    /// Frames that are to be sent now, the first of them maybe in part.
    owed: usize,
    /// Sent bytes of that first frame.
    sent: usize,
    /// The variant that it is.
    variant: usize,
    /// The variant that was sent first, and so comes back first.
    first_variant: usize,
    wants_writable: bool,
    /// When messages were sent, and how many at once.
    stamps: VecDeque<(Instant, u64)>,
    /// For a raw server: received bytes of a reply that is not whole.
    partial: usize,
    /// Messages that may still be begun.
    quota: u64,
    answered: u64,
}

pub(crate) fn run(target: &Target, load: &options::Echo) -> Result<Figures> {
    let script = Script::new(target, load)?;
    let mut poller = Poller::new()?;
    let mut clients = Vec::new();
    for (token, open) in handshake::open_all(target, load.conns)?
        .into_iter()
        .enumerate()
    {
        clients.push(Client::new(open, token, load, &poller)?);
    }
    let mut buffer = vec![0; READ_BYTES];
    // Never touched: the kernel only wants to know how much to drop.
    let mut scrap = vec![0; DISCARD_BYTES];
    let mut latency = Histogram::new();
    let mut stop = Stop::new(target.pid, &load.duration, load.messages_per_conn.is_some());
    let (mut messages, mut bytes) = (0, 0);
    let mut counting = false;
    let mut unfinished = clients.len();
    let mut unanswered = clients.len();
    let mut last_reply = Instant::now();

    let start = Instant::now();
    for (token, client) in clients.iter_mut().enumerate() {
        client.owe(load.in_flight as u64, start);
        client.send(token, &script, &poller)?;
    }
    loop {
        let count = poller.wait(STALL)?;
        let now = Instant::now();
        ensure!(now - last_reply < STALL, "no reply for {STALL:?}");
        match stop.phase(now, unanswered == 0)? {
            Phase::Begins => {
                counting = true;
                (messages, bytes) = (0, 0);
            }
            Phase::Over => break,
            Phase::Warmup | Phase::Counting => {}
        }
        for index in 0..count {
            let ready = poller.ready(index);
            let client = &mut clients[ready.token];
            if ready.writable {
                client.send(ready.token, &script, &poller)?;
            }
            if !ready.readable {
                continue;
            }
            let before = client.answered;
            bytes += client.receive(&script, target.raw, &mut buffer, &mut scrap)?;
            let fresh = client.answered - before;
            if fresh == 0 {
                continue;
            }
            last_reply = now;
            unanswered -= usize::from(before == 0);
            messages += fresh;
            client.settle(fresh, now, counting.then_some(&mut latency))?;
            client.owe(fresh, now);
            client.send(ready.token, &script, &poller)?;
            unfinished -= usize::from(client.stamps.is_empty());
        }
        if unfinished == 0 {
            break;
        }
    }

    let used = stop.used()?;
    ensure!(messages > 0, "no message came back while counting");
    Ok(Figures {
        messages,
        messages_per_s: messages as f64 / used.secs,
        cpu_s_per_million: used.server_cpu_secs / messages as f64 * 1e6,
        server_busy: used.server_cpu_secs / used.secs,
        client_busy: used.own_cpu_secs / used.secs,
        p50_us: latency.quantile_us(0.5),
        p99_us: latency.quantile_us(0.99),
        request_bytes: script.mean_frame_bytes(),
        reply_bytes: bytes as f64 / messages as f64,
        rss_kib: server_process::rss_kib(target.pid)?,
    })
}

impl Script {
    fn new(target: &Target, load: &options::Echo) -> Result<Self> {
        let variants = if target.deflate == Deflate::Off {
            let payload = frames::random(load.size);
            let frame = frames::frame(frames::BINARY, &payload);
            vec![(payload, frame)]
        } else {
            let variant = |seed| {
                let payload = frames::json(load.size, seed);
                let compressed = frames::deflate(&payload)?;
                let frame = frames::frame(frames::TEXT | frames::COMPRESSED, &compressed);
                Ok((payload, frame))
            };
            (0..VARIANTS as u64).map(variant).collect::<Result<_>>()?
        };
        let batch = match &variants[..] {
            [(_, frame)] if frame.len() * load.in_flight <= BATCH_BYTES_MAX => {
                frame.repeat(load.in_flight)
            }
            [(_, frame), ..] => frame.clone(),
            [] => bail!("nothing to send"),
        };
        Ok(Self { variants, batch })
    }

    fn frame(&self, variant: usize) -> &[u8] {
        &self.variants[variant % self.variants.len()].1
    }

    fn payload(&self, variant: usize) -> &[u8] {
        &self.variants[variant % self.variants.len()].0
    }

    fn mean_frame_bytes(&self) -> f64 {
        let total: usize = self.variants.iter().map(|(_, frame)| frame.len()).sum();
        total as f64 / self.variants.len() as f64
    }
}

impl Client {
    fn new(open: Open, token: usize, load: &options::Echo, poller: &Poller) -> Result<Self> {
        let Open { socket, behind } = open;
        ensure!(behind.is_empty(), "the server speaks unasked");
        socket.set_nonblocking()?;
        poller.add(&socket, token, Interest::Readable)?;
        Ok(Self {
            socket,
            replies: Replies::keeping(),
            owed: 0,
            sent: 0,
            variant: token,
            first_variant: token,
            wants_writable: false,
            stamps: VecDeque::new(),
            partial: 0,
            quota: load.messages_per_conn.unwrap_or(u64::MAX),
            answered: 0,
        })
    }

    /// That many more messages are to be sent, as far as the quota allows.
    fn owe(&mut self, messages: u64, now: Instant) {
        let messages = messages.min(self.quota);
        if messages > 0 {
            self.quota -= messages;
            self.owed += messages as usize;
            self.stamps.push_back((now, messages));
        }
    }

    /// Sends what is owed, as far as the socket takes it.
    fn send(&mut self, token: usize, script: &Script, poller: &Poller) -> Result<()> {
        while self.owed > 0 {
            let frame = script.frame(self.variant);
            let bytes = if script.variants.len() == 1 {
                let end = (self.owed * frame.len()).min(script.batch.len());
                &script.batch[self.sent..end]
            } else {
                &frame[self.sent..]
            };
            let Moved::Bytes(fresh) = self.socket.send(bytes)? else {
                if !self.wants_writable {
                    self.wants_writable = true;
                    poller.change(&self.socket, token, Interest::Both)?;
                }
                return Ok(());
            };
            let total = self.sent + fresh;
            self.owed -= total / frame.len();
            self.variant += total / frame.len();
            self.sent = total % frame.len();
        }
        if self.wants_writable {
            self.wants_writable = false;
            poller.change(&self.socket, token, Interest::Readable)?;
        }
        Ok(())
    }

    /// Receives once and counts the replies that became whole; gives the received bytes.
    fn receive(
        &mut self,
        script: &Script,
        raw: bool,
        buffer: &mut [u8],
        scrap: &mut [u8],
    ) -> Result<u64> {
        if raw {
            let reply_bytes = script.frame(0).len();
            let moved = if reply_bytes > RECEIVED_BYTES_MAX {
                self.socket.discard(scrap)?
            } else {
                self.socket.receive(buffer)?
            };
            let Moved::Bytes(fresh) = moved else {
                return Ok(0);
            };
            self.partial += fresh;
            self.answered += (self.partial / reply_bytes) as u64;
            self.partial %= reply_bytes;
            return Ok(fresh as u64);
        }
        let unwanted = self.replies.unwanted() as usize;
        if unwanted > RECEIVED_BYTES_MAX {
            // Without the last byte, which ends the message.
            let Moved::Bytes(fresh) = self.socket.discard(&mut scrap[..unwanted - 1])? else {
                return Ok(0);
            };
            self.replies.dropped(fresh);
            return Ok(fresh as u64);
        }
        let Moved::Bytes(fresh) = self.socket.receive(buffer)? else {
            return Ok(0);
        };
        let (answered, first) = (&mut self.answered, self.first_variant);
        self.replies.feed(&buffer[..fresh], |replies, kept| {
            if let Some(kept) = kept {
                check(kept, script.payload(first))?;
                replies.skip();
            }
            *answered += 1;
            Ok(())
        })?;
        Ok(fresh as u64)
    }

    /// `fresh` replies came: what the oldest messages in flight were waiting for.
    fn settle(
        &mut self,
        mut fresh: u64,
        now: Instant,
        mut latency: Option<&mut Histogram>,
    ) -> Result<()> {
        while fresh > 0 {
            let (sent_at, left) = self
                .stamps
                .front_mut()
                .context("more replies than messages")?;
            let settled = fresh.min(*left);
            if let Some(latency) = latency.as_deref_mut() {
                latency.add((now - *sent_at).as_nanos() as u64, settled);
            }
            *left -= settled;
            fresh -= settled;
            if *left == 0 {
                self.stamps.pop_front();
            }
        }
        Ok(())
    }
}

fn check(reply: Kept, expected: &[u8]) -> Result<()> {
    let payload = if reply.compressed {
        frames::inflate(&reply.payload, expected.len())?
    } else {
        reply.payload
    };
    ensure!(payload == expected, "what came back is not what was sent");
    Ok(())
}
