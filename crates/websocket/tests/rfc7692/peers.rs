//! Against another implementation of WebSocket, which compresses with the C library zlib.

use soketto::{
    Data,
    connection::{Receiver, Sender},
    extension::deflate::Deflate,
    handshake::{Client, Server, ServerResponse, server::Response},
};
use suda_websocket::{Dialer, Message, Upgrader};
use tokio::io::{DuplexStream, duplex};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use crate::{forgetting, keeping, sample};

type Theirs = Compat<DuplexStream>;

fn messages() -> Vec<Message> {
    let mut all = vec![
        Message::text(""),
        Message::text("수다"),
        Message::binary(vec![]),
    ];
    all.extend([1, 100, 1000, 20_000, 200_000].map(|bytes| Message::binary(sample(bytes))));
    all.push(Message::text("가나다라 ".repeat(20_000)));
    all
}

/// Sends everything back until the other side closes.
async fn echo(mut sender: Sender<Theirs>, mut receiver: Receiver<Theirs>) {
    let mut data = Vec::new();
    loop {
        data.clear();
        match receiver.receive_data(&mut data).await {
            Ok(Data::Text(_)) => sender
                .send_text(std::str::from_utf8(&data).unwrap())
                .await
                .unwrap(),
            Ok(Data::Binary(_)) => sender.send_binary(&data).await.unwrap(),
            Err(_) => return,
        }
        sender.flush().await.unwrap();
    }
}

#[tokio::test]
async fn our_client_and_their_server_understand_each_other() {
    let (ours, theirs) = duplex(1 << 16);
    let theirs = tokio::spawn(async move {
        let mut server = Server::new(theirs.compat());
        server.add_extension(Box::new(Deflate::new(soketto::Mode::Server)));
        let key = server.receive_request().await.unwrap().key();
        let response = Response::Accept {
            key,
            protocol: None,
        };
        server.send_response(&response).await.unwrap();
        let (sender, receiver) = server.into_builder().finish();
        echo(sender, receiver).await;
    });
    // It reads each message without context, but only says so if the client offers to send them so.
    let dialer = Dialer::new().compression(forgetting());
    let (mut conn, _) = dialer.client(ours, "ws://a.example/").await.unwrap();
    assert!(conn.compression().is_some());
    for message in messages() {
        conn.write_message(message.clone()).await.unwrap();
        assert!(conn.read_message().await.unwrap() == message);
    }
    conn.close(suda_websocket::CloseCode::NORMAL, "")
        .await
        .unwrap();
    theirs.await.unwrap();
}

#[tokio::test]
async fn their_client_and_our_server_understand_each_other() {
    for window_bits in [None, Some(9), Some(12)] {
        let (ours, theirs) = duplex(1 << 16);
        let server = tokio::spawn(async move {
            let upgrader = Upgrader::new().compression(keeping());
            let (mut conn, _) = upgrader.upgrade(ours).await.unwrap();
            let agreed = conn.compression().unwrap();
            assert!(agreed.server_no_context_takeover, "it asks for it");
            assert_eq!(agreed.server_max_window_bits, window_bits.unwrap_or(15));
            while let Ok(message) = conn.read_message().await {
                if conn.write_message(message).await.is_err() {
                    break;
                }
            }
        });
        let mut client = Client::new(theirs.compat(), "a.example", "/");
        let mut deflate = Deflate::new(soketto::Mode::Client);
        if let Some(bits) = window_bits {
            deflate.set_max_server_window_bits(bits);
        }
        client.add_extension(Box::new(deflate));
        let response = client.handshake().await.unwrap();
        assert!(matches!(response, ServerResponse::Accepted { .. }));
        let (mut sender, mut receiver) = client.into_builder().finish();
        for message in messages() {
            match message.as_text() {
                Some(text) => sender.send_text(text).await.unwrap(),
                None => sender.send_binary(message.as_bytes()).await.unwrap(),
            }
            sender.flush().await.unwrap();
            let mut data = Vec::new();
            receiver.receive_data(&mut data).await.unwrap();
            assert!(data == message.as_bytes());
        }
        sender.close().await.unwrap();
        drop((sender, receiver));
        server.await.unwrap();
    }
}
