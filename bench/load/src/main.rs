//! A WebSocket load generator that costs less than the servers it measures.
//!
//! One thread, one epoll loop. Frames are masked and compressed before the run starts; of the replies only the frame headers are
//! read, and long payloads are dropped inside the kernel. The first reply on every connection is compared byte for byte.
//! Prints one JSON object.

mod echo;
mod fanout;
mod frames;
mod handshake;
mod handshakes;
mod histogram;
mod idle;
mod options;
mod poller;
mod replies;
mod server_process;
mod socket;
mod stop;

use anyhow::Result;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;

use options::{Command, Options};

fn main() {
    if let Err(error) = run(Options::parse()) {
        // On standard output: whoever reads the figures reads this in their place.
        println!("{}", serde_json::json!({ "error": format!("{error:#}") }));
        std::process::exit(1);
    }
}

fn run(options: Options) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )?;
    let target = &options.target;
    match &options.command {
        Command::Echo(load) => print(&echo::run(target, load)?),
        Command::Idle(load) => print(&idle::run(target, load)?),
        Command::Handshake(load) => print(&handshakes::run(target, load)?),
        Command::Fanout(load) => print(&fanout::run(target, load)?),
    }
}

fn print(figures: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
