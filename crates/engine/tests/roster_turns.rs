//! Turns of the roster's members through its public interface: who is offered what when, and what must not wait (G3, G4, G8).

#![allow(clippy::unwrap_used, reason = "a test that finds nothing is to fail")]

mod support;

use suda_engine::{Intent, RoomId, RoomRef};
use suda_protocol::v1::reply::Result as Reply;
use support::worker::{Sent, Worker};

/// With one connection of each of users 1, 2 and 3, all in the lobby. The roster keeps three entries of it.
fn opened() -> Worker {
    let mut worker = Worker::new();
    for member in 1..=3 {
        worker.open_by_id(member, None);
        worker.sent(member);
    }
    worker
}

#[test]
fn a_turn_brings_all_that_was_committed_since_the_last_one() {
    let mut worker = opened();
    worker.post_later(2);
    assert_eq!(worker.entries(1), [] as [u64; 0]);
    assert!(worker.roster.has_due());
    assert!(worker.roster.give_turns(1, &mut worker.outs));
    assert_eq!(worker.entries(1), [4, 5]);
    worker.post_later(1);
    worker.turns();
    assert_eq!(worker.entries(1), [6]);
    assert_eq!(worker.entries(2), [4, 5, 6]);
    assert_eq!(worker.entries(3), [4, 5, 6]);
    assert!(!worker.roster.has_due());
}

#[test]
fn who_waits_longest_is_next_whatever_comes_meanwhile() {
    let mut worker = opened();
    for _ in 0..2 {
        for member in 1..=3 {
            worker.post_later(1);
            worker.roster.give_turns(1, &mut worker.outs);
            let others = (1..=3).filter(|other| *other != member);
            assert!(!worker.entries(member).is_empty());
            for other in others {
                assert_eq!(worker.entries(other), [] as [u64; 0]);
            }
        }
    }
}

#[test]
fn who_would_lose_what_is_kept_gets_it_before_its_turn_and_without_the_store() {
    let mut worker = opened();
    worker.post_later(4);
    assert_eq!(worker.entries(2), [4, 5, 6]);
    worker.turns();
    assert_eq!(worker.entries(2), [7]);
    assert_eq!(worker.entries(3), [4, 5, 6, 7]);
    assert!(worker.outs.fills.is_empty());
}

#[test]
fn a_member_can_be_given_its_turn_at_once() {
    let mut worker = opened();
    worker.post_later(2);
    worker.roster.give_turn(3, &mut worker.outs);
    assert_eq!(worker.entries(3), [4, 5]);
    worker.turns();
    assert_eq!(worker.entries(3), [] as [u64; 0]);
    assert_eq!(worker.entries(1), [4, 5]);
}

#[test]
fn what_was_committed_before_a_close_or_another_open_comes_before_its_answer() {
    let mut worker = opened();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.post_later(1);
    worker.close(2, room.clone());
    let sent = worker.sent(2);
    assert!(
        matches!(sent[..], [Sent::Entry(4), Sent::Reply(Reply::Closed(_))]),
        "{sent:?}"
    );
    worker.ask(3, room, None);
    worker.fill();
    let sent = worker.sent(3);
    assert!(
        matches!(sent[..], [Sent::Entry(4), Sent::Reply(Reply::Opened(_))]),
        "{sent:?}"
    );
}

#[test]
fn a_heartbeat_tells_of_nothing_that_was_not_offered() {
    let mut worker = opened();
    worker.post_later(1);
    let tops = worker.roster.tops(2, &mut worker.outs);
    assert_eq!(tops[0].top.as_ref().unwrap().seq, 4);
    assert_eq!(worker.entries(2), [4]);
}

#[test]
fn a_turn_ends_with_the_entry_that_removes_the_member() {
    let mut worker = opened();
    worker.post_later(1);
    worker.leave_later(2);
    worker.post_later(1);
    worker.turns();
    let until_removal = [Sent::Entry(4), Sent::Entry(5), Sent::Removed];
    assert_eq!(worker.sent(2), until_removal);
    assert_eq!(worker.entries(3), [4, 5, 6]);
}

#[test]
fn an_outbox_that_takes_a_part_of_a_turn_ends_the_stream_there() {
    let mut worker = opened();
    worker.outs.room.insert(2, 1);
    worker.post_later(2);
    worker.turns();
    assert_eq!(worker.sent(2), [Sent::Entry(4), Sent::Lag(5)]);
    worker.post(1);
    assert_eq!(worker.sent(2), []);
    assert_eq!(worker.entries(3), [4, 5, 6]);
}

#[test]
fn batches_missed_before_a_turn_leave_no_hole() {
    let mut worker = opened();
    worker.post_later(1);
    worker.commit();
    worker.missed();
    worker.turns();
    worker.fill();
    worker.post(1);
    for member in 1..=3 {
        assert_eq!(worker.entries(member), [4, 5, 6]);
    }
}

/// Has member 1 open a room of its own beside the lobby, and gives it.
fn with_another_room(worker: &mut Worker) -> RoomId {
    let create = support::create(1, 20_000, "other");
    let other = worker.node.commit(vec![create]).entries[0].room();
    worker.ask(1, RoomRef::Id(other), None);
    worker.fill();
    worker.sent(1);
    other
}

/// Commits a post of user 1 there, whose turns are to come.
fn post_elsewhere_later(worker: &mut Worker, room: RoomId) {
    let intent = Intent::Post {
        room: RoomRef::Id(room),
        text: "안녕".into(),
        reply_to: 0,
    };
    let posted = worker.node.commit(vec![support::draft(1, 20_001, intent)]);
    (worker.roster).committed(&posted.entries[0], &mut worker.outs);
}

#[test]
fn rooms_take_turns_so_that_a_small_one_does_not_wait_for_a_large_one() {
    let mut worker = opened();
    let other = with_another_room(&mut worker);
    worker.post_later(1);
    post_elsewhere_later(&mut worker, other);
    let mut turn = || {
        let left = worker.roster.give_turns(1, &mut worker.outs);
        ([1, 2, 3].map(|member| worker.entries(member)), left)
    };
    assert_eq!(turn(), ([vec![4], vec![], vec![]], true));
    assert_eq!(turn(), ([vec![2], vec![], vec![]], true));
    assert_eq!(turn(), ([vec![], vec![4], vec![]], true));
    assert_eq!(turn(), ([vec![], vec![], vec![4]], false));
}

#[test]
fn a_turn_at_once_may_be_for_one_room_alone() {
    let mut worker = opened();
    let other = with_another_room(&mut worker);
    worker.post_later(1);
    post_elsewhere_later(&mut worker, other);
    (worker.roster).give_turn_in(1, other, &mut worker.outs);
    assert_eq!(worker.entries(1), [2]);
    worker.turns();
    assert_eq!(worker.entries(1), [4]);
}

#[test]
fn a_turn_at_once_is_for_all_rooms_though_one_ends_with_it() {
    let mut worker = opened();
    let other = with_another_room(&mut worker);
    worker.leave_later(1);
    post_elsewhere_later(&mut worker, other);
    let tops = worker.roster.tops(1, &mut worker.outs);
    let sent = worker.sent(1);
    assert_eq!(sent.len(), 3, "{sent:?}");
    for one in [Sent::Entry(4), Sent::Removed, Sent::Entry(2)] {
        assert!(sent.contains(&one), "{sent:?}");
    }
    let tops: Vec<u64> = tops.into_iter().map(|top| top.top.unwrap().seq).collect();
    assert_eq!(tops, [2]);
}

#[test]
fn an_open_whose_old_stream_ends_with_it_loses_nothing_that_came_after_the_read() {
    let mut worker = Worker::new();
    worker.open_by_id(2, None);
    worker.sent(2);
    // Nobody else has the room open on this worker.
    worker.ask(2, RoomRef::Id(worker.node.lobby_id()), None);
    let request = worker.outs.fills.pop_front().unwrap();
    let read = worker.node.store.fill(&request);
    worker.outs.room.insert(2, 0);
    worker.post_later(1);
    let (member, request) = (request.member, request.request);
    (worker.roster).fill_answered(member, request, Ok(read), &mut worker.outs);
    assert_eq!(worker.sent(2)[0], Sent::Lag(4));
    worker.outs.room.remove(&2);
    worker.drained(2);
    worker.turns();
    worker.fill();
    assert_eq!(worker.entries(2), [4]);
}

#[test]
fn who_was_removed_hears_of_nothing_later_though_its_outbox_is_full() {
    let mut worker = opened();
    worker.outs.room.insert(2, 0);
    worker.post_later(1);
    worker.leave_later(2);
    worker.post_later(1);
    worker.turns();
    assert_eq!(worker.sent(2), [Sent::Lag(5)]);
}

#[test]
fn who_was_removed_hears_of_nothing_later_though_the_removal_is_not_kept_any_more() {
    let tops = |worker: &mut Worker| -> Vec<u64> {
        let tops = worker.roster.tops(2, &mut worker.outs);
        tops.into_iter().map(|top| top.top.unwrap().seq).collect()
    };
    // Its outbox is full.
    let mut worker = Worker::new();
    worker.outs.room.insert(2, 1);
    worker.open_by_id(2, Some(worker.cursor(1)));
    assert_eq!(worker.entries(2), [2]);
    worker.leave(2);
    worker.post(4);
    assert_eq!(tops(&mut worker), [2]);
    // Its question to the store is under way, and comes to nothing.
    let mut worker = Worker::new();
    let room = RoomRef::Id(worker.node.lobby_id());
    worker.open_by_id(2, None);
    worker.sent(2);
    worker.missed();
    worker.leave(2);
    worker.post(4);
    assert_eq!(tops(&mut worker), [3]);
    worker.fill_fails(suda_protocol::ErrorCode::Unavailable);
    assert_eq!(worker.sent(2), [Sent::Lag(3)]);
    // As far as the way there is kept, it hears of what is new.
    worker.ask(1, room, None);
    worker.fill();
    worker.missed();
    worker.post(1);
    let tops = worker.roster.tops(1, &mut worker.outs);
    assert_eq!(tops[0].top.as_ref().unwrap().seq, 9);
}
