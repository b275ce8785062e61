//! A client by hand: takes as many bytes from its socket as it is told, and looks at each message as a client would.

use std::collections::{HashMap, HashSet};
use suda_protocol::v1::{
    Continuity, ServerMessage, push::Event, reply::Result as Answer, server_message::Kind,
};
use suda_protocol::{Codec, ErrorCode};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// The first byte of a frame that ends its message: text, binary, close, ping.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

#[derive(Debug)]
pub(super) struct Peer {
    socket: TcpStream,
    codec: Codec,
    /// Came, and is not a whole frame yet.
    unread: Vec<u8>,
    /// By the id of an `Open` that is not answered yet: the room, and the seq of the cursor that it came with.
    pub(super) asked: HashMap<u64, (String, u64)>,
    /// The next seq of each room that is open.
    pub(super) next: HashMap<String, u64>,
    /// The last seq of each room that came on this connection or before it.
    pub(super) has: HashMap<String, u64>,
    /// Posts whose entries come before their answers.
    pub(super) own_first: HashSet<u64>,
    /// The server has said that it closes.
    pub(super) closed: bool,
}

impl Peer {
    pub(super) fn new(socket: TcpStream, codec: Codec, has: HashMap<String, u64>) -> Self {
        // Dropped, it is gone at once: many cases would use up the system's ports otherwise.
        socket.set_zero_linger().unwrap();
        Self {
            socket,
            codec,
            unread: Vec::new(),
            asked: HashMap::new(),
            next: HashMap::new(),
            has,
            own_first: HashSet::new(),
            closed: false,
        }
    }

    /// Says that nothing more comes, and takes nothing more.
    pub(super) async fn shut_down(mut self) -> TcpStream {
        // It fails where the server was first.
        let _ = self.socket.shutdown().await;
        self.socket
    }

    /// Takes at most so many of the bytes that are there. Gives how many.
    pub(super) fn take(&mut self, bytes_max: usize) -> usize {
        let before = self.unread.len();
        let mut bytes = vec![0; bytes_max];
        // Nothing there, or an end: what was to come shows in the end.
        let taken = self.socket.try_read(&mut bytes).unwrap_or_default();
        self.unread.extend_from_slice(&bytes[..taken]);
        let taken = self.unread.len() - before;
        while let Some((head, payload)) = self.next_frame() {
            match head {
                TEXT | BINARY => {
                    assert_eq!(head == TEXT, self.codec.is_text());
                    assert!(!self.closed, "something came behind the close");
                    let message = self.codec.decode_server_message(&payload).unwrap();
                    self.heard(message);
                }
                CLOSE => self.closed = true,
                PING => {}
                other => panic!("a frame that begins with {other:#x}"),
            }
        }
        taken
    }

    /// The next whole frame: its first byte and its payload.
    fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (&head, &short) = (self.unread.first()?, self.unread.get(1)?);
        let (begin, length) = match short {
            126 => {
                let length = self.unread.get(2..4)?;
                (4, u64::from(u16::from_be_bytes(length.try_into().unwrap())))
            }
            127 => {
                let length = self.unread.get(2..10)?;
                (10, u64::from_be_bytes(length.try_into().unwrap()))
            }
            short => (2, u64::from(short)),
        };
        let end = begin + usize::try_from(length).unwrap();
        let payload = self.unread.get(begin..end)?.to_vec();
        self.unread.drain(..end);
        Some((head, payload))
    }

    fn heard(&mut self, message: ServerMessage) {
        match message.kind.unwrap() {
            Kind::Reply(reply) => self.answered(reply.id, reply.result.unwrap()),
            Kind::Push(push) => match push.event.unwrap() {
                Event::Entry(entry) => {
                    let next = self.next.get_mut(&entry.room);
                    let next = next.unwrap_or_else(|| panic!("{} is not open", entry.room));
                    assert_eq!(entry.seq, *next, "of {}", entry.room);
                    *next += 1;
                    let has = self.has.entry(entry.room).or_default();
                    *has = entry.seq.max(*has);
                }
                Event::Lag(lag) => drop(self.next.remove(&lag.room)),
                Event::Removed(removed) => drop(self.next.remove(&removed.room)),
                Event::Heartbeat(_) => {}
                Event::GoingAway(_) => panic!("nobody stops"),
            },
        }
    }

    fn answered(&mut self, id: u64, answer: Answer) {
        match answer {
            Answer::Opened(opened) => {
                let (room, cursor) = self.asked.remove(&id).expect("somebody asked");
                match opened.continuity() {
                    Continuity::Continues => drop(self.next.insert(room, cursor + 1)),
                    Continuity::Page => {
                        self.next.remove(&room);
                        let top = opened.room.unwrap().top.unwrap();
                        self.has.insert(room, top.seq);
                    }
                    other => panic!("opened: {other:?}"),
                }
            }
            Answer::Closed(closed) => drop(self.next.remove(&closed.room)),
            Answer::Posted(posted) => {
                let next = self.next.get(&posted.room);
                let has = next.is_none_or(|next| *next > posted.seq);
                assert!(has || !self.own_first.contains(&id), "{posted:?}");
            }
            Answer::Error(error) => {
                assert_eq!(error.code(), ErrorCode::NotAMember);
                self.asked.remove(&id);
            }
            other => panic!("answered: {other:?}"),
        }
    }
}
