//! What the simulated server does for its sessions beside the journal and the rosters: signing in, queries, heartbeats.

use suda_engine::session::{Identity, Query};
use suda_engine::{Refusal, reading};
use suda_protocol::v1::push::Event;
use suda_protocol::{CloseCode, ErrorCode, v1};

use crate::connection::{pushing, replying};
use crate::stats::Mark;
use crate::timeline::{ConnId, Happening};
use crate::world::{HEARTBEAT_MS, World, user};

/// Milliseconds for which a reader may take nothing. Less than two heartbeats, or its client would always be the first to notice.
const SLOW_READER_MS: i64 = 3_000;

impl World {
    pub(crate) fn query_read(&mut self, conn: ConnId, command_id: u64, query: Query) {
        let boot = self.boot;
        let Some(asker) = self.user_of(conn) else {
            return;
        };
        let store = &self.store;
        let result = match query {
            _ if self.is_faulty() && self.rng.chance(2) => {
                self.stats.mark(Mark::ReadFailed);
                Err(Refusal::new(ErrorCode::Unavailable))
            }
            Query::Log { room, after, count } => {
                reading::log_page(after, store.read(asker, &room, Some(after), count))
            }
            Query::Messages {
                room,
                before_seq,
                count,
            } => reading::message_page(store.messages(asker, &room, before_seq, count)),
            Query::ListRooms {
                mine,
                after_name,
                count,
            } => {
                let (rooms, more) = store.list_rooms(asker, mine, &after_name, count);
                Ok(reading::room_list(&rooms, more))
            }
        };
        let reply = match result {
            Ok(result) => v1::Reply {
                id: command_id,
                result: Some(result),
            },
            Err(refusal) => refusal.reply(command_id),
        };
        let wait_ms = self.rng.between(0, 3);
        self.timeline.after(
            wait_ms,
            Happening::QueryAnswer {
                boot,
                conn,
                reply: Box::new(reply),
            },
        );
    }

    pub(crate) fn authenticated(&mut self, conn: ConnId, good: bool) {
        let wall = self.now() + self.wall_offset;
        let Some(connection) = self
            .node
            .as_mut()
            .and_then(|node| node.conns.get_mut(&conn))
        else {
            return;
        };
        let index = self.clients[connection.client].user;
        let reply = if good {
            connection.user = Some(user(index));
            let identity = Identity {
                id: user(index),
                name: format!("user{index}"),
                administrator: false,
            };
            connection.session.authenticated(wall, identity)
        } else {
            self.stats.mark(Mark::ConnectRefused);
            connection
                .session
                .refused(Refusal::new(ErrorCode::Unavailable))
        };
        self.send(conn, replying(reply));
        self.read(conn);
    }

    pub(crate) fn heartbeat(&mut self) {
        let (boot, now, wall) = (self.boot, self.now(), self.now() + self.wall_offset);
        self.timeline
            .after(HEARTBEAT_MS, Happening::Heartbeat { boot });
        let conns: Vec<ConnId> = self
            .node
            .iter()
            .flat_map(|node| node.conns.keys().copied())
            .collect();
        for conn in conns {
            // A ping goes out with each heartbeat; whoever can be reached and can answer has answered.
            let alive = self
                .links
                .get(&conn)
                .is_some_and(|link| !link.cut && !link.silent_to_client && !link.silent_to_server);
            let Some(node) = &mut self.node else { return };
            let Some(connection) = node.conns.get_mut(&conn) else {
                continue;
            };
            if alive {
                connection.heard_at = now;
            }
            if !connection.outbox.is_empty() && now - connection.took_at > SLOW_READER_MS {
                self.stats.mark(Mark::SlowReaderClosed);
                self.end_connection(conn, Some(CloseCode::SlowReader));
            } else if now - connection.heard_at > 2 * HEARTBEAT_MS as i64 {
                self.end_connection(conn, Some(CloseCode::HeartbeatMissed));
            } else if connection.user.is_some() {
                let worker = connection.worker;
                let mut tops = Vec::new();
                self.with_worker(worker, &mut tops, |roster, out, tops| {
                    let rests = !roster.has_due();
                    *tops = roster.tops(conn, out);
                    if rests && !(out.touched.is_empty() && out.fills.is_empty()) {
                        out.checker.fail(format!("G4: a heartbeat on connection {conn} brought what should have come with a turn"));
                    }
                });
                self.send(
                    conn,
                    pushing(Event::Heartbeat(v1::Heartbeat { now_ms: wall, tops })),
                );
            }
        }
    }
}
