//! The same conversation with another implementation at the other end, in both roles.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use suda_websocket::{CloseCode, CloseOutcome, Config, Conn, Error, Message, Parts, Role};
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message as Theirs,
        protocol::{CloseFrame, Role as TheirRole},
    },
};

use crate::in_time;

/// Lengths around every change in how a frame is encoded or buffered.
const LENGTHS: [usize; 17] = [
    0,
    1,
    2,
    3,
    5,
    8,
    124,
    125,
    126,
    127,
    4095,
    4096,
    4097,
    65_535,
    65_536,
    200_000,
    1 << 20,
];

async fn ends(ours: Role) -> (Conn<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (near, far) = duplex(4096);
    let their_role = if ours == Role::Client {
        TheirRole::Server
    } else {
        TheirRole::Client
    };
    let config = Config::default().frame_bytes_max(100_000);
    let conn = Conn::from_parts(near, Parts::new(ours, config));
    (
        conn,
        WebSocketStream::from_raw_socket(far, their_role, None).await,
    )
}

fn messages() -> Vec<Message> {
    let binary = LENGTHS
        .iter()
        .map(|&len| Message::binary((0..len).map(|byte| byte as u8).collect::<Vec<_>>()));
    let text = LENGTHS.iter().map(|&len| {
        Message::text(
            "수다 chat 🦀"
                .chars()
                .cycle()
                .take(len / 4)
                .collect::<String>(),
        )
    });
    binary.chain(text).collect()
}

async fn both_ways(role: Role) {
    let (mut ours, mut theirs) = ends(role).await;
    let echoing = tokio::spawn(async move {
        let mut pings = 0;
        while let Some(message) = theirs.next().await {
            match message.unwrap() {
                message @ (Theirs::Text(_) | Theirs::Binary(_)) => {
                    theirs
                        .send(Theirs::Ping(Bytes::from_static(b"?")))
                        .await
                        .unwrap();
                    theirs.send(message).await.unwrap();
                }
                Theirs::Ping(_) => pings += 1,
                Theirs::Pong(payload) => assert_eq!(&payload[..], b"?"),
                Theirs::Close(frame) => assert_eq!(u16::from(frame.unwrap().code), 4000),
                Theirs::Frame(_) => unreachable!("only raw reading gives frames"),
            }
        }
        pings
    });
    for message in messages() {
        ours.ping(b"!").unwrap();
        ours.write_message(message.clone()).await.unwrap();
        assert_eq!(in_time(ours.read_message()).await.unwrap(), message);
    }
    let outcome = in_time(ours.close(CloseCode(4000), "done")).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean(close) if close.code == CloseCode(4000)));
    assert_eq!(in_time(echoing).await.unwrap(), messages().len());
}

#[tokio::test]
async fn as_client_every_message_comes_back() {
    both_ways(Role::Client).await;
}

#[tokio::test]
async fn as_server_every_message_comes_back() {
    both_ways(Role::Server).await;
}

async fn closed_by_the_other(role: Role) {
    let (mut ours, mut theirs) = ends(role).await;
    let closing = tokio::spawn(async move {
        let frame = CloseFrame {
            code: 4321.into(),
            reason: "안녕".into(),
        };
        theirs.close(Some(frame)).await.unwrap();
        let Some(Ok(Theirs::Close(Some(answer)))) = theirs.next().await else {
            panic!("no close frame")
        };
        assert_eq!(u16::from(answer.code), 4321);
    });
    let Err(Error::Closed(close)) = in_time(ours.read_message()).await else {
        panic!("not closed")
    };
    assert_eq!((close.code, &*close.reason), (CloseCode(4321), "안녕"));
    drop(ours);
    in_time(closing).await.unwrap();
}

#[tokio::test]
async fn as_client_the_others_close_is_answered() {
    closed_by_the_other(Role::Client).await;
}

#[tokio::test]
async fn as_server_the_others_close_is_answered() {
    closed_by_the_other(Role::Server).await;
}
