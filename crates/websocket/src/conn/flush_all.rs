//! What was queued on many connections, sent together.

#[cfg(all(feature = "io-uring", target_os = "linux"))]
use super::together::{self, Below};
use super::{Error, SocketStream, Writer, without_budget};

/// Does for each of `members` what [`Writer::try_flush`] does, and gives back those whose stream failed, in no particular order.
///
/// With the feature `io-uring`, and where the kernel allows it, up to 64 of them are sent to by one system call, for which whoever else uses
/// one of these connections waits. All else is done for one after the other.
///
/// ```
/// use std::collections::HashMap;
/// use suda_websocket::{PreparedMessage, Writer, flush_all};
/// use tokio::net::TcpStream;
///
/// fn tell_all(room: &mut HashMap<u64, Writer<TcpStream>>, news: &PreparedMessage) {
///     for writer in room.values_mut() {
///         // The failure of one that is full or gone could be told here.
///         let _ = writer.try_send_prepared(news);
///     }
///     for (id, _) in flush_all(room.iter().map(|(id, writer)| (*id, writer))) {
///         println!("{id} is gone");
///     }
/// }
/// ```
pub fn flush_all<'w, K, S: SocketStream>(
    members: impl IntoIterator<Item = (K, &'w Writer<S>)>,
) -> Vec<(K, Error)> {
    let mut failed = Vec::new();
    let mut members = members
        .into_iter()
        .map(|(key, writer)| (key, writer.handle()));
    without_budget(|| {
        #[cfg(all(feature = "io-uring", target_os = "linux"))]
        if together::is_ready() {
            let shared = members.by_ref().map(|(key, handle)| (key, &**handle));
            together::send(shared, &Below::of(), None, &mut failed);
            return;
        }
        for (key, handle) in members.by_ref() {
            let sent = handle.with(|inner| handle.send_now(inner, None));
            failed.extend(sent.err().map(|error| (key, error)));
        }
    });
    failed
}
