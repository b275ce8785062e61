//! The same messages to many connections.

#[cfg(all(feature = "io-uring", target_os = "linux"))]
use super::together::{self, Below};
use super::{Error, SocketStream, Stream, Writer, handle::Handle, without_budget};
use crate::{PreparedMessage, batch::Batch};

/// Sends `messages` to each of `members`, and waits for none of them.
///
/// What a stream does not take at once follows by itself, in order with all else that is written to the connection, as after
/// [`Writer::try_flush`]; it is queued behind what was queued before. So a member that reads slowly holds up nobody, until
/// [`Config::outbox_bytes_max`](crate::Config::outbox_bytes_max) or more are unsent: then it is refused.
///
/// Each member comes with something that says who it is: a key, an index. Given back, in no particular order, are those that the messages did not reach, and
/// why. A member takes all the messages or none: [`SendError::Full`](crate::SendError::Full) says that one of them, sent
/// alone by [`Writer::try_send_prepared`], would have been refused, counted as if none of them were compressed. So messages that are, without the
/// last, together as long as `outbox_bytes_max` reach nobody, however empty the queues: keep what is given at once well below that. After [`Error::Io`] a part
/// may be on the way.
///
/// It is the fast way for a fan-out. Messages that come together should be given together: their frames are joined once for all members that get the same
/// bytes, as all do that compress nothing, and go to each in one system call, past its queue if that is empty. A client masks, and a connection whose
/// compression keeps its context compresses, for itself.
///
/// It does not give way to other tasks until the last member was sent to: with very many, send to some thousands at a time.
///
/// ```
/// use std::collections::BTreeMap;
/// use suda_websocket::{PreparedMessage, Writer, broadcast};
/// use tokio::net::TcpStream;
///
/// fn tell_all(room: &mut BTreeMap<u64, Writer<TcpStream>>, news: &str) {
///     let members = room.iter_mut().map(|(id, writer)| (*id, writer));
///     for (id, error) in broadcast(members, &[PreparedMessage::text(news)]) {
///         println!("{id} is too slow, or gone: {error}");
///         room.remove(&id);
///     }
/// }
/// ```
pub fn broadcast<'w, K, S: Stream>(
    members: impl IntoIterator<Item = (K, &'w mut Writer<S>)>,
    messages: &[PreparedMessage],
) -> Vec<(K, Error)> {
    let mut unreached = Vec::new();
    if messages.is_empty() {
        return unreached;
    }
    let mut batch = Batch::new(messages);
    let members = (members.into_iter()).map(|(key, writer)| (key, (*writer).handle()));
    without_budget(|| {
        #[cfg(all(feature = "io-uring", target_os = "linux"))]
        if together::is_ready() {
            let shared = members.map(|(key, handle)| (key, &**handle));
            together::send(shared, &Below::plain(), Some(&mut batch), &mut unreached);
            return;
        }
        send_each(members, &mut batch, &mut unreached);
    });
    unreached
}

/// [`broadcast`] for streams over TCP sockets, which with the feature `io-uring` are sent to together even if the program has wrapped them, as
/// [`flush_all`](crate::flush_all) does.
///
/// It takes writers that are only lent, which those in a map are easier to be: each of them takes all the messages, or none, between two others. While
/// one of its messages is being written by a [`MessageWriter`](crate::MessageWriter), a writer is not to be lent to anybody.
pub fn broadcast_sockets<'w, K, S: SocketStream>(
    members: impl IntoIterator<Item = (K, &'w Writer<S>)>,
    messages: &[PreparedMessage],
) -> Vec<(K, Error)> {
    let mut unreached = Vec::new();
    if messages.is_empty() {
        return unreached;
    }
    let mut batch = Batch::new(messages);
    let members = (members.into_iter()).map(|(key, writer)| (key, writer.handle()));
    without_budget(|| {
        #[cfg(all(feature = "io-uring", target_os = "linux"))]
        if together::is_ready() {
            let shared = members.map(|(key, handle)| (key, &**handle));
            together::send(shared, &Below::of(), Some(&mut batch), &mut unreached);
            return;
        }
        send_each(members, &mut batch, &mut unreached);
    });
    unreached
}

fn send_each<'w, K, S: Stream>(
    members: impl Iterator<Item = (K, &'w Handle<S>)>,
    batch: &mut Batch<'_>,
    unreached: &mut Vec<(K, Error)>,
) {
    for (key, handle) in members {
        if let Err(error) = handle.send_batch(batch) {
            unreached.push((key, error));
        }
    }
}
