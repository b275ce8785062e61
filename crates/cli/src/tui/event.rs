//! What goes into the client and what comes out of it: the words that the pure middle shares with the terminal on one side and the
//! connection on the other.

use crossterm::event::{KeyEvent, MouseEvent};
use suda_protocol::v1;
use uuid::Uuid;

use crate::exit::Failure;

/// Something that happened.
#[derive(Debug)]
pub(super) enum Event {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    /// Columns and rows.
    Resize(u16, u16),
    /// From the connection.
    Server(suda_client::Event),
    /// What became of an order.
    Done(Done),
    /// Time has passed; only asked for where something on the screen depends on it.
    Tick,
    /// Nothing was acknowledged for as long as leaving waits.
    WaitedLongEnough,
    /// The system wants the program to end.
    Terminate,
}

/// What an event comes with, since the middle has neither a clock nor chance of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// Milliseconds since 1970 UTC.
    pub(super) now_ms: i64,
    /// New with each event.
    pub(super) id: Uuid,
}

/// Something to do.
#[derive(Debug)]
pub(super) enum Effect {
    /// Ask the server.
    Ask(Order),
    /// Write down now what is kept between runs, rather than in a moment.
    Keep,
    /// From now on, wait only so long for the next acknowledgement.
    StartLeaving,
    /// Let the shell have the terminal.
    Suspend,
    /// Draw everything anew, whatever is on the screen.
    Redraw,
    /// End, for a reason if not all is well.
    End(Option<Failure>),
}

/// What the server is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    Post {
        room: String,
        client_id: Uuid,
        text: String,
        /// The seq of the message that it answers, 0 for none.
        reply_to: u64,
    },
    Enter {
        room: String,
        create: bool,
    },
    Leave {
        room: String,
    },
    /// Messages before a seq, 0 being the end.
    History {
        room: String,
        before_seq: u64,
    },
    Open {
        room: String,
        cursor: v1::Cursor,
    },
    Close {
        room: String,
    },
    Rooms,
    /// Connect now rather than later.
    ConnectNow,
}

/// What became of an order.
#[derive(Debug)]
pub(super) enum Done {
    Post {
        client_id: Uuid,
        result: Result<v1::Posted, v1::Error>,
    },
    Enter {
        result: Result<v1::Room, v1::Error>,
    },
    Leave {
        room: String,
        result: Result<(), v1::Error>,
    },
    History {
        room: String,
        before_seq: u64,
        result: Result<v1::MessagePage, v1::Error>,
    },
    Rooms(Result<Vec<v1::Room>, v1::Error>),
    /// The stream is not to be had.
    NotOpened {
        room: String,
        error: v1::Error,
    },
}
