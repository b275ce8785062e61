//! `suda load` against a real server: a clean run, links that are cut, a server that is killed, and what it says when it cannot run.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Stdio;

use serde_json::Value;
use support::Folder;
use support::person::{Person, assert_fails, assert_ok, stdout};
use support::server::Server;

fn report(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).unwrap()
}

fn assert_clean(report: &Value) {
    for fault in [
        "lost",
        "doubled",
        "reordered",
        "changed",
        "repeated",
        "refused",
        "unanswered",
    ] {
        assert_eq!(report[fault], Value::from(0), "{report}");
    }
    assert!(report["posts"].as_u64().unwrap() > 0, "{report}");
    assert!(report["deliveries"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn a_run_is_clean_and_its_accounts_serve_the_next() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let somebody = Person::nobody(&folder, "load");
    let accounts = folder.join("accounts.jsonl");
    let (url, accounts) = (server.url(), accounts.to_str().unwrap().to_owned());
    let base = [
        "load",
        "--server",
        &url,
        "--accounts",
        &accounts,
        "--users",
        "4",
        "--tabs",
        "2",
        "--rooms",
        "2",
        "--members",
        "2",
        "--seconds",
        "0.5",
        "--warm-up",
        "0.1",
        "--json",
    ];
    let first = somebody.run(&[&base[..], &["--setup", server.setup_token()]].concat());
    assert_ok(&first);
    let first = report(&stdout(&first));
    assert_clean(&first);
    assert_eq!(first["connections"], Value::from(8));
    let kept = std::fs::read_to_string(&accounts).unwrap();
    assert_eq!(kept.lines().count(), 4);

    // With the same accounts, as fast as it goes, in JSON, with a look at the process and the disk.
    let pid = server.pid().to_string();
    let disk = folder.path().to_str().unwrap().to_owned();
    let more = [
        "--in-flight",
        "2",
        "--codec",
        "json",
        "--compress",
        "--bytes",
        "700",
        "--pid",
        &pid,
        "--disk",
        &disk,
    ];
    let second = somebody.run(&[&base[..], &more[..]].concat());
    assert_ok(&second);
    let second = report(&stdout(&second));
    assert_clean(&second);
    assert!(second["server"]["cpuSeconds"].as_f64().unwrap() > 0.0);
    assert!(second["diskCommitsPerSecond"].as_f64().unwrap() > 0.0);
    assert_eq!(std::fs::read_to_string(&accounts).unwrap(), kept);
}

#[test]
fn cut_links_and_a_killed_server_lose_nothing() {
    let folder = Folder::new();
    let mut server = Server::start(&folder);
    let somebody = Person::nobody(&folder, "load");
    let accounts = folder.join("accounts.jsonl");
    let mut child = somebody
        .suda(&[
            "load",
            "--server",
            &server.url(),
            "--setup",
            server.setup_token(),
            "--accounts",
        ])
        .arg(&accounts)
        .args([
            "--users",
            "6",
            "--rooms",
            "3",
            "--members",
            "4",
            "--rate",
            "200",
            "--json",
        ])
        .args([
            "--storm",
            "50",
            "--storm-every",
            "0.3",
            "--seconds",
            "3",
            "--settle",
            "120",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Once the accounts are there the run is about to post, or posts already: whenever it falls, a kill must not hurt.
    // (Asked in one read: a file that appears between two questions would pass for a full one.)
    while !std::fs::read_to_string(&accounts).is_ok_and(|kept| kept.lines().count() >= 6) {
        assert!(child.try_wait().unwrap().is_none(), "the run ended early");
        std::thread::yield_now();
    }
    server.kill();
    server.restart();
    let output = child.wait_with_output().unwrap();
    assert_ok(&output);
    let report = report(&stdout(&output));
    assert_clean(&report);
    assert!(report["reconnects"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn people_get_a_table_in_their_language() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let somebody = Person::nobody(&folder, "load");
    let url = server.url();
    let args = [
        "load",
        "--server",
        &url,
        "--users",
        "2",
        "--members",
        "2",
        "--rooms",
        "1",
        "--seconds",
        "0.3",
    ];
    let english = somebody.run(&[&args[..], &["--setup", server.setup_token()]].concat());
    assert_ok(&english);
    let english = stdout(&english);
    assert!(
        english.contains("every receiver got every entry once, in order"),
        "{english}"
    );
    assert!(english.contains("p99.9"), "{english}");
    let korean = somebody
        .suda(&args)
        .env("LC_ALL", "ko_KR.UTF-8")
        .output()
        .unwrap();
    assert_ok(&korean);
    let korean = stdout(&korean);
    assert!(korean.contains("순서대로 한 번씩 받았습니다"), "{korean}");
}

#[test]
fn what_cannot_run_says_so_in_one_line() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let somebody = Person::nobody(&folder, "load");
    let url = server.url();
    // Nobody may sign up before the administrator.
    let refused = somebody.run(&["load", "--server", &url]);
    assert!(assert_fails(&refused, 4).contains("setup link"));
    let gone = somebody.run(&["load", "--server", "http://127.0.0.1:1"]);
    assert!(assert_fails(&gone, 5).contains("127.0.0.1:1"));
    let wrong = somebody.run(&["load", "--users", "1", "--members", "2"]);
    assert_fails(&wrong, 2);
    let nobody = somebody.run(&[
        "load",
        "--server",
        &url,
        "--setup",
        server.setup_token(),
        "--pid",
        "4294967295",
    ]);
    assert_fails(&nobody, 1);
}
