//! Which proxy a target is reached through, from environment variables.

use std::net::IpAddr;

use super::bypass::Bypass;
use super::{Proxy, ProxyError, ProxyUrlError};
use crate::handshake::Target;

/// The usual environment variables, in capitals or, if that one is missing or empty, in small letters:
///
/// - `HTTP_PROXY` for `ws`, `HTTPS_PROXY` for `wss`, `ALL_PROXY` for what has no variable of its own;
/// - `NO_PROXY`: a list, separated by commas, of what is reached directly: `*` for everything, names (which include their
///   subdomains), `.names` for subdomains only, addresses, networks (`10.0.0.0/8`), each but the last with a port if wanted.
///
/// `localhost` and loopback addresses are always reached directly. In a CGI program (`REQUEST_METHOD` is set) `HTTP_PROXY` in
/// capitals is not used: there it is the header `Proxy` of whoever sent the request.
#[derive(Clone, Debug, Default)]
pub struct ProxyRules {
    http: Option<Variable>,
    https: Option<Variable>,
    bypass: Bypass,
}

/// What a variable says; a mistake in it is told when it would be used.
#[derive(Clone, Debug)]
struct Variable {
    name: &'static str,
    proxy: Result<Proxy, ProxyUrlError>,
}

impl ProxyRules {
    /// As the environment of this process is now.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// As the variables are that `value` knows.
    ///
    /// ```
    /// use suda_websocket::{Dialer, ProxyRules};
    ///
    /// let rules = ProxyRules::from_variables(|name| match name {
    ///     "HTTPS_PROXY" => Some("http://proxy.example:3128".to_owned()),
    ///     "NO_PROXY" => Some("intern.example,10.0.0.0/8".to_owned()),
    ///     _ => None,
    /// });
    /// let dialer = Dialer::new().proxy_rules(rules);
    /// ```
    pub fn from_variables(value: impl Fn(&str) -> Option<String>) -> Self {
        let is_cgi = value("REQUEST_METHOD").is_some();
        let first = |names: &[&'static str]| {
            names.iter().find_map(|&name| {
                let text = value(name).filter(|text| !text.is_empty())?;
                Some((name, text))
            })
        };
        let variable = |names: &[&'static str]| {
            first(names).map(|(name, text)| Variable {
                name,
                proxy: text.parse(),
            })
        };
        let http = if is_cgi {
            variable(&["http_proxy"])
        } else {
            variable(&["HTTP_PROXY", "http_proxy"])
        };
        let all = variable(&["ALL_PROXY", "all_proxy"]);
        Self {
            http: http.or_else(|| all.clone()),
            https: variable(&["HTTPS_PROXY", "https_proxy"]).or(all),
            bypass: first(&["NO_PROXY", "no_proxy"])
                .map(|(_, list)| Bypass::parse(&list))
                .unwrap_or_default(),
        }
    }

    /// The proxy for this target; `None` if it is to be reached directly.
    ///
    /// # Errors
    /// [`ProxyError::Variable`] if the variable that would be used names no proxy.
    pub fn proxy_for(&self, target: &Target) -> Result<Option<Proxy>, ProxyError> {
        let chosen = if target.is_secure() {
            &self.https
        } else {
            &self.http
        };
        let Some(Variable { name, proxy }) = chosen else {
            return Ok(None);
        };
        if is_loopback(target.host()) || self.bypass.matches(target) {
            return Ok(None);
        }
        proxy
            .clone()
            .map(Some)
            .map_err(|source| ProxyError::Variable {
                variable: name,
                source,
            })
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, String> {
        let rules = ProxyRules::from_variables(|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        });
        let proxy = rules.proxy_for(&url.parse().unwrap());
        proxy
            .map(|proxy| proxy.map(|proxy| proxy.host().to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_variable_follows_the_scheme_and_capitals_come_first() {
        for (variables, url, proxy) in [
            (&[][..], "ws://a.example/", None),
            (&[("HTTP_PROXY", "p")], "ws://a.example/", Some("p")),
            (&[("HTTP_PROXY", "p")], "wss://a.example/", None),
            (&[("HTTPS_PROXY", "p")], "wss://a.example/", Some("p")),
            (&[("https_proxy", "p")], "wss://a.example/", Some("p")),
            (
                &[("HTTP_PROXY", "p"), ("http_proxy", "q")],
                "ws://a.example/",
                Some("p"),
            ),
            (
                &[("HTTP_PROXY", ""), ("http_proxy", "q")],
                "ws://a.example/",
                Some("q"),
            ),
            (&[("ALL_PROXY", "p")], "ws://a.example/", Some("p")),
            (&[("all_proxy", "p")], "wss://a.example/", Some("p")),
            (
                &[("ALL_PROXY", "p"), ("https_proxy", "q")],
                "wss://a.example/",
                Some("q"),
            ),
            (
                &[("HTTP_PROXY", "p"), ("NO_PROXY", "a.example")],
                "ws://a.example/",
                None,
            ),
            (
                &[("HTTP_PROXY", "p"), ("no_proxy", "*")],
                "ws://a.example/",
                None,
            ),
        ] {
            assert_eq!(
                chosen(variables, url),
                Ok(proxy.map(str::to_owned)),
                "{variables:?} {url}"
            );
        }
    }

    #[test]
    fn loopback_is_never_reached_through_a_proxy_of_the_environment() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "127.0.0.1",
            "127.8.9.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            let proxy = chosen(&[("ALL_PROXY", "p")], &format!("ws://{host}:9000/"));
            assert_eq!(proxy, Ok(None), "{host}");
        }
        let proxy = chosen(&[("ALL_PROXY", "p")], "ws://localhost.example/");
        assert_eq!(proxy, Ok(Some("p".to_owned())));
    }

    #[test]
    fn http_proxy_in_capitals_is_not_believed_in_a_cgi_program() {
        let cgi = ("REQUEST_METHOD", "GET");
        assert_eq!(
            chosen(&[cgi, ("HTTP_PROXY", "p")], "ws://a.example/"),
            Ok(None)
        );
        let proxy = chosen(&[cgi, ("http_proxy", "p")], "ws://a.example/");
        assert_eq!(proxy, Ok(Some("p".to_owned())));
    }

    #[test]
    fn a_wrong_variable_is_told_by_name_when_it_would_be_used() {
        let wrong = &[("HTTPS_PROXY", "ftp://me:secret@p")];
        assert_eq!(chosen(wrong, "ws://a.example/"), Ok(None));
        assert_eq!(chosen(wrong, "wss://localhost/"), Ok(None));
        let told = chosen(wrong, "wss://a.example/").unwrap_err();
        assert!(
            told.contains("HTTPS_PROXY") && !told.contains("secret"),
            "{told}"
        );
    }
}
