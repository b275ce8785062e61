//! Messages that arrive: whole, in fragments, as parts.

use bytes::Bytes;
use suda_websocket::{Config, Event, Message, MessageKind, Part};

use crate::pair::*;

fn part(kind: MessageKind, data: &'static [u8], fin: bool) -> Option<Event> {
    Some(Event::Part(Part {
        kind,
        data: Bytes::from_static(data),
        fin,
    }))
}

both_roles! {
    fn one_frame_is_one_message(role) {
        for len in [0, 1, 7, 125, 126, 127, 65_535, 65_536, 1 << 20] {
            let mut connection = connection(role, Config::default());
            let payload: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
            connection.receive(&frame_to(role, FIN | BINARY, &payload));
            assert_eq!(events(&mut connection), [Event::Message(Message::binary(payload))], "{len} bytes");
        }
    }

    fn a_message_of_exactly_the_read_limit_is_taken(role) {
        let mut connection = connection(role, Config::default().read_limit(300));
        connection.receive(&frame_to(role, FIN | BINARY, &[1; 300]));
        assert_eq!(events(&mut connection), [Event::Message(Message::binary(vec![1; 300]))]);
    }

    fn a_whole_frame_is_given_out_without_a_copy(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | BINARY, &[7; 1000]));
        let at = connection.input().as_ptr_range();
        let Some(Event::Message(Message::Binary(bytes))) = connection.poll_event() else { panic!("no message") };
        assert!(at.contains(&bytes.as_ptr()));
    }

    fn the_beginning_of_a_message_does_not_keep_the_buffer_that_it_came_in(role) {
        let mut connection = connection(role, Config::default());
        let ping = frame_to(role, FIN | PING, &[0; 125]);
        let burst = ping.repeat(400);
        connection.input().reserve(64 << 10);
        connection.receive(&burst);
        connection.receive(&frame_to(role, TEXT, b"a"));
        assert!(events(&mut connection).iter().all(|event| matches!(event, Event::Ping(_))));
        assert!(connection.input().try_reclaim(burst.len()), "somebody still refers to the buffer");
        connection.receive(&frame_to(role, FIN | CONTINUATION, b"b"));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("ab"))]);
    }

    fn parts_come_as_their_bytes_arrive(role) {
        let mut connection = connection(role, Config::default());
        let frame = frame_to(role, TEXT, b"abcdef");
        let (head, payload) = frame.split_at(frame.len() - 6);
        connection.receive(head);
        assert_eq!(connection.poll_part(), part(MessageKind::Text, b"", false));
        assert_eq!(connection.poll_part(), None);
        connection.receive(&payload[..2]);
        assert_eq!(connection.poll_part(), part(MessageKind::Text, b"ab", false));
        connection.receive(&payload[2..]);
        assert_eq!(connection.poll_part(), part(MessageKind::Text, b"cdef", false));
        connection.receive(&frame_to(role, FIN | PING, b"?"));
        assert_eq!(connection.poll_part(), Some(Event::Ping(Bytes::from_static(b"?"))));
        connection.receive(&frame_to(role, FIN | CONTINUATION, b"gh"));
        assert_eq!(connection.poll_part(), part(MessageKind::Text, b"gh", true));
        assert_eq!(connection.poll_part(), None);
    }

    fn an_empty_last_frame_ends_the_parts(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, BINARY, b"a"));
        connection.receive(&frame_to(role, FIN | CONTINUATION, b""));
        assert_eq!(connection.poll_part(), part(MessageKind::Binary, b"", false));
        assert_eq!(connection.poll_part(), part(MessageKind::Binary, b"a", false));
        assert_eq!(connection.poll_part(), part(MessageKind::Binary, b"", true));
    }

    fn what_was_gathered_for_a_whole_message_can_be_taken_as_a_part(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, BINARY, b"ab"));
        let half = frame_to(role, FIN | CONTINUATION, b"cd");
        connection.receive(&half[..half.len() - 1]);
        assert_eq!(connection.poll_event(), None);
        assert_eq!(connection.poll_part(), part(MessageKind::Binary, b"abc", false));
        connection.receive(&half[half.len() - 1..]);
        assert_eq!(connection.poll_part(), part(MessageKind::Binary, b"d", true));
    }

    fn the_rest_of_a_begun_message_is_skipped_but_checked(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, TEXT, b"ab"));
        assert_eq!(connection.poll_part(), part(MessageKind::Text, b"", false));
        connection.receive(&frame_to(role, FIN | CONTINUATION, b"cd"));
        connection.receive(&frame_to(role, FIN | TEXT, b"next"));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("next"))]);

        connection.receive(&frame_to(role, TEXT, b"ab"));
        assert_eq!(connection.poll_part(), part(MessageKind::Text, b"", false));
        connection.skip_message();
        connection.receive(&frame_to(role, FIN | CONTINUATION, b"cd"));
        connection.receive(&frame_to(role, FIN | BINARY, b"next"));
        assert_eq!(connection.poll_part(), part(MessageKind::Binary, b"", false));
        assert_eq!(connection.poll_part(), part(MessageKind::Binary, b"next", true));

        connection.receive(&frame_to(role, TEXT, b"ab"));
        assert_eq!(connection.poll_part(), part(MessageKind::Text, b"", false));
        connection.receive(&frame_to(role, FIN | CONTINUATION, b"\xff"));
        assert!(matches!(events(&mut connection)[..], [Event::Failed(_)]));
    }
}
