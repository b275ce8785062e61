//! What the client keeps between runs: where one was, drafts, how far one has read, and what could not be sent yet.
//!
//! `$XDG_STATE_HOME/suda/`, else `~/.local/state/suda/`, a file per device that is signed in, mode 0600: drafts are nobody else's
//! business. A file that is missing or damaged is an empty one: nothing here is worth refusing to start.
//! Several clients of one device share the file: each save reads it again under a lock and puts what this one has changed onto it.

mod merge;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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

impl Kept {
    /// What the person has written and the server does not have.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let rooms = self.rooms.values().flat_map(|room| {
            let posts = room.posts.iter().map(|post| post.text.as_str());
            posts.chain([room.draft.as_str()])
        });
        rooms
            .chain([self.homeless.as_str()])
            .filter(|text| !text.is_empty())
    }
}

/// Writes down what is kept, where it has changed.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Store,
    /// What this client had when it last wrote or read the file.
    last: Kept,
}

impl Keeper {
    pub(super) fn new(store: Store, first: Kept) -> Keeper {
        Keeper { store, last: first }
    }

    /// Where it fails the client is none the worse for now; it is tried again at the next change or beat.
    pub(super) fn keep(&mut self, now: Kept) {
        if now != self.last {
            let _ = self.keep_for_good(now);
        }
    }

    /// Writes even what has not changed: somebody may have removed the file.
    ///
    /// # Errors
    ///
    /// What this client has is not in the file.
    pub(super) fn keep_for_good(&mut self, now: Kept) -> io::Result<()> {
        self.store.save(&now, &self.last)?;
        self.last = now;
        Ok(())
    }
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
        let kept = self.path.as_ref().and_then(|path| read(path).ok());
        match kept {
            Some(kept) if kept.user == user => kept,
            _ => Kept {
                user: user.to_owned(),
                ..Kept::default()
            },
        }
    }

    /// Puts a new file in the place of the old one: `now`, which was `last` when this client last wrote or read, and what others have
    /// written since. Waits while another client does the same.
    fn save(&self, now: &Kept, last: &Kept) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "neither HOME nor XDG_STATE_HOME is set",
            ));
        };
        let _lock = lock(path)?;
        let kept = merge::merged(now, last, read(path)?);
        let text = serde_json::to_string(&kept).map_err(io::Error::other)?;
        credentials::replace(path, &text)
    }
}

/// What is in the file.
fn read(path: &Path) -> io::Result<Kept> {
    match fs::metadata(path) {
        Ok(file) if file.len() <= FILE_BYTES_MAX => {
            Ok(serde_json::from_slice(&fs::read(path)?).unwrap_or_default())
        }
        Ok(_) => Ok(Kept::default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(error) => Err(error),
    }
}

/// The right to replace the file, until it is dropped. It is a lock on a file beside it, since a lock on a file that is replaced is one
/// on the old file.
fn lock(path: &Path) -> io::Result<fs::File> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.with_extension("lock"))?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn store() -> Store {
        let folder = std::env::temp_dir().join(format!("suda-kept-{}", Uuid::new_v4()));
        store_in(&folder)
    }

    fn store_in(folder: &Path) -> Store {
        Store {
            path: Some(folder.join("suda/chat.json")),
        }
    }

    /// A client that has just started, and what it starts with.
    fn client(folder: &Path) -> (Keeper, Kept) {
        let first = store_in(folder).load("민수");
        (Keeper::new(store_in(folder), first.clone()), first)
    }

    fn post(text: &str) -> KeptPost {
        KeptPost {
            client_id: Uuid::new_v4(),
            text: text.into(),
            reply_to: 0,
            at_ms: 5,
            refused: None,
        }
    }

    fn room<'a>(kept: &'a mut Kept, id: &str) -> &'a mut KeptRoom {
        kept.rooms.entry(id.into()).or_default()
    }

    fn words(folder: &Path) -> Vec<String> {
        let kept = store_in(folder).load("민수");
        let mut words: Vec<String> = kept.words().map(str::to_owned).collect();
        words.sort();
        words
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
        store.save(&kept(), &Kept::default()).unwrap();
        assert_eq!(store.load("민수").rooms["a"].draft, "쓰다 만 글");
        assert_eq!(store.load("민수").rooms["a"].posts.len(), 1);
        assert!(store.load("지영").rooms.is_empty());
    }

    #[test]
    fn nobody_else_may_read_it() {
        let store = store();
        store.save(&kept(), &Kept::default()).unwrap();
        let path = store.path.as_ref().unwrap();
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_damaged_file_is_an_empty_one() {
        let store = store();
        store.save(&kept(), &Kept::default()).unwrap();
        fs::write(store.path.as_ref().unwrap(), "{\"user\": ").unwrap();
        assert!(store.load("민수").rooms.is_empty());
    }

    #[test]
    fn clients_of_one_device_lose_nothing_of_each_other() {
        let folder = std::env::temp_dir().join(format!("suda-kept-{}", Uuid::new_v4()));
        let ((mut a, mut of_a), (mut b, mut of_b)) = (client(&folder), client(&folder));
        room(&mut of_a, "room").posts.push(post("1 가"));
        room(&mut of_a, "room").draft = "2 가".into();
        a.keep(of_a.clone());
        room(&mut of_b, "room").posts.push(post("3 나"));
        room(&mut of_b, "lobby").draft = "4 나".into();
        b.keep(of_b.clone());
        a.keep(of_a.clone());
        assert_eq!(words(&folder), ["1 가", "2 가", "3 나", "4 나"]);

        // A third one has what both could not send; what it sends is gone, and what they write meanwhile is not.
        let (mut c, mut of_c) = client(&folder);
        room(&mut of_b, "room").posts.push(post("5 나"));
        b.keep(of_b.clone());
        room(&mut of_c, "room").posts.clear();
        c.keep(of_c.clone());
        assert_eq!(words(&folder), ["2 가", "4 나", "5 나"]);

        // The others have not heard of that, and end.
        a.keep_for_good(of_a).unwrap();
        b.keep_for_good(of_b.clone()).unwrap();
        assert_eq!(words(&folder), ["1 가", "2 가", "3 나", "4 나", "5 나"]);

        // What was sent or deleted does not come back with the next save of another.
        of_b.rooms.clear();
        b.keep(of_b);
        c.keep_for_good(of_c).unwrap();
        assert_eq!(words(&folder), ["1 가", "2 가"]);
    }

    #[test]
    fn saves_at_the_same_time_lose_nothing() {
        let folder = std::env::temp_dir().join(format!("suda-kept-{}", Uuid::new_v4()));
        std::thread::scope(|scope| {
            for name in ["가", "나", "다"] {
                let (mut keeper, mut kept) = client(&folder);
                scope.spawn(move || {
                    for count in 0..5 {
                        let text = format!("{name} {count}");
                        room(&mut kept, "room").posts.push(post(&text));
                        keeper.keep_for_good(kept.clone()).unwrap();
                    }
                });
            }
        });
        assert_eq!(words(&folder).len(), 15);
    }

    #[test]
    fn what_cannot_be_kept_is_told() {
        let nowhere = Store { path: None };
        assert!(
            Keeper::new(nowhere, Kept::default())
                .keep_for_good(kept())
                .is_err()
        );
        let folder = std::env::temp_dir().join(format!("suda-kept-{}", Uuid::new_v4()));
        fs::write(&folder, "a file where the folder would be").unwrap();
        let mut keeper = Keeper::new(store_in(&folder), Kept::default());
        assert!(keeper.keep_for_good(kept()).is_err());
        fs::remove_file(&folder).unwrap();
        // It was not forgotten meanwhile that it is not in the file.
        keeper.keep(kept());
        assert_eq!(words(&folder), ["못 보낸 글", "쓰다 만 글"]);
    }
}
