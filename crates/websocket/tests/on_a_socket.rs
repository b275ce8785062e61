//! A connection whose stream is nothing but a TCP socket, which the library reads and writes without waiting where the runtime knows that it
//! can. What holds for streams in general must hold there, too.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use suda_websocket::{Config, Conn, Message, Parts, Role};
use support::tcp_pair;
use tokio::{
    net::TcpStream,
    task::{coop, yield_now},
    time::timeout,
};

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it never arrived")
}

async fn both_ends() -> (Conn<TcpStream>, Conn<TcpStream>) {
    let (ours, theirs) = tcp_pair().await;
    let server = Conn::from_parts(ours, Parts::new(Role::Server, Config::default()));
    let client = Conn::from_parts(theirs, Parts::new(Role::Client, Config::default()));
    (server, client)
}

fn payload(number: usize) -> Message {
    const LENGTHS: [usize; 8] = [16, 0, 125, 126, 1024, 15_000, 65_535, 70_000];
    Message::binary(vec![number as u8; LENGTHS[number % LENGTHS.len()]])
}

#[tokio::test]
async fn messages_of_all_lengths_are_echoed_in_order_alone_and_together() {
    for in_flight in [1, 5, 16] {
        let (mut server, client) = both_ends().await;
        let echoing = tokio::spawn(async move {
            while let Ok(message) = server.read_message().await {
                server.write_message(message).await.unwrap();
            }
        });
        let (mut reader, mut writer, _control) = client.split();
        in_time(async {
            for turn in 0..100 {
                let numbers = turn * in_flight..(turn + 1) * in_flight;
                let sending = async {
                    for number in numbers.clone() {
                        writer.write_message(payload(number)).await.unwrap();
                    }
                    writer.flush().await.unwrap();
                };
                let receiving = async {
                    for number in numbers.clone() {
                        assert_eq!(reader.read_message().await.unwrap(), payload(number));
                    }
                };
                tokio::join!(sending, receiving);
            }
        })
        .await;
        drop((reader, writer, _control));
        in_time(echoing).await.unwrap();
    }
}

#[tokio::test]
async fn answers_that_a_full_socket_did_not_take_follow_when_it_does() {
    const QUESTIONS: usize = 2000;
    let (mut server, client) = both_ends().await;
    let answering = tokio::spawn(async move {
        for number in 0..QUESTIONS {
            server.read_message().await.unwrap();
            server.write_message(payload(number)).await.unwrap();
        }
        server.flush().await.unwrap();
        server
    });
    let (mut reader, mut writer, _control) = client.split();
    in_time(async {
        for _ in 0..QUESTIONS {
            writer.write_message("go on").await.unwrap();
            // Each question by itself, while nobody reads the answers.
            writer.flush().await.unwrap();
            yield_now().await;
        }
        for number in 0..QUESTIONS {
            assert_eq!(reader.read_message().await.unwrap(), payload(number));
        }
        answering.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_reader_whose_task_has_used_up_its_budget_gives_way_though_something_is_there() {
    let (mut server, mut client) = both_ends().await;
    client.write_message("there").await.unwrap();
    client.flush().await.unwrap();
    let first = poll_fn(|cx| {
        while coop::has_budget_remaining() {
            let _ = pin!(coop::consume_budget()).poll(cx);
        }
        Poll::Ready(pin!(server.read_message()).poll(cx).is_pending())
    });
    assert!(first.await);
    let message = in_time(server.read_message()).await;
    assert_eq!(message.unwrap(), Message::text("there"));
}

#[tokio::test]
async fn a_reader_that_went_to_another_task_is_woken_there() {
    let (mut server, mut client) = both_ends().await;
    let mut nobody = Context::from_waker(Waker::noop());
    assert!(pin!(server.read_message()).poll(&mut nobody).is_pending());
    let reading = tokio::spawn(async move { server.read_message().await });
    yield_now().await;
    client.write_message("for the other").await.unwrap();
    client.flush().await.unwrap();
    let message = in_time(reading).await.unwrap();
    assert_eq!(message.unwrap(), Message::text("for the other"));
}

#[tokio::test(start_paused = true)]
async fn a_heart_that_listens_leaves_the_reader_its_wake() {
    let (ours, theirs) = tcp_pair().await;
    let config = Config::default().heartbeat(Duration::from_secs(10), Duration::from_secs(60));
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    let mut client = Conn::from_parts(theirs, Parts::new(Role::Client, Config::default()));
    let reading = tokio::spawn(async move { server.read_message().await });
    // The heart has looked for something to read, and has asked the peer.
    tokio::time::sleep(Duration::from_secs(11)).await;
    client.write_message("after a beat").await.unwrap();
    client.flush().await.unwrap();
    let message = reading.await.unwrap();
    assert_eq!(message.unwrap(), Message::text("after a beat"));
}
