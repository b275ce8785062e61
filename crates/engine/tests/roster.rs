//! The roster through its public interface: who is offered what, and in which order (G3, G4, G6, G8).

#![allow(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

mod support;

use suda_engine::{Cursor, RoomRef};
use suda_protocol::ErrorCode;
use suda_protocol::v1::{Continuity, reply::Result as Reply};
use support::refused;
use support::worker::{Sent, Worker, continuity};

fn closed(sent: &[Sent]) -> bool {
    matches!(sent, [Sent::Reply(Reply::Closed(_))])
}

#[test]
fn a_fresh_member_gets_what_is_committed_after_the_top_that_it_was_told() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.post(2);
    let sent = worker.sent(2);
    let Sent::Reply(Reply::Opened(opened)) = &sent[0] else {
        panic!("the reply comes first: {sent:?}")
    };
    assert_eq!(opened.room.as_ref().unwrap().top.as_ref().unwrap().seq, 3);
    assert_eq!(opened.continuity(), Continuity::Continues);
    assert_eq!(sent[1..], [Sent::Entry(4), Sent::Entry(5)]);
}

#[test]
fn a_returning_member_gets_what_it_missed_page_by_page_after_the_reply() {
    let mut worker = Worker::new();
    worker.post(7);
    worker.open_by_id(2, Some(worker.cursor(1)));
    let sent = worker.sent(2);
    assert_eq!(continuity(&sent[..1]), Continuity::Continues);
    let missed: Vec<Sent> = (2..=10).map(Sent::Entry).collect();
    assert_eq!(sent[1..], missed);
    worker.post(1);
    assert_eq!(worker.entries(2), [11]);
}

#[test]
fn what_commits_while_the_store_is_read_comes_from_the_ring() {
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.ask(2, room, Some(worker.cursor(3)));
    let request = worker.outs.fills.pop_front().unwrap();
    let facts = worker.node.store.fill(&request);
    worker.post(2);
    worker
        .roster
        .fill_answered(2, request.request, Ok(facts), &mut worker.outs);
    assert!(worker.outs.fills.is_empty(), "the ring was enough");
    assert_eq!(worker.entries(2), [4, 5]);
}

#[test]
fn what_commits_while_the_store_is_read_comes_from_the_store_where_the_ring_is_too_short() {
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.ask(2, room, Some(worker.cursor(3)));
    let request = worker.outs.fills.pop_front().unwrap();
    let facts = worker.node.store.fill(&request);
    worker.post(5);
    worker
        .roster
        .fill_answered(2, request.request, Ok(facts), &mut worker.outs);
    worker.fill();
    assert_eq!(worker.entries(2), [4, 5, 6, 7, 8]);
}

#[test]
fn what_commits_while_a_name_is_looked_up_is_not_lost() {
    let mut worker = Worker::new();
    worker.ask(2, support::lobby(), None);
    let request = worker.outs.fills.pop_front().unwrap();
    let facts = worker.node.store.fill(&request);
    worker.post(1);
    worker
        .roster
        .fill_answered(2, request.request, Ok(facts), &mut worker.outs);
    worker.fill();
    worker.post(1);
    assert_eq!(worker.entries(2), [4, 5]);
}

#[test]
fn an_entry_that_is_handed_on_twice_is_offered_once() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    let entry = worker.commit();
    worker.roster.committed(&entry, &mut worker.outs);
    worker.roster.committed(&entry, &mut worker.outs);
    worker.turns();
    assert_eq!(worker.entries(2), [4]);
}

#[test]
fn an_entry_that_the_read_showed_already_is_dropped_when_its_batch_comes() {
    let mut worker = Worker::new();
    let entry = worker.commit();
    worker.open_by_id(2, Some(worker.cursor(3)));
    worker.roster.committed(&entry, &mut worker.outs);
    worker.turns();
    assert_eq!(worker.entries(2), [4]);
}

#[test]
fn a_hole_is_filled_from_the_store_before_anything_after_it() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.commit();
    worker.post(1);
    assert_eq!(worker.entries(2), [] as [u64; 0]);
    worker.fill();
    worker.post(1);
    assert_eq!(worker.entries(2), [4, 5, 6]);
}

#[test]
fn missed_batches_are_filled_though_no_later_entry_shows_the_hole() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.post(1);
    worker.commit();
    worker.missed();
    worker.fill();
    assert_eq!(worker.entries(2), [4, 5]);
}

#[test]
fn batches_missed_while_the_store_is_read_are_asked_for_again() {
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.ask(2, room, Some(worker.cursor(3)));
    let request = worker.outs.fills.pop_front().unwrap();
    let facts = worker.node.store.fill(&request);
    worker.commit();
    worker.missed();
    worker
        .roster
        .fill_answered(2, request.request, Ok(facts), &mut worker.outs);
    worker.fill();
    assert_eq!(worker.entries(2), [4]);
}

#[test]
fn too_long_a_gap_is_to_be_paged_and_opens_nothing() {
    let mut worker = Worker::new();
    worker.post(9);
    worker.open_by_id(2, Some(worker.cursor(1)));
    worker.post(1);
    let sent = worker.sent(2);
    assert_eq!((continuity(&sent), sent.len()), (Continuity::Page, 1));
    assert_eq!(worker.roster.held_rooms(), 0);
}

#[test]
fn a_cursor_of_another_past_opens_nothing() {
    let mut worker = Worker::new();
    let other_id = Cursor {
        seq: 2,
        ..worker.cursor(3)
    };
    let beyond = Cursor {
        seq: 40,
        ..worker.cursor(3)
    };
    for cursor in [other_id, beyond] {
        worker.open_by_id(2, Some(cursor));
        let sent = worker.sent(2);
        assert_eq!((continuity(&sent), sent.len()), (Continuity::OtherPast, 1));
    }
    assert_eq!(worker.roster.held_rooms(), 0);
}

#[test]
fn the_beginning_is_a_cursor() {
    let mut worker = Worker::new();
    worker.open_by_id(2, Some(Cursor::BEGINNING));
    assert_eq!(worker.entries(2), [1, 2, 3]);
}

#[test]
fn a_slow_reader_loses_its_place_and_delays_nobody() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.open_by_id(3, None);
    worker.outs.room.insert(2, 1);
    worker.post(3);
    let sent = worker.sent(2);
    assert_eq!(
        sent[1..],
        [Sent::Entry(4), Sent::Lag(5)],
        "one lag, then nothing"
    );
    assert_eq!(worker.entries(3), [4, 5, 6]);
    worker.outs.room.remove(&2);
    worker.open_by_id(2, Some(worker.cursor(4)));
    assert_eq!(worker.entries(2), [5, 6]);
}

#[test]
fn filling_waits_for_a_full_outbox_and_goes_on_when_it_has_drained() {
    let mut worker = Worker::new();
    worker.outs.room.insert(2, 2);
    worker.open_by_id(2, Some(Cursor::BEGINNING));
    worker.post(2);
    assert_eq!(worker.entries(2), [1, 2], "no lag: it was never up to date");
    worker.outs.room.insert(2, 1);
    worker.drained(2);
    worker.fill();
    assert_eq!(worker.entries(2), [3]);
    worker.outs.room.remove(&2);
    worker.drained(2);
    worker.fill();
    worker.post(1);
    assert_eq!(worker.entries(2), [4, 5, 6]);
}

#[test]
fn a_page_that_found_no_room_is_asked_for_again_though_no_batch_ever_showed_it() {
    let mut worker = Worker::new();
    worker.outs.room.insert(2, 1);
    worker.open_by_id(2, Some(Cursor::BEGINNING));
    worker.outs.room.remove(&2);
    worker.drained(2);
    worker.fill();
    assert_eq!(worker.entries(2), [1, 2, 3]);
}

#[test]
fn batches_missed_while_the_outbox_is_full_are_asked_for_once_it_has_drained() {
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.ask(2, room, Some(worker.cursor(3)));
    let request = worker.outs.fills.pop_front().unwrap();
    let facts = worker.node.store.fill(&request);
    worker.post(1);
    worker.outs.room.insert(2, 0);
    worker
        .roster
        .fill_answered(2, request.request, Ok(facts), &mut worker.outs);
    worker.commit();
    worker.missed();
    worker.outs.room.remove(&2);
    worker.drained(2);
    worker.fill();
    assert_eq!(worker.entries(2), [4, 5]);
}

#[test]
fn nothing_comes_after_the_removal_entry() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.open_by_id(3, None);
    worker.leave(2);
    worker.post(1);
    assert_eq!(worker.sent(2)[1..], [Sent::Entry(4), Sent::Removed]);
    assert_eq!(worker.entries(3), [4, 5]);
}

#[test]
fn a_removal_ends_every_connection_of_the_user_and_no_other() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    let room = RoomRef::Id(worker.node.lobby_id());
    worker
        .roster
        .open(20, 1, support::user(2), room, None, &mut worker.outs);
    worker.fill();
    worker.leave(2);
    worker.post(1);
    assert_eq!(worker.sent(2)[1..], [Sent::Entry(4), Sent::Removed]);
    assert_eq!(worker.sent(20)[1..], [Sent::Entry(4), Sent::Removed]);
}

#[test]
fn a_removal_with_no_room_for_it_still_ends_the_stream() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.outs.room.insert(2, 0);
    worker.leave(2);
    assert_eq!(worker.sent(2)[1..], [Sent::Removed]);
}

#[test]
fn a_removal_that_a_filling_member_has_ahead_of_it_ends_the_stream() {
    let mut worker = Worker::new();
    // The read was before the removal: the rest comes from the ring and ends there.
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.ask(2, room, Some(worker.cursor(3)));
    let request = worker.outs.fills.pop_front().unwrap();
    let facts = worker.node.store.fill(&request);
    worker.leave(2);
    worker.post(1);
    worker
        .roster
        .fill_answered(2, request.request, Ok(facts), &mut worker.outs);
    assert_eq!(worker.sent(2)[1..], [Sent::Entry(4), Sent::Removed]);
    // The read is after the removal: nothing comes at all.
    worker.outs.room.insert(3, 0);
    worker.open_by_id(3, Some(Cursor::BEGINNING));
    worker.leave(3);
    worker.outs.room.remove(&3);
    worker.drained(3);
    worker.fill();
    assert_eq!(worker.sent(3)[1..], [Sent::Removed]);
    assert_eq!(worker.roster.held_rooms(), 0);
}

#[test]
fn who_is_no_member_opens_nothing() {
    let mut worker = Worker::new();
    worker.open_by_name(9, None);
    let [Sent::Reply(reply)] = &worker.sent(9)[..] else {
        panic!("one reply")
    };
    assert_eq!(refused(reply), ErrorCode::NotAMember);
    worker.ask(2, RoomRef::named("nowhere"), None);
    worker.fill();
    let [Sent::Reply(reply)] = &worker.sent(2)[..] else {
        panic!("one reply")
    };
    assert_eq!(refused(reply), ErrorCode::UnknownRoom);
    assert_eq!(worker.roster.held_rooms(), 0);
}

#[test]
fn a_store_that_cannot_read_refuses_an_open_and_ends_a_stream_with_lag() {
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.ask(2, room, None);
    worker.fill_fails(ErrorCode::Unavailable);
    let [Sent::Reply(reply)] = &worker.sent(2)[..] else {
        panic!("one reply")
    };
    assert_eq!(refused(reply), ErrorCode::Unavailable);
    worker.open_by_id(2, None);
    worker.commit();
    worker.missed();
    worker.fill_fails(ErrorCode::Unavailable);
    assert_eq!(worker.sent(2)[1..], [Sent::Lag(3)]);
}

#[test]
fn too_many_rooms_are_refused_and_the_open_ones_may_be_opened_again() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.ask(2, RoomRef::named("pending"), None);
    worker.ask(2, RoomRef::named("third"), None);
    let sent = worker.sent(2);
    let Some(Sent::Reply(reply)) = sent.last() else {
        panic!("a reply")
    };
    assert_eq!(refused(reply), ErrorCode::TooManyOpenRooms);
    worker.fill();
    worker.open_by_id(2, None);
    assert_eq!(continuity(&worker.sent(2)[1..]), Continuity::Continues);
}

#[test]
fn opening_again_replaces_the_stream_from_the_new_cursor_on() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.post(1);
    worker.open_by_id(2, Some(worker.cursor(2)));
    worker.post(1);
    assert_eq!(worker.entries(2), [4, 3, 4, 5]);
}

#[test]
fn closing_ends_the_stream_and_closing_nothing_is_no_error() {
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.open_by_id(2, None);
    worker.sent(2);
    worker.close(2, support::lobby());
    worker.post(1);
    assert!(closed(&worker.sent(2)));
    worker.close(2, room);
    assert!(closed(&worker.sent(2)));
    worker.close(2, support::lobby());
    let [Sent::Reply(reply)] = &worker.sent(2)[..] else {
        panic!("one reply")
    };
    assert_eq!(refused(reply), ErrorCode::UnknownRoom);
    assert_eq!(worker.roster.held_rooms(), 0);
}

#[test]
fn a_close_that_overtakes_the_store_is_answered_after_the_open() {
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    for room in [room, support::lobby()] {
        worker.ask(2, room.clone(), None);
        worker.close(2, room);
        assert_eq!(worker.sent(2), []);
        worker.fill();
        let sent = worker.sent(2);
        assert_eq!(continuity(&sent[..1]), Continuity::Continues);
        assert!(closed(&sent[1..]), "{sent:?}");
        assert_eq!(worker.roster.held_rooms(), 0);
    }
}

#[test]
fn a_connection_that_is_gone_leaves_nothing_behind() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.ask(2, room, None);
    worker.sent(2);
    worker.roster.gone(2);
    assert_eq!(worker.roster.held_rooms(), 0);
    worker.fill();
    worker.post(1);
    assert_eq!(worker.sent(2), []);
    assert_eq!(
        (worker.roster.held_rooms(), worker.roster.ring_entries()),
        (0, 0)
    );
}

#[test]
fn the_ring_is_bounded() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.post(20);
    assert_eq!(worker.roster.ring_entries(), 3);
}

#[test]
fn tops_are_the_newest_entries_of_the_rooms_that_are_open_here() {
    let mut worker = Worker::new();
    assert_eq!(worker.roster.tops(2, &mut worker.outs), []);
    worker.open_by_id(2, None);
    worker.post(2);
    let tops = worker.roster.tops(2, &mut worker.outs);
    assert_eq!(tops.len(), 1);
    assert_eq!(tops[0].room, worker.node.lobby_id().to_string());
    assert_eq!(tops[0].top.as_ref(), Some(&worker.cursor(5).to_wire()));
}
