//! The configuration file: TOML, every key optional, no unknown key. A mistake is told with file, line and key.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::settings::{LogFormat, SignUpChoice, Switch};
use crate::exit::Failure;

/// What the file may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<SocketAddr>,
    pub(super) data: Option<PathBuf>,
    pub(super) public_url: Option<String>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<IpAddr>,
    pub(super) workers: Option<NonZeroU16>,
    pub(super) sign_up: Option<SignUpChoice>,
    pub(super) compression: Option<Switch>,
    pub(super) database_bytes_max: Option<u64>,
    pub(super) log: Option<LogFormat>,
    pub(super) log_filter: Option<String>,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<File, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!(
                "cannot read the configuration file {}: {error}",
                path.display()
            ))
        })?;
        toml::from_str(&text).map_err(|error| {
            let place = error
                .span()
                .map(|span| place(&text, span.start))
                .unwrap_or_default();
            let problem = error.message().replace('\n', " ");
            Failure::usage(format!("{}{place}: {problem}", path.display()))
        })
    }
}

/// ", line 3, key listen" for the byte at `offset`; without a key where the line has none.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    match line.split_once('=') {
        Some((key, _)) => format!(", line {number}, key {}", key.trim()),
        None => format!(", line {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        let path = std::env::temp_dir().join(format!("suda-{}.toml", uuid::Uuid::new_v4()));
        fs::write(&path, text).unwrap();
        let message = File::read(&path).unwrap_err().to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        let rest = message.strip_prefix(path.to_str().unwrap());
        rest.expect("the file is named first").to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let message = mistake("# ours\nlistne = \"127.0.0.1:1\"\n");
        assert!(message.starts_with(", line 2, key listne: "), "{message}");
        assert!(message.contains("unknown field"), "{message}");
    }

    #[test]
    fn a_wrong_type_is_named_with_its_line() {
        let message = mistake("data = \"d\"\nworkers = \"many\"\n");
        assert!(message.starts_with(", line 2, key workers: "), "{message}");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line() {
        for text in [
            "listen = \"nowhere\"",
            "sign_up = \"perhaps\"",
            "workers = 0",
            "trusted_proxies = [\"10.0.0.0.1\"]",
        ] {
            let key = text.split(' ').next().unwrap();
            let message = mistake(text);
            assert!(
                message.starts_with(&format!(", line 1, key {key}: ")),
                "{message}"
            );
        }
    }

    #[test]
    fn broken_toml_is_named_with_its_line() {
        let message = mistake("data = \"d\"\n[[[\n");
        assert!(message.starts_with(", line 2"), "{message}");
    }

    #[test]
    fn a_missing_file_is_said() {
        let message = File::read(Path::new("/nowhere/suda.toml")).unwrap_err();
        assert!(message.to_string().contains("/nowhere/suda.toml"));
    }
}
