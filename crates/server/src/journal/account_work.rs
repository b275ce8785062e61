//! Changes of accounts, inside the journal's transaction.

use super::Answer;
use crate::store::accounts::{
    TokenHash, User, administrator_exists, delete_device_of, insert_device, insert_user, name_taken,
};
use rusqlite::Connection;
use suda_engine::{Draft, Intent};
use suda_protocol::v1::ErrorCode;
use uuid::Uuid;

/// The room that a new server has.
const FIRST_ROOM: &str = "lobby";

/// Somebody who signs up.
#[derive(Debug)]
pub(crate) struct NewUser {
    pub(crate) user: User,
    pub(crate) password_hash: String,
    pub(crate) device: NewDevice,
}

/// A device that signs in.
#[derive(Debug)]
pub(crate) struct NewDevice {
    pub(crate) id: Uuid,
    pub(crate) user: Uuid,
    pub(crate) token: TokenHash,
}

/// One change, and who waits for it.
#[derive(Debug)]
pub(super) enum AccountWork {
    AddUser(NewUser, Answer<()>),
    AddDevice(NewDevice, Answer<()>),
    RemoveDevice(TokenHash, Answer<Option<Uuid>>),
}

/// What is to be answered once the transaction is committed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    Done,
    SignedOut(Option<Uuid>),
    Refused(ErrorCode),
}

impl AccountWork {
    /// Writes the change. Drafts that follow from it are added to `drafts`.
    pub(super) fn apply(
        &self,
        transaction: &Connection,
        now_ms: i64,
        drafts: &mut Vec<Draft>,
    ) -> rusqlite::Result<Decision> {
        match self {
            Self::AddUser(new, _) => {
                // Asked here, under the write lock: two people may hold the setup link, one becomes administrator.
                if administrator_exists(transaction)? == new.user.administrator {
                    return Ok(Decision::Refused(ErrorCode::WrongSetupToken));
                }
                if name_taken(transaction, &new.user.name)? {
                    return Ok(Decision::Refused(ErrorCode::NameTaken));
                }
                insert_user(transaction, &new.user, &new.password_hash, now_ms)?;
                new.device.insert(transaction, now_ms)?;
                if new.user.administrator {
                    drafts.push(first_room(&new.user));
                }
                Ok(Decision::Done)
            }
            Self::AddDevice(new, _) => {
                new.insert(transaction, now_ms)?;
                Ok(Decision::Done)
            }
            Self::RemoveDevice(token, _) => {
                delete_device_of(transaction, token).map(Decision::SignedOut)
            }
        }
    }

    /// Answers after the commit, or after the rollback with what it means.
    pub(super) fn answer(self, outcome: Result<Decision, ErrorCode>) {
        // An asker that is gone needs no answer; hence the ignored results.
        match (self, outcome) {
            (Self::AddUser(_, answer) | Self::AddDevice(_, answer), outcome) => {
                let _ = answer.send(match outcome {
                    Ok(Decision::Refused(code)) | Err(code) => Err(code.into()),
                    Ok(_) => Ok(()),
                });
            }
            (Self::RemoveDevice(_, answer), outcome) => {
                let _ = answer.send(match outcome {
                    Ok(Decision::SignedOut(device)) => Ok(device),
                    Ok(Decision::Refused(code)) | Err(code) => Err(code.into()),
                    Ok(Decision::Done) => Ok(None),
                });
            }
        }
    }
}

impl NewDevice {
    fn insert(&self, transaction: &Connection, now_ms: i64) -> rusqlite::Result<()> {
        insert_device(transaction, self.id, self.user, &self.token, now_ms)
    }
}

fn first_room(administrator: &User) -> Draft {
    Draft {
        command_id: 0,
        author: administrator.id.into(),
        author_name: administrator.name.clone(),
        client_id: crate::clock::new_id().into(),
        intent: Intent::CreateRoom {
            name: FIRST_ROOM.to_owned(),
        },
        objection: None,
    }
}
