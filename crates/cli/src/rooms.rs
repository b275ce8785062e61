//! `suda rooms`: the rooms of a server.

use std::io::{self, Write};

use suda_client::Client;
use suda_protocol::v1;

use crate::exit::Failure;
use crate::session::{Asking, ServerArg, TimeoutArg};
use crate::texts::Texts;
use crate::visible;

/// Rooms that are asked for at most: a bound on memory and patience, far above what a person reads.
const ROOMS_MAX: usize = 10_000;

/// List the rooms
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those that you are a member of
    #[arg(long)]
    mine: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArg,
    #[command(flatten)]
    timeout: TimeoutArg,
}

pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    let mut asking = Asking::begin(&args.server, &args.timeout, texts)?;
    let client = asking.client();
    let rooms = asking
        .answer(all(&client, args.mine))
        .await?
        .map_err(|error| asking.refused(&error))?;
    asking.end().await;

    if rooms.is_empty() && !args.json {
        eprintln!("{}", texts.no_rooms());
    }
    let mut text = String::new();
    for room in &rooms {
        if args.json {
            text.push_str(&crate::json::line(room)?);
        } else {
            let name = visible::line(&room.name);
            text.push_str(&texts.room_line(&name, room.member_count, room.member));
            text.push('\n');
        }
    }
    // Whoever stopped reading has seen enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// All rooms, page by page.
pub(crate) async fn all(client: &Client, mine: bool) -> Result<Vec<v1::Room>, v1::Error> {
    let mut rooms: Vec<v1::Room> = Vec::new();
    loop {
        let after = rooms
            .last()
            .map(|room| room.name.clone())
            .unwrap_or_default();
        let page = client.list_rooms(mine, &after).await?;
        let is_last = !page.more || page.rooms.is_empty();
        rooms.extend(page.rooms);
        if is_last || rooms.len() >= ROOMS_MAX {
            return Ok(rooms);
        }
    }
}
