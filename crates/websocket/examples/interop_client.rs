//! Talks with an echoing server of any make about everything that the protocol has, and prints what was negotiated.
//!
//! `cargo xtask interop` starts it against other libraries' servers, and behind proxies.

#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/failure.rs"]
mod failure;

use clap::Parser;
use deflate::Deflate;
use failure::Outcome;
use suda_websocket::{
    CloseCode, CloseOutcome, Config, Conn, Dialer, MaybeTlsStream, Message, MessageKind,
};
use tokio::io::AsyncWriteExt;

/// Longest message that is echoed, in bytes.
const READ_LIMIT_BYTES: usize = 4 << 20;
/// Payload lengths around which the frame header changes, and some that take several reads.
const LENGTHS: [usize; 8] = [0, 1, 125, 126, 65_535, 65_536, 200_000, 1_000_000];

/// A client that checks an echoing server.
#[derive(Debug, Parser)]
struct Args {
    /// The server, as ws://HOST:PORT/PATH.
    url: String,
    /// Offer compression, without or with context takeover.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    deflate: Deflate,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let args = Args::parse();
    let mut dialer = Dialer::new().config(Config::default().read_limit(READ_LIMIT_BYTES));
    if let Some(compression) = args.deflate.compression() {
        dialer = dialer.compression(compression);
    }
    let (mut conn, response) = dialer.dial(&args.url).await?;

    for length in LENGTHS {
        echo(&mut conn, Message::text("수다 ".repeat(length / 7 + 1))).await?;
        echo(&mut conn, Message::binary(noise(length))).await?;
    }
    fragmented(&mut conn).await?;
    conn.ping(b"are you there?")?;
    echo(&mut conn, Message::text("after a ping")).await?;
    many_at_once(&mut conn).await?;

    // Most answer with our code, some with one of their own (RFC 6455, section 5.5.1, leaves it to them).
    match conn.close(CloseCode(4001), "bye").await? {
        CloseOutcome::Clean(_) => {}
        outcome => return Err(format!("closing went as {outcome:?}").into()),
    }
    let extensions = response.headers().get("sec-websocket-extensions");
    println!(
        "{}",
        extensions.map_or("none", |value| value.to_str().unwrap_or("?"))
    );
    Ok(())
}

async fn echo(conn: &mut Conn<MaybeTlsStream>, message: Message) -> Outcome {
    conn.write_message(message.clone()).await?;
    let back = conn.read_message().await?;
    if back != message {
        return Err(format!("{} bytes came back as {}", message.len(), back.len()).into());
    }
    Ok(())
}

/// A text in frames that end inside characters, with a ping between them.
async fn fragmented(conn: &mut Conn<MaybeTlsStream>) -> Outcome {
    let text = "조각난 말 ".repeat(100);
    let control = conn.control();
    let mut writer = conn.next_writer(MessageKind::Text)?;
    for piece in text.as_bytes().chunks(100) {
        writer.write_all(piece).await?;
        writer.flush().await?;
        control.ping(b"between")?;
    }
    writer.finish().await?;
    let back = conn.read_message().await?;
    if back.as_text() != Some(&text) {
        return Err("a fragmented text came back as another".into());
    }
    Ok(())
}

async fn many_at_once(conn: &mut Conn<MaybeTlsStream>) -> Outcome {
    for number in 0..100 {
        conn.write_message(format!("message {number}")).await?;
    }
    for number in 0..100 {
        let back = conn.read_message().await?;
        if back.as_text() != Some(&format!("message {number}")) {
            return Err(format!("message {number} came back as {back:?}").into());
        }
    }
    Ok(())
}

/// Bytes that no compressor makes much of.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}
