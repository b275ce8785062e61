//! A whole message would come between the pieces of another one.

use suda_websocket::{Conn, Error, MessageKind};

async fn write(mut conn: Conn<tokio::net::TcpStream>) -> Result<(), Error> {
    let long = conn.next_writer(MessageKind::Text)?;
    conn.write_message("short").await?;
    long.finish().await
}

fn main() {}
