//! Streams that need to read in order to write, as TLS may. Streams that take little and wait at odd moments are in
//! `flaky_streams.rs`.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use suda_websocket::{Config, Conn, Parts, Role};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};

use crate::{in_time, support::frame};

/// May write once for each permit that it has read. A read, too, takes permits in, as one of TLS takes in whatever record
/// comes; so both directions wait on the same pipe, which remembers one waker.
struct NeedsPermits {
    stream: DuplexStream,
    permits: DuplexStream,
    unused: usize,
}

impl NeedsPermits {
    fn poll_permit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut permit = [0; 1];
        let mut buf = ReadBuf::new(&mut permit);
        ready!(Pin::new(&mut self.permits).poll_read(cx, &mut buf))?;
        self.unused += buf.filled().len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for NeedsPermits {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // None there: this call's waker is now the one that the pipe remembers.
        let _ = self.poll_permit(cx);
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for NeedsPermits {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.unused == 0 {
            ready!(self.poll_permit(cx))?;
        }
        self.unused -= 1;
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_write_that_waits_for_input_goes_on_though_no_one_reads_any_more() {
    let (ours, mut theirs) = duplex(1024);
    let (permits, mut grant) = duplex(16);
    let stream = NeedsPermits {
        stream: ours,
        permits,
        unused: 0,
    };
    let mut server = Conn::from_parts(stream, Parts::new(Role::Server, Config::default()));
    server.write_message("late").await.unwrap();
    // A read comes, finds the write blocked, registers its own interest, and is given up.
    tokio::select! {
        biased;
        _ = server.read_message() => panic!("nothing was sent"),
        () = tokio::task::yield_now() => {}
    }
    grant.write_all(&[1]).await.unwrap();
    let mut arrived = vec![0; 6];
    in_time(theirs.read_exact(&mut arrived)).await.unwrap();
    assert_eq!(arrived, frame(Role::Server, 0x81, b"late"));
    drop(server);
}
