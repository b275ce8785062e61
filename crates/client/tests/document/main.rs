//! Runs the examples of `docs/protocol.md`, in their order, against a real server and with a WebSocket client that
//! isn't ours.

#![allow(clippy::unwrap_used)]

mod blocks;
mod http;
mod pattern;
mod player;

use blocks::blocks;
use player::Player;

#[tokio::test]
async fn every_example_of_the_protocol_document_happens_as_it_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let document = std::fs::read_to_string(path).unwrap();
    let blocks = blocks(&document);
    let mut player = Player::start().await;
    for block in &blocks {
        player.play(block).await;
    }
    player.finish().await;
    let count = |kind: &str| blocks.iter().filter(|block| block.kind == kind).count();
    assert!(
        count("json send") >= 15 && count("sh request") >= 4,
        "the document lost its examples"
    );
}
