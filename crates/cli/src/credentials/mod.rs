//! Who this person is on which server: a file that only they can read.
//!
//! `$XDG_CONFIG_HOME/suda/credentials.toml`, else `~/.config/suda/credentials.toml`, mode 0600.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// One signed-in device on one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credential {
    /// The server's address, as [`crate::address::parse`] shows it.
    pub(crate) server: String,
    /// The name that the person signed in with.
    pub(crate) name: String,
    /// What the server knows this device by; made at the first sign-in and kept.
    pub(crate) device: uuid::Uuid,
    /// The secret that signing in gave; empty after signing out.
    pub(crate) token: String,
}

/// The file, read into memory.
#[derive(Debug)]
pub(crate) struct Credentials {
    path: PathBuf,
    /// In the order of signing in: the last one that is signed in is the default.
    all: Vec<Credential>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    server: Vec<Credential>,
}

impl Credentials {
    /// Reads the file of the environment; a missing one is empty.
    pub(crate) fn load() -> Result<Credentials, Failure> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))
            .ok_or_else(|| {
                Failure::failed(
                    "neither XDG_CONFIG_HOME nor HOME is set: where is the sign-in kept?",
                )
            })?;
        Credentials::read(&folder.join("suda").join("credentials.toml"))
    }

    fn read(path: &Path) -> Result<Credentials, Failure> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Failure::failed(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        };
        let file: File = toml::from_str(&text).map_err(|error| {
            // Only the message: the library's own display would quote the line, and with it perhaps a token.
            Failure::failed(format!(
                "{} is damaged ({}): mend it, or delete it and sign in again",
                path.display(),
                error.message()
            ))
        })?;
        Ok(Credentials {
            path: path.to_path_buf(),
            all: file.server,
        })
    }

    /// The signed-in device on this server, or, without a server, the one signed in last.
    pub(crate) fn signed_in(&self, server: Option<&str>) -> Option<&Credential> {
        self.all.iter().rev().find(|credential| {
            !credential.token.is_empty() && server.is_none_or(|server| server == credential.server)
        })
    }

    /// The device id for this server: the one from before, or a new one.
    pub(crate) fn device(&self, server: &str) -> uuid::Uuid {
        self.all
            .iter()
            .find(|credential| credential.server == server)
            .map_or_else(uuid::Uuid::new_v4, |credential| credential.device)
    }

    /// Keeps a sign-in, in place of the earlier one on the same server, as the default.
    pub(crate) fn sign_in(&mut self, credential: Credential) -> Result<(), Failure> {
        self.all.retain(|other| other.server != credential.server);
        self.all.push(credential);
        self.save()
    }

    /// Forgets the token for this server; the device id stays.
    pub(crate) fn sign_out(&mut self, server: &str) -> Result<(), Failure> {
        for credential in &mut self.all {
            if credential.server == server {
                credential.token.clear();
            }
        }
        self.save()
    }

    fn save(&self) -> Result<(), Failure> {
        let file = File {
            server: self.all.clone(),
        };
        toml::to_string(&file)
            .map_err(io::Error::other)
            .and_then(|text| replace(&self.path, &text))
            .map_err(|error| {
                Failure::failed(format!("cannot write {}: {error}", self.path.display()))
            })
    }
}

/// Puts a new file in the place of the old one at once: a crash leaves the one or the other, and at no moment can anyone else read it.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let new = path.with_extension(format!("toml.{}", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn credential(server: &str, token: &str) -> Credential {
        Credential {
            server: server.into(),
            name: "민수".into(),
            device: uuid::Uuid::new_v4(),
            token: token.into(),
        }
    }

    fn temporary() -> PathBuf {
        std::env::temp_dir()
            .join(format!("suda-credentials-{}", uuid::Uuid::new_v4()))
            .join("suda/credentials.toml")
    }

    #[test]
    fn the_last_sign_in_is_the_default_and_survives_a_reload() {
        let path = temporary();
        let mut credentials = Credentials::read(&path).unwrap();
        assert_eq!(credentials.signed_in(None), None);
        let (a, b) = (credential("http://a", "1"), credential("http://b", "2"));
        credentials.sign_in(a.clone()).unwrap();
        credentials.sign_in(b.clone()).unwrap();

        let mut credentials = Credentials::read(&path).unwrap();
        assert_eq!(credentials.signed_in(None), Some(&b));
        assert_eq!(credentials.signed_in(Some("http://a")), Some(&a));
        assert_eq!(credentials.signed_in(Some("http://c")), None);

        credentials.sign_out("http://b").unwrap();
        let credentials = Credentials::read(&path).unwrap();
        assert_eq!(credentials.signed_in(None), Some(&a));
        assert_eq!(credentials.device("http://b"), b.device);
    }

    #[test]
    fn nobody_else_may_read_it() {
        let path = temporary();
        let mut credentials = Credentials::read(&path).unwrap();
        credentials.sign_in(credential("http://a", "1")).unwrap();
        credentials.sign_in(credential("http://a", "2")).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_named_without_its_secrets() {
        let path = temporary();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "[[server]]\ntoken = \"very-secret\nname=").unwrap();
        let message = Credentials::read(&path).unwrap_err().to_string();
        assert!(message.contains("credentials.toml"), "{message}");
        assert!(!message.contains("very-secret"), "{message}");
    }
}
