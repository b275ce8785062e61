//! From a target to a stream: the caller's hook, or directly or through a proxy, and TLS on that.

use tokio::time::{Instant, timeout_at};

use super::maybe_tls_stream::Transport;
use super::{DialError, Dialer, MaybeTlsStream, Proxies, Proxy, ProxyError, ProxyRules};
use crate::events::event;
use crate::handshake::Target;

/// What is to be spoken inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpn {
    /// HTTP/1.1, which the configuration has offered or nobody has asked about.
    Http1,
    /// HTTP/2, offered alone.
    #[cfg(feature = "http2")]
    Http2,
}

impl Dialer {
    /// A stream to the target, encrypted if the URL says so.
    pub(super) async fn connect(
        &self,
        target: &Target,
        alpn: Alpn,
        deadline: Instant,
    ) -> Result<MaybeTlsStream, DialError> {
        if let (true, Some(hook)) = (target.is_secure(), &self.tls_dial) {
            let dialling = hook.call(target.host(), target.port());
            return Ok(MaybeTlsStream::encrypted(
                self.within(deadline, dialling).await?,
            ));
        }
        let transport = match self.proxy_for(target)? {
            Some(proxy) => self.tunnel(&proxy, target, deadline).await?,
            None => {
                let connecting = self.route.connect(target.host(), target.port());
                self.within(deadline, connecting).await?
            }
        };
        if !target.is_secure() {
            return Ok(MaybeTlsStream::plain(transport));
        }
        self.within(deadline, self.encrypt(transport, target.host(), alpn))
            .await
    }

    fn proxy_for(&self, target: &Target) -> Result<Option<Proxy>, DialError> {
        if !self.route.can_use_proxy() {
            return Ok(None);
        }
        let (chosen, whose) = match &self.proxies {
            Proxies::None => return Ok(None),
            Proxies::Fixed(proxy) => return Ok(Some(proxy.clone())),
            Proxies::Environment => {
                let rules = ProxyRules::from_environment();
                (rules.proxy_for(target), "of the environment")
            }
            Proxies::Rules(rules) => (rules.proxy_for(target), "of the rules"),
        };
        chosen.map_err(|source| DialError::Proxy {
            proxy: whose.to_owned(),
            source,
        })
    }

    /// Connects to the proxy and asks it for the target. Every failure names the proxy, also that there was no time left for it.
    async fn tunnel(
        &self,
        proxy: &Proxy,
        target: &Target,
        deadline: Instant,
    ) -> Result<Transport, DialError> {
        let opening = async {
            let unreachable = |error| ProxyError::Unreachable(Box::new(error));
            let connecting = self.route.connect(proxy.host(), proxy.port());
            let mut transport = connecting.await.map_err(unreachable)?;
            if proxy.is_tls() {
                let encrypted = self.encrypt(transport, proxy.host(), Alpn::Http1);
                transport = Transport::Other(Box::new(encrypted.await.map_err(unreachable)?));
            }
            proxy.open_tunnel(&mut transport, target).await?;
            event!(debug, %proxy, host = target.host(), port = target.port(), "tunnel open");
            Ok(transport)
        };
        timeout_at(deadline, opening)
            .await
            .unwrap_or(Err(ProxyError::Timeout))
            .map_err(|source| DialError::Proxy {
                proxy: proxy.to_string(),
                source,
            })
    }

    #[cfg(feature = "tls")]
    async fn encrypt(
        &self,
        transport: Transport,
        host: &str,
        alpn: Alpn,
    ) -> Result<MaybeTlsStream, DialError> {
        let config = match &self.tls {
            Some(config) => config.clone(),
            None => crate::tls::system_roots().await?,
        };
        let stream = match alpn {
            Alpn::Http1 => crate::tls::connect(transport, host, config).await?,
            #[cfg(feature = "http2")]
            Alpn::Http2 => crate::tls::connect_http2(transport, host, config).await?,
        };
        Ok(MaybeTlsStream::tls(stream))
    }

    #[cfg(not(feature = "tls"))]
    async fn encrypt(
        &self,
        _transport: Transport,
        _host: &str,
        _alpn: Alpn,
    ) -> Result<MaybeTlsStream, DialError> {
        Err(DialError::TlsMissing)
    }
}
