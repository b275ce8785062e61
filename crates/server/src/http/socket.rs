//! The door to the chat: `GET /ws` becomes a WebSocket and moves to a worker.

use super::App;
use super::client_address::ClientAddress;
use super::error::ApiError;
use super::origin;
use crate::worker::HandOver;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use suda_protocol::Codec;
use suda_protocol::limits::COMMAND_BYTES_MAX;
use suda_protocol::v1::{self, ErrorCode};
use suda_websocket::hyper::OnUpgrade;
use suda_websocket::{Compression, Config, Upgrader};
use tokio::net::TcpStream;

/// What somebody is told to wait, in milliseconds, who finds no place.
const RETRY_AFTER_MS: u32 = 5_000;

/// Messages below this many bytes are not compressed. Most of a short one are ids, which do not get shorter; pages of history and long
/// texts lie above.
const COMPRESSED_BYTES_MIN: usize = 512;

/// The handshake's rules for our WebSocket.
pub(crate) fn upgrader(public_origin: Option<String>, compressed: bool) -> Upgrader {
    let config = Config::default()
        // Over it the peer is closed with 1009 before the bytes are read.
        .read_limit(COMMAND_BYTES_MAX)
        // The workers keep their own, finer bound: entries stop there, replies and closes still go out.
        .outbox_bytes_max(usize::MAX);
    let upgrader = Upgrader::new()
        .subprotocols(Codec::ALL.map(Codec::subprotocol))
        .check_origin(move |request| origin::allowed(&request.headers, public_origin.as_deref()))
        .config(config);
    if compressed {
        // Without takeover of contexts, which is the default: an entry is compressed once for all of its readers, and an idle connection
        // keeps no context.
        upgrader.compression(Compression::default().bytes_min(COMPRESSED_BYTES_MIN))
    } else {
        upgrader
    }
}

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(client): Extension<ClientAddress>,
    request: Request,
) -> Response {
    let (mut request, _) = request.into_parts();
    let (response, on_upgrade) = match app.upgrader.upgrade_parts(&mut request) {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(place) = app.workers.place() else {
        let full = v1::Error::of(ErrorCode::Busy).with_retry_after_ms(RETRY_AFTER_MS);
        return ApiError::from(full).into_response();
    };
    // Whoever has neither still may connect: the token can come in `connect`.
    let token = app.cookies.token_of_unsafe(&request.headers);
    let token = token.unwrap_or_default().to_owned();
    tokio::spawn(async move {
        let Some((stream, parts, codec)) = taken_out(on_upgrade).await else {
            return;
        };
        app.workers.hand_over(HandOver {
            stream,
            parts,
            codec,
            token,
            client: client.0,
            place,
        });
    });
    response.map(|()| Body::empty())
}

/// The socket itself, no longer part of this runtime, with what was read from it already.
async fn taken_out(
    on_upgrade: OnUpgrade,
) -> Option<(std::net::TcpStream, suda_websocket::Parts, Codec)> {
    // Without a subprotocol it is JSON: what a person types by hand.
    let codec = on_upgrade
        .subprotocol()
        .and_then(Codec::from_subprotocol)
        .unwrap_or(Codec::Json);
    let raw = match on_upgrade.raw().await {
        Ok(raw) => raw,
        Err(error) => {
            tracing::debug!(%error, "an upgrade came to nothing");
            return None;
        }
    };
    let Ok((stream, parts)) = raw.downcast::<TcpStream>() else {
        tracing::error!("an upgraded connection is no TCP socket");
        return None;
    };
    match stream.into_std() {
        Ok(stream) => Some((stream, parts, codec)),
        Err(error) => {
            tracing::warn!(%error, "a socket could not be taken out of its runtime");
            None
        }
    }
}
