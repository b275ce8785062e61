//! Accounts for a run: taken from a file, and made where they are missing. Making one costs the server a password hash, some
//! 20 ms, so that a file saves minutes from the second run on.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use suda_client::Server;
use suda_client::account::{self, AccountError};
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use super::progress::Line;
use crate::exit::{Exit, Failure};
use crate::texts::Texts;

/// Sign-ups under way at the same time: some more than a server hashes at once, fewer than it lets wait.
const SIGN_UPS_MAX: usize = 8;
/// The pause before a sign-up that the server had no time for, where it names none.
const AGAIN_DEFAULT: Duration = Duration::from_secs(1);

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    server: String,
    name: String,
    pub(super) token: String,
}

/// The accounts of one server in a file; other servers' are kept there, too.
#[derive(Debug)]
pub(super) struct Accounts<'a> {
    server: &'a Server,
    path: Option<&'a Path>,
}

impl<'a> Accounts<'a> {
    pub(super) fn new(server: &'a Server, path: Option<&'a Path>) -> Accounts<'a> {
        Accounts { server, path }
    }

    /// So many accounts. The first one is made with the setup token, where there is one.
    pub(super) async fn gather(
        &self,
        count: usize,
        setup: Option<&str>,
        texts: Texts,
    ) -> Result<Vec<Account>, Failure> {
        let mut accounts = self.read()?;
        accounts.truncate(count);
        if let Some(first) = accounts.first() {
            // A file from before the server's data was thrown away is better found out here than by all connections.
            let known = account::me(self.server, &first.token).await;
            known.map_err(|error| failure(&error, texts))?;
        }
        let have = accounts.len();
        let line = Line::new();
        if let Some(setup) = setup {
            let account = sign_up(self.server.clone(), Some(setup.to_owned())).await;
            self.take(&mut accounts, account, texts)?;
            accounts.truncate(count);
        }
        let mut under_way = JoinSet::new();
        loop {
            while accounts.len() + under_way.len() < count && under_way.len() < SIGN_UPS_MAX {
                under_way.spawn_local(sign_up(self.server.clone(), None));
            }
            let Some(made) = under_way.join_next().await else {
                break;
            };
            let made = made.map_err(|error| Failure::failed(error.to_string()))?;
            self.take(&mut accounts, made, texts)?;
            line.show(&texts.load_accounts(accounts.len() - have, count - have));
        }
        Ok(accounts)
    }

    fn take(
        &self,
        accounts: &mut Vec<Account>,
        made: Result<Account, AccountError>,
        texts: Texts,
    ) -> Result<(), Failure> {
        let account = made.map_err(|error| failure(&error, texts))?;
        self.append(&account)?;
        accounts.push(account);
        Ok(())
    }

    fn read(&self) -> Result<Vec<Account>, Failure> {
        let Some(path) = self.path else {
            return Ok(Vec::new());
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unusable(path, &error)),
        };
        let server = self.server.to_string();
        let mut accounts = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let account: Account =
                serde_json::from_str(line).map_err(|error| unusable(path, &error))?;
            if account.server == server {
                accounts.push(account);
            }
        }
        Ok(accounts)
    }

    /// Each at once, so that an interrupted run has not made them in vain.
    fn append(&self, account: &Account) -> Result<(), Failure> {
        let Some(path) = self.path else {
            return Ok(());
        };
        let line = crate::json::line(account)?;
        let mut options = fs::File::options();
        options.create(true).append(true);
        // Whoever reads a token is its user.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| unusable(path, &error))
    }
}

async fn sign_up(server: Server, setup: Option<String>) -> Result<Account, AccountError> {
    let name = format!("load-{:.12}", Uuid::new_v4().simple().to_string());
    // Nobody signs in with it: the token is kept.
    let password = Uuid::new_v4().to_string();
    loop {
        match account::sign_up(&server, &name, &password, setup.as_deref()).await {
            Err(AccountError::Refused(error)) if error.retryable => {
                let wait = match error.retry_after_ms {
                    0 => AGAIN_DEFAULT,
                    wait_ms => Duration::from_millis(wait_ms.into()),
                };
                sleep(wait).await;
            }
            made => {
                return made.map(|made| Account {
                    server: server.to_string(),
                    name: made.user.name,
                    token: made.token,
                });
            }
        }
    }
}

fn failure(error: &AccountError, texts: Texts) -> Failure {
    let exit = match error {
        AccountError::Refused(_) => Exit::Refused,
        AccountError::Unreachable { .. } | AccountError::NotSuda { .. } => Exit::Unreachable,
    };
    Failure::new(exit, texts.account_error(error))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!(
        "cannot use the file of accounts {}: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_kept_for_each_server() {
        let path = std::env::temp_dir().join(format!("suda-load-{}.jsonl", Uuid::new_v4()));
        let here: Server = "http://127.0.0.1:7300".parse().unwrap();
        let there: Server = "https://chat.example.org".parse().unwrap();
        for (server, name) in [(&here, "a"), (&there, "b"), (&here, "c")] {
            let account = Account {
                server: server.to_string(),
                name: name.to_owned(),
                token: "t".to_owned(),
            };
            Accounts::new(server, Some(&path)).append(&account).unwrap();
        }
        let names = |server| -> Vec<String> {
            let accounts = Accounts::new(server, Some(&path)).read().unwrap();
            accounts.into_iter().map(|account| account.name).collect()
        };
        assert_eq!(names(&here), ["a", "c"]);
        assert_eq!(names(&there), ["b"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "not JSON\n").unwrap();
        assert!(Accounts::new(&here, Some(&path)).read().is_err());
        fs::remove_file(path).unwrap();
    }
}
