//! Messages through HTTP/2's streams: windows, many at a time, and the ends of section 5.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::Reason;
use http::Response;
use suda_websocket::http2::{CONNECTION_WINDOW_BYTES, Http2Stream, STREAM_WINDOW_BYTES};
use suda_websocket::{
    CloseCode, CloseOutcome, Compression, Config, Conn, Dialer, Error, Message, Upgrader,
};

use crate::peers::{
    WAYS, ask, connect, echo_server, good_request, next_bytes, plain_client, plain_server,
    plain_server_with,
};
use crate::support::given_up_after;

fn config() -> Config {
    Config::default().read_limit(64 << 20)
}

async fn open(dialer: &Dialer, way: crate::peers::Way, upgrader: Upgrader) -> Conn<Http2Stream> {
    let address = echo_server(way, upgrader).await;
    connect(dialer, address)
        .await
        .dial("/chat")
        .await
        .unwrap()
        .0
}

#[tokio::test]
async fn messages_longer_than_every_window_arrive() {
    for way in WAYS {
        let conn = open(
            &Dialer::new().config(config()),
            way,
            Upgrader::new().config(config()),
        )
        .await;
        let (mut reader, mut writer, _control) = conn.split();
        let long = Message::binary(vec![7; 20 << 20]);
        assert!(long.as_bytes().len() > CONNECTION_WINDOW_BYTES as usize);
        let writing = tokio::spawn({
            let long = long.clone();
            async move {
                writer.write_message(long).await.unwrap();
                writer.write_message("the end").await.unwrap();
                writer.flush().await.unwrap();
                writer
            }
        });
        assert_eq!(reader.read_message().await.unwrap(), long, "{way:?}");
        assert_eq!(
            reader.read_message().await.unwrap(),
            Message::text("the end")
        );
        writing.await.unwrap();
    }
}

#[tokio::test]
async fn compressed_messages_go_both_ways() {
    for way in WAYS {
        let compression = Compression::default().context_takeover(true);
        let dialer = Dialer::new().compression(compression);
        let mut conn = open(&dialer, way, Upgrader::new().compression(compression)).await;
        assert!(conn.compression().is_some());
        for n in 0..20 {
            let message = Message::text(format!("the same again and again {n} ").repeat(200));
            conn.write_message(message.clone()).await.unwrap();
            assert_eq!(conn.read_message().await.unwrap(), message, "{way:?}");
        }
    }
}

#[tokio::test]
async fn websockets_of_http_2_know_the_addresses_of_their_connection() {
    let address = echo_server(WAYS[0], Upgrader::new()).await;
    let connection = connect(&Dialer::new(), address).await;
    let (one, _) = connection.dial("/chat").await.unwrap();
    let (two, _) = connection.dial("/chat").await.unwrap();
    assert_eq!(one.peer_addr().unwrap(), address);
    assert_eq!(one.local_addr().unwrap(), two.local_addr().unwrap());

    // Over a stream of the caller's own, too, if it is TCP, and not if nobody knows what it is.
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let ours = tcp.local_addr().unwrap();
    let url = format!("ws://{address}/");
    let connection = Dialer::new().http2_client(tcp, &url).await.unwrap();
    let (conn, _) = connection.dial("/chat").await.unwrap();
    assert_eq!(conn.local_addr().unwrap(), ours);
    assert_eq!(conn.control().peer_addr().unwrap(), address);
    let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
    let connection = Dialer::new()
        .http2_client(tokio::io::BufReader::new(tcp), &url)
        .await
        .unwrap();
    let (conn, _) = connection.dial("/chat").await.unwrap();
    assert_eq!(
        conn.peer_addr().unwrap_err().kind(),
        std::io::ErrorKind::Unsupported
    );
}

#[tokio::test]
async fn a_dial_dropped_at_every_await_point_leaves_the_connection_as_it_was() {
    let address = echo_server(WAYS[0], Upgrader::new()).await;
    let connection = connect(&Dialer::new(), address).await;
    for pendings in 0..300 {
        let dialled = given_up_after(pendings, connection.dial("/chat")).await;
        let finished = dialled.is_some();
        let (mut conn, _) = connection.dial("/chat").await.unwrap();
        conn.write_message("still here").await.unwrap();
        assert_eq!(
            conn.read_message().await.unwrap(),
            Message::text("still here")
        );
        if finished {
            return;
        }
    }
    panic!("it never finished");
}

#[tokio::test]
async fn many_websockets_share_one_connection() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let server = connect(&Dialer::new(), address).await;
        let mut talks = tokio::task::JoinSet::new();
        for n in 0..50 {
            let server = server.clone();
            talks.spawn(async move {
                let (mut conn, _) = server.dial("/chat").await.unwrap();
                for m in 0..20 {
                    let message = Message::text(format!("{n} {m}"));
                    conn.write_message(message.clone()).await.unwrap();
                    assert_eq!(conn.read_message().await.unwrap(), message);
                }
                conn.close(CloseCode::NORMAL, "").await.unwrap()
            });
        }
        // They outlive the handle.
        drop(server);
        while let Some(outcome) = talks.join_next().await {
            assert!(
                matches!(outcome.unwrap(), CloseOutcome::Clean(_)),
                "{way:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_websocket_that_nobody_reads_does_not_hold_up_the_others() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let server = connect(&Dialer::new(), address).await;
        let (mut silent, _) = server.dial("/chat").await.unwrap();
        // Its answers fill its window and then wait at the server.
        let piece = Message::binary(vec![0; STREAM_WINDOW_BYTES as usize / 4]);
        for _ in 0..8 {
            let writing = silent.write_message(piece.clone());
            if tokio::time::timeout(Duration::from_millis(200), writing)
                .await
                .is_err()
            {
                break;
            }
        }
        let (mut lively, _) = server.dial("/chat").await.unwrap();
        for _ in 0..100 {
            lively
                .write_message(Message::binary(vec![1; 10_000]))
                .await
                .unwrap();
            assert_eq!(
                lively.read_message().await.unwrap(),
                Message::binary(vec![1; 10_000]),
                "{way:?}"
            );
        }
        // And nothing of the silent one was lost.
        assert_eq!(silent.read_message().await.unwrap(), piece);
    }
}

#[tokio::test]
async fn the_window_opens_as_bytes_are_read_and_not_before() {
    let (told, mut sent) = tokio::sync::mpsc::unbounded_channel();
    let address = plain_server(move |_, mut respond| {
        let told = told.clone();
        async move {
            let mut send = respond.send_response(Response::new(()), false).unwrap();
            // One endless binary message.
            send.send_data(Bytes::from_static(b"\x02\x7f\0\0\0\x01\0\0\0\0"), false)
                .unwrap();
            loop {
                send.reserve_capacity(16_384);
                while send.capacity() == 0 {
                    std::future::poll_fn(|cx| send.poll_capacity(cx))
                        .await
                        .unwrap()
                        .unwrap();
                }
                let length = send.capacity().min(16_384);
                send.send_data(Bytes::from(vec![0; length]), false).unwrap();
                if told.send(length).is_err() {
                    return;
                }
            }
        }
    })
    .await;
    let dialer = Dialer::new().config(Config::default().read_limit(1 << 40));
    let (mut conn, _) = connect(&dialer, address).await.dial("/").await.unwrap();
    let mut total = 10;
    while total < STREAM_WINDOW_BYTES as usize {
        total += sent.recv().await.unwrap();
    }
    assert_eq!(total, STREAM_WINDOW_BYTES as usize);
    // The window is closed until somebody reads.
    let more = tokio::time::timeout(Duration::from_millis(100), sent.recv()).await;
    assert!(more.is_err(), "{more:?}");
    let mut message = conn.next_reader().await.unwrap();
    let mut piece = vec![0; STREAM_WINDOW_BYTES as usize];
    tokio::io::AsyncReadExt::read_exact(&mut message, &mut piece)
        .await
        .unwrap();
    assert!(sent.recv().await.is_some());
}

#[tokio::test]
async fn section_5_closing_ends_the_stream_in_order_from_either_side() {
    for way in WAYS {
        let mut conn = open(&Dialer::new(), way, Upgrader::new()).await;
        let outcome = conn.close(CloseCode::NORMAL, "bye").await.unwrap();
        assert!(
            matches!(outcome, CloseOutcome::Clean(_)),
            "{way:?}: {outcome:?}"
        );

        // To the plain `h2` crate: close frame, then END_STREAM, and no reset.
        let address = echo_server(way, Upgrader::new()).await;
        let sender = plain_client(address).await;
        let (_, mut send, mut body) = ask(&sender, good_request(address)).await.unwrap();
        // 1000, masked with zeros.
        send.send_data(Bytes::from_static(b"\x88\x82\0\0\0\0\x03\xe8"), true)
            .unwrap();
        let mut all = BytesMut::new();
        while let Some(bytes) = next_bytes(&mut body).await {
            all.extend_from_slice(&bytes.unwrap());
        }
        assert_eq!(&all[..], b"\x88\x02\x03\xe8", "{way:?}");
    }
}

#[tokio::test]
async fn section_5_the_clients_end_is_end_stream_after_a_close() {
    let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let address = plain_server(move |request, mut respond| {
        let told = told.clone();
        async move {
            let mut body = request.into_body();
            let mut send = respond.send_response(Response::new(()), false).unwrap();
            let first = next_bytes(&mut body).await.unwrap().unwrap();
            assert_eq!(first[0], 0x88);
            send.send_data(Bytes::from_static(b"\x88\x02\x03\xe8"), true)
                .unwrap();
            told.send(
                next_bytes(&mut body)
                    .await
                    .map(|r| r.map_err(|e| e.reason())),
            )
            .unwrap();
        }
    })
    .await;
    let (mut conn, _) = connect(&Dialer::new(), address)
        .await
        .dial("/")
        .await
        .unwrap();
    let outcome = conn.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean(_)));
    drop(conn);
    assert_eq!(ended.recv().await.unwrap(), None);
}

#[tokio::test]
async fn section_5_a_dropped_connection_ends_the_stream_after_what_was_written() {
    let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
    let address = plain_server(move |request, mut respond| {
        let told = told.clone();
        async move {
            let _send = respond.send_response(Response::new(()), false).unwrap();
            let mut body = request.into_body();
            let mut length = 0;
            let end = loop {
                match next_bytes(&mut body).await {
                    Some(Ok(bytes)) => length += bytes.len(),
                    Some(Err(error)) => break error.reason(),
                    None => break None,
                }
            };
            told.send((length, end)).unwrap();
        }
    })
    .await;
    // More than the windows, so that some waits in memory when the connection is dropped.
    let (mut conn, _) = connect(&Dialer::new(), address)
        .await
        .dial("/")
        .await
        .unwrap();
    conn.write_message(Message::binary(vec![1; 200_000]))
        .await
        .unwrap();
    conn.flush().await.unwrap();
    drop(conn);
    // 10 bytes of head, 4 of mask.
    assert_eq!(ended.recv().await.unwrap(), (200_014, None));
}

#[tokio::test(start_paused = true)]
async fn section_5_who_does_not_end_a_dropped_connection_is_reset_with_cancel() {
    let (client, server) = tokio::io::duplex(1 << 16);
    let serving = tokio::spawn(async move {
        let mut builder = h2::server::Builder::new();
        let mut connection: h2::server::Connection<_, Bytes> = builder
            .enable_connect_protocol()
            .handshake(server)
            .await
            .unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        let mut send = respond.send_response(Response::new(()), false).unwrap();
        let ended = tokio::spawn(async move {
            let mut body = request.into_body();
            assert!(next_bytes(&mut body).await.is_none());
            std::future::poll_fn(|cx| send.poll_reset(cx))
                .await
                .unwrap()
        });
        while connection.accept().await.is_some() {}
        ended.await.unwrap()
    });
    let server = Dialer::new().http2_client(client, "ws://a/").await.unwrap();
    let (conn, _) = server.dial("/").await.unwrap();
    drop((conn, server));
    assert_eq!(serving.await.unwrap(), Reason::CANCEL);
}

#[tokio::test]
async fn section_5_a_reset_is_what_tcps_reset_is() {
    let address = plain_server(|_, mut respond| async move {
        let mut send = respond.send_response(Response::new(()), false).unwrap();
        send.send_data(Bytes::from_static(b"\x81\x02hi"), false)
            .unwrap();
        tokio::task::yield_now().await;
        send.send_reset(Reason::CANCEL);
    })
    .await;
    let (mut conn, _) = connect(&Dialer::new(), address)
        .await
        .dial("/")
        .await
        .unwrap();
    let error = loop {
        match conn.read_message().await {
            Ok(message) => assert_eq!(message, Message::text("hi")),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&error, Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionReset),
        "{error}"
    );
    assert!(conn.write_message("too late").await.is_err());
}

#[tokio::test]
async fn section_5_an_end_without_a_close_frame_is_1006() {
    let address = plain_server(|_, mut respond| async move {
        respond.send_response(Response::new(()), true).unwrap();
    })
    .await;
    let (mut conn, _) = connect(&Dialer::new(), address)
        .await
        .dial("/")
        .await
        .unwrap();
    let error = conn.read_message().await.unwrap_err();
    assert_eq!(error.as_close().unwrap().code, CloseCode::ABNORMAL_CLOSURE);
}

#[tokio::test]
async fn a_websocket_that_the_server_drops_leaves_the_others_alone() {
    let address = plain_server(|request, mut respond| async move {
        let mut send = respond.send_response(Response::new(()), false).unwrap();
        if request.uri().path() == "/drop" {
            return;
        }
        let mut body = request.into_body();
        while let Some(Ok(_)) = next_bytes(&mut body).await {
            send.send_data(Bytes::from_static(b"\x81\x02hi"), false)
                .unwrap();
        }
    })
    .await;
    let server = connect(&Dialer::new(), address).await;
    let (mut other, _) = server.dial("/stay").await.unwrap();
    let (mut dropped, _) = server.dial("/drop").await.unwrap();
    assert!(dropped.read_message().await.is_err());
    other.write_message("still there?").await.unwrap();
    assert_eq!(other.read_message().await.unwrap(), Message::text("hi"));
}

#[tokio::test]
async fn a_connection_that_dies_ends_every_websocket_on_it() {
    let (client, server) = tokio::io::duplex(1 << 16);
    let serving = tokio::spawn(async move {
        let mut builder = h2::server::Builder::new();
        let mut connection: h2::server::Connection<_, Bytes> = builder
            .enable_connect_protocol()
            .handshake(server)
            .await
            .unwrap();
        let mut open = Vec::new();
        // One more turn sends the second answer.
        while open.len() < 2 {
            let (_, mut respond) = connection.accept().await.unwrap().unwrap();
            open.push(respond.send_response(Response::new(()), false).unwrap());
        }
        let sending = std::future::poll_fn(|cx| connection.poll_closed(cx));
        let _ = tokio::time::timeout(Duration::from_millis(100), sending).await;
    });
    let server = Dialer::new().http2_client(client, "ws://a/").await.unwrap();
    let (mut first, _) = server.dial("/").await.unwrap();
    let (mut second, _) = server.dial("/").await.unwrap();
    serving.await.unwrap();
    assert!(first.read_message().await.is_err());
    assert!(second.read_message().await.is_err());
    assert!(server.dial("/").await.is_err());
}

#[tokio::test]
async fn over_the_servers_limit_of_streams_dialling_waits_for_a_place() {
    let mut builder = h2::server::Builder::new();
    builder.enable_connect_protocol().max_concurrent_streams(1);
    let address = plain_server_with(builder, |request, mut respond| async move {
        let mut send = respond.send_response(Response::new(()), false).unwrap();
        let mut body = request.into_body();
        let _close = next_bytes(&mut body).await;
        let _ = send.send_data(Bytes::from_static(b"\x88\x02\x03\xe8"), true);
        while let Some(Ok(_)) = next_bytes(&mut body).await {}
    })
    .await;
    let server = connect(&Dialer::new(), address).await;
    let (mut first, _) = server.dial("/").await.unwrap();
    let second = tokio::spawn({
        let server = server.clone();
        async move { server.dial("/").await.unwrap().0 }
    });
    // Were it asked for now, the server would refuse it.
    tokio::task::yield_now().await;
    first.close(CloseCode::NORMAL, "").await.unwrap();
    drop(first);
    let mut second = second.await.unwrap();
    second.close(CloseCode::NORMAL, "").await.unwrap();
}

#[tokio::test]
async fn after_the_servers_goaway_websockets_go_on_and_no_new_one_opens() {
    let (client, server) = tokio::io::duplex(1 << 16);
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let mut builder = h2::server::Builder::new();
        let mut connection: h2::server::Connection<_, Bytes> = builder
            .enable_connect_protocol()
            .handshake(server)
            .await
            .unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        tokio::spawn(async move {
            let mut send = respond.send_response(Response::new(()), false).unwrap();
            let mut body = request.into_body();
            while let Some(Ok(_)) = next_bytes(&mut body).await {
                send.send_data(Bytes::from_static(b"\x81\x02hi"), false)
                    .unwrap();
            }
        });
        let mut gone = std::pin::pin!(gone);
        loop {
            tokio::select! {
                _ = &mut gone => break,
                accepted = connection.accept() => assert!(accepted.is_none()),
            }
        }
        connection.graceful_shutdown();
        while connection.accept().await.is_some() {}
    });
    let server = Dialer::new().http2_client(client, "ws://a/").await.unwrap();
    let (mut conn, _) = server.dial("/").await.unwrap();
    go.send(()).unwrap();
    // What comes after the GOAWAY shows that it has arrived.
    conn.write_message("one").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
    let error = server.dial("/").await.unwrap_err();
    assert!(
        matches!(error, suda_websocket::DialError::Http2(_)),
        "{error}"
    );
    conn.write_message("two").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
}
