//! A write that is foreseen to stay alone is sent when it is made. That must cost no more calls than sending it later, but for one where
//! the forecast was wrong, and whatever the stream makes of it must end as it does with what was queued.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    collections::VecDeque,
    future::{Future, pending, poll_fn},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use suda_websocket::{
    CloseCode, Config, Conn, Error, Message, Parts, PreparedMessage, Role, Stream,
};
use support::{Counted, RawPeer, SharedCounts, frame};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    task::yield_now,
    time::{Instant, timeout},
};

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// More turns with one answer each than the library wants to see before it takes the next for one.
const LEARNING: usize = 64;

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it never arrived")
}

fn server<S: Stream>(stream: S) -> Conn<S> {
    Conn::from_parts(stream, Parts::new(Role::Server, Config::default()))
}

/// A write that must not wait.
fn write<S: Stream>(conn: &mut Conn<S>, message: impl Into<Message>) -> Result<(), Error> {
    let writing = pin!(conn.write_message(message));
    match writing.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(written) => written,
        Poll::Pending => panic!("there is room"),
    }
}

/// Reads one message and answers it with `answers` others, in one turn. `peer` gets them.
async fn turn<S: Stream, P: Stream>(conn: &mut Conn<S>, peer: &mut RawPeer<P>, answers: usize) {
    let reading = async {
        // Polled before the peer sends: the reader goes to the stream, and waits.
        let message = conn.read_message().await.unwrap();
        for _ in 0..answers {
            write(conn, message.clone()).unwrap();
        }
    };
    tokio::join!(biased; reading, peer.send(0x82, b"asked"));
    yield_now().await;
    for _ in 0..answers {
        assert_eq!(
            in_time(peer.next_frame()).await.unwrap(),
            (0x82, b"asked".to_vec())
        );
    }
}

/// A connection of which one answer to each message is expected.
async fn that_answers_once<S: Stream, P: Stream>(ours: S, theirs: P) -> (Conn<S>, RawPeer<P>) {
    let (mut conn, mut peer) = (server(ours), RawPeer::new(theirs, Role::Client));
    for _ in 0..LEARNING {
        turn(&mut conn, &mut peer, 1).await;
    }
    // The next turn has begun.
    assert!(poll_once(conn.read_message()).is_none());
    (conn, peer)
}

/// How often a task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn counted() -> (Counted<DuplexStream>, SharedCounts, DuplexStream) {
    let (ours, theirs) = duplex(1 << 20);
    let (ours, counts) = Counted::new(ours);
    (ours, counts, theirs)
}

#[tokio::test]
async fn the_answer_of_a_program_that_always_gives_one_is_sent_when_it_is_written() {
    let (ours, counts, theirs) = counted();
    let (mut conn, mut peer) = that_answers_once(ours, theirs).await;
    assert_eq!(counts.get().writes, LEARNING);
    for payload in [vec![], vec![1; 125], vec![2; 126], vec![3; 4096]] {
        let before = counts.get().writes;
        write(&mut conn, payload.clone()).unwrap();
        assert_eq!(counts.get().writes, before + 1);
        assert_eq!(
            in_time(peer.next_frame()).await.unwrap(),
            (0x82, payload.clone())
        );
        assert!(poll_once(conn.read_message()).is_none());
        assert_eq!(counts.get().writes, before + 1);
    }
    write(&mut conn, "수다").unwrap();
    let told = (0x81, "수다".as_bytes().to_vec());
    assert_eq!(in_time(peer.next_frame()).await.unwrap(), told);
}

#[tokio::test]
async fn a_program_that_begins_to_give_three_answers_pays_one_call_once() {
    let (ours, counts, theirs) = counted();
    let (mut conn, mut peer) = that_answers_once(ours, theirs).await;
    let before = counts.get().writes;
    for _ in 0..LEARNING {
        turn(&mut conn, &mut peer, 3).await;
    }
    assert_eq!(counts.get().writes - before, LEARNING + 1);
}

#[tokio::test]
async fn a_program_without_a_habit_pays_nothing() {
    let (ours, counts, theirs) = counted();
    let (mut conn, mut peer) = (server(ours), RawPeer::new(theirs, Role::Client));
    for number in 0..2 * LEARNING {
        turn(&mut conn, &mut peer, 1 + number % 3).await;
    }
    assert_eq!(counts.get().writes, 2 * LEARNING);
}

#[tokio::test]
async fn messages_that_came_together_are_answered_together_whatever_came_before() {
    let (ours, counts, theirs) = counted();
    let (mut conn, mut peer) = that_answers_once(ours, theirs).await;
    let before = counts.get().writes;
    let answering = tokio::spawn(async move {
        while let Ok(message) = conn.read_message().await {
            conn.write_message(message).await.unwrap();
        }
    });
    for _ in 0..LEARNING {
        peer.send_raw(&frame(Role::Client, 0x82, b"together").repeat(16))
            .await;
        for _ in 0..16 {
            assert_eq!(in_time(peer.next_frame()).await.unwrap().1, b"together");
        }
    }
    assert_eq!(counts.get().writes - before, LEARNING);
    drop(peer);
    in_time(answering).await.unwrap();
}

#[tokio::test]
async fn a_writer_that_does_not_read_sends_in_bursts_whoever_reads() {
    let (ours, counts, theirs) = counted();
    let (conn, mut peer) = that_answers_once(ours, theirs).await;
    let before = counts.get().writes;
    let (mut reader, mut writer, _control) = conn.split();
    let reading = tokio::spawn(async move { reader.read_message().await.unwrap() });
    yield_now().await;
    for _ in 0..LEARNING {
        for _ in 0..10 {
            writer.write_message("tick").await.unwrap();
        }
        for _ in 0..10 {
            assert_eq!(in_time(peer.next_frame()).await.unwrap().1, b"tick");
        }
    }
    assert_eq!(counts.get().writes - before, LEARNING + 1);
    peer.send(0x81, b"enough").await;
    assert_eq!(in_time(reading).await.unwrap(), Message::text("enough"));
}

/// What a stream does with the next calls that write, or flush.
#[derive(Debug, Clone, Copy)]
enum Does {
    Take(usize),
    Wait,
    Fail,
    TakeNone,
    Panic,
}

/// A stream that does what it's told, and then all that it's asked for. What waits is woken when the plan changes.
struct Planned<S> {
    inner: S,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    writes: VecDeque<Does>,
    flushes: VecDeque<Does>,
    waiting: Option<Waker>,
}

impl<S> Planned<S> {
    fn new(inner: S) -> (Self, Arc<Mutex<Plan>>) {
        let plan = Arc::<Mutex<Plan>>::default();
        let planned = Self {
            inner,
            plan: plan.clone(),
        };
        (planned, plan)
    }
}

fn goes_on(plan: &Mutex<Plan>) {
    let waiting = {
        let mut plan = plan.lock().unwrap();
        plan.writes.clear();
        plan.flushes.clear();
        plan.waiting.take()
    };
    waiting.into_iter().for_each(Waker::wake);
}

impl<S: Stream> AsyncRead for Planned<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: Stream> AsyncWrite for Planned<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let next = {
            let mut plan = self.plan.lock().unwrap();
            let next = match plan.writes.front() {
                // Until it is told to go on.
                Some(Does::Wait) => Some(Does::Wait),
                _ => plan.writes.pop_front(),
            };
            if let Some(Does::Wait) = next {
                plan.waiting = Some(cx.waker().clone());
            }
            next
        };
        match next {
            Some(Does::Wait) => Poll::Pending,
            Some(Does::Fail) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(Does::TakeNone) => Poll::Ready(Ok(0)),
            Some(Does::Panic) => panic!("the stream's own"),
            Some(Does::Take(most)) => {
                Pin::new(&mut self.inner).poll_write(cx, &bytes[..most.min(bytes.len())])
            }
            None => Pin::new(&mut self.inner).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let next = {
            let mut plan = self.plan.lock().unwrap();
            let next = plan.flushes.front().copied();
            if let Some(Does::Wait) = next {
                plan.waiting = Some(cx.waker().clone());
            }
            next
        };
        match next {
            Some(Does::Wait) => Poll::Pending,
            Some(_) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            None => Pin::new(&mut self.inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

type Expectant = (
    Conn<Planned<DuplexStream>>,
    RawPeer<DuplexStream>,
    Arc<Mutex<Plan>>,
);

/// A connection whose next write is sent at once, to a stream that does this with it.
async fn expectant(writes: &[Does]) -> Expectant {
    let (ours, theirs) = duplex(1 << 20);
    let (ours, plan) = Planned::new(ours);
    let (conn, peer) = that_answers_once(ours, theirs).await;
    plan.lock().unwrap().writes.extend(writes);
    (conn, peer, plan)
}

async fn next_is<P: Stream>(peer: &mut RawPeer<P>, payload: &[u8]) {
    let (_, arrived) = in_time(peer.next_frame()).await.unwrap();
    assert_eq!(arrived, payload);
}

#[tokio::test]
async fn what_the_stream_takes_in_part_or_later_goes_out_once_and_in_order() {
    use Does::{Take, Wait};
    for begun in [
        &[Take(1)][..],
        &[Take(7), Take(1)],
        &[Take(3), Wait],
        &[Wait],
    ] {
        let (mut conn, mut peer, plan) = expectant(begun).await;
        write(&mut conn, vec![7; 1000]).unwrap();
        write(&mut conn, "second").unwrap();
        // Nobody touches the connection any more.
        yield_now().await;
        goes_on(&plan);
        next_is(&mut peer, &[7; 1000]).await;
        next_is(&mut peer, b"second").await;
        turn(&mut conn, &mut peer, 1).await;
    }
}

#[tokio::test]
async fn a_ping_goes_between_frames_that_were_sent_in_part() {
    for first_bytes in 1..10 {
        let (mut conn, mut peer, plan) = expectant(&[Does::Take(first_bytes), Does::Wait]).await;
        write(&mut conn, "12345678").unwrap();
        conn.ping(b"behind").unwrap();
        yield_now().await;
        goes_on(&plan);
        next_is(&mut peer, b"12345678").await;
        next_is(&mut peer, b"behind").await;
    }
}

#[tokio::test]
async fn what_was_queued_without_being_sent_goes_first() {
    let (ours, counts, theirs) = counted();
    let (conn, mut peer) = that_answers_once(ours, theirs).await;
    let before = counts.get().writes;
    let (_reader, mut writer, _control) = conn.split();
    (writer.try_send_prepared(&PreparedMessage::text("first"))).unwrap();
    writer.write_message("second").await.unwrap();
    next_is(&mut peer, b"first").await;
    next_is(&mut peer, b"second").await;
    assert_eq!(counts.get().writes, before + 1);
}

#[tokio::test]
async fn a_write_that_fails_is_told_by_the_next_call_and_reading_goes_on() {
    for fails in [Does::Fail, Does::TakeNone] {
        let (mut conn, mut peer, _) = expectant(&[fails]).await;
        // As with what is queued: it is the next that learns of it.
        write(&mut conn, "lost").unwrap();
        assert!(matches!(write(&mut conn, "next"), Err(Error::Io(_))));
        assert!(matches!(conn.flush().await, Err(Error::Io(_))));
        peer.send(0x81, b"last words").await;
        let read = in_time(conn.read_message()).await.unwrap();
        assert_eq!(read, Message::text("last words"));
    }
}

#[tokio::test]
async fn a_failing_flush_of_a_stream_that_buffers_is_a_failed_write() {
    let (mut conn, _peer, plan) = expectant(&[]).await;
    plan.lock().unwrap().flushes.push_back(Does::Fail);
    write(&mut conn, "lost").unwrap();
    plan.lock().unwrap().flushes.clear();
    assert!(matches!(write(&mut conn, "next"), Err(Error::Io(_))));
}

#[tokio::test]
async fn a_stream_that_buffers_is_flushed_when_it_can_be() {
    let (ours, theirs) = duplex(1 << 20);
    let (ours, plan) = Planned::new(Buffering::new(ours));
    let (mut conn, mut peer) = that_answers_once(ours, theirs).await;
    write(&mut conn, "at once").unwrap();
    next_is(&mut peer, b"at once").await;
    assert!(poll_once(conn.read_message()).is_none());

    plan.lock().unwrap().flushes.push_back(Does::Wait);
    write(&mut conn, "later").unwrap();
    yield_now().await;
    assert!(poll_once(peer.next_frame()).is_none());
    goes_on(&plan);
    next_is(&mut peer, b"later").await;
}

/// Keeps all that is written until it is flushed, as TLS may.
struct Buffering<S> {
    inner: S,
    kept: Vec<u8>,
}

impl<S> Buffering<S> {
    fn new(inner: S) -> Self {
        Self {
            inner,
            kept: Vec::new(),
        }
    }
}

impl<S: Stream> AsyncRead for Buffering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: Stream> AsyncWrite for Buffering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.kept.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.kept.is_empty() {
            let this = &mut *self;
            match Pin::new(&mut this.inner).poll_write(cx, &this.kept) {
                Poll::Ready(Ok(sent)) => drop(this.kept.drain(..sent)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_stream_that_panics_takes_no_other_message_with_it() {
    let (mut conn, mut peer, _) = expectant(&[Does::Panic]).await;
    let written = catch_unwind(AssertUnwindSafe(|| write(&mut conn, "panicked over")));
    assert!(written.is_err());
    write(&mut conn, "next").unwrap();
    next_is(&mut peer, b"next").await;
    turn(&mut conn, &mut peer, 1).await;
}

#[tokio::test]
async fn a_write_that_is_dropped_before_it_was_polled_sends_nothing() {
    let (mut conn, mut peer, _) = expectant(&[]).await;
    drop(conn.write_message("never"));
    write(&mut conn, "first").unwrap();
    next_is(&mut peer, b"first").await;
}

#[tokio::test]
async fn a_close_behind_a_write_sent_in_part_comes_behind_it() {
    let (mut conn, mut peer, plan) = expectant(&[Does::Take(2), Does::Wait]).await;
    write(&mut conn, "last").unwrap();
    let closing = tokio::spawn(async move {
        let outcome = conn.close(CloseCode::NORMAL, "").await;
        (outcome, conn)
    });
    yield_now().await;
    goes_on(&plan);
    next_is(&mut peer, b"last").await;
    let (first, payload) = in_time(peer.next_frame()).await.unwrap();
    assert_eq!(first, 0x88);
    peer.send(0x88, &payload).await;
    drop(peer);
    in_time(closing).await.unwrap().0.unwrap();
}

#[tokio::test]
async fn a_connection_dropped_behind_a_write_sent_in_part_still_sends_it() {
    let (mut conn, mut peer, plan) = expectant(&[Does::Take(2), Does::Wait]).await;
    write(&mut conn, "last").unwrap();
    drop(conn);
    yield_now().await;
    goes_on(&plan);
    next_is(&mut peer, b"last").await;
    assert!(in_time(peer.next_frame()).await.is_none());
}

#[tokio::test]
async fn a_write_deadline_that_has_passed_is_told_before_anything_is_sent() {
    let (ours, counts, theirs) = counted();
    let (mut conn, _peer) = that_answers_once(ours, theirs).await;
    let before = counts.get().writes;
    conn.set_write_deadline(Some(Instant::now() - Duration::from_secs(1)));
    assert!(matches!(write(&mut conn, "late"), Err(Error::TimedOut)));
    assert_eq!(counts.get().writes, before);
}

/// Uses this task's streams until tokio wants it to give way.
fn use_up_budget(cx: &mut Context<'_>) {
    while tokio::task::coop::has_budget_remaining() {
        let _ = pin!(tokio::task::coop::consume_budget()).poll(cx);
    }
}

#[tokio::test]
async fn a_write_of_a_task_that_has_used_up_its_budget_wakes_no_reader() {
    let (ours, counts, theirs) = counted();
    let (mut conn, mut peer) = that_answers_once(ours, theirs).await;
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let reading = pin!(conn.read_message()).poll(&mut Context::from_waker(&waker));
    assert!(reading.is_pending());
    let before = counts.get().writes;
    poll_fn(|cx| {
        use_up_budget(cx);
        write(&mut conn, "out of budget").unwrap();
        Poll::Ready(())
    })
    .await;
    next_is(&mut peer, b"out of budget").await;
    assert_eq!(counts.get().writes, before + 1);
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_task_that_has_used_up_its_budget_still_sends() {
    let (listener, connecting) = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, tokio::net::TcpStream::connect(address))
    };
    let (accepted, connected) = tokio::join!(listener.accept(), connecting);
    let (mut conn, mut peer) = that_answers_once(accepted.unwrap().0, connected.unwrap()).await;
    let writing = tokio::spawn(async move {
        // Until tokio wants this task to give way.
        poll_fn(|cx| {
            use_up_budget(cx);
            Poll::Ready(())
        })
        .await;
        conn.write_message("out of budget").await.unwrap();
        pending::<()>().await;
    });
    next_is(&mut peer, b"out of budget").await;
    writing.abort();
}
