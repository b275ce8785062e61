//! Carries out the client's orders, and brings back what became of them. Knows nothing of the screen.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use suda_client::{Client, Post};
use tokio::sync::mpsc;

use super::event::{Done, Order};
use crate::session;

/// Messages of one page of history: a few screens.
const PAGE: u32 = 50;

/// Gives orders to the client.
#[derive(Debug)]
pub(super) struct Orders {
    client: Client,
    done: mpsc::UnboundedSender<Done>,
}

impl Orders {
    /// The channel is bounded by what a person does: nothing else makes orders.
    pub(super) fn new(client: Client) -> (Orders, mpsc::UnboundedReceiver<Done>) {
        let (done, outcomes) = mpsc::unbounded_channel();
        (Orders { client, done }, outcomes)
    }

    /// Begins to carry an order out. Orders reach the client in the order in which they are given.
    pub(super) fn give(&self, order: Order) {
        let (client, done) = (self.client.clone(), self.done.clone());
        let mut work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            if let Some(outcome) = carry_out(&client, order).await {
                let _ = done.send(outcome);
            }
        });
        // Polled here once, so that it stands in the client's queue before the next one does; tasks begin in any order.
        let first = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if first == Poll::Pending {
            tokio::spawn(work);
        }
    }
}

async fn carry_out(client: &Client, order: Order) -> Option<Done> {
    Some(match order {
        Order::Post {
            room,
            client_id,
            text,
            reply_to,
        } => {
            let post = Post::new(room, text)
                .client_id(client_id)
                .reply_to(reply_to);
            Done::Post {
                client_id,
                result: client.send(post).await,
            }
        }
        Order::Enter { room, create } => Done::Enter {
            result: session::enter(client, &room, create).await,
        },
        Order::Leave { room } => Done::Leave {
            result: client.leave(&room).await,
            room,
        },
        Order::History { room, before_seq } => Done::History {
            result: client.messages(&room, before_seq, PAGE).await,
            room,
            before_seq,
        },
        Order::Open { room, cursor } => {
            let error = client.open(&room, Some(cursor)).await.err()?;
            Done::NotOpened { room, error }
        }
        Order::Close { room } => {
            let error = client.close_room(&room).await.err()?;
            Done::NotOpened { room, error }
        }
        Order::Rooms => Done::Rooms(crate::rooms::all(client, false).await),
        Order::ConnectNow => {
            // Where the client is closed, there is nothing to connect.
            let _ = client.connect_now().await;
            return None;
        }
    })
}
