//! The engine is pure: no runtime, no I/O library, no clock and no randomness of its own is among its dependencies.

use std::process::Command;

/// Names (or beginnings of names, before a dash) of crates that would bring a runtime, sockets, storage or randomness.
const FORBIDDEN: &[&str] = &[
    "tokio",
    "async",
    "smol",
    "mio",
    "polling",
    "hyper",
    "axum",
    "reqwest",
    "futures",
    "rusqlite",
    "libsqlite3",
    "sqlx",
    "socket2",
    "rustls",
    "getrandom",
    "rand",
    "chrono",
    "time",
];

#[test]
fn no_runtime_is_among_the_dependencies() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "tree",
            "-p",
            "suda-engine",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p} features={f}",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).expect("cargo tree speaks UTF-8");
    let names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        names.contains(&"suda-protocol"),
        "the tree is not the engine's:\n{tree}"
    );
    for name in names {
        let forbidden = FORBIDDEN
            .iter()
            .find(|bad| name == **bad || name.starts_with(&format!("{bad}-")));
        assert_eq!(
            forbidden, None,
            "{name} is among the dependencies of the engine:\n{tree}"
        );
    }
}
