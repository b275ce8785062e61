//! Whose request it is, when proxies stand between.

use axum::http::HeaderMap;
use std::net::IpAddr;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Whom the request comes from, as far as trusted proxies tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl ClientAddress {
    /// The last address in the chain that is no trusted proxy. What stands before it was written by that one, who may lie.
    pub(super) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let is_trusted = |address: IpAddr| {
            trusted
                .iter()
                .any(|proxy| proxy.to_canonical() == address.to_canonical())
        };
        let mut client = peer;
        let forwarded = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect::<Vec<_>>()
            .join(",");
        for hop in forwarded.rsplit(',') {
            if !is_trusted(client) {
                break;
            }
            match hop.trim().parse() {
                Ok(address) => client = address,
                Err(_) => break,
            }
        }
        Self(client.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|proxy| proxy.parse().unwrap()).collect();
        ClientAddress::of(peer.parse().unwrap(), &headers, &trusted)
            .0
            .to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(of("192.0.2.9", &["198.51.100.1"], &[]), "192.0.2.9");
        assert_eq!(
            of("127.0.0.1", &["198.51.100.1"], &["127.0.0.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            of(
                "127.0.0.1",
                &["203.0.113.7, 198.51.100.1", "10.0.0.2"],
                &["127.0.0.1", "10.0.0.2"]
            ),
            "198.51.100.1"
        );
        assert_eq!(of("127.0.0.1", &["nonsense"], &["127.0.0.1"]), "127.0.0.1");
        assert_eq!(
            of("::ffff:127.0.0.1", &["198.51.100.1"], &["127.0.0.1"]),
            "198.51.100.1"
        );
    }
}
