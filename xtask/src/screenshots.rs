//! `cargo xtask screenshots`: takes the README's pictures anew, from the real product.

use std::fs;

use anyhow::{Context, Result};

use crate::{shell, web};

/// What the tests of the screens keep, and the names under which the README shows it.
const PICTURES: [(&str, &str); 4] = [
    ("room-light.png", "web-light.png"),
    ("room-dark.png", "web-dark.png"),
    ("phone-room-light.png", "web-phone.png"),
    ("terminal.png", "terminal.png"),
];

/// Take the README's pictures anew.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: Args) -> Result<()> {
    web::build()?;
    web::in_browser(&["e2e/screens", "e2e/picture"])?;
    let pictures = shell::root().join("docs/images");
    fs::create_dir_all(&pictures)?;
    for (taken, name) in PICTURES {
        let from = shell::root().join("web/e2e/.out").join(taken);
        fs::copy(&from, pictures.join(name))
            .with_context(|| format!("could not copy {}", from.display()))?;
        println!("docs/images/{name}");
    }
    Ok(())
}
