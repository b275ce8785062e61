//! TCP to a host that may have several addresses, of which some may not answer (RFC 8305, "Happy Eyeballs").

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use super::DialError;

/// How long an address may stay silent before the next one is tried beside it (RFC 8305, section 5).
const NEXT_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Resolves the host and connects to the first of its addresses that answers. The last failure is told.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let resolve = |source| DialError::Resolve {
        host: host.to_owned(),
        source,
    };
    let found = tokio::net::lookup_host((host, port))
        .await
        .map_err(resolve)?;
    match race(alternating(found.collect()), TcpStream::connect).await {
        Ok(stream) => {
            // Messages are batched by us; Nagle's algorithm would only hold the last one back.
            stream.set_nodelay(true)?;
            Ok(stream)
        }
        Err(Some((address, source))) => Err(DialError::Connect { address, source }),
        Err(None) => Err(resolve(io::ErrorKind::NotFound.into())),
    }
}

/// The same addresses with IPv6 and IPv4 in turn, in the resolver's order otherwise (RFC 8305, section 4).
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let count = addresses.len();
    let (same, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    let mut turns = Vec::with_capacity(count);
    while turns.len() < count {
        turns.extend(same.next());
        turns.extend(other.next());
    }
    turns
}

/// Starts with the first address, and with the next one whenever one has failed or was silent for a while. The others are
/// dropped when one is there.
async fn race<C, F, T>(
    addresses: Vec<SocketAddr>,
    connect: C,
) -> Result<T, Option<(SocketAddr, io::Error)>>
where
    C: Fn(SocketAddr) -> F,
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut attempts: Vec<(SocketAddr, Pin<Box<F>>)> = Vec::new();
    let mut failure = None;
    loop {
        if let Some(address) = waiting.next() {
            attempts.push((address, Box::pin(connect(address))));
        }
        if attempts.is_empty() {
            return Err(failure);
        }
        tokio::select! {
            (at, result) = first_ready(&mut attempts) => {
                let (address, _) = attempts.swap_remove(at);
                match result {
                    Ok(connected) => return Ok(connected),
                    Err(error) => failure = Some((address, error)),
                }
            }
            () = sleep(NEXT_ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

async fn first_ready<F: Future>(attempts: &mut [(SocketAddr, Pin<Box<F>>)]) -> (usize, F::Output) {
    poll_fn(|cx| {
        for (at, (_, attempt)) in attempts.iter_mut().enumerate() {
            if let Poll::Ready(result) = attempt.as_mut().poll(cx) {
                return Poll::Ready((at, result));
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::pending;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Connects by the port: 1 answers, 2 refuses, 3 stays silent, 4 answers after a second. Gives the ports in the order of trying.
    async fn try_ports(ports: &[u16]) -> (Result<u16, Option<u16>>, Vec<u16>) {
        let tried = RefCell::new(Vec::new());
        let connect = |address: SocketAddr| {
            tried.borrow_mut().push(address.port());
            async move {
                match address.port() {
                    2 => return Err(io::ErrorKind::ConnectionRefused.into()),
                    3 => pending().await,
                    4 => sleep(Duration::from_secs(1)).await,
                    _ => {}
                }
                Ok(address.port())
            }
        };
        let all = ports.iter().map(|&port| ([192, 0, 2, 7], port).into());
        let raced = race(all.collect(), connect).await;
        let raced = raced.map_err(|failure| failure.map(|(address, _)| address.port()));
        (raced, tried.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_holds_nobody_up() {
        for (ports, answered, tried) in [
            (&[1, 3][..], Ok(1), &[1][..]),
            (&[3, 1], Ok(1), &[3, 1]),
            (&[2, 1], Ok(1), &[2, 1]),
            (&[3, 2, 3, 1, 3], Ok(1), &[3, 2, 3, 1]),
            (&[4, 3, 3], Ok(4), &[4, 3, 3]),
            (&[2, 2], Err(Some(2)), &[2, 2]),
            (&[], Err(None), &[]),
        ] {
            assert_eq!(
                try_ports(ports).await,
                (answered, tried.to_vec()),
                "{ports:?}"
            );
        }
    }

    #[test]
    fn the_families_take_turns_from_the_resolvers_first_on() {
        let (v6, v4) = ("[2001:db8::1]:1", "192.0.2.1:1");
        for (found, turns) in [
            (&[v6, v6, v4][..], &[v6, v4, v6][..]),
            (&[v4, v4, v6], &[v4, v6, v4]),
            (&[v4, v4], &[v4, v4]),
            (&[], &[]),
        ] {
            assert_eq!(alternating(addresses(found)), addresses(turns));
        }
    }
}
