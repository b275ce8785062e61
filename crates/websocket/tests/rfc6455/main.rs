//! Each MUST of RFC 6455 that a library can keep, as client and as server; a module is a section.
//!
//! Not here, because nothing in a library can keep or break them: what proxies and intermediaries must do (5.4, 5.8), what is asked of
//! registries (11), and that a client has one connection at a time in its opening handshake (4.1), which is for whoever calls
//! `Dialer::dial` to see to. Compression is in `rfc7692`.
#![allow(clippy::unwrap_used)]

#[path = "../support/pair.rs"]
mod pair;
mod violating;

mod section_10_4_limits;
mod section_4_1_client_handshake;
mod section_4_2_server_handshake;
mod section_5_1_masking;
mod section_5_2_framing;
mod section_5_3_masking_key;
mod section_5_4_fragmentation;
mod section_5_5_1_close;
mod section_5_5_2_ping;
mod section_5_5_control;
mod section_5_6_data;
mod section_7_1_closing;
mod section_7_1_over_streams;
mod section_7_4_codes;
mod section_8_1_utf8;
mod section_9_1_extensions;
