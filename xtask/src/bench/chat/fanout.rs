//! One room of a thousand members, beside the library's example and the bare epoll loop with as many bytes on the wire.

use anyhow::Result;

use super::{
    beside, figure, in_turn,
    kit::{Kit, Program, USERS},
    sample,
};
use crate::bench::{
    Args,
    measure::Sample,
    rows::Row,
    servers::{Family, IO_URING},
};

pub(super) const UNDER_WAY: [usize; 2] = [1, 8];
pub(super) const FLOOR: &str = "raw-epoll";
pub(super) const EXAMPLE: &str = "broadcast_server";
pub(super) const EXAMPLE_IO_URING: &str = "broadcast_server (io_uring)";
/// What is measured beside the chat.
pub(super) const BESIDE: [&str; 3] = [FLOOR, EXAMPLE, EXAMPLE_IO_URING];
const SECONDS: usize = 4;

pub(super) fn cell(under_way: usize) -> String {
    format!("{under_way} under way")
}

pub(super) fn round(kit: &Kit, args: &Args, round: usize) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let mut payload_bytes = None;
    for under_way in UNDER_WAY {
        if !args.wants(&cell(under_way)) {
            continue;
        }
        for program in in_turn(&kit.programs, round) {
            let chat = chat(kit, &program, under_way, round);
            let found = figure(&chat.figures, "payloadBytesPerDelivery");
            payload_bytes = payload_bytes.or(found.ok());
            samples.push(chat);
        }
        // As long as the chat's pushes are: what a peer delivers is to weigh the same.
        let Some(size) = payload_bytes else { continue };
        for peer in &kit.peers {
            let name = match peer.family {
                Family::Floor => FLOOR,
                _ if peer.name == IO_URING => EXAMPLE_IO_URING,
                _ => EXAMPLE,
            };
            let load = format!("fanout --conns {USERS} --window {under_way} --size {size:.0}");
            if let Some(measured) = beside(args, Row::Fanout, peer, &load) {
                samples.push(sample(
                    Row::ChatFanout,
                    &cell(under_way),
                    name,
                    round,
                    measured,
                    |figures| figure(figures, "cpu_s_per_million"),
                ));
            }
        }
    }
    Ok(samples)
}

fn chat(kit: &Kit, program: &Program, under_way: usize, round: usize) -> Sample {
    let measured = kit.accounts(program).and_then(|data| {
        let server = kit.serve(program, &data, kit.apart())?;
        server.load(&format!(
            "--users {USERS} --rooms 1 --members {USERS} --under-way {under_way} --seconds {SECONDS}"
        ))
    });
    sample(
        Row::ChatFanout,
        &cell(under_way),
        &program.name,
        round,
        measured,
        |figures| figure(figures, "server/cpuUsPerDelivery"),
    )
}
