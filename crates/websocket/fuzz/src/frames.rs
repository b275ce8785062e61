//! Frames made from the input, right and wrong ones, against a second reading of RFC 6455 that knows whole frames only.

use suda_websocket::{CloseCode, Config, Connection, Event, MessageKind, Parts, Role};

use super::{
    input::{Input, pieces},
    wire::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, sent},
};

const READ_LIMIT_BYTES: usize = 700;
const FRAGMENTS_MAX: u32 = 5;

pub fn frames(data: &[u8]) {
    let mut input = Input::new(data);
    let role = if input.byte() & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let cuts = input.take(2);
    let mut model = Model::new(role);
    let mut bytes = Vec::new();
    while !input.is_empty() {
        let (frame, padded) = frame(&mut input, role);
        frame.encode(padded, &mut bytes);
        model.receive(&frame, padded);
    }
    model.told.push(Told::End(CloseCode::ABNORMAL_CLOSURE.0));
    model.cut_at_the_end();

    let config = Config::default()
        .read_limit(READ_LIMIT_BYTES)
        .fragments_max(FRAGMENTS_MAX);
    let mut connection = Connection::new(Parts::new(role, config));
    let mut told = Vec::new();
    let mut answers = Vec::new();
    for piece in pieces(&bytes, cuts) {
        connection.receive(piece);
        while let Some(event) = connection.poll_event() {
            told.push(tell(event));
            answers.extend(sent(&mut connection));
        }
    }
    connection.receive_eof();
    told.extend(std::iter::from_fn(|| connection.poll_event()).map(tell));
    answers.extend(sent(&mut connection));
    assert_eq!(told, model.told);
    let answers = answers
        .into_iter()
        .map(|frame| (frame.first, frame.payload));
    assert_eq!(answers.collect::<Vec<_>>(), model.answers());
}

/// Mostly right. A flag in the choice makes it wrong in one way or another.
fn frame(input: &mut Input<'_>, role: Role) -> (Frame, bool) {
    let choice = input.byte();
    let op = [
        TEXT,
        BINARY,
        CONTINUATION,
        CONTINUATION,
        PING,
        PONG,
        TEXT,
        CLOSE,
    ][usize::from(choice & 7)];
    let fin = choice & 8 == 0 || op == CLOSE;
    let mut frame = Frame {
        first: op | u8::from(fin) << 7,
        masked: role == Role::Server,
        payload: Vec::new(),
    };
    let mut padded = false;
    if choice & 0x80 != 0 {
        match input.byte() {
            0..16 => frame.masked = !frame.masked,
            16..32 => padded = true,
            first => frame.first = first,
        }
    }
    let len = match input.byte() {
        long @ 200.. => usize::from(long - 199) * 16,
        short => usize::from(short & 0x3f),
    };
    frame.payload = input.take(len).to_vec();
    // The rest is filled up: long payloads need not come from the input.
    frame.payload.resize(len, b'~');
    (frame, padded)
}

/// What a connection tells of frames.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The peer's close frame, or the end of the stream.
    End(u16),
    /// The peer broke a rule, which is answered with this code.
    Failed(u16),
}

fn tell(event: Event) -> Told {
    match event {
        Event::Message(message) => Told::Message(message.kind(), message.into_bytes().to_vec()),
        Event::Ping(payload) => Told::Ping(payload.to_vec()),
        Event::Pong(payload) => Told::Pong(payload.to_vec()),
        Event::Closed(close) => Told::End(close.code.0),
        Event::Failed(violation) => Told::Failed(violation.close_code().0),
        Event::Part(_) => unreachable!("messages were asked for"),
    }
}

struct Model {
    role: Role,
    open: Option<(MessageKind, Vec<u8>, u32)>,
    told: Vec<Told>,
}

impl Model {
    fn new(role: Role) -> Self {
        Self {
            role,
            open: None,
            told: Vec::new(),
        }
    }

    fn receive(&mut self, frame: &Frame, padded: bool) {
        let told = match self.judge(frame, padded) {
            Ok(told) => told,
            Err(code) => Some(Told::Failed(code)),
        };
        self.told.extend(told);
    }

    fn judge(&mut self, frame: &Frame, padded: bool) -> Result<Option<Told>, u16> {
        let broken = frame.first & 0x70 != 0
            || matches!(frame.op(), 3..=7 | 11..)
            || frame.masked != (self.role == Role::Server)
            || padded
            || frame.is_control() && (!frame.fin() || frame.payload.len() > 125);
        if broken {
            return Err(1002);
        }
        match frame.op() {
            PING => Ok(Some(Told::Ping(frame.payload.clone()))),
            PONG => Ok(Some(Told::Pong(frame.payload.clone()))),
            CLOSE => close(&frame.payload).map(|code| Some(Told::End(code))),
            op => self.data(op, frame),
        }
    }

    fn data(&mut self, op: u8, frame: &Frame) -> Result<Option<Told>, u16> {
        let (kind, mut data, fragments) = match (self.open.take(), op) {
            (Some(open), CONTINUATION) => open,
            (None, TEXT) => (MessageKind::Text, Vec::new(), 0),
            (None, BINARY) => (MessageKind::Binary, Vec::new(), 0),
            _ => return Err(1002),
        };
        if fragments + 1 > FRAGMENTS_MAX || data.len() + frame.payload.len() > READ_LIMIT_BYTES {
            return Err(1009);
        }
        data.extend_from_slice(&frame.payload);
        if kind == MessageKind::Text {
            match std::str::from_utf8(&data) {
                Err(error) if frame.fin() || error.error_len().is_some() => return Err(1007),
                _ => {}
            }
        }
        if frame.fin() {
            return Ok(Some(Told::Message(kind, data)));
        }
        self.open = Some((kind, data, fragments + 1));
        Ok(None)
    }

    /// Nothing follows the first end.
    fn cut_at_the_end(&mut self) {
        let is_end = |told: &Told| matches!(told, Told::End(_) | Told::Failed(_));
        let end = self.told.iter().position(is_end);
        self.told.truncate(end.map_or(usize::MAX, |at| at + 1));
    }

    /// What has to be answered, when everything is sent at once.
    fn answers(&self) -> Vec<(u8, Vec<u8>)> {
        let answer = |told: &Told| match told {
            Told::Ping(payload) => Some((0x80 | PONG, payload.clone())),
            Told::End(1006) | Told::Message(..) | Told::Pong(_) => None,
            Told::End(1005) => Some((0x80 | CLOSE, Vec::new())),
            Told::End(code) | Told::Failed(code) => {
                Some((0x80 | CLOSE, code.to_be_bytes().to_vec()))
            }
        };
        self.told.iter().filter_map(answer).collect()
    }
}

fn close(payload: &[u8]) -> Result<u16, u16> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() {
            Ok(1005)
        } else {
            Err(1002)
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(1002);
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(code),
        Err(_) => Err(1007),
    }
}
