//! What the fuzzer runs: each function takes any bytes and panics if the library breaks a promise on them.
//!
//! `fuzz_targets/` gives them to libFuzzer (`cargo xtask fuzz`), `tests/fuzz_corpus.rs` of the library replays the corpora and some
//! mutations of them as an ordinary test. So these modules use nothing that the library's own tests don't have.

mod connection;
mod deflate;
mod differential;
mod extended_connect;
mod frames;
mod handshake;
mod input;
mod proxy_answers;
mod proxy_settings;
mod wire;

pub use connection::{connection_client, connection_server};
pub use deflate::deflate;
pub use differential::differential;
pub use extended_connect::extended_connect;
pub use frames::frames;
pub use handshake::{handshake_client, handshake_server};
pub use proxy_answers::proxy_answers;
pub use proxy_settings::proxy_settings;

/// A target's name, which is also its corpus' folder, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 10] = [
    ("frames", frames),
    ("connection_server", connection_server),
    ("connection_client", connection_client),
    ("handshake_server", handshake_server),
    ("handshake_client", handshake_client),
    ("deflate", deflate),
    ("differential", differential),
    ("extended_connect", extended_connect),
    ("proxy_answers", proxy_answers),
    ("proxy_settings", proxy_settings),
];
