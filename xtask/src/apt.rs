//! System packages, where apt can install them.

use std::process::{Command, Stdio};

/// Whether apt installed the packages. Elsewhere, and without the right to, it did not: the caller names what is missing.
pub(crate) fn install(packages: &[&str]) -> bool {
    println!("Installing {} with apt-get …", packages.join(", "));
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    // A fresh machine may have no lists of packages yet, an old one lists of what is there no more.
    apt_get(&install) || (apt_get(&["update"]) && apt_get(&install))
}

fn apt_get(args: &[&str]) -> bool {
    Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
