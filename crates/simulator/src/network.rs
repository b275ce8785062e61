//! The simulated network: frames on their way, slow readers, and the ways in which a connection ends.

use suda_protocol::{CloseCode, v1};

use crate::connection::pushing;
use crate::stats::Mark;
use crate::timeline::{ConnId, Happening};
use crate::worker::Outs;
use crate::world::World;

impl World {
    /// The link will take the next frame from this outbox as soon as its reader allows.
    pub(crate) fn plan_drain(&mut self, conn: ConnId) {
        let Some(frame_ms) = self.links.get(&conn).and_then(|link| link.frame_ms) else {
            return;
        };
        let Some(connection) = self
            .node
            .as_mut()
            .and_then(|node| node.conns.get_mut(&conn))
        else {
            return;
        };
        if !connection.drain_planned && !connection.outbox.is_empty() {
            connection.drain_planned = true;
            self.timeline.after(frame_ms, Happening::Drain { conn });
        }
    }

    /// The link takes a frame: from here on it arrives, whatever becomes of the server, unless the link itself fails.
    pub(crate) fn drain(&mut self, conn: ConnId) {
        let latency_ms = self.latency_ms() as i64;
        let now = self.now();
        let Some(connection) = self
            .node
            .as_mut()
            .and_then(|node| node.conns.get_mut(&conn))
        else {
            return;
        };
        connection.drain_planned = false;
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        let (Some(frame_ms), false) = (link.frame_ms, link.silent_to_client) else {
            return;
        };
        // A fast reader takes all there is with one call.
        while let Some(message) = connection.take(now) {
            link.to_client_at = link.to_client_at.max(now + latency_ms);
            let client = connection.client;
            self.timeline.at(
                link.to_client_at,
                Happening::ToClient {
                    client,
                    conn,
                    message: Box::new(message),
                },
            );
            if frame_ms > 0 {
                break;
            }
        }
        let connection_is_done = connection.close_code.is_some() && connection.outbox.is_empty();
        let has_room =
            connection.was_full && connection.outbox_bytes <= connection.outbox_bytes_max / 2;
        let worker = connection.worker;
        if has_room {
            connection.was_full = false;
            self.with_worker(worker, &mut (), |roster, out: &mut Outs<'_>, ()| {
                let before = out.touched.len() + out.fills.len();
                roster.drained(conn, out);
                if out.touched.len() + out.fills.len() > before {
                    out.stats.mark(Mark::FillDrained);
                }
            });
        }
        if connection_is_done {
            return self.finish_connection(conn);
        }
        self.plan_drain(conn);
        self.read(conn);
    }

    /// The server ends a connection: at once, and whatever waits in its outbox is lost.
    pub(crate) fn end_connection(&mut self, conn: ConnId, code: Option<CloseCode>) {
        self.say(|| format!("server ends connection {conn}: {code:?}"));
        let latency_ms = self.latency_ms() as i64;
        let now = self.now();
        self.forget_connection(conn);
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        if !link.silent_to_client {
            // A link that takes nothing carries no close frame either; what the client sees is a broken connection.
            let close_code = code
                .filter(|_| link.frame_ms == Some(0))
                .map(CloseCode::number);
            link.to_client_at = link.to_client_at.max(now + latency_ms);
            let client = link.client;
            self.timeline.at(
                link.to_client_at,
                Happening::GoneAtClient {
                    client,
                    conn,
                    close_code,
                },
            );
        }
    }

    /// A connection that was closing has sent everything.
    fn finish_connection(&mut self, conn: ConnId) {
        let code = self
            .node
            .as_ref()
            .and_then(|node| node.conns.get(&conn))
            .and_then(|connection| connection.close_code);
        self.end_connection(conn, code.and_then(CloseCode::from_number));
    }

    pub(crate) fn gone_at_server(&mut self, conn: ConnId) {
        if self
            .links
            .get(&conn)
            .is_some_and(|link| !link.silent_to_server || link.cut)
        {
            self.forget_connection(conn);
        }
    }

    fn forget_connection(&mut self, conn: ConnId) {
        let Some(node) = &mut self.node else { return };
        if let Some(connection) = node.conns.remove(&conn)
            && let Some(worker) = node.workers.get_mut(connection.worker)
        {
            worker.roster.gone(conn);
        }
        self.checker.gone(conn);
    }

    /// The link breaks: whatever is on its way is lost, and both ends are told.
    pub(crate) fn cut(&mut self, conn: ConnId) {
        self.stats.mark(Mark::LinkCut);
        let (to_client_ms, to_server_ms) = (self.latency_ms(), self.latency_ms());
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        link.cut = true;
        let client = link.client;
        self.timeline.after(
            to_client_ms,
            Happening::GoneAtClient {
                client,
                conn,
                close_code: None,
            },
        );
        self.timeline
            .after(to_server_ms, Happening::GoneAtServer { conn });
    }

    /// The server is gone, from one moment to the next. What the network already had is still delivered.
    pub(crate) fn lose_server(&mut self) {
        let Some(node) = self.node.take() else { return };
        let now = self.now();
        for conn in node.conns.keys().copied() {
            self.checker.gone(conn);
            let latency_ms = self.latency_ms() as i64;
            let Some(link) = self.links.get_mut(&conn) else {
                continue;
            };
            if link.silent_to_client || link.cut {
                continue;
            }
            if link.to_client_at > now {
                self.stats.mark(Mark::FramesOutliveCrash);
            }
            link.to_client_at = link.to_client_at.max(now + latency_ms);
            let (client, at) = (link.client, link.to_client_at);
            self.timeline.at(
                at,
                Happening::GoneAtClient {
                    client,
                    conn,
                    close_code: None,
                },
            );
        }
    }

    /// A server that is stopping and has answered everything sends what is left, then closes.
    pub(crate) fn stop_if_idle(&mut self) {
        let Some(node) = self.node.as_mut().filter(|node| node.stopping) else {
            return;
        };
        if node.committing.is_some() || !node.queue.is_empty() {
            return;
        }
        self.say(|| "server has stopped".into());
        let conns: Vec<ConnId> = self
            .node
            .iter()
            .flat_map(|node| node.conns.keys().copied())
            .collect();
        for conn in conns {
            let now = self.now();
            let latency_ms = self.latency_ms() as i64;
            let Some(connection) = self
                .node
                .as_mut()
                .and_then(|node| node.conns.get_mut(&conn))
            else {
                continue;
            };
            let Some(link) = self.links.get_mut(&conn) else {
                continue;
            };
            while link.frame_ms == Some(0) && !link.silent_to_client {
                let Some(message) = connection.take(now) else {
                    break;
                };
                link.to_client_at = link.to_client_at.max(now + latency_ms);
                let client = link.client;
                self.timeline.at(
                    link.to_client_at,
                    Happening::ToClient {
                        client,
                        conn,
                        message: Box::new(message),
                    },
                );
            }
            self.end_connection(conn, Some(CloseCode::GoingAway));
        }
        self.node = None;
        let down_ms = self.rng.between(20, 1_500);
        self.timeline.after(down_ms, Happening::Start);
    }

    /// Everybody is told that the server is about to stop.
    pub(crate) fn announce_stop(&mut self) {
        let conns: Vec<ConnId> = self
            .node
            .iter()
            .flat_map(|node| node.conns.keys().copied())
            .collect();
        for conn in conns {
            let come_back_after_ms = self.rng.between(0, 3_000) as u32;
            self.send(
                conn,
                pushing(v1::push::Event::GoingAway(v1::GoingAway {
                    come_back_after_ms,
                })),
            );
        }
    }
}
