//! `suda load`: many users at once, on one thread, and the proof that nothing was lost on the way.
//!
//! It speaks the protocol itself instead of through the SDK, which would mend what it is to find. `member` and `checker` are
//! pure; `swarm` has the sockets.

mod accounts;
mod args;
mod book;
mod checker;
mod histogram;
mod member;
mod meters;
mod post;
mod progress;
mod report;
mod rooms;
mod swarm;
#[cfg(test)]
mod tests;
mod texts;
mod wire;

use std::io::{self, Write as _};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

use crate::address;
use crate::exit::{Exit, Failure};
use crate::texts::Texts;
use accounts::{Account, Accounts};
pub(crate) use args::Args;
use args::Shape;
use book::Book;
use checker::Checker;
use member::Member;
use meters::Usage;
use progress::Line;
use report::{Report, Usages};
use swarm::{Progress, Swarm};

/// How often a run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long nothing may get ahead while connections are being made.
const STUCK: Duration = Duration::from_secs(30);
/// What lies between the last connection's being ready and its memory being looked at.
const REST: Duration = Duration::from_secs(1);
/// Files that a run has open besides its connections.
const OTHER_FILES: u64 = 64;

pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    LocalSet::new().run_until(measure(args, texts)).await
}

async fn measure(args: Args, texts: Texts) -> Result<(), Failure> {
    let shape = Shape::of(&args)?;
    let server = address::parse(&args.server)?;
    allow_files(shape.connections() as u64 + OTHER_FILES, texts)?;
    let disk = match &args.disk {
        Some(folder) => Some(disk(folder, texts)?),
        None => None,
    };
    let usage = |pid: u32| {
        meters::usage(pid)
            .map_err(|error| Failure::failed(texts.load_no_usage(pid, &error.to_string())))
    };
    let look = || args.pid.map(usage).transpose();

    let accounts = Accounts::new(&server, args.accounts.as_deref());
    let accounts = accounts
        .gather(shape.users, args.setup.as_deref(), texts)
        .await?;
    rooms::make(&server, &accounts, &shape, texts).await?;

    let before = look()?;
    let swarm = swarm_of(&server, &shape, &accounts);
    swarm.start();
    all_ready(&swarm, texts).await?;
    if args.pid.is_some() {
        sleep(REST).await;
    }
    let connected = look()?;

    let begin = swarm.now() + shape.warm_up;
    swarm.with_book(|book| book.set_window(begin..begin + shape.measure));
    let measuring = Instant::now() + shape.warm_up;
    let until = measuring + shape.measure;
    let window = async {
        tokio::time::sleep_until(measuring).await;
        let begin = look()?;
        tokio::time::sleep_until(until).await;
        Ok::<_, Failure>((begin, look()?))
    };
    let storm = async {
        match shape.storm {
            Some(storm) => swarm.storm(storm).await,
            None => std::future::pending().await,
        }
    };
    let ((begin, end), ()) = tokio::select! {
        done = async { tokio::join!(window, swarm.post(shape.pace, until)) } => (done.0?, done.1),
        () = storm => unreachable!("storms do not end"),
        () = show(&swarm, until, texts) => unreachable!("the line is shown until the run ends"),
    };
    settle(&swarm, shape.settle, texts).await;

    let usages = usages(before, connected, begin, end);
    let report = Report::of(&shape, shape.measure, swarm.stop(), usages, disk);
    let text = if args.json {
        crate::json::line(&report)?
    } else {
        report.text(texts)
    };
    // Who does not want to read it still gets the exit code.
    let _ = io::stdout().write_all(text.as_bytes());
    if report.is_clean() {
        Ok(())
    } else {
        Err(Failure::failed(texts.load_failed()))
    }
}

fn swarm_of(server: &suda_client::Server, shape: &Shape, accounts: &[Account]) -> Swarm {
    let mut members = Vec::with_capacity(shape.connections());
    for (user, account) in accounts.iter().enumerate() {
        for _tab in 0..shape.tabs {
            let rooms = shape
                .rooms_of(user)
                .map(|room| (room, Shape::room_name(room)));
            members.push(Member::new(members.len(), account.token.clone(), rooms));
        }
    }
    let checker = Checker::new(members.len(), shape.rooms);
    let run = uuid::Uuid::new_v4().as_fields().0;
    let book = Book::new(run, shape.bytes, shape.random_ids);
    Swarm::new(server, shape, members, checker, book)
}

/// Waits until every connection has its rooms open.
async fn all_ready(swarm: &Swarm, texts: Texts) -> Result<(), Failure> {
    let line = Line::new();
    let (mut last, mut since) = (Progress::default(), Instant::now());
    loop {
        let progress = swarm.progress();
        if progress.ready == progress.connections {
            return Ok(());
        }
        if let Some(reason) = &progress.refused {
            let reason = crate::visible::line(reason);
            return Err(Failure::new(Exit::Refused, texts.refused(&reason)));
        }
        line.show(&texts.load_connecting(&progress));
        if progress != last {
            (last, since) = (progress, Instant::now());
        } else if since.elapsed() > STUCK {
            return Err(Failure::new(Exit::Unreachable, texts.load_not_ready(&last)));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Shows how far it is, for ever.
async fn show(swarm: &Swarm, until: Instant, texts: Texts) {
    let line = Line::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        line.show(&texts.load_progress(left.as_secs(), &swarm.progress()));
        sleep(LOOK_EVERY * 10).await;
    }
}

/// Waits until nothing is missing any more, or for that long.
async fn settle(swarm: &Swarm, at_most: Duration, texts: Texts) {
    let line = Line::new();
    let until = Instant::now() + at_most;
    while !swarm.is_settled() && Instant::now() < until {
        line.show(&texts.load_settling(&swarm.progress()));
        sleep(LOOK_EVERY).await;
    }
}

fn usages(
    before: Option<Usage>,
    connected: Option<Usage>,
    begin: Option<Usage>,
    end: Option<Usage>,
) -> Option<Usages> {
    Some(Usages {
        before: before?,
        connected: connected?,
        begin: begin?,
        end: end?,
    })
}

fn disk(folder: &std::path::Path, texts: Texts) -> Result<f64, Failure> {
    let line = Line::new();
    line.show(&texts.load_disk_measured());
    meters::commits_per_second(folder).map_err(|error| {
        let folder = crate::visible::line(&folder.display().to_string());
        Failure::failed(texts.load_no_disk(&folder, &error.to_string()))
    })
}

/// Takes as many open files as the system lets this process have.
fn allow_files(needed: u64, texts: Texts) -> Result<(), Failure> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    limit.current = limit.maximum;
    let have = limit.maximum.unwrap_or(u64::MAX);
    if have < needed || setrlimit(Resource::Nofile, limit).is_err() {
        return Err(Failure::failed(texts.load_too_few_files(needed, have)));
    }
    Ok(())
}
