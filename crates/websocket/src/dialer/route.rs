//! How the dialer gets a stream to a host: TCP, a Unix socket, or what the caller's hooks give.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use super::maybe_tls_stream::Transport;
use super::{DialError, tcp};
use crate::Stream;

type Dialled = Pin<Box<dyn Future<Output = io::Result<Transport>> + Send>>;

/// A caller's function from host and port to a stream.
#[derive(Clone)]
pub(super) struct Hook(Arc<dyn Fn(String, u16) -> Dialled + Send + Sync>);

impl Hook {
    pub(super) fn new<F, R, S>(dial: F) -> Self
    where
        F: Fn(String, u16) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<S>> + Send + 'static,
        S: Stream,
    {
        Self(Arc::new(move |host, port| {
            let dialling = dial(host, port);
            Box::pin(async { Ok(Transport::Other(Box::new(dialling.await?))) })
        }))
    }

    pub(super) async fn call(&self, host: &str, port: u16) -> Result<Transport, DialError> {
        (self.0)(host.to_owned(), port)
            .await
            .map_err(|source| DialError::Hook {
                host: host.to_owned(),
                source,
            })
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook(..)")
    }
}

/// Where streams come from.
#[derive(Clone, Debug, Default)]
pub(super) enum Route {
    #[default]
    Tcp,
    #[cfg(unix)]
    Unix(std::path::PathBuf),
    Hook(Hook),
}

impl Route {
    /// Whether hosts are reached over the network, so that a proxy may stand between.
    pub(super) fn can_use_proxy(&self) -> bool {
        match self {
            Self::Tcp | Self::Hook(_) => true,
            #[cfg(unix)]
            Self::Unix(_) => false,
        }
    }

    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<Transport, DialError> {
        match self {
            Self::Tcp => Ok(Transport::Tcp(tcp::connect(host, port).await?)),
            #[cfg(unix)]
            Self::Unix(path) => match tokio::net::UnixStream::connect(path).await {
                Ok(stream) => Ok(Transport::Other(Box::new(stream))),
                Err(source) => Err(DialError::Unix {
                    path: path.clone(),
                    source,
                }),
            },
            Self::Hook(hook) => hook.call(host, port).await,
        }
    }
}
