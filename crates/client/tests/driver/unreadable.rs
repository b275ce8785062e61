//! A server that says what cannot be read. It may have been an entry: going on as if it had not come would be a hole.

use suda_client::{Client, ClientConfig};
use suda_protocol::Codec;
use suda_protocol::v1::command::Request;
use suda_protocol::v1::entry::What;
use suda_protocol::v1::{
    self, Continuity, Cursor, ServerMessage, push, reply, server_message::Kind,
};
use suda_websocket::{Conn, Message, Upgrader};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::support::{PATIENCE, address, beginning};

const CODEC: Codec = Codec::Proto;
const ROOM: &str = "6b4f1c9e-8f0c-4a53-9e0e-3a7d6f2c1b00";
const FIRST: &str = "6b4f1c9e-8f0c-4a53-9e0e-3a7d6f2c1b01";

/// The server's side of one connection.
struct Served(Conn<TcpStream>);

impl Served {
    /// Takes a connection in, up to the client's `open`, whose cursor it gives.
    async fn until_open(listener: &TcpListener) -> (Served, Option<Cursor>) {
        let (stream, _) = listener.accept().await.unwrap();
        let upgrader = Upgrader::new().subprotocols([CODEC.subprotocol()]);
        let (conn, _) = upgrader.upgrade(stream).await.unwrap();
        let mut served = Served(conn);
        loop {
            let message = served.0.read_message().await.unwrap();
            let command = CODEC.decode_command(message.as_bytes()).unwrap();
            match command.request {
                Some(Request::Connect(_)) => {
                    let user = Some(v1::User::default());
                    let hello = v1::Hello {
                        user,
                        // So long that silence is not what ends the connection.
                        heartbeat_ms: 600_000,
                        ..v1::Hello::default()
                    };
                    served.reply(command.id, reply::Result::Hello(hello)).await;
                }
                Some(Request::Open(open)) => {
                    let opened = v1::Opened {
                        room: Some(v1::Room {
                            id: ROOM.to_owned(),
                            name: "lobby".to_owned(),
                            top: Some(cursor(1)),
                            ..v1::Room::default()
                        }),
                        continuity: Continuity::Continues.into(),
                    };
                    served
                        .reply(command.id, reply::Result::Opened(opened))
                        .await;
                    return (served, open.cursor);
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    async fn reply(&mut self, id: u64, result: reply::Result) {
        let result = Some(result);
        self.send(Kind::Reply(v1::Reply { id, result })).await;
    }

    async fn send(&mut self, kind: Kind) {
        let message = ServerMessage { kind: Some(kind) };
        self.write(CODEC.encode_server_message(&message).to_vec())
            .await;
    }

    async fn write(&mut self, bytes: Vec<u8>) {
        self.0.write_message(Message::binary(bytes)).await.unwrap();
    }

    /// Waits until the client hangs up.
    async fn left(mut self) {
        while self.0.read_message().await.is_ok() {}
    }
}

fn cursor(seq: u64) -> Cursor {
    Cursor {
        seq,
        id: FIRST.to_owned(),
    }
}

fn first_entry() -> v1::Entry {
    v1::Entry {
        room: ROOM.to_owned(),
        seq: 1,
        id: FIRST.to_owned(),
        what: Some(What::MessagePosted(v1::MessagePosted {
            text: "읽을 수 있는 말".to_owned(),
            reply_to: 0,
        })),
        ..v1::Entry::default()
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_asked_for_again_over_a_new_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = address(listener.local_addr().unwrap().port());
    let config = ClientConfig::new(server, "token", Uuid::new_v4(), "test/1");
    let (client, _events) = Client::connect(config.codec(CODEC)).unwrap();
    let opening = tokio::spawn({
        let client = client.clone();
        async move { client.open("lobby", beginning()).await }
    });
    let serving = async {
        let (mut served, after) = Served::until_open(&listener).await;
        assert_eq!(after, beginning());
        let event = Some(push::Event::Entry(first_entry()));
        served.send(Kind::Push(v1::Push { event })).await;
        served.write(vec![0xff; 8]).await;
        served.left().await;

        let (_served, after) = Served::until_open(&listener).await;
        assert_eq!(after, Some(cursor(1)));
    };
    let served = tokio::time::timeout(PATIENCE, serving).await;
    served.expect("the client comes back");
    opening.await.unwrap().unwrap();
}
