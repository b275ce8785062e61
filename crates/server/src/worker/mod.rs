//! Workers: threads that carry the chat connections, each with its own event loop, its own sockets and its own
//! roster of who has which room open. Nothing is shared between two of them.
//!
//! What a command means is decided by the engine's session, journal, roster and reading; here their answers meet sockets.

mod actions;
mod connection;
mod connections;
mod drain;
mod event_loop;
mod fill;
mod hand_over;
mod inbound;
mod key_hash;
mod liveness;
mod metered;
mod outlets;
mod shared_entry;
mod state;
mod stopping;
mod tick;
mod turn;
#[cfg(test)]
mod turn_properties;

pub(crate) use hand_over::{HandOver, Workers};
pub(crate) use outlets::Outlets;

use crate::accounts::Accounts;
use crate::config::Limits;
use crate::error::StartError;
use crate::journal::Journal;
use crate::store::Readers;
use event_loop::run;
use outlets::Inlet;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::task::{LocalSet, spawn_local};

/// What every worker works with.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) journal: Journal,
    pub(crate) readers: Readers,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) limits: Limits,
}

/// Starts one thread for each inlet.
pub(crate) fn start(
    inlets: Vec<Inlet>,
    tools: &Tools,
) -> Result<(Workers, Vec<JoinHandle<()>>), StartError> {
    let mut ports = Vec::new();
    let mut handles = Vec::new();
    for (number, inlet) in inlets.into_iter().enumerate() {
        let system = |source| StartError::System {
            what: "a thread",
            source,
        };
        let (port, entrance) = hand_over::port();
        let tools = tools.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(system)?;
        let handle = std::thread::Builder::new()
            .name(format!("suda-worker-{number}"))
            .spawn(move || {
                let sockets = LocalSet::new();
                sockets.block_on(&runtime, async {
                    // A task like those that read, so that its turn comes after theirs and it hands all their drafts on together.
                    let ended = spawn_local(run(number, inlet, entrance, tools)).await;
                    if let Err(error) = ended {
                        // Nobody cancels it.
                        resume_unwind(error.into_panic());
                    }
                });
            })
            .map_err(system)?;
        ports.push(port);
        handles.push(handle);
    }
    let workers = Workers::new(ports, tools.limits.connections_max);
    Ok((workers, handles))
}
