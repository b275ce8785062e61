//! Proxies from any text: a URL, and the variables of an environment. Which proxy is chosen is right by a second reading.

use std::net::IpAddr;

use suda_websocket::{Proxy, ProxyError, ProxyRules, handshake::Target};

/// What the lines of an input mean. The first is the URL that is to be reached.
const VARIABLES: [&str; 9] = [
    "NO_PROXY",
    "no_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "REQUEST_METHOD",
];
/// Entries of a list that are tried one by one.
const ENTRIES_MAX: usize = 16;

pub fn proxy_settings(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let target = lines.next().unwrap_or_default().parse::<Target>();
    let variables: Vec<(&str, &str)> = VARIABLES.into_iter().zip(lines).collect();
    for (_, value) in &variables {
        proxy(value);
    }
    if let Ok(target) = target {
        rules(&target, &variables);
    }
}

/// What is shown of a proxy names the same proxy, and nobody's password.
fn proxy(url: &str) {
    let Ok(proxy) = url.parse::<Proxy>() else {
        return;
    };
    let shown = proxy.to_string();
    assert!(!shown.contains('@') && format!("{proxy:?}").contains(&shown));
    assert!(!proxy.host().is_empty() && proxy.port() != 0);
    assert_eq!(proxy.host(), proxy.host().to_ascii_lowercase());
    let again: Proxy = shown.parse().expect("what is shown is a URL");
    assert_eq!(again.to_string(), shown);
    assert_eq!((again.host(), again.port()), (proxy.host(), proxy.port()));
}

fn rules(target: &Target, variables: &[(&str, &str)]) {
    let value = |names: &[&'static str]| {
        let mut known = names.iter().flat_map(|name| {
            let of_name = variables.iter().filter(move |(known, _)| known == name);
            of_name.map(move |(_, value)| (*name, *value))
        });
        known.find(|(_, value)| !value.is_empty())
    };
    let choose = |list: &str| {
        let rules = ProxyRules::from_variables(|name| match name {
            "NO_PROXY" => Some(list.to_owned()),
            "no_proxy" => None,
            _ => {
                let known = variables.iter().find(|(known, _)| *known == name);
                known.map(|(_, value)| (*value).to_owned())
            }
        });
        rules.proxy_for(target)
    };

    let all = value(&["ALL_PROXY", "all_proxy"]);
    let is_cgi = variables.iter().any(|(name, _)| *name == "REQUEST_METHOD");
    let chosen = match (target.is_secure(), is_cgi) {
        (true, _) => value(&["HTTPS_PROXY", "https_proxy"]),
        (false, true) => value(&["http_proxy"]),
        (false, false) => value(&["HTTP_PROXY", "http_proxy"]),
    };
    match (chosen.or(all), choose("")) {
        (Some(_), Ok(None)) => assert!(is_loopback(target.host())),
        (None, Ok(None)) => {}
        (Some((_, url)), Ok(Some(proxy))) => assert_eq!(url.parse::<Proxy>(), Ok(proxy)),
        (Some((name, url)), Err(ProxyError::Variable { variable, source })) => {
            assert_eq!((name, url.parse::<Proxy>()), (variable, Err(source)));
        }
        (chosen, found) => panic!("{chosen:?} {found:?}"),
    }
    if matches!(choose(""), Ok(None)) {
        return;
    }

    // A list is what its entries are, in any case, and `*` is everything.
    let is_direct = |list: &str| matches!(choose(list), Ok(None));
    let list = value(&["NO_PROXY", "no_proxy"]).map_or("", |(_, list)| list);
    let entries: Vec<&str> = list.split(',').take(ENTRIES_MAX).collect();
    let list = entries.join(",");
    let mut any = false;
    for entry in &entries {
        let direct = is_direct(entry);
        if let Some(meant) = by_name(entry.trim(), target.host()) {
            assert_eq!(direct, meant, "{entry} {target}");
        }
        any |= direct;
    }
    assert_eq!(is_direct(&list), any);
    assert_eq!(is_direct(&list.to_ascii_uppercase()), any);
    assert!(is_direct("*"));
    if let Some(own) = own_entry(target) {
        assert!(is_direct(&format!("{list},{own}")), "{own}");
    }
}

/// Whether an entry that is a plain name is this host's or that of a domain it belongs to.
fn by_name(entry: &str, host: &str) -> Option<bool> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    if entry.is_empty() || !entry.bytes().all(plain) || is_address(entry) {
        return None;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let name = entry.strip_suffix('.').unwrap_or(entry);
    if is_address(name) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let domain = name.strip_prefix('.').unwrap_or(&name);
    let below = host
        .strip_suffix(domain)
        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'));
    Some(!domain.is_empty() && (below || name == host && name == domain))
}

/// The entry that is this host itself, if a list can hold it: hosts may have commas and asterisks in them.
fn own_entry(target: &Target) -> Option<String> {
    let host = target.host();
    if let Ok(IpAddr::V6(address)) = host.parse() {
        return Some(format!("[{address}]:{}", target.port()));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let is_name = host.starts_with(|first: char| first.is_ascii_alphanumeric());
    (is_name && host.bytes().all(plain)).then(|| host.to_owned())
}

fn is_loopback(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.octets()[0] == 127,
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped();
            address.is_loopback() || mapped.is_some_and(|address| address.octets()[0] == 127)
        }
        Err(_) => host == "localhost",
    }
}
