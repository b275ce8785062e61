//! Carries out the chat's orders, and brings back what became of them.

use suda_client::Client;
use suda_protocol::{ErrorCode, v1};
use tokio::sync::mpsc;

use super::plain::{Done, Order};
use crate::session;

/// Gives orders to the client.
///
/// What changes something is done one after the other, in the order of typing: a post into a room that is being entered waits
/// for that. Questions don't wait for those.
#[derive(Debug)]
pub(super) struct Runner {
    client: Client,
    changes: mpsc::UnboundedSender<Order>,
    done: mpsc::UnboundedSender<Done>,
}

impl Runner {
    /// The channels are bounded by what a person types: nothing else makes orders.
    pub(super) fn start(client: Client) -> (Runner, mpsc::UnboundedReceiver<Done>) {
        let (changes, mut queue) = mpsc::unbounded_channel();
        let (done, outcomes) = mpsc::unbounded_channel();
        let (worker, results) = (client.clone(), done.clone());
        tokio::spawn(async move {
            while let Some(order) = queue.recv().await {
                if let Some(outcome) = run(&worker, order).await {
                    let _ = results.send(outcome);
                }
            }
        });
        let runner = Runner {
            client,
            changes,
            done,
        };
        (runner, outcomes)
    }

    pub(super) fn run(&self, order: Order) {
        match order {
            Order::Post { .. } | Order::Enter { .. } | Order::Leave { .. } => {
                let _ = self.changes.send(order);
            }
            Order::Open { .. } | Order::Close { .. } | Order::Rooms | Order::History { .. } => {
                let (client, done) = (self.client.clone(), self.done.clone());
                tokio::spawn(async move {
                    if let Some(outcome) = run(&client, order).await {
                        let _ = done.send(outcome);
                    }
                });
            }
        }
    }
}

async fn run(client: &Client, order: Order) -> Option<Done> {
    Some(match order {
        Order::Post { room, text } => Done::Post(client.post(&room, &text).await.map(|_| ())),
        Order::Enter { room, create } => Done::Enter {
            result: session::enter(client, &room, create).await,
            asked: room,
        },
        Order::Leave { room } => Done::Leave {
            result: client.leave(&room).await.map(|_| ()),
            room,
        },
        Order::Open { room, cursor } => {
            let opened = client.open(&room, cursor).await;
            // "Unavailable" only says that the room was closed again before it was open.
            let refused = opened
                .err()
                .filter(|error| error.code() != ErrorCode::Unavailable);
            return refused.map(|error| Done::Open { room, error });
        }
        Order::Close { room } => {
            let closed = client.close_room(&room).await;
            return closed.err().map(|error| Done::Open { room, error });
        }
        Order::Rooms => Done::Rooms(all_rooms(client).await),
        Order::History { room, count } => Done::History {
            result: client
                .messages(&room, 0, count)
                .await
                .map(|page| page.messages),
            room,
        },
    })
}

async fn all_rooms(client: &Client) -> Result<Vec<v1::Room>, v1::Error> {
    crate::rooms::all(client, false).await
}
