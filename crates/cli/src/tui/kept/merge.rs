//! One file for several clients of one device: what each has changed since it last looked is put onto what the others have written.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Kept, KeptRoom};

/// What is to be written: `now`, which was `last` when this client last wrote or read, on top of `file`.
///
/// Posts of others stay; a post goes only where this client had it and has settled it. Of everything else, what this client has changed
/// counts, else what is in the file; of two drafts for one room that is the one that was changed later.
pub(super) fn merged(now: &Kept, last: &Kept, file: Kept) -> Kept {
    if file.user != now.user {
        return now.clone();
    }
    let mine: BTreeSet<Uuid> = ids(last).chain(ids(now)).collect();
    let nothing = KeptRoom::default();
    let mut rooms = now.rooms.clone();
    // What another is done with, and this client has not touched since.
    rooms.retain(|id, room| {
        file.rooms.contains_key(id) || !room.posts.is_empty() || last.rooms.get(id) != Some(room)
    });
    for (id, theirs) in file.rooms {
        let before = last.rooms.get(&id);
        let base = before.unwrap_or(&nothing);
        match rooms.get_mut(&id) {
            Some(room) => merge_room(room, base, theirs, &mine),
            None => {
                let theirs = without(theirs, &mine);
                // A room that this client is done with stays only for what another has written there.
                let has_words = !theirs.posts.is_empty()
                    || (!theirs.draft.is_empty() && theirs.draft != base.draft);
                if before.is_none() || has_words {
                    rooms.insert(id, theirs);
                }
            }
        }
    }
    Kept {
        user: file.user,
        theme: pick(&now.theme, &last.theme, file.theme),
        room: pick(&now.room, &last.room, file.room),
        homeless: pick(&now.homeless, &last.homeless, file.homeless),
        rooms,
    }
}

fn merge_room(room: &mut KeptRoom, base: &KeptRoom, theirs: KeptRoom, mine: &BTreeSet<Uuid>) {
    let theirs = without(theirs, mine);
    // It only goes back where this client has left the room.
    if room.read_seq >= base.read_seq {
        room.read_seq = room.read_seq.max(theirs.read_seq);
    }
    if (&room.draft, room.reply_to) == (&base.draft, base.reply_to) {
        room.draft = theirs.draft;
        room.reply_to = theirs.reply_to;
    }
    room.posts.extend(theirs.posts);
    room.posts.sort_by_key(|post| post.at_ms);
}

fn without(mut room: KeptRoom, mine: &BTreeSet<Uuid>) -> KeptRoom {
    room.posts.retain(|post| !mine.contains(&post.client_id));
    room
}

fn pick<T: Clone + PartialEq>(now: &T, last: &T, file: T) -> T {
    if now == last { file } else { now.clone() }
}

fn ids(kept: &Kept) -> impl Iterator<Item = Uuid> {
    let posts = kept.rooms.values().flat_map(|room| &room.posts);
    posts.map(|post| post.client_id)
}
