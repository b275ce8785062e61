//! What the client keeps between runs: where one was, drafts, how far one has read, and what could not be sent yet.
//!
//! `$XDG_STATE_HOME/suda/`, else `~/.local/state/suda/`, a file per device that is signed in, mode 0600: drafts are nobody else's
//! business. A file that is missing or damaged is an empty one: nothing here is worth refusing to start.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::theme::ThemeName;
use crate::credentials;

/// Bytes of a file that is read; what is larger was not written by this program.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// Whose it is: another person on the same device gets nothing of it.
    pub(super) user: String,
    pub(super) theme: Option<ThemeName>,
    /// The id of the room that was shown last.
    pub(super) room: Option<String>,
    /// What was written while no room was shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) homeless: String,
    /// By the rooms' ids.
    pub(super) rooms: BTreeMap<String, KeptRoom>,
}

/// What is kept of a room.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeptRoom {
    pub(super) name: String,
    pub(super) read_seq: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) draft: String,
    /// The seq of the message that the draft answers, 0 for none.
    #[serde(skip_serializing_if = "is_none")]
    pub(super) reply_to: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) posts: Vec<KeptPost>,
}

/// A message without an answer. With the same client id it takes effect once, however often it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptPost {
    pub(super) client_id: Uuid,
    pub(super) text: String,
    /// The seq of the message that it answers, 0 for none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) reply_to: u64,
    pub(super) at_ms: i64,
    /// Why the server refused it, if it did; it is not sent again by itself then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_none(reply_to: &u64) -> bool {
    *reply_to == 0
}

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    /// None where the environment names no place.
    path: Option<PathBuf>,
}

impl Store {
    /// The file of this device.
    pub(super) fn of_environment(device: Uuid) -> Store {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = variable("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/state")));
        Store {
            path: folder.map(|folder| folder.join("suda").join(format!("chat-{device}.json"))),
        }
    }

    /// What was kept for this person.
    pub(super) fn load(&self, user: &str) -> Kept {
        let kept = self.path.as_ref().and_then(|path| {
            let is_ours = fs::metadata(path).is_ok_and(|file| file.len() <= FILE_BYTES_MAX);
            let bytes = is_ours.then(|| fs::read(path).ok()).flatten()?;
            serde_json::from_slice::<Kept>(&bytes).ok()
        });
        match kept {
            Some(kept) if kept.user == user => kept,
            _ => Kept {
                user: user.to_owned(),
                ..Kept::default()
            },
        }
    }

    /// Puts the new file in the place of the old one.
    pub(super) fn save(&self, kept: &Kept) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = serde_json::to_string(kept).map_err(io::Error::other)?;
        credentials::replace(path, &text)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn store() -> Store {
        let folder = std::env::temp_dir().join(format!("suda-kept-{}", Uuid::new_v4()));
        Store {
            path: Some(folder.join("suda/chat.json")),
        }
    }

    fn kept() -> Kept {
        let room = KeptRoom {
            name: "수다방".into(),
            read_seq: 7,
            draft: "쓰다 만 글".into(),
            reply_to: 3,
            posts: vec![KeptPost {
                client_id: Uuid::new_v4(),
                text: "못 보낸 글".into(),
                reply_to: 2,
                at_ms: 5,
                refused: None,
            }],
        };
        Kept {
            user: "민수".into(),
            theme: Some(ThemeName::Light),
            room: Some("a".into()),
            homeless: String::new(),
            rooms: BTreeMap::from([("a".into(), room)]),
        }
    }

    #[test]
    fn what_is_kept_comes_back_to_the_same_person_only() {
        let store = store();
        assert_eq!(store.load("민수").rooms.len(), 0);
        store.save(&kept()).unwrap();
        assert_eq!(store.load("민수").rooms["a"].draft, "쓰다 만 글");
        assert_eq!(store.load("민수").rooms["a"].posts.len(), 1);
        assert!(store.load("지영").rooms.is_empty());
    }

    #[test]
    fn nobody_else_may_read_it() {
        let store = store();
        store.save(&kept()).unwrap();
        let path = store.path.as_ref().unwrap();
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_damaged_file_is_an_empty_one() {
        let store = store();
        store.save(&kept()).unwrap();
        fs::write(store.path.as_ref().unwrap(), "{\"user\": ").unwrap();
        assert!(store.load("민수").rooms.is_empty());
    }
}
