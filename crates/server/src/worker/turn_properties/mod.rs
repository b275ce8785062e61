//! What a worker writes to its sockets, whatever the order of commits, turns, sockets that are full or end, streams that are opened anew, and members
//! who come and go: on each connection every stream is a part of the log without a hole and without a double, an answer comes behind the entry
//! that it is for, and in the end everybody has everything without anything further having to happen (G2, G3, G4, G6).
//!
//! The worker's state, its turns and outboxes are the real ones, and so are the sockets, with as little room as the system allows. By hand are
//! the journal's thread and the store's, whose part the test plays, and the clients.

mod peer;
mod scene;

use proptest::prelude::*;
use scene::{MEMBERS, ROOMS, Scene};

#[derive(Clone, Debug)]
enum Move {
    /// Somebody who is not here posts so many bytes to a room. Nobody's turn comes yet.
    Post {
        room: usize,
        bytes: usize,
    },
    /// A member posts: its answer follows its entry.
    PostOwn {
        member: usize,
        room: usize,
    },
    /// So many turns are given, and so many sockets are written to.
    Write {
        sockets_max: usize,
    },
    /// The system gets its turn, the tasks beside the worker's loop too.
    Pause,
    /// The store reads for its oldest question, and answers later.
    Read,
    /// An answer of the store arrives.
    Answer,
    /// The client takes so many bytes from its socket.
    Take {
        member: usize,
        bytes: usize,
    },
    /// The client's end of the socket is closed, whatever lies in it.
    End {
        member: usize,
    },
    /// The client comes back with a new connection.
    Come {
        member: usize,
    },
    Open {
        member: usize,
        room: usize,
    },
    Close {
        member: usize,
        room: usize,
    },
    /// The user leaves the room, or joins it if it isn't there.
    JoinOrLeave {
        member: usize,
        room: usize,
    },
    Heartbeat {
        member: usize,
    },
    /// The server ends the connection.
    SignOut {
        member: usize,
    },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let (member, room) = (|| 0..MEMBERS, || 0..ROOMS);
    let both = move || (member(), room());
    let bytes = || prop_oneof![1 => Just(5_usize), 3 => 1_000..4_000_usize];
    let one = prop_oneof![
        10 => (room(), bytes()).prop_map(|(room, bytes)| Move::Post { room, bytes }),
        5 => both().prop_map(|(member, room)| Move::PostOwn { member, room }),
        10 => (1..2 * MEMBERS).prop_map(|sockets_max| Move::Write { sockets_max }),
        4 => Just(Move::Pause),
        5 => Just(Move::Read),
        5 => Just(Move::Answer),
        6 => (member(), 1..8_000_usize).prop_map(|(member, bytes)| Move::Take { member, bytes }),
        1 => member().prop_map(|member| Move::End { member }),
        2 => member().prop_map(|member| Move::Come { member }),
        4 => both().prop_map(|(member, room)| Move::Open { member, room }),
        1 => both().prop_map(|(member, room)| Move::Close { member, room }),
        1 => both().prop_map(|(member, room)| Move::JoinOrLeave { member, room }),
        2 => member().prop_map(|member| Move::Heartbeat { member }),
        1 => member().prop_map(|member| Move::SignOut { member }),
    ];
    proptest::collection::vec(one, 0..120)
}

fn play(moves: Vec<Move>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut scene = Scene::new().await;
        for step in moves {
            scene.make(step).await;
        }
        scene.come_to_rest().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn each_stream_is_a_part_of_the_log_on_the_wire_and_ends_at_its_top(moves in moves()) {
        play(moves);
    }
}
