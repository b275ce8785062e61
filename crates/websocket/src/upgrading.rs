//! A server's opening handshake under way: the future that [`Upgrader::upgrade`] gives.
//!
//! What lives here: reading the request within time and memory, answering it, handing over to [`Conn`]. What does not:
//! the rules themselves, which are in [`handshake`](crate::handshake).

use std::any::TypeId;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::conn::later;
use crate::events::event;
use crate::handshake::{Accept, Policy, Reject, Request, ServerHandshake};
#[cfg(not(target_os = "linux"))]
use crate::no_watchdog::{Watched, watch};
#[cfg(target_os = "linux")]
use crate::watchdog::{Watched, watch};
use crate::{Conn, Parts, Role, Stream, UpgradeError, Upgrader};

/// How long we care about a refused client: until it has our answer, and has closed or sent what it had to send.
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(2);

/// Bytes that a refused client may still send before we close the stream under its feet.
const REFUSAL_DRAIN_BYTES_MAX: u64 = 64 * 1024;

/// Bytes to ask a stream for at once.
const READ_BYTES: usize = 4 * 1024;

type Upgraded<S> = Result<(Conn<S>, Request), UpgradeError>;

/// What [`Upgrader::upgrade`] gives. The caller's future mostly goes on with the connection and keeps this one's room for good, so this is small.
/// A handshake mostly takes two polls, of which the first finds nothing to read; one that takes more is boxed.
pub(crate) struct Upgrading<'a, S: Stream> {
    upgrader: &'a Upgrader,
    stage: Stage<'a, S>,
}

enum Stage<'a, S: Stream> {
    /// Nothing has come. If that was so before, the wait is watched: it is most likely short.
    Listening {
        stream: S,
        watched: Option<Watched>,
    },
    GoingOn(Pin<Box<dyn Future<Output = Upgraded<S>> + Send + 'a>>),
    Over,
}

/// How far a handshake has come.
enum Begun {
    /// None: nothing has come.
    Reading(Option<ServerHandshake>),
    /// The response is what is left of it.
    Answering(Accept),
    Refusing(Reject),
    /// The client has been told that it is accepted.
    Told(Accept),
}

impl<'a, S: Stream> Upgrading<'a, S> {
    pub(crate) fn new(upgrader: &'a Upgrader, stream: S) -> Self {
        Self {
            upgrader,
            stage: Stage::Listening {
                stream,
                watched: None,
            },
        }
    }
}

impl<S: Stream> Future for Upgrading<'_, S> {
    type Output = Upgraded<S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { upgrader, stage } = &mut *self;
        if let Stage::GoingOn(going_on) = stage {
            return going_on.as_mut().poll(cx);
        }
        let begun = match stage {
            Stage::Listening { stream, watched } => {
                ready!(poll_begun(stream, upgrader, watched, cx))
            }
            _ => unreachable!("a handshake that is over is not polled"),
        };
        let Stage::Listening { stream, watched } = std::mem::replace(stage, Stage::Over) else {
            unreachable!("it was listening")
        };
        let begun = begun?;
        let until = || match &watched {
            Some(watched) => watched.until(),
            None => later(Instant::now(), upgrader.handshake_timeout),
        };
        let mut going_on: Pin<Box<dyn Future<Output = _> + Send>> = match begun {
            Begun::Told(accept) => return Poll::Ready(Ok(upgrader.open(stream, accept))),
            Begun::Reading(handshake) => Box::pin(upgrader.go_on(stream, until(), handshake, None)),
            Begun::Answering(accept) => {
                Box::pin(upgrader.go_on(stream, until(), None, Some(accept)))
            }
            Begun::Refusing(reject) => Box::pin(refuse(stream, reject)),
        };
        drop(watched);
        let polled = going_on.as_mut().poll(cx);
        if polled.is_pending() {
            *stage = Stage::GoingOn(going_on);
        }
        polled
    }
}

/// Reads the first piece of the request and, if that is all of it, answers. Pending where nothing has come and the wait is watched.
fn poll_begun<S: Stream>(
    stream: &mut S,
    upgrader: &Upgrader,
    watched: &mut Option<Watched>,
    cx: &mut Context<'_>,
) -> Poll<Result<Begun, UpgradeError>> {
    let mut handshake = None;
    let begun = match poll_judged(stream, &upgrader.policy, &mut handshake, cx)? {
        Poll::Ready(Ok(accept)) => {
            let told = accept.response.is_empty() && Pin::new(stream).poll_flush(cx)?.is_ready();
            if told {
                Begun::Told(accept)
            } else {
                Begun::Answering(accept)
            }
        }
        Poll::Ready(Err(reject)) => Begun::Refusing(reject),
        Poll::Pending => {
            // Who was woken by the watch, or has sent a part, is waited for with a timer.
            if handshake.is_none() && watched.is_none() && is_socket::<S>() {
                *watched = watch(cx.waker(), Instant::now(), upgrader.handshake_timeout);
                if watched.is_some() {
                    return Poll::Pending;
                }
            }
            Begun::Reading(handshake)
        }
    };
    Poll::Ready(Ok(begun))
}

/// Reads the request and, if it is accepted, sends as much of the answer as the stream takes at once. The response of what is given is
/// the rest. `handshake` is made once something has come.
fn poll_judged<S: Stream>(
    stream: &mut S,
    policy: &Arc<Policy>,
    handshake: &mut Option<ServerHandshake>,
    cx: &mut Context<'_>,
) -> Poll<Result<Result<Accept, Reject>, UpgradeError>> {
    let mut room = [MaybeUninit::uninit(); READ_BYTES];
    let mut piece = ReadBuf::uninit(&mut room);
    loop {
        piece.clear();
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut piece))?;
        if piece.filled().is_empty() {
            return Poll::Ready(Err(UpgradeError::Closed));
        }
        let handshake = handshake.get_or_insert_with(|| ServerHandshake::new(policy.clone()));
        let agreed = match handshake.consider(piece.filled()) {
            None => continue,
            Some(Err(reject)) => return Poll::Ready(Ok(Err(reject))),
            Some(Ok(agreed)) => agreed,
        };
        if agreed.encoded_bytes() > READ_BYTES {
            let mut answer = Vec::with_capacity(agreed.encoded_bytes());
            agreed.encode(|part| answer.extend_from_slice(part));
            return Poll::Ready(Ok(Ok(agreed.into_accept(answer.into()))));
        }
        // Nobody refers to the request's bytes in there any more.
        piece.clear();
        agreed.encode(|part| piece.put_slice(part));
        let answer = piece.filled();
        let sent = match Pin::new(&mut *stream).poll_write(cx, answer)? {
            Poll::Ready(sent) => sent,
            Poll::Pending => 0,
        };
        let rest = Bytes::copy_from_slice(answer.get(sent..).unwrap_or_default());
        return Poll::Ready(Ok(Ok(agreed.into_accept(rest))));
    }
}

/// Whether the stream is surely one that the runtime's driver for sockets looks after.
fn is_socket<S: 'static>() -> bool {
    TypeId::of::<S>() == TypeId::of::<TcpStream>()
}

/// Tells a client why it is refused, as far as it listens.
async fn refuse<S: Stream>(mut stream: S, reject: Reject) -> Upgraded<S> {
    event!(debug, status = reject.status.as_u16(), reason = %reject.reason, "WebSocket refused");
    // The reason matters more to the caller than whether the client could be told.
    let sending = send_refusal(&mut stream, &reject.response);
    let _ = timeout(REFUSAL_TIME_MAX, sending).await;
    Err(UpgradeError::Refused(reject.reason))
}

/// Sends the answer and closes. A stream that is closed while input is unread may be reset, and the reset can overtake
/// our answer; so the input is read away first, up to a bound.
async fn send_refusal<S: Stream>(stream: &mut S, response: &[u8]) -> io::Result<()> {
    stream.write_all(response).await?;
    stream.shutdown().await?;
    tokio::io::copy(
        &mut stream.take(REFUSAL_DRAIN_BYTES_MAX),
        &mut tokio::io::sink(),
    )
    .await?;
    Ok(())
}

impl Upgrader {
    /// Goes on with a handshake that was not over with the first piece of the request and one call for the answer. `accepted`: what is
    /// left of the answer is to be sent.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async function would keep room for its arguments twice"
    )]
    fn go_on<S: Stream>(
        &self,
        mut stream: S,
        until: Instant,
        mut handshake: Option<ServerHandshake>,
        mut accepted: Option<Accept>,
    ) -> impl Future<Output = Upgraded<S>> {
        async move {
            let answered =
                poll_fn(|cx| self.poll_answered(&mut stream, &mut handshake, &mut accepted, cx));
            let rejected = match timeout_at(until, answered).await {
                Ok(rejected) => rejected?,
                Err(_) if accepted.is_some() => return Err(UpgradeError::Timeout),
                Err(_) => {
                    let mut unfinished =
                        handshake.unwrap_or_else(|| ServerHandshake::new(self.policy.clone()));
                    Some(unfinished.handle_timeout())
                }
            };
            match (rejected, accepted) {
                (None, Some(accept)) => Ok(self.open(stream, accept)),
                (Some(reject), _) => refuse(stream, reject).await,
                (None, None) => unreachable!("a handshake is over when it is accepted or refused"),
            }
        }
    }

    /// Ready when the client is to be refused, or has been told that it is accepted.
    fn poll_answered<S: Stream>(
        &self,
        stream: &mut S,
        handshake: &mut Option<ServerHandshake>,
        accepted: &mut Option<Accept>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Reject>, UpgradeError>> {
        let accept = match accepted {
            Some(accept) => accept,
            None => match ready!(poll_judged(stream, &self.policy, handshake, cx))? {
                Ok(accept) => accepted.insert(accept),
                Err(reject) => return Poll::Ready(Ok(Some(reject))),
            },
        };
        while !accept.response.is_empty() {
            match ready!(Pin::new(&mut *stream).poll_write(cx, &accept.response))? {
                0 => return Poll::Ready(Err(io::Error::from(ErrorKind::WriteZero).into())),
                sent => accept.response.advance(sent),
            }
        }
        ready!(Pin::new(stream).poll_flush(cx))?;
        Poll::Ready(Ok(None))
    }

    /// The connection, once the client has been told.
    fn open<S: Stream>(&self, stream: S, accept: Accept) -> (Conn<S>, Request) {
        let parts = Parts {
            role: Role::Server,
            config: self.config.clone(),
            read_buf: accept.leftover,
            subprotocol: accept.subprotocol,
            compression: accept.compression,
        };
        event!(
            debug,
            path = accept.request.uri().path(),
            "WebSocket accepted"
        );
        (Conn::from_parts(stream, parts), accept.request)
    }
}
