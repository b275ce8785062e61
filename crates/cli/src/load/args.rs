//! What a run is to be like.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use suda_protocol::Codec;

use super::post::TEXT_BYTES_MIN;
use super::swarm::{Pace, Storm};
use crate::exit::Failure;

/// Posts a second if nobody says.
const RATE_DEFAULT: f64 = 100.0;

const EXAMPLES: &str = "\
Examples:
  A first look, at a server of one's own that has no administrator yet:
    suda load --setup TOKEN

  A thousand connections in a hundred rooms, as fast as the server acknowledges, and what that costs the process and
  beside it the disk; the accounts are kept for the next run:
    suda load --accounts load.jsonl --users 1000 --rooms 100 --members 10 --in-flight 4 --pid $(pidof suda) --disk data

  How long an acknowledgement takes at a certain pace, as JSON:
    suda load --accounts load.jsonl --users 1000 --rooms 100 --rate 5000 --seconds 30 --json

  A third of all links is cut every five seconds; kill and restart the server meanwhile, too, and nothing may be missing:
    suda load --accounts load.jsonl --users 200 --rooms 20 --storm 33 --storm-every 5 --seconds 60

  Ten thousand connections that say nothing, and the memory that each takes:
    suda load --accounts load.jsonl --users 1000 --tabs 10 --rooms 100 --rate 0 --pid $(pidof suda)

The run ends with 0 only if every post was acknowledged and every receiver got every entry of its rooms once, in order, and all got
the same. Latencies are counted from the moment at which a post was due, so that a server that stalls cannot hide it. Run
it against a server made for this: it leaves accounts, rooms and messages behind.";

/// Put a server under load, and check that nothing is lost, doubled or out of order
///
/// Makes accounts and rooms, connects all users, posts at a given pace, and holds what every receiver got against what was acknowledged.
/// Reports throughput and latencies.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The server
    #[arg(
        long,
        value_name = "URL",
        env = "SUDA_SERVER",
        default_value = "http://127.0.0.1:7300"
    )]
    pub(super) server: String,
    /// The token that the server printed, where it has no administrator yet
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub(super) setup: Option<String>,
    /// Keep accounts in this file, and take them from there in the next run (making one takes the server some 20 ms)
    #[arg(long, value_name = "FILE")]
    pub(super) accounts: Option<PathBuf>,
    /// How many users
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    users: u32,
    /// Connections of each user
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    tabs: u32,
    /// How many rooms
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// Users in each room
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    members: u32,
    /// Posts a second, from all together [default: 100]
    #[arg(long, value_name = "COUNT", conflicts_with = "in_flight")]
    rate: Option<f64>,
    /// Instead of a rate: each connection keeps so many posts without an answer, which goes as fast as the server can
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    in_flight: Option<u32>,
    /// Instead of a rate: all connections together keep so many posts under way, each by the next author: without an answer, or not come to all
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["rate", "in_flight"], value_parser = clap::value_parser!(u32).range(1..))]
    under_way: Option<u32>,
    /// Client ids at random (UUID version 4) instead of growing with time, as our clients' do
    #[arg(long)]
    random_ids: bool,
    /// How long to measure, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    seconds: f64,
    /// How long to post before measuring, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    warm_up: f64,
    /// How long to wait at the end for what is missing, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    settle: f64,
    /// Bytes of each message's text
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    bytes: u32,
    /// Cut this share of all connections at once, again and again; they come back at once
    #[arg(long, value_name = "PERCENT")]
    storm: Option<f64>,
    /// How often, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 5.0,
        requires = "storm"
    )]
    storm_every: f64,
    /// How messages are written
    #[arg(long, value_enum, default_value_t = CodecChoice::Proto)]
    codec: CodecChoice,
    /// Offer compression, as browsers do
    #[arg(long)]
    compress: bool,
    /// The server's process on this machine: report its CPU time and memory (Linux)
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
    /// First measure how many single commits a second the disk of this folder does
    #[arg(long, value_name = "DIR")]
    pub(super) disk: Option<PathBuf>,
    /// Write the report as one line of JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// The subprotocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CodecChoice {
    /// Protobuf, as the apps speak.
    Proto,
    /// The JSON mapping.
    Json,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) users: usize,
    pub(super) tabs: usize,
    pub(super) rooms: usize,
    pub(super) members: usize,
    pub(super) pace: Pace,
    pub(super) measure: Duration,
    pub(super) warm_up: Duration,
    pub(super) settle: Duration,
    pub(super) bytes: usize,
    pub(super) random_ids: bool,
    pub(super) storm: Option<Storm>,
    pub(super) codec: Codec,
    pub(super) compress: bool,
}

impl Shape {
    pub(super) fn of(args: &Args) -> Result<Shape, Failure> {
        if args.members > args.users {
            return Err(Failure::usage(format!(
                "--members {} is more than --users {}",
                args.members, args.users
            )));
        }
        let bytes_max = suda_protocol::limits::TEXT_BYTES_MAX;
        let bytes = args.bytes as usize;
        if !(TEXT_BYTES_MIN..=bytes_max).contains(&bytes) {
            return Err(Failure::usage(format!(
                "--bytes {bytes} is not between {TEXT_BYTES_MIN} and {bytes_max}"
            )));
        }
        let rate = args.rate.unwrap_or(RATE_DEFAULT);
        if !(rate.is_finite() && rate >= 0.0) {
            return Err(Failure::usage(format!("--rate {rate} is no pace")));
        }
        let storm = match args.storm {
            Some(percent) if percent > 0.0 && percent <= 100.0 => Some(Storm {
                share: percent / 100.0,
                every: seconds("--storm-every", args.storm_every)?,
            }),
            Some(percent) => {
                return Err(Failure::usage(format!(
                    "--storm {percent} is not above 0 and up to 100"
                )));
            }
            None => None,
        };
        Ok(Shape {
            users: args.users as usize,
            tabs: args.tabs as usize,
            rooms: args.rooms as usize,
            members: args.members as usize,
            pace: match (args.in_flight, args.under_way) {
                (Some(count), _) => Pace::InFlight(count as usize),
                (None, Some(count)) => Pace::UnderWay(count as usize),
                (None, None) => Pace::Rate(rate),
            },
            random_ids: args.random_ids,
            measure: seconds("--seconds", args.seconds)?,
            warm_up: seconds("--warm-up", args.warm_up)?,
            settle: seconds("--settle", args.settle)?,
            bytes,
            storm,
            codec: match args.codec {
                CodecChoice::Proto => Codec::Proto,
                CodecChoice::Json => Codec::Json,
            },
            compress: args.compress,
        })
    }

    pub(super) fn connections(&self) -> usize {
        self.users * self.tabs
    }

    /// The rooms of a user. Rooms take their members one after the other, all around, so that every user has as many as any
    /// other, give or take one.
    pub(super) fn rooms_of(&self, user: usize) -> impl Iterator<Item = usize> {
        let (users, members) = (self.users, self.members);
        (0..self.rooms).filter(move |room| {
            let first = room * members % users;
            (user + users - first) % users < members
        })
    }

    pub(super) fn room_name(room: usize) -> String {
        format!("load-{room:04}")
    }
}

fn seconds(option: &str, seconds: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Failure::usage(format!("{option} {seconds} is no time")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn shape(args: &[&str]) -> Result<Shape, Failure> {
        let cli = Cli::try_parse_from([&["load"], args].concat()).unwrap();
        Shape::of(&cli.args)
    }

    #[test]
    fn rooms_are_dealt_evenly() {
        let shape = shape(&["--users", "30", "--rooms", "9", "--members", "10"]).unwrap();
        let mut members = vec![0; 9];
        for user in 0..30 {
            let rooms: Vec<usize> = shape.rooms_of(user).collect();
            assert_eq!(rooms.len(), 3);
            for room in rooms {
                members[room] += 1;
            }
        }
        assert_eq!(members, [10; 9]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_one_line() {
        for args in [
            &["--users", "5", "--members", "6"][..],
            &["--bytes", "8"],
            &["--bytes", "1000000"],
            &["--rate", "nan"],
            &["--storm", "0"],
            &["--storm", "101"],
            &["--seconds", "1e300"],
        ] {
            let failure = shape(args).unwrap_err();
            assert_eq!(failure.to_string().lines().count(), 1, "{args:?}");
        }
    }
}
