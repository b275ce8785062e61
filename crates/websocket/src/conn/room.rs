//! Room in a connection's read buffer: how much, where it is taken from, and when it is given up.

use bytes::BytesMut;

use crate::buffers;

/// Bytes of an unfinished frame up to which a waiting connection keeps no read buffer, but a copy of its own.
pub(super) const WAITING_BYTES_MAX: usize = 1 << 10;
/// Frames from this length on, in bytes, are read one at a time.
pub(super) const LONG_FRAME_BYTES: usize = 16 << 10;
/// Frames beyond this length, in bytes, seldom come with one read: they are read into the connection's own buffer.
pub(super) const READ_AHEAD_FRAME_BYTES_MAX: usize = buffers::WIDE_BYTES;
/// Room for a frame that is given at once because the last one was as long, in bytes.
const KNOWN_BYTES_MAX: usize = 2 << 20;
/// Long frames of which several wait are read together up to so many bytes: fewer calls, and their answers are sent out of memory that is
/// still in the processor's second-level cache.
const WIDE_READ_BYTES: usize = buffers::WIDE_BYTES - 2 * WAITING_BYTES_MAX;
/// By so many bytes a frame's length may have been guessed too long: the headers of long frames have 4 to 14.
const GUESSED_BYTES_MAX: usize = 10;
/// Below this much room in the read buffer, room is made before reading.
const READ_ROOM_BYTES_MIN: usize = buffers::BUFFER_BYTES / 2;

/// How many bytes behind a long frame, of which `expected` bytes are to come, the same read had best take: whole frames `like_it`
/// long. A guess, made where the read before took the beginning of this frame along and so found more than it asked for.
pub(super) fn bytes_behind(input: &BytesMut, expected: usize, like_it: usize) -> usize {
    let came_along = (1..=WAITING_BYTES_MAX).contains(&input.len());
    if !came_along || expected.min(like_it) < LONG_FRAME_BYTES {
        return 0;
    }
    (like_it - GUESSED_BYTES_MAX) * (WIDE_READ_BYTES.saturating_sub(expected) / like_it)
}

/// Room for a good read. A long frame's buffer doubles with what has arrived of it, so its length alone costs nothing.
///
/// `known`: a frame of that many bytes did come, so one like it may be given its room at once.
#[inline]
pub(super) fn make_room(input: &mut BytesMut, missing: usize, known: usize) {
    if input.is_empty() && known < LONG_FRAME_BYTES {
        if input.capacity() == 0 {
            // As after every wait: there is nothing to reclaim, to move or to give back.
            *input = buffers::take();
            return;
        }
        if input.capacity() >= READ_ROOM_BYTES_MIN {
            return;
        }
    }
    make_more_room(input, missing, known);
}

fn make_more_room(input: &mut BytesMut, missing: usize, known: usize) {
    let room = input.capacity() - input.len();
    if input.len() <= WAITING_BYTES_MAX {
        if known >= LONG_FRAME_BYTES {
            let wanted = known.min(KNOWN_BYTES_MAX) + WAITING_BYTES_MAX;
            if !input.try_reclaim(wanted) {
                replace(input, buffers::take_with(input.len() + wanted));
            }
            return;
        }
        if room < READ_ROOM_BYTES_MIN && !input.try_reclaim(buffers::BUFFER_BYTES) {
            replace(input, buffers::take());
        }
        return;
    }
    let enough = if missing == 0 {
        READ_ROOM_BYTES_MIN
    } else {
        READ_ROOM_BYTES_MIN.min(missing)
    };
    let wanted = buffers::BUFFER_BYTES.max(missing.min(input.len()));
    if room < enough && !input.try_reclaim(wanted) {
        input.reserve(wanted);
    }
}

fn replace(input: &mut BytesMut, mut roomy: BytesMut) {
    roomy.extend_from_slice(input);
    let last = std::mem::replace(input, roomy);
    if last.capacity() > 0 {
        buffers::give(last);
    }
}

/// Gives a read buffer up that holds little or nothing while its connection waits for more.
#[inline]
pub(super) fn give_room_up(input: &mut BytesMut) {
    if input.is_empty() {
        // However little room is left in it: there may be much memory behind that.
        if input.capacity() > 0 {
            buffers::give(std::mem::take(input));
        }
    } else if input.len() <= WAITING_BYTES_MAX && input.capacity() > WAITING_BYTES_MAX {
        let rest = BytesMut::from(&input[..]);
        buffers::give(std::mem::replace(input, rest));
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::{
        super::{Stream, inner::Inner},
        *,
    };
    use crate::{Config, Connection, Event, Message, Parts, Role};
    use tokio::io::{AsyncWriteExt, duplex};

    /// Reads until there is nothing more to read.
    fn read_all<S: Stream>(inner: &mut Inner<S>) {
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(result) = inner.poll_fill(&mut cx) {
            result.unwrap();
        }
    }

    #[tokio::test]
    async fn a_waiting_connection_holds_no_read_buffer() {
        let (ours, mut theirs) = duplex(1 << 16);
        let parts = Parts::new(Role::Client, Config::default());
        let mut inner = Inner::new(ours, Connection::new(parts));
        read_all(&mut inner);
        assert_eq!(inner.conn.input().capacity(), 0);

        // The beginning of a frame is kept, but not in a buffer made for much.
        theirs.write_all(&[0x82, 3, b'a', b'b']).await.unwrap();
        read_all(&mut inner);
        assert!(inner.conn.input().capacity() <= WAITING_BYTES_MAX);
        assert_eq!(inner.conn.poll_event(), None);
        theirs.write_all(b"c").await.unwrap();
        read_all(&mut inner);
        assert_eq!(
            inner.conn.poll_event(),
            Some(Event::Message(Message::binary(b"abc".to_vec())))
        );
        read_all(&mut inner);
        assert_eq!(inner.conn.input().capacity(), 0);
    }

    #[tokio::test]
    async fn a_long_frames_buffer_grows_with_what_arrived_of_it() {
        let (ours, mut theirs) = duplex(1 << 20);
        let config = Config::default().read_limit(1 << 30);
        let mut inner = Inner::new(ours, Connection::new(Parts::new(Role::Client, config)));
        theirs
            .write_all(&[0x82, 127, 0, 0, 0, 0, 0x30, 0, 0, 0])
            .await
            .unwrap();
        for _ in 0..6 {
            theirs.write_all(&[0; 100_000]).await.unwrap();
            read_all(&mut inner);
            assert_eq!(inner.conn.poll_event(), None);
            let input = inner.conn.input();
            assert!(input.capacity() <= 2 * input.len() + 2 * buffers::BUFFER_BYTES);
        }
    }

    #[tokio::test]
    async fn little_is_read_of_the_frame_behind_a_long_one() {
        const PAYLOAD_BYTES: usize = 1 << 16;
        const FRAMES: usize = 5;
        let (ours, mut theirs) = duplex(1 << 20);
        let parts = Parts::new(Role::Client, Config::default());
        let mut inner = Inner::new(ours, Connection::new(parts));
        for _ in 0..FRAMES {
            theirs
                .write_all(&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0])
                .await
                .unwrap();
            theirs.write_all(&[7; PAYLOAD_BYTES]).await.unwrap();
        }
        let mut cx = Context::from_waker(Waker::noop());
        let mut messages = 0;
        while messages < FRAMES {
            assert!(inner.poll_fill(&mut cx).is_ready());
            while let Some(event) = inner.conn.poll_event() {
                assert_eq!(
                    event,
                    Event::Message(Message::binary(vec![7; PAYLOAD_BYTES]))
                );
                messages += 1;
                assert!(inner.conn.input().len() <= WAITING_BYTES_MAX);
            }
        }
    }

    #[tokio::test]
    async fn a_connection_whose_stream_ended_holds_no_read_buffer() {
        let (ours, theirs) = duplex(1 << 16);
        let parts = Parts::new(Role::Client, Config::default());
        let mut inner = Inner::new(ours, Connection::new(parts));
        drop(theirs);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(inner.poll_fill(&mut cx).is_ready());
        assert_eq!(inner.conn.input().capacity(), 0);
    }
}
