//! Texts that people and environments give: whatever stands in them, reading them ends in a value or an error.

use proptest::prelude::*;
use suda_websocket::handshake::Target;
use suda_websocket::{Proxy, ProxyRules};

proptest! {
    #[test]
    fn any_text_is_a_proxy_or_none_and_what_is_shown_is_the_same_proxy(
        text in prop_oneof![any::<String>(), "(http|https|socks5)://([a-z%0-9]{0,4}:?[a-z%]{0,3}@)?[a-z0-9.:\\[\\]]{0,12}(:[0-9]{0,5})?/?"]
    ) {
        if let Ok(proxy) = text.parse::<Proxy>() {
            let shown: Proxy = proxy.to_string().parse().unwrap();
            prop_assert_eq!((shown.host(), shown.port()), (proxy.host(), proxy.port()));
        }
    }

    #[test]
    fn any_environment_gives_a_choice(
        proxy in any::<String>(),
        list in "[a-z0-9.:/*,\\[\\] ]{0,40}",
        host in "[a-z0-9.]{1,12}|\\[::[0-9a-f]{1,4}\\]|[0-9]{1,3}\\.0\\.0\\.1",
    ) {
        let rules = ProxyRules::from_variables(|name| match name {
            "NO_PROXY" => Some(list.clone()),
            "HTTP_PROXY" => Some(proxy.clone()),
            _ => None,
        });
        if let Ok(target) = format!("ws://{host}/").parse::<Target>() {
            let _ = rules.proxy_for(&target);
        }
    }
}
