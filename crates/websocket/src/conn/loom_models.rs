//! Models of what is shared, for loom, which runs them in every order that threads may take: the lock, the signal, the flag of
//! who is enlisted and the flusher's queue. A lost wake shows as a deadlock.
//!
//! Real are all parts but the stream and the task that flushes, which is a thread of the model. The heart's queue has models of its own,
//! beside it. `cargo xtask loom` runs them all.

use std::{
    future::poll_fn,
    sync::{Arc, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
};

use loom::{future::block_on, thread};
use tokio::runtime::Runtime;

use super::{
    Error,
    flusher::{self, Batch, Queue},
    handle::Handle,
    heart::{Beating, Heard},
    loom_pipe::{Model, Pipe, PlainPipe},
    shared::{Delivery, Shared},
    turns::LONE_TURNS_MIN,
};
use crate::{Config, Event, Message, Parts, Role};

/// How often loom may take a thread's turn away. Mistakes show with two; three takes seconds, and each more ten times as long.
const PREEMPTIONS_MAX: usize = 3;

/// The queue of the model that runs. Models run one after the other.
static QUEUE: std::sync::Mutex<Option<Arc<Queue>>> = std::sync::Mutex::new(None);

pub(super) fn queue() -> Arc<Queue> {
    let queue = QUEUE.lock().unwrap_or_else(PoisonError::into_inner);
    queue.clone().expect("a model has a queue")
}

pub(super) fn model(run: impl Fn() + Sync + Send + 'static) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS_MAX);
    builder.check(move || {
        *QUEUE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::default());
        run();
        *QUEUE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    });
}

/// A server's connection on `pipe`, without handles. It wants a runtime, which no model runs anything on.
fn connection(pipe: &Pipe) -> Arc<Shared<Pipe>> {
    connection_on(pipe)
}

/// The same on another stream.
fn connection_on<S: Model>(pipe: &Pipe) -> Arc<Shared<S>> {
    in_runtime(|| Shared::new(S::over(pipe), Parts::new(Role::Server, Config::default())))
}

fn in_runtime<R>(make: impl FnOnce() -> R) -> R {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.build().unwrap()
    });
    let _entered = runtime.enter();
    make()
}

/// A frame of two bytes, as [`Writer`](super::Writer) queues it.
fn write_frame<S: Model>(connection: &Arc<Shared<S>>) {
    connection.with(|inner| {
        inner.conn.send(Message::binary(Vec::new())).unwrap();
        connection.sent_soon(inner);
    });
}

/// Has the next short write be foreseen to be alone in its turn.
fn expect_lone_write<S: Model>(connection: &Arc<Shared<S>>) {
    connection.with(|inner| {
        for _ in 0..LONE_TURNS_MIN {
            inner.turns.written();
            inner.turns.end();
        }
    });
}

/// A frame of two bytes that is expected to be alone. Another could find a spare queue of an earlier run, and so differ from run to run.
fn write_at_once<S: Model>(connection: &Arc<Shared<S>>) {
    assert!(connection.queue_short(&Message::binary(Vec::new())));
}

/// Flushes until the peer has got so many bytes.
fn flush_until_sent(pipe: &Pipe, bytes: usize) {
    let queue = queue();
    let mut batch = Batch::default();
    block_on(poll_fn(|cx| {
        let _ = flusher::poll(&queue, &mut batch, cx);
        if pipe.sent() == bytes {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
}

/// An empty text message as a client's frame.
const EMPTY_TEXT: [u8; 6] = [0x81, 0x80, 1, 2, 3, 4];

/// Reads as [`Reader`](super::Reader) does, the short way first.
fn read_message<S: Model>(connection: &Arc<Shared<S>>) {
    let event = poll_to_end(connection);
    assert_eq!(event.unwrap(), Event::Message(Message::text("")));
}

fn poll_to_end<S: Model>(connection: &Arc<Shared<S>>) -> Result<Event, Error> {
    let mut ahead = None;
    block_on(poll_fn(|cx| {
        match connection.poll_read_ahead(cx, &mut ahead) {
            Ok(polled) => polled.map(|()| {
                let message = ahead.take().and_then(|mut ahead| ahead.take_message());
                Ok(Event::Message(
                    message.expect("a message that is all there"),
                ))
            }),
            Err(locked) => connection.poll_event_locked(locked, cx, Delivery::Messages, false),
        }
    }))
}

#[test]
fn what_two_threads_queue_is_flushed() {
    model(|| {
        let pipe = Pipe::new(100);
        let connection = connection(&pipe);
        let other = connection.clone();
        let writing = thread::spawn(move || write_frame(&other));
        write_frame(&connection);
        flush_until_sent(&pipe, 4);
        writing.join().unwrap();
    });
}

#[test]
fn what_is_queued_while_the_flusher_sends_is_flushed() {
    model(|| {
        let pipe = Pipe::new(100);
        let connection = connection(&pipe);
        let other = connection.clone();
        let writing = thread::spawn(move || {
            write_frame(&other);
            write_frame(&other);
        });
        flush_until_sent(&pipe, 4);
        writing.join().unwrap();
        drop(connection);
    });
}

#[test]
fn what_a_full_stream_did_not_take_follows_when_it_does() {
    model(|| {
        let pipe = Pipe::new(1);
        let connection = connection(&pipe);
        let peer = pipe.clone();
        let taking = thread::spawn(move || peer.peer_takes(100));
        let other = connection.clone();
        let writing = thread::spawn(move || write_frame(&other));
        flush_until_sent(&pipe, 2);
        taking.join().unwrap();
        writing.join().unwrap();
        drop(connection);
    });
}

fn a_write_at_once_meets_a_full_stream<S: Model>() {
    model(|| {
        let pipe = Pipe::new(1);
        let connection = connection_on::<S>(&pipe);
        expect_lone_write(&connection);
        let peer = pipe.clone();
        let taking = thread::spawn(move || peer.peer_takes(100));
        let other = connection.clone();
        let writing = thread::spawn(move || {
            write_at_once(&other);
            write_frame(&other);
        });
        flush_until_sent(&pipe, 4);
        taking.join().unwrap();
        writing.join().unwrap();
        drop(connection);
    });
}

#[test]
fn what_a_full_stream_did_not_take_of_a_write_at_once_follows_when_it_does() {
    a_write_at_once_meets_a_full_stream::<Pipe>();
}

#[test]
fn what_a_full_socket_did_not_take_of_a_write_at_once_follows_when_it_does() {
    a_write_at_once_meets_a_full_stream::<PlainPipe>();
}

fn a_write_at_once_meets_a_reader<S: Model>() {
    model(|| {
        let pipe = Pipe::new(0);
        let connection = connection_on::<S>(&pipe);
        expect_lone_write(&connection);
        let other = connection.clone();
        let writing = thread::spawn(move || write_at_once(&other));
        let peer = pipe.clone();
        let sending = thread::spawn(move || {
            peer.peer_sends(&EMPTY_TEXT);
            peer.peer_takes(100);
        });
        read_message(&connection);
        // Sent at once, it wakes nobody who waits for the flusher.
        sending.join().unwrap();
        writing.join().unwrap();
        flush_until_sent(&pipe, 2);
    });
}

#[test]
fn a_reader_is_woken_though_a_write_at_once_polls_the_stream() {
    a_write_at_once_meets_a_reader::<Pipe>();
}

#[test]
fn a_reader_of_a_socket_is_woken_though_a_write_at_once_tries_it() {
    a_write_at_once_meets_a_reader::<PlainPipe>();
}

fn a_flusher_meets_a_reader<S: Model>() {
    model(|| {
        let pipe = Pipe::new(0);
        let connection = connection_on::<S>(&pipe);
        let other = connection.clone();
        let writing = thread::spawn(move || write_frame(&other));
        let peer = pipe.clone();
        let sending = thread::spawn(move || {
            peer.peer_sends(&EMPTY_TEXT);
            peer.peer_takes(100);
        });
        read_message(&connection);
        flush_until_sent(&pipe, 2);
        sending.join().unwrap();
        writing.join().unwrap();
    });
}

#[test]
fn a_reader_is_woken_whoever_else_polls_the_stream() {
    a_flusher_meets_a_reader::<Pipe>();
}

#[test]
fn a_reader_of_a_socket_is_woken_whoever_else_polls_it() {
    a_flusher_meets_a_reader::<PlainPipe>();
}

/// The reader leaves what it has written to the flusher, which another thread is, and waits for what the peer says once it has that.
fn a_reader_leaves_its_output<S: Model>() {
    model(|| {
        let pipe = Pipe::new(1);
        let connection = connection_on::<S>(&pipe);
        write_frame(&connection);
        let peer = pipe.clone();
        let flushing = thread::spawn(move || {
            peer.peer_takes(100);
            flush_until_sent(&peer, 2);
            peer.peer_sends(&EMPTY_TEXT);
        });
        read_message(&connection);
        flushing.join().unwrap();
    });
}

#[test]
fn what_a_reader_leaves_is_flushed() {
    a_reader_leaves_its_output::<Pipe>();
}

#[test]
fn what_a_reader_of_a_socket_leaves_is_flushed() {
    a_reader_leaves_its_output::<PlainPipe>();
}

/// The short way asks the stream before it tells who reads, if that one had to wait before.
fn a_reader_is_woken_for_nothing<S: Model>() {
    model(|| {
        let pipe = Pipe::new(100);
        let connection = connection_on::<S>(&pipe);
        let mut cx = Context::from_waker(Waker::noop());
        let polled = connection.poll_read_ahead(&mut cx, &mut None);
        assert!(matches!(polled, Ok(Poll::Pending)));
        connection.signal.wake_reader();
        let peer = pipe.clone();
        let sending = thread::spawn(move || peer.peer_sends(&EMPTY_TEXT));
        read_message(&connection);
        sending.join().unwrap();
    });
}

#[test]
fn a_reader_that_was_woken_for_nothing_is_woken_again() {
    a_reader_is_woken_for_nothing::<Pipe>();
}

#[test]
fn a_reader_of_a_socket_that_was_woken_for_nothing_is_woken_again() {
    a_reader_is_woken_for_nothing::<PlainPipe>();
}

fn a_heart_meets_a_reader<S: Model>() {
    model(|| {
        let pipe = Pipe::new(100);
        let connection = connection_on::<S>(&pipe);
        let peer = pipe.clone();
        let sending = thread::spawn(move || peer.peer_sends(&EMPTY_TEXT));
        let heart = connection.clone();
        let beating = thread::spawn(move || assert_ne!(heart.listen(0), Heard::End));
        read_message(&connection);
        sending.join().unwrap();
        beating.join().unwrap();
    });
}

#[test]
fn a_reader_gets_what_the_heart_has_read() {
    a_heart_meets_a_reader::<Pipe>();
}

#[test]
fn a_reader_of_a_socket_gets_what_the_heart_has_read() {
    a_heart_meets_a_reader::<PlainPipe>();
}

#[test]
fn a_writer_that_waits_is_woken_by_whoever_flushes() {
    model(|| {
        let pipe = Pipe::new(0);
        let connection = connection(&pipe);
        write_frame(&connection);
        let peer = pipe.clone();
        let taking = thread::spawn(move || peer.peer_takes(2));
        let other = connection.clone();
        let flushing = thread::spawn(move || {
            other.with(|inner| {
                let _ = other.flush(inner);
            });
        });
        block_on(poll_fn(|cx| {
            // The signal enlists the connection when the stream takes something; this thread is the flusher, too.
            let _ = flusher::poll(&queue(), &mut Batch::default(), cx);
            connection.poll_flushed(cx)
        }));
        assert_eq!(pipe.sent(), 2);
        taking.join().unwrap();
        flushing.join().unwrap();
    });
}

#[test]
fn an_abort_wakes_a_reader_that_waits() {
    model(|| {
        let pipe = Pipe::new(0);
        let connection = connection(&pipe);
        let other = connection.clone();
        let aborting = thread::spawn(move || other.abort());
        let event = block_on(poll_fn(|cx| {
            connection.poll_event(cx, Delivery::Messages, false)
        }));
        assert!(event.is_err());
        aborting.join().unwrap();
    });
}

/// Who waits with a waker of its own, and a heart that takes its place meanwhile.
#[test]
fn an_abort_wakes_a_reader_of_a_socket_that_waits() {
    model(|| {
        let pipe = Pipe::new(0);
        let connection = connection_on::<PlainPipe>(&pipe);
        let other = connection.clone();
        let aborting = thread::spawn(move || {
            assert_eq!(other.clone().listen(0), Heard::Nothing);
            other.abort();
        });
        assert!(poll_to_end(&connection).is_err());
        aborting.join().unwrap();
    });
}

/// The stream's waker keeps what the handles share, which has the stream: the last handle has to take it out, and only that one.
#[test]
fn the_last_handle_takes_the_stream_with_it() {
    model(|| {
        let pipe = Pipe::new(100);
        let parts = Parts::new(Role::Server, Config::default());
        let handle = in_runtime(|| Handle::new(pipe.clone(), parts));
        let reading = handle.poll_event(
            &mut Context::from_waker(Waker::noop()),
            Delivery::Messages,
            false,
        );
        assert!(reading.is_pending());
        let other = handle.clone();
        let writing = thread::spawn(move || {
            write_frame(&other);
            other.with(|inner| {
                assert!(other.flush(inner).is_ready());
            });
        });
        let peer = pipe.clone();
        let sending = thread::spawn(move || peer.peer_sends(&EMPTY_TEXT));
        drop(handle);
        // The flusher may come before or after that.
        let mut batch = Batch::default();
        let mut cx = Context::from_waker(Waker::noop());
        let _ = flusher::poll(&queue(), &mut batch, &mut cx);
        writing.join().unwrap();
        sending.join().unwrap();
        assert_eq!(pipe.sent(), 2);
        assert_eq!(pipe.owners(), 1);
    });
}
