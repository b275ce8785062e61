//! The second message would be written while the first one waits for room.

async fn write(mut writer: suda_websocket::Writer<tokio::net::TcpStream>) {
    let one = writer.write_message("one");
    let two = writer.write_message("two");
    let _ = tokio::join!(one, two);
}

fn main() {}
