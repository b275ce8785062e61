//! wtx. Its loop works on frames; every message of the rows is one.

use clap::Parser;
use peer_common::{Deflate, Options};
use tokio::net::TcpStream;
use wtx::{
    collection::Vector,
    web_socket::{
        Compression, DeflateConfig, OpCode, WebSocketAcceptor, WebSocketBuffer,
        WebSocketPayloadOrigin,
        compression::{Flate2, NegotiatedCompression},
    },
};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
}

fn main() {
    let options = Cli::parse().common;
    let deflate = options.deflate != Deflate::Off;
    options.serve(|stream| async move {
        // How a connection ends is of no interest here.
        let _ = if deflate {
            echo(stream, Flate2::from(DeflateConfig::default())).await
        } else {
            echo(stream, ()).await
        };
    });
}

async fn echo<C>(stream: TcpStream, compression: C) -> wtx::Result<()>
where
    C: Compression<false>,
    C::NegotiatedCompression: NegotiatedCompression,
{
    let mut socket = WebSocketAcceptor::default()
        .no_masking(false)
        .wsb(WebSocketBuffer::new())
        .compression(compression)
        .accept(stream)
        .await?;
    let mut buffer = Vector::new();
    let (mut common, mut reader, mut writer) = socket.split_mut();
    loop {
        buffer.clear();
        let mut frame = reader
            .read_frame(&mut buffer, &mut common, WebSocketPayloadOrigin::Adaptive)
            .await?;
        match frame.op_code() {
            OpCode::Binary | OpCode::Text => writer.write_frame(&mut common, &mut frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}
