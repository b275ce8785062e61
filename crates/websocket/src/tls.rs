//! TLS for the dialer: rustls with the aws-lc-rs provider, named here, so that nothing depends on which provider a
//! program has made its default, or whether it has.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::dialer::DialError;

/// What we speak inside TLS. Without it a server may choose HTTP/2, in which this handshake has no meaning.
const ALPN: &[u8] = b"http/1.1";

/// A client configuration that trusts `roots`, with TLS 1.2 and 1.3 and without client certificate: what
/// [`Dialer::tls`](crate::Dialer::tls) takes when a server's certificate comes from an authority of one's own.
///
/// # Errors
/// If the provider supports none of these versions.
pub fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// The configuration with the system's roots, loaded once per process: what a [`Dialer`](crate::Dialer) uses by itself.
///
/// Cancel safe: after a dropped call the next one loads anew, unless they were there already.
///
/// # Errors
/// [`DialError::Roots`] if the system has none that is usable.
pub async fn system_roots() -> Result<Arc<ClientConfig>, DialError> {
    static CONFIG: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();
    let load = || async {
        // Reads and parses some hundred files.
        let loaded = tokio::task::spawn_blocking(load_system_roots).await;
        loaded.unwrap_or_else(|stopped| Err(DialError::Roots(stopped.to_string())))
    };
    CONFIG.get_or_try_init(load).await.cloned()
}

fn load_system_roots() -> Result<Arc<ClientConfig>, DialError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry certificates that nobody can parse; the others count.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        let told = if reasons.is_empty() {
            "none found".to_owned()
        } else {
            reasons.join("; ")
        };
        return Err(DialError::Roots(told));
    }
    client_config(roots).map_err(|error| DialError::Roots(error.to_string()))
}

/// The TLS handshake. `host` is the name, or the IP address, that the certificate must be for.
pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<S>, DialError> {
    let failed = |source| DialError::Tls {
        host: host.to_owned(),
        source,
    };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(failed)
}

/// The TLS handshake with `h2` as the only protocol offered, and chosen.
#[cfg(feature = "http2")]
pub(crate) async fn connect_http2<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<S>, DialError> {
    const ALPN_HTTP2: &[u8] = b"h2";
    let mut config = (*config).clone();
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    let stream = connect(stream, host, Arc::new(config)).await?;
    if stream.get_ref().1.alpn_protocol() != Some(ALPN_HTTP2) {
        return Err(crate::http2::Http2Error::NotNegotiated.into());
    }
    Ok(stream)
}
