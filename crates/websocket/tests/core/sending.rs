//! What is sent, and that it arrives over a link of any width.

use suda_websocket::{Config, Message, PreparedMessage, Role, SendError};

use crate::pair::*;

both_roles! {
    fn a_prepared_message_is_what_the_message_would_be(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(50_000));
        for message in [Message::text("수다"), Message::binary(vec![3; 40_000]), Message::binary(vec![4; 120_000])] {
            connection.send(message.clone()).unwrap();
            let plain = sent(&mut connection);
            connection.try_send_prepared(&PreparedMessage::new(message)).unwrap();
            assert_eq!(sent(&mut connection), plain);
        }
    }

    fn a_full_outbox_refuses_prepared_messages(role) {
        let mut connection = connection(role, Config::default().outbox_bytes_max(1000));
        let message = PreparedMessage::binary(vec![0; 600]);
        connection.try_send_prepared(&message).unwrap();
        connection.try_send_prepared(&message).unwrap();
        let before = connection.buffered();
        assert_eq!(connection.try_send_prepared(&message), Err(SendError::Full));
        assert_eq!(connection.buffered(), before);
        drain(&mut connection);
        connection.try_send_prepared(&message).unwrap();
    }
}

#[test]
fn a_server_queues_a_reference_to_a_prepared_message() {
    let message = PreparedMessage::text("to everybody");
    let payload = message.payload().as_ptr_range();
    let mut server = connection(Role::Server, Config::default());
    server.try_send_prepared(&message).unwrap();
    let chunk = server.transmit().next().unwrap().as_ptr_range();
    assert!(chunk.contains(&payload.start));
}
