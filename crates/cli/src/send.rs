//! `suda send`: messages from a script. Ends with 0 only after the server has acknowledged every one.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use suda_client::Post;
use suda_protocol::v1;
use uuid::Uuid;

use crate::exit::{Exit, Failure};
use crate::lines;
use crate::session::{Asking, ServerArg, TimeoutArg};
use crate::texts::Texts;
use crate::visible;

/// Send messages, from the command line or stdin
///
/// Without TEXT, each line of stdin is a message; empty lines are skipped. A refused line is told on stderr and the next one is
/// sent; the exit code is then 4.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The room; joined if need be
    room: String,
    /// The message; several words are joined by spaces
    text: Vec<String>,
    /// Make the room if there is none of that name
    #[arg(long)]
    create: bool,
    /// The seq of the message that this one answers, as `suda tail --json` shows it
    #[arg(
        long,
        value_name = "SEQ",
        default_value_t = 0,
        hide_default_value = true,
        conflicts_with = "json"
    )]
    reply_to: u64,
    /// Lines of stdin are JSON, {"text": …, "replyTo": …, "clientId": …}, and each gets a line of JSON as its answer
    #[arg(long, conflicts_with = "text")]
    json: bool,
    #[command(flatten)]
    server: ServerArg,
    #[command(flatten)]
    timeout: TimeoutArg,
}

/// A message, as a script writes it in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Draft {
    text: String,
    /// The seq of the message that this one answers.
    #[serde(default, alias = "reply_to")]
    reply_to: u64,
    /// Makes a message that is sent twice one message; made up where it is left out.
    #[serde(default = "Uuid::new_v4", alias = "client_id")]
    client_id: Uuid,
}

impl Draft {
    fn of_text(text: String, reply_to: u64) -> Draft {
        Draft {
            text,
            reply_to,
            client_id: Uuid::new_v4(),
        }
    }
}

/// What became of a line, as a script reads it in JSON. `posted` and `error` are the protocol's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    line: u64,
    client_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    posted: Option<v1::Posted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<v1::Error>,
}

pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    let mut asking = Asking::begin(&args.server, &args.timeout, texts)?;
    let room = asking.enter(&args.room, args.create).await?.id;
    if !args.text.is_empty() {
        let draft = Draft::of_text(args.text.join(" "), args.reply_to);
        let posted = post(&mut asking, &room, &draft).await?;
        posted.map_err(|error| asking.refused(&error))?;
    } else {
        from_stdin(&mut asking, &room, &args, texts).await?;
    }
    asking.end().await;
    Ok(())
}

async fn from_stdin(
    asking: &mut Asking,
    room: &str,
    args: &Args,
    texts: Texts,
) -> Result<(), Failure> {
    let json = args.json;
    let mut lines = lines::of_stdin();
    let (mut number, mut sent) = (0, 0);
    // The first reason for an exit code other than 0; all of them are told as they come.
    let mut failed = None;
    while let Some(line) = lines.recv().await {
        number += 1;
        let draft = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) if json => serde_json::from_str(&line).map_err(|error| error.to_string()),
            Ok(line) => Ok(Draft::of_text(line, args.reply_to)),
            Err(error) => Err(error.to_string()),
        };
        let draft: Draft = match draft {
            Ok(draft) => draft,
            Err(reason) => {
                eprintln!(
                    "suda: {}",
                    texts.line_unreadable(number, &visible::line(&reason))
                );
                failed.get_or_insert(Exit::Failed);
                continue;
            }
        };
        let result = post(asking, room, &draft).await?;
        match &result {
            Ok(_) => sent += 1,
            Err(error) => {
                eprintln!("suda: {}", texts.line_refused(number, &texts.error(error)));
                failed.get_or_insert(Exit::Refused);
            }
        }
        if json {
            let (posted, error) = match result {
                Ok(posted) => (Some(posted), None),
                Err(error) => (None, Some(error)),
            };
            let answer = crate::json::line(&Answer {
                line: number,
                client_id: draft.client_id,
                posted,
                error,
            })?;
            // A script that stopped reading still wants its messages sent.
            let _ = io::stdout().write_all(answer.as_bytes());
        }
    }
    match failed {
        None if sent == 0 => Err(Failure::failed(texts.nothing_to_send())),
        None => Ok(()),
        Some(exit) => Err(Failure::new(exit, texts.not_all_sent(sent))),
    }
}

async fn post(
    asking: &mut Asking,
    room: &str,
    draft: &Draft,
) -> Result<Result<v1::Posted, v1::Error>, Failure> {
    let client = asking.client();
    let post = Post::new(room, &draft.text)
        .reply_to(draft.reply_to)
        .client_id(draft.client_id);
    asking.answer(client.send(post)).await
}
