//! Shows an opening handshake: the bytes of both sides, what each line is for, and how the accept key comes from the key.
//!
//! ```text
//! cargo run --example handshake                                     # both sides in this process
//! cargo run --example handshake -- --url wss://chat.example/room    # a real server
//! ```
//!
//! The handshake's core does no I/O, so the first form needs none: one side's bytes are simply given to the other.

use std::error::Error;
use std::io::{IsTerminal as _, stdout};
use std::process::ExitCode;

use base64::Engine as _;
use clap::Parser;
use sha1::{Digest as _, Sha1};
use suda_websocket::handshake::{
    Answered, ClientHandshake, ClientOptions, GUID, Judged, Policy, ServerHandshake, Target,
    accept_key,
};
use suda_websocket::tls;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The bytes of a WebSocket's opening handshake, explained.
#[derive(Parser)]
struct Args {
    /// A ws:// or wss:// URL to shake hands with; without it both sides run in this process.
    #[arg(long)]
    url: Option<Target>,
    /// A subprotocol to offer; may be given several times, the dearest first.
    #[arg(long)]
    subprotocol: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match show(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("handshake: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn show(args: Args) -> Result<(), Box<dyn Error>> {
    let paint = Paint {
        on: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let (target, real) = match args.url {
        Some(target) => (target, true),
        None => ("ws://chat.example/room?lang=ko".parse()?, false),
    };
    let mut subprotocols = args.subprotocol;
    if !real && subprotocols.is_empty() {
        subprotocols = vec!["chat.v2".to_owned(), "chat.v1".to_owned()];
    }
    let mut client = ClientHandshake::new(
        &target,
        &ClientOptions {
            subprotocols,
            ..ClientOptions::default()
        },
    )?;
    let request = client.request().clone();

    println!("{}", paint.title("A WebSocket begins as an HTTP request"));
    println!("It is an ordinary GET, so that it passes through whatever lets the web through.\n");
    print_head(&paint, "client", &request, meaning_in_request);

    let key = header(&request, "sec-websocket-key").ok_or("the request has no key")?;
    print_accept_key(&paint, &key);

    let answer = if real {
        exchange(&target, &request).await?
    } else {
        answer_in_memory(&request)?
    };
    println!("{}", paint.title("The server answers"));
    print_head(&paint, "server", &answer, meaning_in_answer);

    println!("{}", paint.title("The client checks the answer"));
    let error = match client.receive(&answer) {
        Answered::Accept(accepted) => {
            println!(
                "  The accept key is the one computed above: {}",
                paint.good("the WebSocket is open.")
            );
            match accepted.subprotocol {
                Some(name) => println!("  Both sides speak {name} from here on."),
                None => println!("  No subprotocol was agreed on."),
            }
            println!("  From the next byte on both sides send frames; nothing of HTTP is left.");
            return Ok(());
        }
        Answered::Fail(error) => error,
        // Only the head was read; of a refusal the body is still to come, and not shown here.
        Answered::Pending => client.handle_end(),
    };
    println!("  The WebSocket does not open.");
    Err(error.into())
}

/// The other side, in this process.
fn answer_in_memory(request: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let policy = Policy {
        subprotocols: vec!["chat.v1".to_owned()],
        ..Policy::default()
    };
    match ServerHandshake::new(policy).receive(request) {
        Judged::Accept(accept) => Ok(accept.response.to_vec()),
        Judged::Reject(reject) => Ok(reject.response.to_vec()),
        Judged::Pending => Err("the request is not complete".into()),
    }
}

/// The other side, on the network.
async fn exchange(target: &Target, request: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let tcp = TcpStream::connect((target.host(), target.port())).await?;
    if !target.is_secure() {
        return send_and_read_head(tcp, request).await;
    }
    let name = rustls::pki_types::ServerName::try_from(target.host().to_owned())?;
    let connector = tokio_rustls::TlsConnector::from(tls::system_roots().await?);
    send_and_read_head(connector.connect(name, tcp).await?, request).await
}

/// Reads byte by byte up to the empty line, so that nothing after the head is taken.
async fn send_and_read_head(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &[u8],
) -> Result<Vec<u8>, Box<dyn Error>> {
    const HEAD_BYTES_MAX: usize = 64 * 1024;
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn print_head(paint: &Paint, who: &str, head: &[u8], meaning: fn(&str) -> &'static str) {
    let text = String::from_utf8_lossy(head);
    for (number, line) in text
        .split("\r\n")
        .take_while(|line| !line.is_empty())
        .enumerate()
    {
        println!(
            "  {} {}{}",
            paint.faint(who),
            paint.strong(&shown(line)),
            paint.faint("\\r\\n")
        );
        let name = if number == 0 {
            ""
        } else {
            line.split(':').next().unwrap_or_default()
        };
        println!("         {}", meaning(&name.to_ascii_lowercase()));
    }
    println!("  {} {}", paint.faint(who), paint.faint("\\r\\n"));
    println!(
        "         An empty line: the head ends here. ({} bytes)\n",
        head.len()
    );
}

fn print_accept_key(paint: &Paint, key: &str) {
    let joined = format!("{key}{GUID}");
    let hash = Sha1::digest(joined.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let accept = base64::engine::general_purpose::STANDARD.encode(hash);
    println!("{}", paint.title("How the accept key comes from the key"));
    println!("  1. the key, as sent              {}", paint.strong(key));
    println!("  2. a text that never changes     {}", paint.strong(GUID));
    println!("  3. one behind the other          {joined}");
    println!("  4. SHA-1 of that, 20 bytes       {hex}");
    println!("  5. in base64: the accept key     {}", paint.good(&accept));
    println!(
        "  It is no secret and proves no identity. It proves that the other side has read this very request and knows"
    );
    println!("  WebSocket, which a cache or an ordinary web server does not.\n");
    assert_eq!(accept, accept_key(key), "the library computes the same");
}

fn meaning_in_request(header: &str) -> &'static str {
    match header {
        "" => {
            "Always GET, at least HTTP/1.1. The path says which of the server's WebSockets is meant."
        }
        "host" => {
            "Which of the names that live at this address. The port only if it isn't 80 (ws) or 443 (wss)."
        }
        "upgrade" => "\"Let us go on in another protocol on this connection: WebSocket.\"",
        "connection" => {
            "\"Upgrade is meant for you, the next machine\": a proxy that doesn't know it must not pass it on."
        }
        "sec-websocket-key" => {
            "16 random bytes in base64, new for each connection. The server must answer it."
        }
        "sec-websocket-version" => "The version of RFC 6455. It has been 13 since 2011.",
        "sec-websocket-protocol" => {
            "What the client can speak inside the frames, the dearest first. The server picks one or none."
        }
        "origin" => "Sent by browsers: the page that wants to connect. The server must check it.",
        _ => "Not part of the handshake; means what it means in any HTTP request.",
    }
}

fn meaning_in_answer(header: &str) -> &'static str {
    match header {
        "" => "101 says yes. Any other status says no, and is an ordinary HTTP answer with a body.",
        "upgrade" => "\"From the next byte on: WebSocket.\"",
        "connection" => "Marks Upgrade as meant for this connection, as in the request.",
        "sec-websocket-accept" => "The answer to the key. If it is wrong, the client must close.",
        "sec-websocket-protocol" => "The one that the server picked among those offered.",
        "sec-websocket-extensions" => "The extensions that the server picked among those offered.",
        "sec-websocket-version" => "The versions that the server speaks, if it doesn't speak ours.",
        _ => "Not part of the handshake; means what it means in any HTTP answer.",
    }
}

/// The value of the first header of that name.
fn header(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n").filter_map(|line| line.split_once(": "));
    lines
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned())
}

/// Colours, on a terminal only.
struct Paint {
    on: bool,
}

impl Paint {
    fn title(&self, text: &str) -> String {
        self.with("1;36", text)
    }

    fn strong(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn good(&self, text: &str) -> String {
        self.with("1;32", text)
    }

    fn faint(&self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(&self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The line with control characters made visible, since it may come from a stranger's server.
fn shown(line: &str) -> String {
    line.chars()
        .map(|c| {
            if c.is_control() {
                c.escape_debug().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}
