//! `suda logout`: ends the sign-in, on the server and here.

use suda_client::account::{self, AccountError};
use suda_protocol::ErrorCode;

use crate::address;
use crate::credentials::Credentials;
use crate::exit::{Exit, Failure};
use crate::session::ServerArg;
use crate::texts::Texts;

/// Sign out of a server
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArg,
}

pub(crate) async fn run(args: Args, texts: Texts) -> Result<(), Failure> {
    let wanted = args.server.address()?;
    let mut credentials = Credentials::load(texts)?;
    let Some(credential) = credentials.signed_in(wanted.as_deref()).cloned() else {
        return Err(Failure::new(
            Exit::NotSignedIn,
            texts.not_signed_in(wanted.as_deref()),
        ));
    };
    let token = credentials.token(&credential)?;
    let told = account::sign_out(&address::parse(&credential.server)?, &token).await;
    // Whatever the server says: who wants to be signed out here, is.
    credentials.sign_out(&credential.server)?;
    match told {
        Ok(()) => {}
        // It was over already.
        Err(AccountError::Refused(error)) if error.code() == ErrorCode::Unauthenticated => {}
        Err(error) => {
            let reason = texts.account_error(&error);
            return Err(Failure::new(
                Exit::Unreachable,
                texts.signed_out_only_here(&credential.server, &reason),
            ));
        }
    }
    eprintln!("{}", texts.signed_out(&credential.server));
    Ok(())
}
