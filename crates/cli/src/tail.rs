//! `suda tail`: what happens in a room, line by line, for a script or a person. Goes on through restarts of the server.

use std::io::{self, Write};

use suda_client::{Client, Event, Events};
use suda_protocol::ErrorCode;
use suda_protocol::v1::{self, entry::What};

use crate::clock::Clock;
use crate::exit::{Exit, Failure};
use crate::session::{self, ServerArg, Session};
use crate::texts::Texts;
use crate::transcript::Transcript;
use crate::visible;

/// Print what happens in a room
///
/// Prints each entry once, in order, and goes on when the connection is lost and comes back. The state of the connection is told on stderr.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The room; joined if need be
    room: String,
    /// One entry of the protocol a line, as JSON
    #[arg(long)]
    json: bool,
    /// Begin with this many earlier messages
    #[arg(long, value_name = "COUNT", group = "begin", value_parser = clap::value_parser!(u32).range(0..=100))]
    last: Option<u32>,
    /// Begin with the room's first entry
    #[arg(long, group = "begin")]
    from_start: bool,
    /// End with the newest entry of now, instead of waiting for further ones
    #[arg(long, requires = "begin")]
    until_now: bool,
    #[command(flatten)]
    server: ServerArg,
}

pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    let Session {
        client, mut events, ..
    } = Session::begin(&args.server, texts)?;
    let mut tail = Tail {
        texts,
        transcript: Transcript::new(texts, Clock::of_system()),
        json: args.json,
        until_seq: None,
        is_interrupted: false,
        is_over: false,
    };
    let start = tail
        .answer(&mut events, enter(&client, &args))
        .await?
        .transpose()
        .map_err(|error| refused(texts, &error))?;
    if let Some(start) = start {
        for entry in &start.earlier {
            tail.print(entry)?;
        }
        if args.until_now {
            tail.until_seq = Some(start.top_seq);
            tail.is_over |= start
                .cursor
                .as_ref()
                .map_or(start.top_seq, |cursor| cursor.seq)
                >= start.top_seq;
        }
        let opened = tail
            .answer(&mut events, client.open(&start.room, start.cursor))
            .await?;
        if let Some(Err(error)) = opened {
            return Err(refused(texts, &error));
        }
    }
    while !tail.is_over {
        let event = events.next().await;
        tail.handle(event)?;
    }
    client.close(session::CLOSE_WAIT).await;
    Ok(())
}

/// Where the printing starts.
struct Start {
    room: String,
    /// Earlier messages, oldest first.
    earlier: Vec<v1::Entry>,
    /// Behind the last of those; none: from the newest entry on.
    cursor: Option<v1::Cursor>,
    /// The room's newest entry.
    top_seq: u64,
}

async fn enter(client: &Client, args: &Args) -> Result<Start, v1::Error> {
    let room = session::enter(client, &args.room, false).await?;
    let mut start = Start {
        top_seq: room.top.as_ref().map_or(0, |top| top.seq),
        earlier: Vec::new(),
        cursor: args.from_start.then(v1::Cursor::default),
        room: room.id,
    };
    if let Some(count) = args.last.filter(|count| *count > 0) {
        let page = client.messages(&start.room, 0, count).await?;
        start.top_seq = page.as_of_seq;
        start.earlier = page
            .messages
            .into_iter()
            .rev()
            .map(|message| entry(&start.room, message))
            .collect();
        // Where there is no message yet, the room's beginning is near.
        start.cursor = Some(
            start
                .earlier
                .last()
                .map_or_else(v1::Cursor::default, |newest| v1::Cursor {
                    seq: newest.seq,
                    id: newest.id.clone(),
                }),
        );
    }
    Ok(start)
}

/// A message as the entry that it came from.
fn entry(room: &str, message: v1::Message) -> v1::Entry {
    v1::Entry {
        room: room.to_owned(),
        seq: message.seq,
        id: message.id,
        author: message.author,
        author_name: message.author_name,
        at_ms: message.at_ms,
        what: Some(What::MessagePosted(v1::MessagePosted {
            text: message.text,
            reply_to: message.reply_to,
        })),
    }
}

/// The printing itself.
struct Tail {
    texts: Texts,
    transcript: Transcript,
    json: bool,
    /// The last entry to print, if there is a last one.
    until_seq: Option<u64>,
    is_interrupted: bool,
    is_over: bool,
}

impl Tail {
    /// Waits for an answer and takes events meanwhile, since answers come only as long as somebody does. None where the tail is over before.
    async fn answer<T>(
        &mut self,
        events: &mut Events,
        question: impl Future<Output = Result<T, v1::Error>>,
    ) -> Result<Option<Result<T, v1::Error>>, Failure> {
        let mut question = std::pin::pin!(question);
        while !self.is_over {
            tokio::select! {
                // The end of the sign-in is also an answer to every question, but a less telling one.
                biased;
                event = events.next() => self.handle(event)?,
                answer = &mut question => return Ok(Some(answer)),
            }
        }
        Ok(None)
    }

    fn handle(&mut self, event: Option<Event>) -> Result<(), Failure> {
        match event {
            Some(Event::Entry(entry)) => self.print(&entry)?,
            Some(Event::Online { .. }) if self.is_interrupted => {
                self.is_interrupted = false;
                eprintln!("suda: {}", self.texts.resumed());
            }
            Some(Event::Offline { reason, .. }) if !self.is_interrupted => {
                self.is_interrupted = true;
                let reason = self.texts.offline_reason(&reason);
                eprintln!("suda: {}", self.texts.interrupted(&reason));
            }
            Some(Event::Reset { .. }) => eprintln!("suda: {}", self.texts.history_is_another()),
            Some(Event::OpenRefused { error, .. }) => return Err(refused(self.texts, &error)),
            Some(Event::Removed { .. }) => {
                let error = v1::Error::of(ErrorCode::NotAMember);
                return Err(refused(self.texts, &error));
            }
            Some(Event::SignedOut { error }) => {
                let reason = self.texts.error(&error);
                return Err(Failure::new(
                    Exit::NotSignedIn,
                    self.texts.sign_in_ended(&reason),
                ));
            }
            Some(Event::Stopped { message, .. }) => {
                let reason = visible::line(&message);
                return Err(Failure::new(Exit::Refused, self.texts.refused(&reason)));
            }
            Some(_) => {}
            None => self.is_over = true,
        }
        Ok(())
    }

    fn print(&mut self, entry: &v1::Entry) -> Result<(), Failure> {
        let text = if self.json {
            crate::json::line(entry)?
        } else {
            self.transcript.entry(entry)
        };
        let mut output = io::stdout().lock();
        match output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush())
        {
            Ok(()) => self.is_over |= self.until_seq.is_some_and(|until| entry.seq >= until),
            // Whoever reads has enough, as `head` does.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.is_over = true,
            Err(error) => return Err(Failure::failed(format!("cannot write: {error}"))),
        }
        Ok(())
    }
}

fn refused(texts: Texts, error: &v1::Error) -> Failure {
    let reason = texts.error(error);
    match error.code() {
        ErrorCode::Unauthenticated => Failure::new(Exit::NotSignedIn, texts.sign_in_ended(&reason)),
        _ => Failure::new(Exit::Refused, texts.refused(&reason)),
    }
}
