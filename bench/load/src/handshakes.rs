//! Opening handshakes, one after the other, several in flight.

use std::time::Instant;

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use crate::{
    handshake,
    histogram::Histogram,
    options::{self, Target},
    poller::{Interest, Poller},
    socket::{Moved, Socket},
    stop::{Phase, STALL, Stop},
};

const ANSWER_BYTES_MAX: usize = 8 << 10;

#[derive(Serialize)]
pub(crate) struct Figures {
    handshakes: u64,
    handshakes_per_s: f64,
    cpu_s_per_10k: f64,
    server_busy: f64,
    client_busy: f64,
    p50_us: f64,
    p99_us: f64,
}

struct Attempt {
    socket: Socket,
    begun_at: Instant,
    asked: bool,
}

pub(crate) fn run(target: &Target, load: &options::Handshake) -> Result<Figures> {
    let request = handshake::request(target);
    let mut poller = Poller::new()?;
    let mut begun = 0;
    let mut begin = |token: usize, poller: &Poller| -> Result<Attempt> {
        let socket = Socket::begin_connect(target.port, begun)?;
        begun += 1;
        poller.add(&socket, token, Interest::Writable)?;
        Ok(Attempt {
            socket,
            begun_at: Instant::now(),
            asked: false,
        })
    };
    let mut attempts = Vec::new();
    for token in 0..load.in_flight {
        attempts.push(begin(token, &poller)?);
    }
    let mut stop = Stop::new(target.pid, &load.duration, load.handshakes.is_some());
    let wanted = load.handshakes.unwrap_or(u64::MAX);
    let mut latency = Histogram::new();
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    let mut done = 0;
    while done < wanted {
        let count = poller.wait(STALL)?;
        ensure!(count > 0, "no handshake for {STALL:?}");
        match stop.phase(Instant::now(), true)? {
            Phase::Begins => {
                done = 0;
                latency = Histogram::new();
            }
            Phase::Over => break,
            Phase::Warmup | Phase::Counting => {}
        }
        for index in 0..count {
            let token = poller.ready(index).token;
            let attempt = &mut attempts[token];
            if !attempt.asked {
                attempt.socket.send_whole(&request)?;
                attempt.asked = true;
                poller.change(&attempt.socket, token, Interest::Readable)?;
                continue;
            }
            let Moved::Bytes(len) = attempt.socket.receive(&mut answer)? else {
                continue;
            };
            let Some(end) = handshake::head_end(&answer[..len]) else {
                bail!("the answer came in pieces");
            };
            handshake::check(&answer[..end], target.deflate)?;
            done += 1;
            latency.add(attempt.begun_at.elapsed().as_nanos() as u64, 1);
            attempt.socket.reset_on_close()?;
            attempts[token] = begin(token, &poller)?;
        }
    }
    let used = stop.used()?;
    ensure!(done > 0, "no handshake was completed while counting");
    Ok(Figures {
        handshakes: done,
        handshakes_per_s: done as f64 / used.secs,
        cpu_s_per_10k: used.server_cpu_secs / done as f64 * 1e4,
        server_busy: used.server_cpu_secs / used.secs,
        client_busy: used.own_cpu_secs / used.secs,
        p50_us: latency.quantile_us(0.5),
        p99_us: latency.quantile_us(0.99),
    })
}
