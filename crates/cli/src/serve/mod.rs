//! `suda serve`: runs the server until a signal ends it. The server itself lives in `suda-server`.

mod file;
mod log;
mod settings;

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use suda_server::{Server, StartError};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;
use crate::texts::Texts;
use settings::Settings;

pub(crate) use settings::Args;

/// Runs the server; returns after a graceful stop.
pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    let settings = Settings::gather(args, std::env::var("PORT").ok().as_deref())?;
    log::start(settings.log, &settings.log_filter)?;

    // Before the start: a signal that comes in the middle of it is then a graceful stop too.
    let mut signals = Signals::listen()?;
    let public_url = settings.server.public_url.clone();
    let server = Server::start(settings.server)
        .await
        .map_err(|error| match error {
            StartError::Setting { .. } => Failure::usage(error.to_string()),
            _ => Failure::failed(error.to_string()),
        })?;
    let url = shown(public_url.as_deref(), server.local_addr());
    welcome(texts, &url, server.setup_token().as_deref());

    signals.next().await;
    tracing::info!("stopping; a second signal stops at once");
    tokio::select! {
        () = server.stop() => Ok(()),
        () = signals.next() => {
            Err(Failure::failed("stopped at once, on a second signal; everything acknowledged is on disk"))
        }
    }
}

/// Says where the server is and, while it has no administrator, how to become it.
fn welcome(texts: Texts, url: &str, setup_token: Option<&str>) {
    let program = std::env::args().next().unwrap_or_else(|| "suda".into());
    let mut text = String::new();
    if let Some(token) = setup_token {
        text.push_str(&texts.no_administrator(&program, url, token));
    }
    // Last, so that a program that waits for this line has read all of it.
    text.push_str(&texts.listening(url));
    // A server whose output nobody reads is still a server.
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}

/// The address that people are told, without a slash at its end: paths are put behind it.
fn shown(public_url: Option<&str>, listens: SocketAddr) -> String {
    match public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => reachable(listens),
    }
}

/// The address that a browser on this machine finds the server under.
fn reachable(listens: SocketAddr) -> String {
    let port = listens.port();
    let address = match listens {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, port).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, port).into(),
        other => other,
    };
    format!("http://{address}")
}

/// The two signals that mean "stop": Ctrl-C and what service managers send.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Signals, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))
        };
        Ok(Signals {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened() {
        for (listens, url) in [
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("192.0.2.1:80", "http://192.0.2.1:80"),
        ] {
            assert_eq!(shown(None, listens.parse().unwrap()), url);
        }
        for public_url in ["https://chat.example.org", "https://chat.example.org/"] {
            let url = shown(Some(public_url), "127.0.0.1:80".parse().unwrap());
            assert_eq!(url, "https://chat.example.org");
        }
    }
}
