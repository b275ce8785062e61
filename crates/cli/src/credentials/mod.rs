//! Who this person is on which server: a file that only they can read, and the secrets in the system's keyring where there is one.
//!
//! `$XDG_CONFIG_HOME/suda/credentials.toml`, else `~/.config/suda/credentials.toml`, mode 0600. It says of each sign-in where its
//! secret is: in the keyring, or, where that is not to be had or not wanted, in the file itself.

mod keyring;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};
use crate::texts::Texts;
pub(crate) use keyring::KeyringError;
use keyring::{Keyring, SystemKeyring};

/// Where the secret of a sign-in is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Keeping {
    /// In the system's keyring; in the file where there is none that answers
    Auto,
    /// In the file ~/.config/suda/credentials.toml, which only you can read
    File,
    /// In the system's keyring, or not at all
    Keyring,
}

/// Where the secret of a sign-in was put.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    InKeyring,
    /// In this file, and why not in the keyring if that was tried.
    InFile(PathBuf, Option<KeyringError>),
}

/// One signed-in device on one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credential {
    /// The server's address, as [`crate::address::parse`] shows it.
    pub(crate) server: String,
    /// The name that the person signed in with.
    pub(crate) name: String,
    /// What the server knows this device by; made at the first sign-in and kept.
    pub(crate) device: uuid::Uuid,
    /// The secret that signing in gave; empty after signing out, and where the keyring has it.
    #[serde(default)]
    token: String,
    /// Whether the keyring has a secret: the valid one where `token` is empty, else an earlier one that it did not give up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    keyring: bool,
}

impl Credential {
    /// What signing in gave. Where it is kept is settled by [`Credentials::sign_in`].
    pub(crate) fn new(
        server: String,
        name: String,
        device: uuid::Uuid,
        token: String,
    ) -> Credential {
        Credential {
            server,
            name,
            device,
            token,
            keyring: false,
        }
    }

    fn is_signed_in(&self) -> bool {
        self.keyring || !self.token.is_empty()
    }

    /// What the keyring knows the secret by. The device is in it: one person may sign in to one server from several configurations.
    fn account(&self) -> String {
        format!("{} {}", self.server, self.device)
    }
}

/// The file, read into memory, and the keyring beside it.
#[derive(Debug)]
pub(crate) struct Credentials<K = SystemKeyring> {
    path: PathBuf,
    /// In the order of signing in: the last one that is signed in is the default.
    all: Vec<Credential>,
    keyring: K,
    texts: Texts,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    server: Vec<Credential>,
}

impl Credentials {
    /// Reads the file of the environment; a missing one is empty.
    pub(crate) fn load(texts: Texts) -> Result<Credentials, Failure> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))
            .ok_or_else(|| {
                Failure::failed(
                    "neither XDG_CONFIG_HOME nor HOME is set: where is the sign-in kept?",
                )
            })?;
        let path = folder.join("suda").join("credentials.toml");
        Credentials::read(&path, SystemKeyring { texts }, texts)
    }
}

impl<K: Keyring> Credentials<K> {
    fn read(path: &Path, keyring: K, texts: Texts) -> Result<Credentials<K>, Failure> {
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
            keyring,
            texts,
        })
    }

    /// The signed-in device on this server, or, without a server, the one signed in last.
    pub(crate) fn signed_in(&self, server: Option<&str>) -> Option<&Credential> {
        self.all.iter().rev().find(|credential| {
            credential.is_signed_in() && server.is_none_or(|server| server == credential.server)
        })
    }

    /// The device id for this server: the one from before, or a new one.
    pub(crate) fn device(&self, server: &str) -> uuid::Uuid {
        self.all
            .iter()
            .find(|credential| credential.server == server)
            .map_or_else(uuid::Uuid::new_v4, |credential| credential.device)
    }

    /// The secret of a sign-in, from where it is kept. May wait for the keyring, for a bounded time.
    pub(crate) fn token(&self, credential: &Credential) -> Result<String, Failure> {
        if !credential.token.is_empty() {
            return Ok(credential.token.clone());
        }
        match self.keyring.get(&credential.account()) {
            Ok(Some(token)) => Ok(token),
            Ok(None) => Err(Failure::new(
                Exit::NotSignedIn,
                self.texts.not_in_keyring(&credential.server),
            )),
            Err(error) => Err(Failure::failed(
                self.texts.keyring_closed(&credential.server, &error),
            )),
        }
    }

    /// Whether a sign-in can be kept in that way. Asked before anybody signs in: where it cannot, nothing has happened yet.
    pub(crate) fn check(&self, keeping: Keeping) -> Result<(), Failure> {
        match keeping {
            Keeping::Auto | Keeping::File => Ok(()),
            Keeping::Keyring => self
                .keyring
                .find()
                .map_err(|error| Failure::failed(self.texts.no_keyring(&error))),
        }
    }

    /// Keeps a sign-in, in place of the earlier one on the same server, as the default. May wait for the keyring, for a bounded time.
    pub(crate) fn sign_in(
        &mut self,
        mut credential: Credential,
        keeping: Keeping,
    ) -> Result<Kept, Failure> {
        let account = credential.account();
        let has_earlier = self
            .all
            .iter()
            .any(|other| other.server == credential.server && other.keyring);
        let asked = match keeping {
            Keeping::File => None,
            Keeping::Auto | Keeping::Keyring => Some(self.keyring.set(&account, &credential.token)),
        };
        let kept = match asked {
            Some(Ok(())) => {
                credential.keyring = true;
                credential.token.clear();
                Kept::InKeyring
            }
            Some(Err(error)) if keeping == Keeping::Keyring => {
                return Err(Failure::failed(self.texts.no_keyring(&error)));
            }
            Some(Err(error)) => {
                credential.keyring = has_earlier;
                Kept::InFile(self.path.clone(), Some(error))
            }
            None => {
                credential.keyring = has_earlier && self.keyring.remove(&account).is_err();
                Kept::InFile(self.path.clone(), None)
            }
        };
        self.all.retain(|other| other.server != credential.server);
        self.all.push(credential);
        self.save()?;
        Ok(kept)
    }

    /// Forgets the token for this server, wherever it is kept; the device id stays. May wait for the keyring, for a bounded time.
    pub(crate) fn sign_out(&mut self, server: &str) -> Result<(), Failure> {
        for credential in &mut self.all {
            if credential.server != server {
                continue;
            }
            if credential.keyring {
                match self.keyring.remove(&credential.account()) {
                    // What the keyring does not give up is not the secret that was in use.
                    Err(error) if credential.token.is_empty() => {
                        return Err(Failure::failed(self.texts.keyring_closed(server, &error)));
                    }
                    Ok(()) | Err(_) => {}
                }
            }
            credential.keyring = false;
            credential.token.clear();
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
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::language::Language;

    /// A keyring in memory, that can be closed.
    #[derive(Debug, Default)]
    struct FakeKeyring {
        secrets: RefCell<BTreeMap<String, String>>,
        is_closed: Cell<bool>,
    }

    impl FakeKeyring {
        fn open(&self) -> Result<std::cell::RefMut<'_, BTreeMap<String, String>>, KeyringError> {
            match self.is_closed.get() {
                true => Err(KeyringError::Silent),
                false => Ok(self.secrets.borrow_mut()),
            }
        }
    }

    impl Keyring for &FakeKeyring {
        fn find(&self) -> Result<(), KeyringError> {
            self.open().map(drop)
        }

        fn get(&self, account: &str) -> Result<Option<String>, KeyringError> {
            Ok(self.open()?.get(account).cloned())
        }

        fn set(&self, account: &str, secret: &str) -> Result<(), KeyringError> {
            self.open()?.insert(account.into(), secret.into());
            Ok(())
        }

        fn remove(&self, account: &str) -> Result<(), KeyringError> {
            self.open()?.remove(account);
            Ok(())
        }
    }

    fn credential(server: &str, token: &str) -> Credential {
        Credential::new(
            server.into(),
            "민수".into(),
            uuid::Uuid::new_v4(),
            token.into(),
        )
    }

    fn temporary() -> PathBuf {
        std::env::temp_dir()
            .join(format!("suda-credentials-{}", uuid::Uuid::new_v4()))
            .join("suda/credentials.toml")
    }

    fn read<'a>(path: &Path, keyring: &'a FakeKeyring) -> Credentials<&'a FakeKeyring> {
        Credentials::read(path, keyring, Texts::new(Language::English)).unwrap()
    }

    fn token<K: Keyring>(credentials: &Credentials<K>, server: &str) -> Result<String, String> {
        let credential = credentials.signed_in(Some(server)).ok_or("not signed in")?;
        credentials
            .token(credential)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_last_sign_in_is_the_default_and_survives_a_reload() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        let mut credentials = read(&path, &keyring);
        assert_eq!(credentials.signed_in(None), None);
        let (a, b) = (credential("http://a", "1"), credential("http://b", "2"));
        credentials.sign_in(a.clone(), Keeping::File).unwrap();
        credentials.sign_in(b.clone(), Keeping::File).unwrap();

        let mut credentials = read(&path, &keyring);
        assert_eq!(credentials.signed_in(None), Some(&b));
        assert_eq!(credentials.signed_in(Some("http://a")), Some(&a));
        assert_eq!(credentials.signed_in(Some("http://c")), None);

        credentials.sign_out("http://b").unwrap();
        let credentials = read(&path, &keyring);
        assert_eq!(credentials.signed_in(None), Some(&a));
        assert_eq!(credentials.device("http://b"), b.device);
        assert!(keyring.secrets.borrow().is_empty());
    }

    #[test]
    fn a_keyring_that_is_there_has_the_secret_and_the_file_has_not() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        let mut credentials = read(&path, &keyring);
        let kept = credentials.sign_in(credential("http://a", "very-secret"), Keeping::Auto);
        assert_eq!(kept.unwrap(), Kept::InKeyring);
        assert!(!fs::read_to_string(&path).unwrap().contains("very-secret"));

        let mut credentials = read(&path, &keyring);
        assert_eq!(token(&credentials, "http://a").unwrap(), "very-secret");
        credentials.sign_out("http://a").unwrap();
        assert!(keyring.secrets.borrow().is_empty());
        assert_eq!(read(&path, &keyring).signed_in(None), None);
    }

    #[test]
    fn where_the_keyring_is_closed_the_file_has_the_secret_unless_the_keyring_is_insisted_on() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        keyring.is_closed.set(true);
        let mut credentials = read(&path, &keyring);
        assert!(credentials.check(Keeping::Keyring).is_err());
        let insisted = credentials.sign_in(credential("http://a", "1"), Keeping::Keyring);
        assert!(insisted.is_err());
        assert_eq!(read(&path, &keyring).signed_in(None), None);

        let kept = credentials.sign_in(credential("http://a", "1"), Keeping::Auto);
        assert_eq!(
            kept.unwrap(),
            Kept::InFile(path.clone(), Some(KeyringError::Silent))
        );
        assert_eq!(token(&read(&path, &keyring), "http://a").unwrap(), "1");
    }

    #[test]
    fn a_sign_in_whose_keyring_is_closed_stays_until_it_is_open() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        let mut credentials = read(&path, &keyring);
        credentials
            .sign_in(credential("http://a", "1"), Keeping::Keyring)
            .unwrap();
        keyring.is_closed.set(true);
        let said = token(&credentials, "http://a").unwrap_err();
        assert!(
            said.contains("keyring") && said.contains("unlock"),
            "{said}"
        );
        assert!(credentials.sign_out("http://a").is_err());

        keyring.is_closed.set(false);
        let mut credentials = read(&path, &keyring);
        assert_eq!(token(&credentials, "http://a").unwrap(), "1");
        credentials.sign_out("http://a").unwrap();
        assert!(keyring.secrets.borrow().is_empty());
    }

    #[test]
    fn who_goes_over_to_the_file_leaves_nothing_in_the_keyring() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        let mut credentials = read(&path, &keyring);
        let first = credential("http://a", "1");
        let second = Credential {
            token: "2".into(),
            ..first.clone()
        };
        credentials.sign_in(first, Keeping::Auto).unwrap();
        credentials.sign_in(second, Keeping::File).unwrap();
        assert!(keyring.secrets.borrow().is_empty());
        assert_eq!(token(&read(&path, &keyring), "http://a").unwrap(), "2");
    }

    #[test]
    fn what_a_closed_keyring_kept_is_removed_when_signing_out() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        let mut credentials = read(&path, &keyring);
        let first = credential("http://a", "1");
        let second = Credential {
            token: "2".into(),
            ..first.clone()
        };
        credentials.sign_in(first, Keeping::Auto).unwrap();
        keyring.is_closed.set(true);
        credentials.sign_in(second, Keeping::Auto).unwrap();
        assert_eq!(token(&credentials, "http://a").unwrap(), "2");
        keyring.is_closed.set(false);
        let mut credentials = read(&path, &keyring);
        assert_eq!(token(&credentials, "http://a").unwrap(), "2");
        credentials.sign_out("http://a").unwrap();
        assert!(keyring.secrets.borrow().is_empty());
        assert_eq!(read(&path, &keyring).signed_in(None), None);
    }

    #[test]
    fn nobody_else_may_read_it() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        let mut credentials = read(&path, &keyring);
        credentials
            .sign_in(credential("http://a", "1"), Keeping::File)
            .unwrap();
        credentials
            .sign_in(credential("http://a", "2"), Keeping::File)
            .unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_named_without_its_secrets() {
        let (path, keyring) = (temporary(), FakeKeyring::default());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "[[server]]\ntoken = \"very-secret\nname=").unwrap();
        let message = Credentials::read(&path, &keyring, Texts::new(Language::English))
            .unwrap_err()
            .to_string();
        assert!(message.contains("credentials.toml"), "{message}");
        assert!(!message.contains("very-secret"), "{message}");
    }
}
