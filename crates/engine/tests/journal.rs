//! The journal through its public interface: what a batch comes to (G2, G3, G5) and every refusal.

mod support;

use suda_engine::{Cursor, Refusal};
use suda_protocol::ErrorCode;
use suda_protocol::v1::reply::Result as Reply;
use support::*;

#[test]
fn entries_are_numbered_without_a_hole_and_in_the_drafts_order() {
    let mut node = Node::with_lobby();
    node.commit(vec![post(1, 1, "하나"), post(1, 2, "둘")]);
    node.commit(vec![post(1, 3, "셋")]);
    let seqs: Vec<u64> = node.log().iter().map(|entry| entry.seq()).collect();
    assert_eq!(seqs, [1, 2, 3, 4]);
}

#[test]
fn the_answer_names_the_entry_that_was_made() {
    let mut node = Node::with_lobby();
    let answer = node.answer(post(1, 1, "안녕"));
    let entry = &node.log()[1];
    let posted = posted(&answer);
    assert_eq!(
        (posted.seq, &posted.id, posted.duplicate),
        (entry.seq(), &entry.id().to_string(), false)
    );
    assert_eq!(posted.at_ms, node.now);
}

#[test]
fn a_plan_shows_rows_but_answers_and_entries_come_out_of_committed_alone() {
    let mut node = Node::with_lobby();
    let plan = node.plan(vec![post(1, 1, "안녕")]);
    assert_eq!(plan.entries().len(), 1);
    assert_eq!(plan.answered().len(), 1);
    assert_eq!(plan.tops().len(), 1);
    let committed = node.journal.committed(plan);
    assert_eq!((committed.answers.len(), committed.entries.len()), (1, 1));
}

#[test]
fn a_retry_gets_the_first_answer_and_makes_no_entry() {
    let mut node = Node::with_lobby();
    let first = posted(&node.answer(post(1, 1, "안녕"))).clone();
    let again = posted(&node.answer(post(1, 1, "안녕"))).clone();
    assert!(again.duplicate);
    assert_eq!(
        (again.seq, again.id, again.at_ms),
        (first.seq, first.id, first.at_ms)
    );
    assert_eq!(node.log().len(), 2);
}

#[test]
fn the_same_client_id_twice_in_one_batch_takes_effect_once() {
    let mut node = Node::with_lobby();
    let committed = node.commit(vec![post(1, 1, "안녕"), post(1, 1, "안녕")]);
    let answers: Vec<_> = committed
        .answers
        .iter()
        .map(|answer| posted(result(answer)).clone())
        .collect();
    assert_eq!(answers[0].seq, answers[1].seq);
    assert_eq!((answers[0].duplicate, answers[1].duplicate), (false, true));
    assert_eq!(node.log().len(), 2);
}

#[test]
fn the_same_client_id_with_another_payload_is_refused_later_and_within_one_batch() {
    let mut node = Node::with_lobby();
    let committed = node.commit(vec![post(1, 1, "안녕"), post(1, 1, "잘 가")]);
    assert_eq!(
        refused(result(&committed.answers[1])),
        ErrorCode::ClientIdReused
    );
    assert_eq!(
        refused(&node.answer(post(1, 1, "잘 가"))),
        ErrorCode::ClientIdReused
    );
    assert_eq!(
        refused(&node.answer(reply_to(1, 1, 2))),
        ErrorCode::ClientIdReused
    );
    assert_eq!(
        refused(&node.answer(leave(1, 1))),
        ErrorCode::ClientIdReused
    );
    assert_eq!(node.log().len(), 2);
}

#[test]
fn two_authors_may_use_the_same_client_id() {
    let mut node = Node::with_lobby();
    node.commit(vec![join(2, 50)]);
    let committed = node.commit(vec![post(1, 1, "안녕"), post(2, 1, "안녕")]);
    assert_eq!(committed.entries.len(), 2);
}

#[test]
fn a_retry_after_leaving_gets_the_first_answer() {
    let mut node = Node::with_lobby();
    let first = posted(&node.answer(post(1, 1, "안녕"))).clone();
    node.commit(vec![leave(1, 2)]);
    assert_eq!(posted(&node.answer(post(1, 1, "안녕"))).seq, first.seq);
    assert_eq!(
        refused(&node.answer(post(1, 3, "나 없이"))),
        ErrorCode::NotAMember
    );
    assert!(matches!(node.answer(leave(1, 2)), Reply::Left(left) if left.duplicate));
}

#[test]
fn a_retry_that_the_session_objects_to_gets_the_first_answer() {
    let mut node = Node::with_lobby();
    let first = posted(&node.answer(post(1, 1, "안녕"))).clone();
    let again = node.answer(objected(post(1, 1, "안녕"), ErrorCode::RateLimited));
    assert_eq!(posted(&again).seq, first.seq);
    let other = node.answer(objected(post(1, 2, "또"), ErrorCode::RateLimited));
    assert_eq!(refused(&other), ErrorCode::RateLimited);
    assert_eq!(node.log().len(), 2);
}

#[test]
fn a_refused_command_may_succeed_later_under_the_same_client_id() {
    let mut node = Node::with_lobby();
    assert_eq!(
        refused(&node.answer(post(2, 1, "들려요?"))),
        ErrorCode::NotAMember
    );
    node.commit(vec![join(2, 2)]);
    assert!(!posted(&node.answer(post(2, 1, "들려요?"))).duplicate);
}

#[test]
fn refusals() {
    let mut node = Node::empty();
    assert_eq!(refused(&node.answer(join(1, 1))), ErrorCode::UnknownRoom);
    assert_eq!(refused(&node.answer(leave(1, 2))), ErrorCode::UnknownRoom);
    assert_eq!(
        refused(&node.answer(post(1, 3, "?"))),
        ErrorCode::UnknownRoom
    );
    node.commit(vec![create(1, 4, "lobby")]);
    assert_eq!(
        refused(&node.answer(create(2, 5, "LOBBY"))),
        ErrorCode::NameTaken
    );
    assert_eq!(refused(&node.answer(leave(2, 6))), ErrorCode::NotAMember);
    assert_eq!(
        refused(&node.answer(post(2, 7, "?"))),
        ErrorCode::NotAMember
    );
    assert_eq!(
        refused(&node.answer(reply_to(1, 8, 99))),
        ErrorCode::UnknownMessage
    );
    // Seq 1 is no message but the room's creation.
    assert_eq!(
        refused(&node.answer(reply_to(1, 9, 1))),
        ErrorCode::UnknownMessage
    );
    assert_eq!(node.log().len(), 1);
}

#[test]
fn earlier_drafts_of_a_batch_count_for_later_ones() {
    let mut node = Node::empty();
    let committed = node.commit(vec![
        create(1, 1, "lobby"),
        create(2, 2, "Lobby"),
        join(2, 3),
        post(2, 4, "안녕"),
        reply_to(1, 5, 3),
        leave(2, 6),
        post(2, 7, "아직?"),
        join(2, 8),
    ]);
    let codes: Vec<_> = committed
        .answers
        .iter()
        .map(|answer| match result(answer) {
            Reply::Error(error) => Some(error.code()),
            _ => None,
        })
        .collect();
    let expected = [
        None,
        Some(ErrorCode::NameTaken),
        None,
        None,
        None,
        None,
        Some(ErrorCode::NotAMember),
        None,
    ];
    assert_eq!(codes, expected);
    assert_eq!(committed.entries.len(), 6);
    assert!(node.store.is_member(node.lobby_id(), user(2)));
}

#[test]
fn joining_twice_is_one_membership_and_one_entry() {
    let mut node = Node::with_lobby();
    assert!(
        matches!(node.answer(join(2, 1)), Reply::Joined(joined) if joined.room.as_ref().unwrap().member_count == 2)
    );
    assert!(
        matches!(node.answer(join(2, 2)), Reply::Joined(joined) if !joined.duplicate && joined.room.as_ref().unwrap().member_count == 2)
    );
    assert!(matches!(node.answer(join(2, 1)), Reply::Joined(joined) if joined.duplicate));
    assert_eq!(node.log().len(), 2);
}

#[test]
fn a_retry_gets_the_first_answer_though_the_room_has_changed_since() {
    let mut node = Node::with_lobby();
    let Reply::Joined(first) = node.answer(join(2, 1)) else {
        panic!("not joined")
    };
    node.commit(vec![join(3, 2), post(3, 3, "안녕")]);
    let Reply::Joined(again) = node.answer(join(2, 1)) else {
        panic!("not joined")
    };
    assert_eq!(again.room, first.room);
    let Reply::RoomCreation(created) = node.answer(create(1, 1_000_001, "lobby")) else {
        panic!("not created")
    };
    assert!(created.duplicate);
    assert_eq!(created.room.unwrap().top.unwrap().seq, 1);
}

#[test]
fn a_rollback_forgets_the_tops_and_refuses_everybody() {
    let mut node = Node::with_lobby();
    node.commit(vec![post(1, 1, "하나")]);
    let plan = node.plan(vec![
        post(1, 2, "둘"),
        post(1, 3, "셋"),
        create(1, 4, "other"),
    ]);
    let answers = node
        .journal
        .rolled_back(plan, Refusal::new(ErrorCode::StorageFull));
    assert!(
        answers
            .iter()
            .all(|answer| refused(result(answer)) == ErrorCode::StorageFull)
    );
    assert_eq!(posted(&node.answer(post(1, 2, "둘"))).seq, 3);
    assert!(
        matches!(node.answer(create(1, 4, "other")), Reply::RoomCreation(created) if !created.duplicate)
    );
}

#[test]
fn a_rollback_leaves_answers_that_were_in_the_store_before() {
    let mut node = Node::with_lobby();
    let first = posted(&node.answer(post(1, 1, "하나"))).clone();
    let plan = node.plan(vec![post(1, 1, "하나"), post(1, 2, "둘"), post(1, 2, "둘")]);
    let answers = node
        .journal
        .rolled_back(plan, Refusal::new(ErrorCode::Unavailable));
    assert_eq!(posted(result(&answers[0])).seq, first.seq);
    assert_eq!(refused(result(&answers[1])), ErrorCode::Unavailable);
    assert_eq!(refused(result(&answers[2])), ErrorCode::Unavailable);
}

#[test]
fn an_unknown_outcome_that_was_a_commit_is_settled_by_client_id_and_published_once() {
    let mut node = Node::with_lobby();
    let plan = node.plan(vec![post(1, 1, "하나"), post(1, 2, "둘")]);
    node.store.write(&plan);
    let mut batch = node.journal.unknown(plan);
    assert!(node.journal.is_unsettled());
    batch.push(post(1, 3, "셋"));
    let committed = node.commit(batch);
    let seqs: Vec<u64> = committed
        .answers
        .iter()
        .map(|answer| posted(result(answer)).seq)
        .collect();
    assert_eq!(seqs, [2, 3, 4]);
    let published: Vec<u64> = committed.entries.iter().map(|entry| entry.seq()).collect();
    assert_eq!(published, [2, 3, 4]);
    assert!(!node.journal.is_unsettled());
    assert_eq!(node.commit(vec![post(1, 4, "넷")]).entries.len(), 1);
}

#[test]
fn an_unknown_outcome_that_was_no_commit_takes_effect_the_second_time() {
    let mut node = Node::with_lobby();
    let plan = node.plan(vec![post(1, 1, "하나"), create(1, 2, "other")]);
    let batch = node.journal.unknown(plan);
    let committed = node.commit(batch);
    assert!(!posted(result(&committed.answers[0])).duplicate);
    assert_eq!(posted(result(&committed.answers[0])).seq, 2);
    assert_eq!(committed.entries.len(), 2);
}

#[test]
fn an_unknown_outcome_stays_to_be_settled_through_failures_after_it() {
    let mut node = Node::with_lobby();
    let plan = node.plan(vec![post(1, 1, "하나")]);
    node.store.write(&plan);
    let batch = node.journal.unknown(plan);
    let plan = node.plan(batch);
    let batch = node.journal.unknown(plan);
    let plan = node.plan(batch);
    let answers = node
        .journal
        .rolled_back(plan, Refusal::new(ErrorCode::Unavailable));
    // It is in the store, so that the failure after it changes nothing about it.
    assert_eq!(posted(result(&answers[0])).seq, 2);
    let committed = node.commit(vec![post(1, 2, "둘")]);
    let published: Vec<u64> = committed.entries.iter().map(|entry| entry.seq()).collect();
    assert_eq!(published, [2, 3]);
}

#[test]
fn a_plan_that_was_dropped_leaves_nothing_behind() {
    let mut node = Node::with_lobby();
    drop(node.plan(vec![post(1, 1, "하나")]));
    assert_eq!(posted(&node.answer(post(1, 2, "둘"))).seq, 2);
}

#[test]
fn a_batch_asks_for_nothing_twice_and_not_for_tops_that_it_knows() {
    let mut node = Node::with_lobby();
    let batch = vec![post(1, 1, "하나"), post(1, 1, "하나"), reply_to(1, 2, 2)];
    let lookup = node.journal.lookup(&batch);
    assert_eq!(
        (
            lookup.answered.len(),
            lookup.members.len(),
            lookup.messages.len()
        ),
        (2, 1, 1)
    );
    assert_eq!(lookup.rooms, []);
    node.journal = suda_engine::Journal::new();
    assert_eq!(node.journal.lookup(&batch).rooms, [lobby()]);
}

#[test]
fn the_digest_tells_payloads_apart() {
    let digests: std::collections::HashSet<_> = [
        post(1, 1, "a"),
        post(1, 1, "b"),
        reply_to(1, 1, 1),
        reply_to(1, 1, 2),
        join(1, 1),
        leave(1, 1),
        create(1, 1, "lobby"),
        create(1, 1, "Lobby"),
    ]
    .iter()
    .map(|(_, draft)| draft.digest())
    .collect();
    assert_eq!(digests.len(), 8);
    assert_eq!(post(1, 1, "a").1.digest(), post(2, 9, "a").1.digest());
}

#[test]
fn a_cursor_goes_over_the_wire_and_back() {
    let node = Node::with_lobby();
    let cursor = node.log()[0].cursor();
    assert_eq!(Cursor::from_wire(&cursor.to_wire()), Ok(cursor));
    assert_eq!(Cursor::BEGINNING.to_wire().id, "");
    assert_eq!(
        Cursor::from_wire(&Cursor::BEGINNING.to_wire()),
        Ok(Cursor::BEGINNING)
    );
}
