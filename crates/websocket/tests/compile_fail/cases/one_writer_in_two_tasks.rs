//! There is one Writer and it has no clone, so it cannot be in two tasks.

async fn spawn(writer: suda_websocket::Writer<tokio::net::TcpStream>) {
    let mut writer = writer;
    tokio::spawn(async move { writer.write_message("one").await });
    tokio::spawn(async move { writer.write_message("two").await });
}

fn main() {}
