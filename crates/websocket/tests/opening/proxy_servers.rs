//! Small proxies on loopback: they record what they are asked and connect to one target, whatever name it was asked by.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A running proxy.
pub(crate) struct RunningProxy {
    pub(crate) address: SocketAddr,
    /// What it was asked, once for each tunnel.
    pub(crate) asked: mpsc::UnboundedReceiver<String>,
}

/// Reads up to the empty line.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// An HTTP proxy; gives the heads that it was asked with.
pub(crate) async fn http_proxy(target: SocketAddr) -> RunningProxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(http_tunnel(stream, target, told.clone()));
        }
    });
    RunningProxy { address, asked }
}

pub(crate) async fn http_tunnel(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    target: SocketAddr,
    told: mpsc::UnboundedSender<String>,
) {
    let head = read_head(&mut stream).await;
    let _ = told.send(head);
    let mut upstream = TcpStream::connect(target).await.unwrap();
    // A length here announces nothing (RFC 9110, section 9.3.6).
    let answer = b"HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
}

/// A SOCKS5 proxy, which wants `user` if there is one; gives `kind host port` of what it was asked for.
pub(crate) async fn socks_proxy(
    target: SocketAddr,
    user: Option<(&'static str, &'static str)>,
) -> RunningProxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(socks_tunnel(stream, target, user, told.clone()));
        }
    });
    RunningProxy { address, asked }
}

async fn socks_tunnel(
    mut stream: TcpStream,
    target: SocketAddr,
    user: Option<(&'static str, &'static str)>,
    told: mpsc::UnboundedSender<String>,
) {
    assert_eq!(stream.read_u8().await.unwrap(), 5);
    let methods = read_counted(&mut stream).await;
    let wanted = if user.is_some() { 2 } else { 0 };
    if !methods.contains(&wanted) {
        stream.write_all(&[5, 0xff]).await.unwrap();
        return;
    }
    stream.write_all(&[5, wanted]).await.unwrap();
    if let Some((name, password)) = user {
        assert_eq!(stream.read_u8().await.unwrap(), 1);
        let given = (
            read_counted(&mut stream).await,
            read_counted(&mut stream).await,
        );
        let right = given == (name.as_bytes().to_vec(), password.as_bytes().to_vec());
        stream.write_all(&[1, u8::from(!right)]).await.unwrap();
        if !right {
            return;
        }
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[..3], [5, 1, 0]);
    let host = match head[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await.unwrap();
            format!("v4 {}", std::net::Ipv4Addr::from(address))
        }
        3 => {
            let name = read_counted(&mut stream).await;
            format!("name {}", String::from_utf8(name).unwrap())
        }
        4 => {
            let mut address = [0; 16];
            stream.read_exact(&mut address).await.unwrap();
            format!("v6 {}", std::net::Ipv6Addr::from(address))
        }
        kind => panic!("address type {kind}"),
    };
    let port = stream.read_u16().await.unwrap();
    let _ = told.send(format!("{host} {port}"));
    let mut upstream = TcpStream::connect(target).await.unwrap();
    // The address that it connects from, as a name: any type must be understood.
    stream
        .write_all(b"\x05\0\0\x03\x05proxy\x1f\x90")
        .await
        .unwrap();
    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
}

async fn read_counted(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// A server that answers each connection with `answer`, whatever it is asked, and then closes or, if `stays`, does not.
pub(crate) async fn speaker(answer: Vec<u8>, stays: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = write.write_all(&answer).await;
                if !stays {
                    let _ = write.shutdown().await;
                }
                // Reading on keeps what was sent from being taken back by a reset.
                let _ = tokio::io::copy(&mut read, &mut tokio::io::sink()).await;
            });
        }
    });
    address
}
