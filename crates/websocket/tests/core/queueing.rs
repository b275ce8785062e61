//! What goes first when several things wait to be sent.

use suda_websocket::{CloseCode, Config, Message, PENDING_PONGS_MAX, Role};

use crate::pair::*;

both_roles! {
    fn a_pong_that_is_half_sent_is_not_replaced(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | PING, b"first"));
        connection.poll_event();
        let mut bytes = connection.transmit().next().unwrap()[..3].to_vec();
        connection.advance(3);
        for _ in 0..100 {
            connection.receive(&frame_to(role, FIN | PING, b"later"));
            connection.poll_event();
        }
        bytes.extend(drain(&mut connection));
        let pongs = frames(&bytes);
        assert_eq!(pongs[0].payload, b"first");
        assert_eq!(pongs.len(), PENDING_PONGS_MAX);
    }

    fn a_pong_that_the_program_queued_gives_way_to_no_answer(role) {
        let mut connection = connection(role, Config::default());
        connection.pong(b"our own").unwrap();
        for _ in 0..=2 * PENDING_PONGS_MAX {
            connection.receive(&frame_to(role, FIN | PING, b"?"));
            connection.poll_event();
        }
        let pongs = sent(&mut connection);
        assert_eq!(pongs[0].payload, b"our own");
        assert_eq!(pongs.len(), 1 + PENDING_PONGS_MAX);
    }

    fn a_control_frame_waits_for_one_piece_of_a_long_message_only(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(1000));
        connection.send(Message::binary(vec![1; 200_000])).unwrap();
        // The first piece is on its way.
        let mut bytes = connection.transmit().next().unwrap()[..1].to_vec();
        connection.advance(1);
        connection.ping(b"now").unwrap();
        bytes.extend(drain(&mut connection));
        let frames = frames(&bytes);
        let position = frames.iter().position(|frame| frame.first == FIN | PING).unwrap();
        let waited: usize = frames[..position].iter().map(|frame| frame.payload.len()).sum();
        assert!(waited <= 64 << 10, "{waited} bytes went first");
        assert!(position + 1 < frames.len());
    }
}

#[test]
fn control_frames_that_wait_behind_a_begun_frame_still_go_before_the_close_frame() {
    let mut server = connection(Role::Server, Config::default());
    server.send(Message::text("half sent")).unwrap();
    let mut bytes = server.transmit().next().unwrap()[..3].to_vec();
    server.advance(3);
    server.ping(b"waits").unwrap();
    server.close(CloseCode::NORMAL, "").unwrap();
    bytes.extend(drain(&mut server));
    let firsts: Vec<_> = frames(&bytes)
        .into_iter()
        .map(|frame| frame.first)
        .collect();
    assert_eq!(firsts, [FIN | TEXT, FIN | PING, FIN | CLOSE]);
}
