//! One page beside the WebSocket, for examples that serve raw streams and no other HTTP.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// As much of a request as is looked at to tell the page from a WebSocket, in bytes.
const PEEK_BYTES: usize = 4096;

/// Whether somebody wanted to see the page, who has got it then.
pub(crate) async fn was_asked_for(stream: &mut TcpStream, page: &str) -> io::Result<bool> {
    // Not part of the task, which lives for as long as its connection.
    let mut head = vec![0; PEEK_BYTES];
    let len = stream.peek(&mut head).await?;
    let text = String::from_utf8_lossy(&head[..len]).to_ascii_lowercase();
    if !text.starts_with("get / ") || text.contains("\r\nupgrade:") {
        return Ok(false);
    }
    // A stream that is closed with unread input is reset, and the page may be lost with it.
    stream.read_exact(&mut head[..len]).await?;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(true)
}
