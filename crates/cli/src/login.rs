//! `suda login`: signs in or up, and keeps the sign-in for the other commands.

use std::io::{self, BufRead, Read, Write};

use suda_client::account::{self, AccountError};
use suda_protocol::limits::{PASSWORD_BYTES_MAX, USER_NAME_CHARS_MAX};

use crate::address;
use crate::credentials::{Credential, Credentials, Keeping};
use crate::exit::{Exit, Failure};
use crate::texts::Texts;
use crate::visible;

/// Where a server is if nobody says: this machine, at the port that `suda serve` listens on by default.
const SERVER_DEFAULT: &str = "http://127.0.0.1:7300";

/// Bytes of a typed name that are read at most.
const NAME_BYTES_MAX: u64 = USER_NAME_CHARS_MAX as u64 * 16;

/// Sign in to a server
///
/// Asks for the name and, without showing it, the password. The sign-in is kept in the system's keyring, or, where there is none, in a file
/// that only you can read; this server becomes the default of the other commands.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The server
    #[arg(long, value_name = "URL", env = "SUDA_SERVER", default_value = SERVER_DEFAULT)]
    server: String,
    /// Your name on the server; asked for if not given
    #[arg(long)]
    name: Option<String>,
    /// Become the first administrator, with the token that the server printed
    // A token may begin with a hyphen.
    #[arg(
        long,
        value_name = "TOKEN",
        conflicts_with = "sign_up",
        allow_hyphen_values = true
    )]
    setup: Option<String>,
    /// Make a new account
    #[arg(long)]
    sign_up: bool,
    /// Read the password from stdin, up to the first line break
    #[arg(long)]
    password_stdin: bool,
    /// Where to keep the sign-in
    #[arg(
        long,
        value_enum,
        value_name = "WHERE",
        env = "SUDA_CREDENTIALS",
        default_value_t = Keeping::Auto
    )]
    credentials: Keeping,
}

pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    let server = address::parse(&args.server)?;
    let mut credentials = Credentials::load(texts)?;
    credentials.check(args.credentials)?;
    let name = match args.name {
        Some(name) => name,
        None if args.password_stdin => {
            return Err(Failure::usage("--password-stdin needs --name as well"));
        }
        None => ask_name(texts)?,
    };
    let is_new = args.sign_up || args.setup.is_some();
    let password = if args.password_stdin {
        read_line(PASSWORD_BYTES_MAX as u64 + 2)?
    } else {
        ask_password(texts, is_new)?
    };

    let signed_in = if is_new {
        account::sign_up(&server, &name, &password, args.setup.as_deref()).await
    } else {
        account::sign_in(&server, &name, &password).await
    }
    .map_err(|error| failure(texts, &error))?;

    let address = server.to_string();
    let shown = texts.signed_in(&visible::line(&signed_in.user.name), &address);
    let device = credentials.device(&address);
    let credential = Credential::new(address, signed_in.user.name, device, signed_in.token);
    let kept = credentials.sign_in(credential, args.credentials)?;
    eprintln!("{shown}");
    eprintln!("{}", texts.kept(&kept));
    Ok(())
}

/// What went wrong with an account, as the program ends with it.
fn failure(texts: Texts, error: &AccountError) -> Failure {
    let text = texts.account_error(error);
    match error {
        AccountError::Refused(_) => Failure::new(Exit::Refused, text),
        AccountError::Unreachable { .. } | AccountError::NotSuda { .. } => {
            Failure::new(Exit::Unreachable, text)
        }
    }
}

fn ask_name(texts: Texts) -> Result<String, Failure> {
    eprint!("{}", texts.ask_name());
    let _ = io::stderr().flush();
    read_line(NAME_BYTES_MAX)
}

fn ask_password(texts: Texts, is_new: bool) -> Result<String, Failure> {
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| {
            Failure::failed(format!(
                "the password cannot be asked for ({error}); without a terminal, give it with --password-stdin"
            ))
        })
    };
    let password = ask(texts.ask_password())?;
    // A typing mistake in a new password would lock its owner out.
    if is_new && password != ask(texts.ask_password_again())? {
        return Err(Failure::failed(texts.passwords_differ()));
    }
    Ok(password)
}

fn read_line(bytes_max: u64) -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(bytes_max)
        .read_line(&mut line)
        .map_err(|error| Failure::failed(format!("cannot read from stdin: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
