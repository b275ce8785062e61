//! Who masks (RFC 6455, section 5.1).

use suda_websocket::{CloseCode, Config, Message, Role, Violation};

use crate::pair::*;
use crate::violating::breaks_protocol;

both_roles! {
    fn a_wrong_mask_bit_fails(role) {
        let (other, violation) = match role {
            Role::Server => (Role::Client, Violation::Unmasked),
            Role::Client => (Role::Server, Violation::Masked),
        };
        breaks_protocol(role, &frame_to(other, FIN | TEXT, b"hi"), violation);
    }

    fn a_client_masks_with_fresh_keys_and_a_server_does_not(role) {
        let mut connection = connection(role, Config::default());
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            connection.send(Message::text("the same each time")).unwrap();
            let bytes = drain(&mut connection);
            assert_eq!(frames(&bytes)[0].masked, role == Role::Client);
            seen.insert(bytes);
        }
        assert_eq!(seen.len(), if role == Role::Client { 100 } else { 1 });
    }

    fn a_client_masks_every_kind_of_frame_and_a_server_none(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(3));
        connection.send(Message::text("in pieces")).unwrap();
        connection.ping(b"").unwrap();
        connection.pong(b"x").unwrap();
        connection.receive(&frame_to(role, FIN | PING, b"y"));
        events(&mut connection);
        connection.close(CloseCode::NORMAL, "bye").unwrap();
        let frames = sent(&mut connection);
        assert_eq!(frames.len(), 7);
        assert!(frames.iter().all(|frame| frame.masked == (role == Role::Client)), "{frames:?}");
    }
}
