//! What a run comes to, for people and for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::args::Shape;
use super::checker::Faults;
use super::histogram::Histogram;
use super::meters::Usage;
use super::swarm::Remains;
use crate::texts::Texts;

/// All figures of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) connections: usize,
    pub(super) users: usize,
    pub(super) rooms: usize,
    pub(super) members: usize,
    pub(super) seconds: f64,
    /// Acknowledged while measuring.
    pub(super) posts: u64,
    pub(super) posts_per_second: f64,
    /// Received while measuring.
    pub(super) deliveries: u64,
    pub(super) deliveries_per_second: f64,
    /// Of the message that carried it, without its frame's head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload_bytes_per_delivery: Option<f64>,
    pub(super) acknowledgement_ms: Latencies,
    pub(super) delivery_ms: Latencies,
    pub(super) reconnects: u64,
    pub(super) lags: u64,
    pub(super) put_off: u64,
    pub(super) refused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<String>,
    pub(super) unanswered: usize,
    #[serde(flatten)]
    pub(super) faults: Faults,
    pub(super) examples: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<ServerCost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disk_commits_per_second: Option<f64>,
}

/// Milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Latencies {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    #[serde(rename = "p99.9")]
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

/// What the server's process needed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerCost {
    pub(super) cpu_seconds: f64,
    /// The same by the threads' names.
    pub(super) thread_cpu_seconds: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_us_per_post: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_us_per_delivery: Option<f64>,
    /// Gained from before the connections until all rooms were open.
    pub(super) bytes_per_connection: f64,
    pub(super) memory_bytes: u64,
}

/// The server's process: before the connections, with them, at the beginning and at the end of the window.
#[derive(Debug, Clone)]
pub(super) struct Usages {
    pub(super) before: Usage,
    pub(super) connected: Usage,
    pub(super) begin: Usage,
    pub(super) end: Usage,
}

impl Report {
    pub(super) fn of(
        shape: &Shape,
        measured: Duration,
        remains: Remains,
        usages: Option<Usages>,
        disk_commits_per_second: Option<f64>,
    ) -> Report {
        let Remains {
            checker,
            book,
            reconnects,
            unanswered,
        } = remains;
        let (faults, examples) = checker.finish();
        let seconds = measured.as_secs_f64();
        let server = usages
            .map(|usages| ServerCost::of(usages, shape.connections(), book.posts, book.deliveries));
        Report {
            connections: shape.connections(),
            users: shape.users,
            rooms: shape.rooms,
            members: shape.members,
            seconds,
            posts: book.posts,
            posts_per_second: book.posts as f64 / seconds,
            deliveries: book.deliveries,
            deliveries_per_second: book.deliveries as f64 / seconds,
            payload_bytes_per_delivery: (book.deliveries > 0)
                .then(|| book.payload_bytes as f64 / book.deliveries as f64),
            acknowledgement_ms: Latencies::of(&book.acknowledgement),
            delivery_ms: Latencies::of(&book.delivery),
            reconnects,
            lags: book.lags,
            put_off: book.put_off,
            refused: book.refused,
            refusal: book.refusal,
            unanswered,
            faults,
            examples,
            server,
            disk_commits_per_second,
        }
    }

    /// Whether the server kept all its promises.
    pub(super) fn is_clean(&self) -> bool {
        self.faults.total() == 0 && self.unanswered == 0 && self.refused == 0
    }

    /// For people, line by line.
    pub(super) fn text(&self, texts: Texts) -> String {
        let mut lines = vec![
            texts.load_shape(self),
            texts.load_throughput(self),
            texts.load_latency_head(),
            texts.load_acknowledged(&self.acknowledgement_ms.columns()),
            texts.load_delivered(&self.delivery_ms.columns()),
            texts.load_troubles(self),
        ];
        if let Some(server) = &self.server {
            lines.push(texts.load_server(server));
        }
        if let Some(commits) = self.disk_commits_per_second {
            lines.push(texts.load_disk(commits));
        }
        lines.extend(
            self.refusal
                .as_ref()
                .map(|reason| texts.refused(&crate::visible::line(reason))),
        );
        lines.push(if self.is_clean() {
            texts.load_clean()
        } else {
            texts.load_faults(self)
        });
        lines.extend(self.examples.iter().map(|example| format!("  {example}")));
        lines.join("\n") + "\n"
    }
}

impl Latencies {
    fn of(histogram: &Histogram) -> Latencies {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        Latencies {
            p50: ms(histogram.quantile(0.5)),
            p90: ms(histogram.quantile(0.9)),
            p99: ms(histogram.quantile(0.99)),
            p99_9: ms(histogram.quantile(0.999)),
            max: ms(histogram.max()),
        }
    }

    fn columns(&self) -> String {
        [self.p50, self.p90, self.p99, self.p99_9, self.max]
            .map(|ms| format!("{ms:>9.1}"))
            .concat()
    }
}

impl ServerCost {
    fn of(usages: Usages, connections: usize, posts: u64, deliveries: u64) -> ServerCost {
        let cpu = usages.end.cpu.saturating_sub(usages.begin.cpu);
        let gained = usages
            .connected
            .memory_bytes
            .saturating_sub(usages.before.memory_bytes);
        let before = |name: &str| usages.begin.threads.get(name).copied().unwrap_or_default();
        let of_thread = |(name, used): (String, Duration)| {
            let used = used.saturating_sub(before(&name));
            (name, used.as_secs_f64())
        };
        let threads = usages
            .end
            .threads
            .clone()
            .into_iter()
            .map(of_thread)
            .collect();
        let each = |count: u64| (count > 0).then(|| cpu.as_secs_f64() * 1e6 / count as f64);
        ServerCost {
            cpu_seconds: cpu.as_secs_f64(),
            thread_cpu_seconds: threads,
            cpu_us_per_post: each(posts),
            cpu_us_per_delivery: each(deliveries),
            bytes_per_connection: gained as f64 / connections as f64,
            memory_bytes: usages.end.memory_bytes,
        }
    }
}
