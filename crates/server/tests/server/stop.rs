//! A graceful stop: everybody is told, what was submitted is answered, then the sockets close.

use crate::support::{Running, post};
use suda_protocol::limits::COMMAND_BURST_MAX;
use suda_protocol::v1;
use suda_protocol::v1::{command, push, reply, server_message};
use suda_protocol::{CloseCode, Codec};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_told_when_to_come_back_and_what_was_submitted_is_answered() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut idle = running.chat(Codec::Json, &token).await;
    let mut busy = running.chat(Codec::Proto, &token).await;
    // Far more than may be in flight: the stop comes in the middle of a stream of them.
    for number in 1..COMMAND_BURST_MAX {
        busy.send(post("lobby", &format!("{number}"))).await;
    }
    // The reply to the first shows that the server has begun to take them.
    let reading = tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        let mut told = false;
        loop {
            match busy.message().await {
                Ok(server_message::Kind::Reply(reply)) => match reply.result {
                    Some(reply::Result::Posted(posted)) => acknowledged.push(posted.seq),
                    other => panic!("unexpected {other:?}"),
                },
                Ok(server_message::Kind::Push(push)) => {
                    told |= matches!(push.event, Some(push::Event::GoingAway(_)));
                }
                Err(error) => {
                    let code: u16 = error.as_close().expect("a close").code.into();
                    return (acknowledged, told, code);
                }
            }
        }
    });
    let watching = tokio::spawn(async move {
        let told = idle.push().await;
        assert!(matches!(told, push::Event::GoingAway(away) if away.come_back_after_ms > 0));
        idle.closed().await
    });
    let running = running.restart(|_| {}).await;
    assert_eq!(watching.await.unwrap(), CloseCode::GoingAway.number());
    let (acknowledged, told, code) = reading.await.unwrap();
    assert!(told);
    assert_eq!(code, CloseCode::GoingAway.number());

    // Each acknowledged post is there; what was not read before the stop is simply not there.
    let mut chat = running.chat(Codec::Proto, &token).await;
    let log = chat.log("lobby", None).await;
    let seqs: Vec<_> = log.entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(
        seqs,
        (1..=1 + acknowledged.len() as u64).collect::<Vec<_>>()
    );
    assert!(matches!(
        chat.call(command::Request::Ping(v1::Ping {})).await,
        reply::Result::Pong(_)
    ));
}
