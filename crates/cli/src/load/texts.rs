//! What a run says, in each language.

use super::checker::Faults;
use super::report::{Report, ServerCost};
use super::swarm::Progress;
use crate::language::Language;
use crate::texts::{Texts, say};

impl Texts {
    pub(super) fn load_accounts(self, made: usize, count: usize) -> String {
        say!(
            self,
            "making accounts: {made} of {count}",
            "계정 만드는 중: {count}개 중 {made}개"
        )
    }

    pub(super) fn load_rooms(self, made: usize, count: usize) -> String {
        say!(
            self,
            "making rooms: {made} of {count}",
            "방 만드는 중: {count}개 중 {made}개"
        )
    }

    pub(super) fn load_disk_measured(self) -> String {
        say!(self, "measuring the disk", "디스크 측정 중")
    }

    pub(super) fn load_connecting(self, progress: &Progress) -> String {
        let Progress {
            ready, connections, ..
        } = progress;
        say!(
            self,
            "connecting: {ready} of {connections} have their rooms open",
            "연결 중: {connections}개 중 {ready}개가 방을 열었음"
        )
    }

    pub(super) fn load_progress(self, left_secs: u64, progress: &Progress) -> String {
        let Progress {
            connections,
            ready,
            posts,
            deliveries,
            unanswered,
            reconnects,
            ..
        } = progress;
        say!(
            self,
            "{left_secs} s left: {ready}/{connections} ready, {posts} posts, {deliveries} deliveries, {unanswered} unanswered, {reconnects} reconnects",
            "{left_secs}초 남음: 준비 {ready}/{connections}, 보냄 {posts}, 받음 {deliveries}, 확인 대기 {unanswered}, 재연결 {reconnects}"
        )
    }

    pub(super) fn load_settling(self, progress: &Progress) -> String {
        let Progress {
            connections,
            ready,
            unanswered,
            ..
        } = progress;
        say!(
            self,
            "waiting for the rest: {ready}/{connections} ready, {unanswered} unanswered",
            "나머지를 기다리는 중: 준비 {ready}/{connections}, 확인 대기 {unanswered}"
        )
    }

    pub(super) fn load_not_ready(self, progress: &Progress) -> String {
        let Progress {
            connections, ready, ..
        } = progress;
        let reason = progress.dial_error.as_deref().unwrap_or_default();
        let reason = crate::visible::line(reason);
        say!(
            self,
            "only {ready} of {connections} connections could open their rooms. {reason}",
            "연결 {connections}개 중 {ready}개만 방을 열었습니다. {reason}"
        )
    }

    pub(super) fn load_too_few_files(self, needed: u64, have: u64) -> String {
        say!(
            self,
            "this needs {needed} open files, and the system allows {have}: raise it with `ulimit -n`",
            "열린 파일이 {needed}개 필요하지만 시스템이 {have}개까지만 허용합니다. `ulimit -n`으로 늘리세요"
        )
    }

    pub(super) fn load_no_usage(self, pid: u32, reason: &str) -> String {
        say!(
            self,
            "nothing can be learned about process {pid} (this works on Linux only): {reason}",
            "프로세스 {pid}의 상태를 읽을 수 없습니다(리눅스에서만 됩니다): {reason}"
        )
    }

    pub(super) fn load_no_disk(self, folder: &str, reason: &str) -> String {
        say!(
            self,
            "the disk of {folder} cannot be measured: {reason}",
            "{folder}의 디스크를 측정할 수 없습니다: {reason}"
        )
    }

    pub(super) fn load_shape(self, report: &Report) -> String {
        let Report {
            connections,
            users,
            rooms,
            members,
            seconds,
            ..
        } = report;
        say!(
            self,
            "{connections} connections of {users} users, {rooms} rooms with {members} members each, measured for {seconds:.1} s",
            "사용자 {users}명의 연결 {connections}개, 방 {rooms}개(방마다 {members}명), {seconds:.1}초 측정"
        )
    }

    pub(super) fn load_throughput(self, report: &Report) -> String {
        let Report {
            posts_per_second,
            deliveries_per_second,
            posts,
            deliveries,
            ..
        } = report;
        say!(
            self,
            "posts acknowledged:  {posts_per_second:>9.0}/s  ({posts})\nentries delivered:   {deliveries_per_second:>9.0}/s  ({deliveries})",
            "확인된 글:   {posts_per_second:>9.0}/초  ({posts}개)\n전달된 항목: {deliveries_per_second:>9.0}/초  ({deliveries}개)"
        )
    }

    pub(super) fn load_latency_head(self) -> String {
        let columns = ["p50", "p90", "p99", "p99.9"].map(|name| format!("{name:>9}"));
        let columns = columns.concat();
        say!(
            self,
            "latency in ms  {columns}      max",
            "지연(ms)       {columns}     최대"
        )
    }

    pub(super) fn load_acknowledged(self, columns: &str) -> String {
        say!(self, "  acknowledged {columns}", "  확인까지     {columns}")
    }

    pub(super) fn load_delivered(self, columns: &str) -> String {
        say!(self, "  delivered    {columns}", "  전달까지     {columns}")
    }

    pub(super) fn load_troubles(self, report: &Report) -> String {
        let Report {
            reconnects,
            lags,
            put_off,
            refused,
            unanswered,
            ..
        } = report;
        say!(
            self,
            "reconnects {reconnects}, lags {lags}, put off {put_off}, refused {refused}, unanswered {unanswered}",
            "재연결 {reconnects}, 뒤처짐 {lags}, 미뤄짐 {put_off}, 거절 {refused}, 확인 없음 {unanswered}"
        )
    }

    pub(super) fn load_server(self, server: &ServerCost) -> String {
        let ServerCost {
            cpu_seconds,
            bytes_per_connection,
            memory_bytes,
            ..
        } = server;
        let memory = *memory_bytes as f64 / 1024.0 / 1024.0;
        let mut line = say!(
            self,
            "server: {cpu_seconds:.2} s of CPU, {memory:.1} MiB, {bytes_per_connection:.0} bytes for each connection",
            "서버: CPU {cpu_seconds:.2}초, 메모리 {memory:.1} MiB, 연결 하나에 {bytes_per_connection:.0}바이트"
        );
        if let (Some(post), Some(delivery)) = (server.cpu_us_per_post, server.cpu_us_per_delivery) {
            line += &say!(
                self,
                "; {post:.1} µs of CPU for each post, {delivery:.2} µs for each delivery",
                ", 글 하나에 CPU {post:.1}µs, 전달 하나에 {delivery:.2}µs"
            );
        }
        line
    }

    pub(super) fn load_disk(self, commits: f64) -> String {
        say!(
            self,
            "disk: {commits:.0} single commits/s",
            "디스크: 단일 커밋 초당 {commits:.0}회"
        )
    }

    pub(super) fn load_clean(self) -> String {
        say!(
            self,
            "Every post was acknowledged, and every receiver got every entry once, in order.",
            "모든 글이 확인되었고, 모든 수신자가 모든 항목을 순서대로 한 번씩 받았습니다."
        )
    }

    pub(super) fn load_faults(self, report: &Report) -> String {
        let Report {
            unanswered,
            refused,
            ..
        } = report;
        let Faults {
            lost,
            doubled,
            reordered,
            changed,
            repeated,
        } = report.faults;
        say!(
            self,
            "FAULTS: {lost} lost, {doubled} doubled, {reordered} reordered, {changed} changed, {repeated} repeated; {unanswered} posts unanswered, {refused} refused",
            "오류: 유실 {lost}, 중복 {doubled}, 순서 바뀜 {reordered}, 내용 바뀜 {changed}, 두 번 기록됨 {repeated}. 확인 없는 글 {unanswered}, 거절된 글 {refused}"
        )
    }

    pub(super) fn load_failed(self) -> String {
        say!(
            self,
            "the server did not keep all its promises",
            "서버가 약속을 모두 지키지 못했습니다"
        )
    }
}
