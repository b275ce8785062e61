//! The rooms of a run. They are made once and stay; members join by themselves.

use suda_client::{Client, ClientConfig, Events, Server};
use suda_protocol::{ErrorCode, v1};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::accounts::Account;
use super::args::Shape;
use super::progress::Line;
use crate::exit::{Exit, Failure};
use crate::session::CLOSE_WAIT;
use crate::texts::Texts;

/// Rooms that are being made at the same time.
const MAKING_MAX: usize = 16;

/// What the server's log calls this program while it makes rooms.
const CLIENT: &str = concat!("suda-load-rooms/", env!("CARGO_PKG_VERSION"));

/// Makes those that are not there yet, as the first account's user.
pub(super) async fn make(
    server: &Server,
    accounts: &[Account],
    shape: &Shape,
    texts: Texts,
) -> Result<(), Failure> {
    let Some(account) = accounts.first() else {
        return Ok(());
    };
    let config = ClientConfig::new(
        server.clone(),
        account.token.clone(),
        Uuid::new_v4(),
        CLIENT,
    );
    let (client, events) =
        Client::connect(config).map_err(|error| Failure::failed(error.to_string()))?;
    // Nobody looks at them, and unread ones would hold the client up.
    let ignored = tokio::task::spawn_local(ignore(events));
    let line = Line::new();
    let (mut begun, mut made) = (0, 0);
    let mut under_way = JoinSet::new();
    loop {
        while begun < shape.rooms && under_way.len() < MAKING_MAX {
            under_way.spawn_local(make_one(client.clone(), Shape::room_name(begun)));
            begun += 1;
        }
        let Some(done) = under_way.join_next().await else {
            break;
        };
        let done = done.map_err(|error| Failure::failed(error.to_string()))?;
        done.map_err(|error| Failure::new(Exit::Refused, texts.refused(&texts.error(&error))))?;
        made += 1;
        line.show(&texts.load_rooms(made, shape.rooms));
    }
    client.close(CLOSE_WAIT).await;
    ignored.abort();
    Ok(())
}

async fn make_one(client: Client, name: String) -> Result<(), v1::Error> {
    match client.create_room(&name).await {
        Err(error) if error.code() != ErrorCode::NameTaken => Err(error),
        _ => Ok(()),
    }
}

async fn ignore(mut events: Events) {
    while events.next().await.is_some() {}
}
