//! `cargo xtask fuzz`: libFuzzer with AddressSanitizer against the WebSocket library, for as long as one likes.
//!
//! What it finds goes into a working corpus below `target/`; `--keep` takes from it what the committed corpora lack. `cargo test` replays
//! those, so a machine that only tests needs no fuzzer.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

const FOLDER: &str = "crates/websocket/fuzz";
/// Longest input, in bytes: as long as the replaying test lets them get.
const INPUT_BYTES_MAX: u32 = 2048;

/// Feed the WebSocket library what a fuzzer thinks of, with AddressSanitizer.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these targets, as in `frames` or `deflate`; without: all, one after the other.
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    seconds: u32,
    /// Add to the committed corpora the inputs that reach something new, as few as will do.
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if !shell::exists("cargo-fuzz") {
        shell::run(shell::cargo().args(["install", "cargo-fuzz", "--locked"]))
            .context("cargo-fuzz is missing and could not be installed")?;
    }
    let all = cargo_fuzz("list").output().context("cargo fuzz list")?;
    let all = String::from_utf8(all.stdout)?;
    let targets: Vec<&str> = if args.targets.is_empty() {
        all.lines().collect()
    } else {
        args.targets.iter().map(String::as_str).collect()
    };
    for target in &targets {
        ensure!(
            all.lines().any(|known| known == *target),
            "there is no target {target}; there are:\n{all}"
        );
    }

    let mut found = Vec::new();
    for target in targets {
        shell::heading(&format!("Fuzzing: {target}, {} s", args.seconds));
        let corpus = work().join("corpus").join(target);
        let artifacts = work().join("artifacts").join(target);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&artifacts)?;
        let done = shell::run(
            fuzzer(target)
                .args([&corpus, &committed(target)])
                .arg("--")
                .arg(format!("-max_total_time={}", args.seconds))
                .arg(format!("-max_len={INPUT_BYTES_MAX}"))
                .arg(format!("-artifact_prefix={}/", artifacts.display()))
                .args(["-print_final_stats=1", "-verbosity=0"]),
        );
        if done.is_err() {
            found.push(format!("{target}: see {}", artifacts.display()));
        } else if args.keep {
            shell::run(
                fuzzer(target)
                    .args([&committed(target), &corpus])
                    .args(["--", "-set_cover_merge=1"]),
            )?;
        }
    }
    if !found.is_empty() {
        bail!("findings in {}", found.join("; "));
    }
    Ok(())
}

/// The sanitizer is cargo-fuzz's default, too; it is promised, so it is asked for.
fn fuzzer(target: &str) -> Command {
    let mut run = cargo_fuzz("run");
    run.args(["--sanitizer", "address", target]);
    run
}

/// AddressSanitizer is not in stable Rust's language, but it is in its compiler.
fn cargo_fuzz(command: &str) -> Command {
    let mut cargo = shell::cargo();
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", work())
        .args(["fuzz", command, "--fuzz-dir", FOLDER]);
    cargo
}

fn committed(target: &str) -> PathBuf {
    shell::root().join(FOLDER).join("corpus").join(target)
}

fn work() -> PathBuf {
    shell::root().join("target").join("fuzz")
}
