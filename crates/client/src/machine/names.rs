//! Which name is which room's id, as far as answers have told.

use std::collections::BTreeMap;

use suda_protocol::v1;

use super::config::NAMES_MAX;

#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    pub(crate) fn learn(&mut self, room: &v1::Room) {
        if self.0.len() >= NAMES_MAX {
            // What is lost is only that a name and its id are known to be one room until the next answer says so.
            self.0.clear();
        }
        self.0.insert(room.name.clone(), room.id.clone());
    }

    /// The room's id where it is known, else what was given.
    pub(crate) fn resolve<'a>(&'a self, room: &'a str) -> &'a str {
        self.0.get(room).map_or(room, String::as_str)
    }
}
