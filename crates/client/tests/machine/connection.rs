//! Connecting, losing, coming back, giving up.

use suda_client::{
    BACKOFF_FIRST_MS, BACKOFF_MAX_MS, ConnectionOrder, Event, HELLO_TIMEOUT_MS, OfflineReason,
    STABLE_MS,
};
use suda_protocol::v1::push::Event as Pushed;
use suda_protocol::v1::reply::Result as Answered;
use suda_protocol::{CloseCode, ErrorCode, v1};

use crate::script::{HEARTBEAT_MS, Script, client_id};

/// The waits of a machine that reaches nobody.
fn waits(seed: u64, attempts: usize) -> Vec<i64> {
    let mut script = Script::with_seed(seed);
    let mut waits = Vec::new();
    for _ in 0..attempts {
        assert_eq!(
            script.machine.poll_connection(),
            Some(ConnectionOrder::Connect)
        );
        script.machine.handle_unreachable(script.now, "refused");
        let Event::Offline {
            retry_at,
            reason: OfflineReason::Unreachable { message },
        } = script.event()
        else {
            panic!()
        };
        assert_eq!(message, "refused");
        assert_eq!(script.machine.poll_timeout(), Some(retry_at));
        waits.push(retry_at - script.now);
        // Before its time nothing happens.
        if retry_at > script.now {
            script.at(retry_at - 1);
            assert_eq!(script.machine.poll_connection(), None);
        }
        script.at(retry_at);
    }
    waits
}

#[test]
fn waits_grow_with_jitter_from_the_seed() {
    for seed in 0..20 {
        let waits = waits(seed, 12);
        for (failure, wait) in waits.iter().enumerate() {
            let bound = BACKOFF_MAX_MS.min(BACKOFF_FIRST_MS << failure.min(16));
            assert!(
                (0..=bound).contains(wait),
                "wait {failure} of seed {seed}: {wait}"
            );
        }
        assert_eq!(waits, self::waits(seed, 12), "the same seed waits alike");
    }
    assert_ne!(waits(1, 12), waits(2, 12));
    assert!(
        waits(3, 40)
            .iter()
            .skip(10)
            .any(|wait| *wait > BACKOFF_MAX_MS / 2)
    );
}

#[test]
fn a_server_that_greets_and_hangs_up_is_not_asked_at_full_speed() {
    let longest_wait = |session_ms: i64| {
        let mut script = Script::new();
        let mut longest = 0;
        for _ in 0..30 {
            script.go_online();
            script.now += session_ms;
            script.lose_connection();
            let Event::Offline { retry_at, .. } = script.event() else {
                panic!()
            };
            longest = longest.max(retry_at - script.now);
            script.at(retry_at);
        }
        longest
    };
    assert!(longest_wait(0) > BACKOFF_FIRST_MS);
    assert!(longest_wait(STABLE_MS) <= BACKOFF_FIRST_MS);
}

#[test]
fn going_away_is_obeyed_and_measured_from_when_it_was_said() {
    let mut script = Script::online();
    let told_at = script.now;
    script.push(Pushed::GoingAway(v1::GoingAway {
        come_back_after_ms: 4_200,
    }));
    script.now += 200;
    script
        .machine
        .handle_disconnected(script.now, Some(CloseCode::GoingAway.number()));
    assert_eq!(
        script.event(),
        Event::Offline {
            retry_at: told_at + 4_200,
            reason: OfflineReason::GoingAway
        }
    );
    script.at(told_at + 4_200);
    script.go_online();
    // It counts once.
    script.lose_connection();
    assert!(matches!(
        script.event(),
        Event::Offline {
            reason: OfflineReason::Lost { close_code: None },
            ..
        }
    ));
}

#[test]
fn close_codes_say_whether_to_come_back() {
    for code in [1001, 1006, 1011, 1012, 1013, 4000, 4001, 4499] {
        let mut script = Script::online();
        script.machine.handle_disconnected(script.now, Some(code));
        let reason = OfflineReason::Lost {
            close_code: Some(code),
        };
        assert!(
            matches!(script.event(), Event::Offline { reason: it, .. } if it == reason),
            "{code}"
        );
        assert!(!script.machine.is_ended());
    }
    for code in [1002, 1008, 1009, 4502, 4999] {
        let mut script = Script::online();
        script.machine.handle_disconnected(script.now, Some(code));
        assert!(
            matches!(script.event(), Event::Stopped { close_code, .. } if close_code == code),
            "{code}"
        );
        assert!(script.machine.is_ended());
        assert_eq!(script.machine.poll_timeout(), None);
        script.machine.connect_now(script.now);
        assert_eq!(script.machine.poll_connection(), None);
    }
}

#[test]
fn being_signed_out_is_final_and_keeps_what_was_not_sent() {
    for code in [CloseCode::Unauthenticated, CloseCode::SignedOut] {
        let mut script = Script::online();
        script
            .machine
            .post(script.now, "lobby", client_id(1), "안녕", 0)
            .unwrap();
        script
            .machine
            .handle_disconnected(script.now, Some(code.number()));
        assert!(matches!(script.event(), Event::SignedOut { .. }));
        assert!(script.machine.is_ended());
        assert_eq!(script.machine.pending().count(), 1);
        let refused = script
            .machine
            .post(script.now, "lobby", client_id(2), "x", 0);
        assert_eq!(refused, Err(suda_client::CommandError::Ended));
    }
}

#[test]
fn a_refused_token_signs_out_and_drops_the_connection() {
    let mut script = Script::new();
    assert_eq!(
        script.machine.poll_connection(),
        Some(ConnectionOrder::Connect)
    );
    script.machine.handle_connected(script.now);
    let (id, _) = script.command();
    script.refuse(id, ErrorCode::Unauthenticated);
    assert!(
        matches!(script.event(), Event::SignedOut { error } if error.code() == ErrorCode::Unauthenticated)
    );
    assert_eq!(
        script.machine.poll_connection(),
        Some(ConnectionOrder::Drop)
    );
    assert_eq!(script.machine.poll_timeout(), None);
}

#[test]
fn a_busy_server_is_asked_again_no_sooner_than_it_said() {
    let mut script = Script::new();
    script.machine.poll_connection();
    script.machine.handle_connected(script.now);
    let (id, _) = script.command();
    script.reply(
        id,
        Answered::Error(v1::Error::of(ErrorCode::Busy).with_retry_after_ms(9_000)),
    );
    let Event::Offline {
        retry_at,
        reason: OfflineReason::Refused { .. },
    } = script.event()
    else {
        panic!()
    };
    assert!(retry_at >= script.now + 9_000);
    assert_eq!(
        script.machine.poll_connection(),
        Some(ConnectionOrder::Drop)
    );
    script.at(retry_at);
    script.go_online();
}

#[test]
fn no_greeting_in_time_drops_the_connection() {
    let mut script = Script::new();
    script.machine.poll_connection();
    script.machine.handle_connected(script.now);
    script.after_ms(HELLO_TIMEOUT_MS);
    assert!(matches!(
        script.event(),
        Event::Offline {
            reason: OfflineReason::Silent,
            ..
        }
    ));
    assert_eq!(
        script.machine.poll_connection(),
        Some(ConnectionOrder::Drop)
    );
}

#[test]
fn silence_longer_than_two_heartbeats_drops_the_connection() {
    let mut script = Script::online();
    for _ in 0..5 {
        script.after_ms(HEARTBEAT_MS);
        script.push(Pushed::Heartbeat(v1::Heartbeat::default()));
    }
    script.after_ms(2 * HEARTBEAT_MS);
    script.no_event();
    script.after_ms(1);
    assert!(matches!(
        script.event(),
        Event::Offline {
            reason: OfflineReason::Silent,
            ..
        }
    ));
    assert_eq!(
        script.machine.poll_connection(),
        Some(ConnectionOrder::Drop)
    );
    // What the dropped connection still says is not heard.
    script.entries([1]);
    script.no_event();
}

#[test]
fn a_command_without_an_answer_drops_the_connection_though_heartbeats_come() {
    let mut script = Script::online();
    script
        .machine
        .post(script.now, "lobby", client_id(1), "안녕", 0)
        .unwrap();
    script.command();
    for _ in 0..10 {
        script.after_ms(HEARTBEAT_MS);
        script.push(Pushed::Heartbeat(v1::Heartbeat::default()));
    }
    assert!(matches!(
        script.event(),
        Event::Offline {
            reason: OfflineReason::Silent,
            ..
        }
    ));
}

#[test]
fn a_wait_can_be_cut_short() {
    let mut script = Script::online();
    script.lose_connection();
    script.event();
    script.machine.connect_now(script.now);
    script.go_online();
}

#[test]
fn unknown_messages_are_ignored() {
    let mut script = Script::online();
    script
        .machine
        .handle_message(script.now, v1::ServerMessage::default());
    let kind = v1::server_message::Kind::Push(v1::Push { event: None });
    script
        .machine
        .handle_message(script.now, v1::ServerMessage { kind: Some(kind) });
    script.reply(999, Answered::Pong(v1::Pong {}));
    script.no_event();
    script.no_command();
}
