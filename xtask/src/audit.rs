//! `cargo xtask audit`: what is looked at before a release, and whenever dependencies or public names change.
//!
//! Its first use compiles tools for minutes, which is why `cargo xtask test` leaves it out, all but the look at the public names.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::shell;

const PACKAGE: &str = "suda-websocket";
/// The public face of the library, one item a line.
const SNAPSHOT: &str = "crates/websocket/api.txt";
const RUSTDOC: &str = "xtask/rustdoc.sh";
/// Warnings are errors. The `cfg` means nothing: it is there so that pages which cargo made otherwise, without the JSON, are not taken for these.
const RUSTDOC_FLAGS: &str = "-D warnings --cfg suda_public_face";
/// A release's tag is this and the version.
const TAGS: &str = "suda-websocket-v*";

/// Check the public face of the WebSocket library, and every dependency's licence, source and known faults.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only this check; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Check>,
    /// Take the public face as it now is for the one that is meant: writes it into the snapshot.
    #[arg(long)]
    accept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Check {
    /// The library's public items are those of the snapshot.
    Api,
    /// The version says what has become of the items since the last release (cargo-semver-checks).
    Semver,
    /// Licences, sources, doubled crates and known faults of all dependencies (cargo-deny).
    Deny,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let mut failed = Vec::new();
    for &check in Check::value_variants() {
        if !args.only.is_empty() && !args.only.contains(&check) {
            continue;
        }
        let (title, result) = match check {
            Check::Api => ("Public face", api as fn(bool) -> Result<()>),
            Check::Semver => ("Version", semver as _),
            Check::Deny => ("Dependencies", deny as _),
        };
        shell::heading(title);
        if let Err(error) = result(args.accept) {
            println!("-- FAILED: {error:#}");
            failed.push(title);
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Compares the public items with those of the snapshot, or writes them into it.
pub(crate) fn api(accept: bool) -> Result<()> {
    let found = public_items()?;
    let path = shell::root().join(SNAPSHOT);
    let meant = fs::read_to_string(&path).unwrap_or_default();
    let count = found.lines().count();
    if found == meant {
        println!("{count} public items, as in {SNAPSHOT}");
        return Ok(());
    }
    for gone in meant
        .lines()
        .filter(|line| !found.lines().any(|now| now == *line))
    {
        println!("- {gone}");
    }
    for new in found
        .lines()
        .filter(|line| !meant.lines().any(|was| was == *line))
    {
        println!("+ {new}");
    }
    if !accept {
        bail!(
            "the public items are not those of {SNAPSHOT}; if this is meant: cargo xtask audit --only api --accept"
        );
    }
    fs::write(&path, found).with_context(|| format!("could not write {SNAPSHOT}"))?;
    println!("{count} public items, written into {SNAPSHOT}");
    Ok(())
}

/// Documents the workspace, with every feature, and on the side writes the JSON from which [`api`] takes the public items.
pub(crate) fn document() -> Result<()> {
    shell::run(
        shell::cargo_as_tested("doc")
            .args(["--no-deps", "--lib", "--bin", "suda", "--bin", "xtask"])
            .env("RUSTDOC", shell::root().join(RUSTDOC))
            .env("RUSTDOCFLAGS", RUSTDOC_FLAGS),
    )
}

/// As rustdoc sees them, with every feature.
fn public_items() -> Result<String> {
    // Costs nothing where it has just been done.
    document()?;
    let json = shell::target()
        .join("doc")
        .join(PACKAGE.replace('-', "_"))
        .with_extension("json");
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .context(
            "public-api does not understand this rustdoc's JSON: it has to go with the toolchain",
        )?;
    Ok(api.items().map(|item| format!("{item}\n")).collect())
}

fn semver(_: bool) -> Result<()> {
    let tags = Command::new("git")
        .args(["tag", "--list", TAGS, "--sort=-version:refname"])
        .current_dir(shell::root())
        .output()
        .context("could not ask git for the releases")?;
    let tags = String::from_utf8(tags.stdout)?;
    let Some(last) = tags.lines().next() else {
        println!("no release yet: there is no tag {TAGS} to compare with");
        return Ok(());
    };
    ensure_tool("cargo-semver-checks")?;
    shell::run(shell::cargo().args([
        "semver-checks",
        "--package",
        PACKAGE,
        "--all-features",
        "--baseline-rev",
        last,
    ]))
}

fn deny(_: bool) -> Result<()> {
    ensure_tool("cargo-deny")?;
    let check = |what: &[&str]| {
        shell::run(
            shell::cargo()
                .args(["deny", "--all-features", "check"])
                .args(what),
        )
    };
    check(&["licenses", "bans", "sources"])?;
    check(&["advisories"])
        .context("a known fault, or no way to the list of them: it is fetched from github.com")
}

fn ensure_tool(name: &str) -> Result<()> {
    if shell::exists(name) {
        return Ok(());
    }
    shell::run(shell::cargo().args(["install", name, "--locked"]))
        .with_context(|| format!("{name} is missing and could not be installed"))
}
