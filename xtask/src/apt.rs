//! System packages, where apt can install them.

use std::process::{Command, Stdio};

/// Whether apt installed the packages. Elsewhere, and without the right to, it did not: the caller names what is missing.
pub(crate) fn install(packages: &[&str]) -> bool {
    println!("Installing {} with apt-get …", packages.join(", "));
    Command::new("apt-get")
        .args(["install", "-y", "--no-install-recommends"])
        .args(packages)
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
