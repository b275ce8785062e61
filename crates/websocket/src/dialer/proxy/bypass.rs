//! Hosts that are reached without a proxy: the list of `NO_PROXY`.

use std::net::IpAddr;

use super::without_brackets;
use crate::handshake::{Target, host_and_port};

/// Bits before the IPv4 address in an IPv6 address that holds one.
const MAPPED_PREFIX_BITS: u8 = 96;

/// A parsed `NO_PROXY`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bypass {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// `*`
    All,
    /// `192.0.2.7`, `[::1]:9000`
    Address(IpAddr, Option<u16>),
    /// `10.0.0.0/8`
    Network(IpAddr, u8),
    /// `example.com`, which its subdomains share, or `.example.com`, which are they alone.
    Name {
        name: String,
        subdomains_only: bool,
        port: Option<u16>,
    },
}

impl Bypass {
    /// Entries that are none match nothing: one mistake must not turn the others off.
    pub(super) fn parse(list: &str) -> Self {
        Self {
            entries: list
                .split(',')
                .filter_map(|entry| Entry::parse(entry.trim()))
                .collect(),
        }
    }

    pub(super) fn matches(&self, target: &Target) -> bool {
        let (host, port) = (target.host(), target.port());
        let address = host.parse::<IpAddr>().ok();
        self.entries
            .iter()
            .any(|entry| entry.matches(host, address, port))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let (address, bits) = (address.parse().ok()?, bits.parse().ok()?);
            return (bits <= width(address)).then(|| Self::network(address, bits));
        }
        // An IPv6 address without brackets.
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), None));
        }
        let (host, port) = host_and_port(text)?;
        if let Ok(address) = without_brackets(host).parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical(), port));
        }
        // The dot of a fully qualified name changes nothing.
        let host = host.strip_suffix('.').unwrap_or(host);
        let host = match host.strip_prefix('*') {
            // Elsewhere an asterisk has no meaning: `*foo.com` must not turn the proxy off for `foo.com`.
            Some(rest) if !rest.starts_with('.') => return None,
            Some(rest) => rest,
            None => host,
        };
        let name = host.strip_prefix('.').unwrap_or(host);
        Some(Self::Name {
            name: name.to_ascii_lowercase(),
            subdomains_only: name.len() < host.len(),
            port,
        })
    }

    /// A network of IPv4 addresses written as IPv6 ones (RFC 4291, section 2.5.5.2) is the network of IPv4 that it means.
    fn network(address: IpAddr, bits: u8) -> Self {
        match (address.to_canonical(), bits.checked_sub(MAPPED_PREFIX_BITS)) {
            (mapped @ IpAddr::V4(_), Some(bits)) if address.is_ipv6() => {
                Self::Network(mapped, bits)
            }
            _ => Self::Network(address, bits),
        }
    }

    /// `host` is in lower case, as a target's is.
    fn matches(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Address(ours, only) => {
                address.is_some_and(|address| address.to_canonical() == *ours)
                    && only.is_none_or(|only| only == port)
            }
            Self::Network(network, bits) => {
                let within = |address| is_within(address, *network, *bits);
                address.is_some_and(|address| within(address) || within(address.to_canonical()))
            }
            Self::Name {
                name,
                subdomains_only,
                port: only,
            } => {
                // The dot of a fully qualified name changes nothing.
                let host = host.strip_suffix('.').unwrap_or(host);
                let is_name = !subdomains_only && host == name;
                let is_below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|label| label.len() > 1 && label.ends_with('.'));
                !name.is_empty() && (is_name || is_below) && only.is_none_or(|only| only == port)
            }
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width - u32::from(bits);
        // Shifting all bits out is what /0 means.
        a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
    };
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => same(a.to_bits().into(), n.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => same(a.to_bits(), n.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_matches_names_suffixes_ports_addresses_and_networks() {
        for (list, url, bypassed) in [
            ("", "ws://a.example/", false),
            ("*", "ws://a.example/", true),
            ("example.com", "ws://example.com/", true),
            ("example.com", "ws://EXAMPLE.com./", true),
            ("example.com", "ws://chat.example.com/", true),
            ("example.com", "ws://badexample.com/", false),
            ("example.com", "ws://example.com.evil.example/", false),
            (".example.com", "ws://example.com/", false),
            (".example.com", "ws://chat.example.com/", true),
            ("*.example.com", "ws://chat.example.com/", true),
            ("*.example.com", "ws://example.com/", false),
            ("Example.COM", "ws://example.com/", true),
            ("example.com:443", "wss://example.com/", true),
            ("example.com:443", "ws://example.com/", false),
            ("other, example.com ,", "ws://example.com/", true),
            (".", "ws://example.com/", false),
            ("192.0.2.7", "ws://192.0.2.7/", true),
            ("192.0.2.7", "ws://192.0.2.70/", false),
            ("192.0.2.7:9000", "ws://192.0.2.7:9000/", true),
            ("192.0.2.7:9000", "ws://192.0.2.7/", false),
            ("10.0.0.0/8", "ws://10.200.3.4/", true),
            ("10.0.0.0/8", "ws://11.0.0.1/", false),
            ("10.0.0.0/33", "ws://10.0.0.1/", false),
            ("0.0.0.0/0", "ws://203.0.113.9/", true),
            ("0.0.0.0/0", "ws://[2001:db8::1]/", false),
            ("2001:db8::1", "ws://[2001:db8::1]/", true),
            ("[2001:db8::1]:9000", "ws://[2001:db8::1]:9000/", true),
            ("2001:db8::/32", "ws://[2001:db8:ffff::1]/", true),
            ("2001:db8::/32", "ws://[2001:db9::1]/", false),
            ("10.0.0.0/8", "ws://ten.example/", false),
            ("example.com.", "ws://example.com/", true),
            ("example.com.:80", "ws://chat.example.com/", true),
            ("*foo.com", "ws://foo.com/", false),
            ("*foo.com", "ws://a.foo.com/", false),
            ("10.0.0.0/8", "ws://[::ffff:10.0.0.1]/", true),
            ("10.0.0.0/8", "ws://[::ffff:11.0.0.1]/", false),
            ("10.0.0.1", "ws://[::ffff:10.0.0.1]/", true),
            ("::ffff:10.0.0.1", "ws://10.0.0.1/", true),
            ("[::ffff:10.0.0.1]:80", "ws://10.0.0.1/", true),
            ("::ffff:10.0.0.0/104", "ws://10.0.0.1/", true),
            ("::ffff:10.0.0.0/104", "ws://11.0.0.1/", false),
            ("::/0", "ws://[::ffff:10.0.0.1]/", true),
        ] {
            let target: Target = url.parse().unwrap();
            assert_eq!(
                Bypass::parse(list).matches(&target),
                bypassed,
                "{list} {url}"
            );
        }
    }
}
