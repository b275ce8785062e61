//! How a connection ends (RFC 6455, section 7.1).

use suda_websocket::{CloseCode, Config, Event, Message};

use crate::pair::*;
use crate::violating::closed;

both_roles! {
    fn nothing_is_read_after_a_close_frame(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(1000, b"")));
        connection.receive(&frame_to(role, FIN | TEXT, b"late"));
        connection.receive(&[0xff; 20]);
        connection.receive_eof();
        assert_eq!(events(&mut connection).len(), 1);
        assert_eq!(sent(&mut connection).len(), 1);
    }

    fn messages_are_read_until_the_peers_close_frame(role) {
        let mut connection = connection(role, Config::default());
        connection.close(CloseCode::NORMAL, "").unwrap();
        connection.receive(&frame_to(role, FIN | TEXT, b"under way"));
        connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(1000, b"")));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("under way")), closed(1000, "")]);
        assert_eq!(sent(&mut connection).len(), 1, "one close frame is enough");
    }

    fn the_end_of_the_stream_without_a_close_frame_is_1006(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | TEXT, b"last"));
        connection.receive(&frame_to(role, FIN | TEXT, b"cut off")[..4]);
        connection.receive_eof();
        assert_eq!(events(&mut connection), [Event::Message(Message::text("last")), closed(1006, "")]);
        assert_eq!(connection.buffered(), 0, "there is nobody to answer");
    }
}

#[test]
fn both_sides_may_close_at_once() {
    let mut pair = Pair::new(Config::default());
    pair.client.close(CloseCode(4001), "client").unwrap();
    pair.server.close(CloseCode(4002), "server").unwrap();
    let (at_client, at_server) = pair.run();
    assert_eq!(at_client, [closed(4002, "server")]);
    assert_eq!(at_server, [closed(4001, "client")]);
}

#[test]
fn the_answer_completes_the_handshake() {
    let mut pair = Pair::new(Config::default());
    pair.link_bytes = 1;
    pair.client.close(CloseCode::NORMAL, "bye").unwrap();
    let (at_client, at_server) = pair.run();
    assert_eq!(at_client, [closed(1000, "")]);
    assert_eq!(at_server, [closed(1000, "bye")]);
}
