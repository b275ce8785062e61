//! Each of the two would get some of the messages.

async fn read(mut reader: suda_websocket::Reader<tokio::net::TcpStream>) {
    let one = reader.read_message();
    let two = reader.read_message();
    let _ = tokio::join!(one, two);
}

fn main() {}
