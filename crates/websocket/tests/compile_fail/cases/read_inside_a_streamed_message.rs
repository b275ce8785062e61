//! The next message would be read while the rest of this one is still to come.

use suda_websocket::{Conn, Error};

async fn read(mut conn: Conn<tokio::net::TcpStream>) -> Result<(), Error> {
    let long = conn.next_reader().await?;
    conn.read_message().await?;
    drop(long);
    Ok(())
}

fn main() {}
