//! `suda`: the chat server and its terminal client in one program.
//!
//! One file or folder per command. What the program says to people stands in `texts`, how it ends in `exit`.

// Doc comments on arguments are the program's help, where an address stands bare.
#![allow(rustdoc::bare_urls)]

mod address;
mod chat;
mod clock;
mod credentials;
mod exit;
mod json;
mod language;
mod lines;
mod load;
mod login;
mod logout;
mod rooms;
mod send;
mod serve;
mod session;
mod tail;
mod texts;
mod transcript;
mod tui;
mod visible;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Failure;
use language::Language;
use texts::Texts;

// A chat server allocates many small pieces on one thread and frees them on another, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Suda: real-time chat that you run yourself.
#[derive(Debug, Parser)]
#[command(name = "suda", version, after_help = exit::HELP, after_long_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Login(login::Args),
    Logout(logout::Args),
    Rooms(rooms::Args),
    Send(send::Args),
    Tail(tail::Args),
    Chat(chat::Args),
    Load(load::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Fails only where one is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("suda: {failure}");
            failure.code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let texts = Texts::new(Language::of_environment());
    let runtime = match command {
        Command::Serve(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    }
    .enable_all()
    .build()
    .map_err(|error| Failure::failed(format!("the system gave no event loop: {error}")))?;
    let done = runtime.block_on(async {
        match command {
            Command::Serve(args) => serve::run(args, texts).await,
            Command::Login(args) => login::run(args, texts).await,
            Command::Logout(args) => logout::run(args, texts).await,
            Command::Rooms(args) => rooms::run(args, texts).await,
            Command::Send(args) => send::run(args, texts).await,
            Command::Tail(args) => tail::run(args, texts).await,
            Command::Chat(args) => chat::run(args, texts).await,
            Command::Load(args) => load::run(args, texts).await,
        }
    });
    // A name that is being looked up cannot be interrupted; it is not waited for.
    runtime.shutdown_background();
    done
}
