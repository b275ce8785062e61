//! The close handshake as one call.

use std::future::poll_fn;

use super::{Error, Reader, Stream, control, shared::Delivery};
use crate::{CloseCode, CloseError, Role, SendError, Violation};

/// How a close handshake ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseOutcome {
    /// Both close frames were exchanged; this is the peer's.
    Clean(CloseError),
    /// The stream ended or failed before the peer's close frame came.
    Lost,
    /// The peer broke the protocol instead.
    Failed(Violation),
    /// The peer did not answer within [`Config::close_timeout`](crate::Config::close_timeout).
    TimedOut,
}

pub(super) async fn close<S: Stream>(
    reader: &mut Reader<S>,
    code: CloseCode,
    reason: &str,
) -> Result<CloseOutcome, Error> {
    match control::close(&reader.handle, code, reason) {
        // Closing already, or ended: what is left is to see how.
        Ok(())
        | Err(
            Error::Send(SendError::Closing)
            | Error::Closed(_)
            | Error::Protocol(_)
            | Error::Io(_)
            | Error::PeerSilent,
        ) => {}
        Err(error) => return Err(error),
    }
    let mut outcome = CloseOutcome::TimedOut;
    let time = reader.handle.home.close_timeout;
    let closing = async {
        outcome = peers_answer(reader).await;
        poll_fn(|cx| reader.handle.poll_flushed(cx)).await;
        if reader.handle.with(|inner| inner.conn.role()) == Role::Server
            || !matches!(outcome, CloseOutcome::Clean(_))
        {
            poll_fn(|cx| reader.handle.poll_shutdown(cx)).await;
        }
        // A client leaves it to the server to end the stream first (section 7.1.1).
        poll_fn(|cx| reader.handle.poll_drain(cx)).await;
    };
    // Whatever was reached in time is the outcome.
    if tokio::time::timeout(time, closing).await.is_err() {
        reader.handle.end_late();
    }
    Ok(outcome)
}

async fn peers_answer<S: Stream>(reader: &mut Reader<S>) -> CloseOutcome {
    loop {
        match poll_fn(|cx| reader.poll_event(cx, Delivery::Parts, false)).await {
            Ok(_) => {}
            Err(Error::Closed(close)) if close.is_clean() => return CloseOutcome::Clean(close),
            Err(Error::Protocol(violation)) => return CloseOutcome::Failed(violation),
            Err(_) => return CloseOutcome::Lost,
        }
    }
}
