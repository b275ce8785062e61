//! Leaving loses nothing.

use std::io;

use crossterm::event::KeyCode;
use suda_client::Event as ServerEvent;
use suda_protocol::{ErrorCode, v1};

use super::bench::{Bench, numbered};
use crate::exit::{Exit, Failure};
use crate::language::Language;
use crate::tui::event::{Effect, Event};
use crate::tui::update::last_words;

fn bench() -> Bench {
    Bench::in_room((80, 24), Language::English, numbered(1..=2))
}

#[test]
fn with_nothing_pending_one_leaves_at_once() {
    let mut bench = bench();
    bench.write("쓰다 만 글");
    assert!(matches!(bench.control('c')[..], [Effect::End(None)]));
}

#[test]
fn pending_posts_are_waited_for() {
    let mut bench = bench();
    let (first, second) = (bench.send("하나"), bench.send("둘"));
    assert!(matches!(bench.control('c')[..], [Effect::StartLeaving]));
    assert_eq!(bench.rows_with("2 of your messages"), 1);
    assert!(matches!(
        bench.posted(first, Ok(3))[..],
        [Effect::StartLeaving]
    ));
    assert!(matches!(
        bench.posted(second, Ok(4))[..],
        [Effect::End(None)]
    ));
}

#[test]
fn who_does_not_wait_is_told_what_is_kept() {
    for give_up in [
        (|bench: &mut Bench| bench.control('c')) as fn(&mut Bench) -> Vec<Effect>,
        |bench| bench.feed(Event::WaitedLongEnough),
        |bench| bench.feed(Event::Terminate),
    ] {
        let mut bench = bench();
        bench.send("아직 안 간 글");
        bench.control('c');
        let effects = give_up(&mut bench);
        assert!(matches!(effects[..], [Effect::End(None)]), "{effects:?}");
        let said = last_words(&bench.model, Ok(()), Ok(())).unwrap_err();
        let said = said.to_string();
        assert!(
            said.contains("1 message is not sent yet, but kept"),
            "{said}"
        );
        assert!(said.contains("아직 안 간 글"), "{said}");
        assert_eq!(bench.model.kept().rooms["room"].posts.len(), 1);
    }
}

#[test]
fn what_could_not_be_kept_is_not_said_to_be() {
    let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
    let mut bench = bench();
    assert!(last_words(&bench.model, Ok(()), full()).is_ok());
    bench.send("아직 안 간 글");
    bench.write("쓰다 만 글");
    let because = Failure::new(Exit::Refused, "the server is gone");
    let failure = last_words(&bench.model, Err(because), full()).unwrap_err();
    assert_eq!(failure.code(), Failure::new(Exit::Refused, "").code());
    let said = failure.to_string();
    for part in ["the server is gone\n", "아직 안 간 글", "쓰다 만 글"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("but kept"), "{said}");
}

#[test]
fn one_may_stay_after_all() {
    let mut bench = bench();
    let id = bench.send("하나");
    bench.control('c');
    bench.key(KeyCode::Esc);
    assert!(bench.posted(id, Ok(3)).is_empty());
}

#[test]
fn the_end_of_the_sign_in_is_the_end() {
    let mut bench = bench();
    let effects = bench.server(ServerEvent::SignedOut {
        error: v1::Error::of(ErrorCode::Unauthenticated),
    });
    assert!(matches!(effects[..], [Effect::End(Some(_))]));
}
