//! fastwebsockets: behind hyper, or with the bare handshake that its own benchmark uses.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use clap::Parser;
use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket, WebSocketError, upgrade};
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use peer_common::{Options, READ_LIMIT_BYTES};
use sha1::{Digest, Sha1};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::unconstrained,
};

const REQUEST_BYTES_MAX: usize = 2048;
/// RFC 6455, section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
    /// Open connections through hyper.
    #[arg(long)]
    hyper: bool,
}

fn main() {
    let cli = Cli::parse();
    cli.common.serve(|mut stream| async move {
        if cli.hyper {
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(through_hyper))
                .with_upgrades()
                .await;
        } else if bare_handshake(&mut stream).await.is_some() {
            unconstrained(echo(WebSocket::after_handshake(stream, Role::Server))).await;
        }
    });
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) {
    socket.set_max_message_size(READ_LIMIT_BYTES);
    let mut socket = FragmentCollector::new(socket);
    while let Ok(frame) = socket.read_frame().await {
        match frame.opcode {
            OpCode::Text | OpCode::Binary => {
                if socket.write_frame(frame).await.is_err() {
                    return;
                }
            }
            OpCode::Close => return,
            _ => {}
        }
    }
}

async fn through_hyper(
    mut request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    tokio::spawn(unconstrained(async move {
        if let Ok(socket) = upgraded.await {
            echo(socket).await;
        }
    }));
    Ok(response)
}

async fn bare_handshake(stream: &mut TcpStream) -> Option<()> {
    let mut request = [0; REQUEST_BYTES_MAX];
    let mut len = 0;
    while !request[..len].ends_with(b"\r\n\r\n") {
        match stream.read(&mut request[len..]).await {
            Ok(0) | Err(_) => return None,
            Ok(fresh) => len += fresh,
        }
    }
    let head = std::str::from_utf8(&request[..len]).ok()?;
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then(|| value.trim())
    })?;
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let accept = STANDARD.encode(hash.finalize());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.ok()
}
