//! What the types forbid: programs in `cases/` that the compiler must refuse, each with what it says.
//!
//! `TRYBUILD=overwrite cargo test -p suda-websocket-compile-fail` takes what the compiler says now for what is meant.

#[test]
fn two_writers_and_two_readers_at_once_do_not_compile() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
