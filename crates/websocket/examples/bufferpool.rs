//! What idle connections cost: opens a thousand, and prints the process's memory as they come, talk and fall silent.
//!
//! gorilla's example of this name shows how a pool of write buffers is set up. Here there is nothing to set up: a connection that waits holds no
//! buffer, neither for reading nor for writing.
//!
//! `cargo run --release --example bufferpool -- --connections 1000 --deflate takeover`

#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/failure.rs"]
mod failure;

use clap::Parser;
use deflate::Deflate;
use failure::{Failure, Outcome};
use suda_websocket::{Conn, Dialer, MaybeTlsStream, Upgrader};
use tokio::{
    net::TcpListener,
    sync::mpsc::{Sender, channel},
};

/// What the example needs besides its connections.
const OTHER_FILES: u64 = 64;

/// What idle connections cost in memory.
#[derive(Debug, Parser)]
struct Args {
    /// Connections to open; both ends live in this process.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    connections: usize,
    /// Length of the message that each sends and gets back before it falls silent again, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10)]
    message: usize,
    /// Compress, without or with context takeover. With takeover each end keeps its context while it is idle.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    deflate: Deflate,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let args = Args::parse();
    allow_files(2 * args.connections as u64 + OTHER_FILES)?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let (mut upgrader, mut dialer) = (Upgrader::new(), Dialer::new());
    if let Some(compression) = args.deflate.compression() {
        upgrader = upgrader.compression(compression);
        dialer = dialer.compression(compression);
    }
    let (silent, mut echoed) = channel(1);
    tokio::spawn(serve(listener, upgrader, silent));

    println!(
        "{} connections, both ends in this process",
        args.connections
    );
    let before = resident_kib()?;
    let report = |what: &str| -> Outcome {
        let all = resident_kib()?.saturating_sub(before);
        let each = all as f64 / args.connections.max(1) as f64;
        println!("{what:<32} {all:>8} KiB {each:>8.1} KiB for each connection");
        Ok(())
    };
    let mut clients = Vec::with_capacity(args.connections);
    for _ in 0..args.connections {
        clients.push(dialer.dial(&url).await?.0);
    }
    report("open and idle")?;
    for mut client in clients {
        talk(&mut client, args.message).await?;
        // One after the other, so that what is measured is what stays.
        echoed.recv().await;
        // Waits for what will not come, as a client does.
        tokio::spawn(async move { client.read_message().await });
    }
    report("idle again after a message each")?;
    Ok(())
}

async fn talk(client: &mut Conn<MaybeTlsStream>, bytes: usize) -> Outcome {
    let message: Vec<u8> = (0..bytes).map(|at| ((at * at) >> 7) as u8).collect();
    client.write_message(message.clone()).await?;
    let back = client.read_message().await?;
    if back.as_bytes() != message {
        return Err("what came back is not what was sent".into());
    }
    Ok(())
}

async fn serve(listener: TcpListener, upgrader: Upgrader, echoed: Sender<()>) {
    while let Ok((stream, _)) = listener.accept().await {
        let upgrader = upgrader.clone();
        let echoed = echoed.clone();
        tokio::spawn(async move {
            let Ok((mut conn, _)) = upgrader.upgrade(stream).await else {
                return;
            };
            while let Ok(message) = conn.read_message().await {
                if conn.write_message(message).await.is_err() || conn.flush().await.is_err() {
                    return;
                }
                let _ = echoed.send(()).await;
            }
        });
    }
}

/// Each connection takes two files, and what a shell allows at first is often no more than 1024.
#[cfg(unix)]
fn allow_files(count: u64) -> Outcome {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        let raised = Rlimit {
            current: Some(count),
            ..limit
        };
        setrlimit(Resource::Nofile, raised)
            .map_err(|_| format!("{count} files are needed, more than this user may open"))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn allow_files(_: u64) -> Outcome {
    Ok(())
}

/// The memory that the system has given to this process.
#[cfg(target_os = "linux")]
fn resident_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmRSS in /proc/self/status")?.parse()?)
}

#[cfg(not(target_os = "linux"))]
fn resident_kib() -> Result<u64, Failure> {
    Err("this example reads its memory from /proc, which only Linux has".into())
}
