//! `cargo xtask web`: builds the web client into `web/dist`, from where the server's build takes it into the binary.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{apt, buf, npm, shell};

/// Debian's Chromium. Another one can be named in `SUDA_CHROMIUM`.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Build the web client, which the next build of the binary takes in.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also run all of its checks and tests: types, lints, logic, and the product in a real browser.
    #[arg(long)]
    test: bool,
    /// Only check what needs neither server nor browser: types, lints, logic. Installs what the rest needs.
    #[arg(long)]
    check: bool,
    /// Only write the types of the protocol's schema anew, into web/src/gen.
    #[arg(long)]
    generate: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if args.generate {
        let web = shell::root().join("web");
        npm::ensure(&web)?;
        return generate(&web, Path::new("."));
    }
    if args.test {
        test()
    } else if args.check {
        check()
    } else {
        build()
    }
}

/// Checks, builds and tests the web client, in the end in a browser against the real server.
fn test() -> Result<()> {
    check()?;
    build()?;
    shell::heading("Web client: in a browser, against the real server");
    in_browser(&[])
}

/// What needs neither server nor browser: types, lints, logic.
pub(crate) fn check() -> Result<()> {
    let web = shell::root().join("web");
    npm::ensure(&web)?;
    shell::heading("Web client: types and lints");
    is_generated(&web)?;
    script(&web, "check")?;
    shell::heading("Web client: logic");
    script(&web, "test")?;
    ensure_chromium()
}

/// Runs the tests in the browser, or those that are named, against the binary with the web client that was built last.
pub(crate) fn in_browser(only: &[&str]) -> Result<()> {
    ensure_chromium()?;
    shell::run(shell::cargo_as_tested("build").args(["--bin", "suda"]))?;
    let mut tests = npm_script(&shell::root().join("web"), "e2e");
    tests.arg("--").args(only).env("SUDA_BINARY", binary());
    shell::run(&mut tests)
}

/// Builds the web client. Not beside a build of the server, which takes it in.
pub(crate) fn build() -> Result<()> {
    let web = shell::root().join("web");
    npm::ensure(&web)?;
    shell::heading("Web client: build");
    script(&web, "build")
}

fn script(web: &Path, name: &str) -> Result<()> {
    shell::run(&mut npm_script(web, name))
}

fn npm_script(web: &Path, name: &str) -> Command {
    let mut command = Command::new("npm");
    command.args(["run", "--silent", name]).current_dir(web);
    if !io::stdout().is_terminal() {
        // Vitest would colour its output wherever `CI` is set.
        command.env("NO_COLOR", "1");
    }
    command
}

fn generate(web: &Path, output: &Path) -> Result<()> {
    shell::run(
        Command::new(buf::program()?)
            .args(["generate", "--output"])
            .arg(output)
            .current_dir(web),
    )
}

/// The committed types are those of the present schema.
fn is_generated(web: &Path) -> Result<()> {
    let fresh = shell::target().join("web-generated");
    generate(web, &fresh)?;
    let same = shell::run(
        Command::new("diff")
            .arg("--recursive")
            .arg(web.join("src/gen"))
            .arg(fresh.join("src/gen")),
    );
    if same.is_err() {
        bail!("web/src/gen is not what the schema gives: run `cargo xtask web --generate`");
    }
    Ok(())
}

fn ensure_chromium() -> Result<()> {
    if std::env::var_os("SUDA_CHROMIUM").is_some() || Path::new(CHROMIUM).exists() {
        return Ok(());
    }
    if !apt::install(&["chromium", "fonts-noto-cjk", "fonts-noto-color-emoji"]) {
        bail!(
            "Chromium is missing and could not be installed: run `apt-get install chromium fonts-noto-cjk` as root, or name one in SUDA_CHROMIUM"
        );
    }
    Ok(())
}

fn binary() -> PathBuf {
    shell::target().join("debug/suda")
}
