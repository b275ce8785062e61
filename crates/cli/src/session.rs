//! A signed-in conversation with a server, as every command but `serve`, `login` and `logout` begins it.

use std::time::Duration;

use suda_client::{Client, ClientConfig, Event, Events, OfflineReason, Server};
use suda_protocol::{ErrorCode, v1};

use crate::address;
use crate::credentials::Credentials;
use crate::exit::{Exit, Failure};
use crate::texts::Texts;

/// What the server's log calls this program.
const CLIENT: &str = concat!("suda-cli/", env!("CARGO_PKG_VERSION"));

/// How long an orderly end may take. Everything is acknowledged by then; only the close handshake is left.
pub(crate) const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// Which server is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArg {
    /// The server, as given to `suda login` [default: the one signed in to last]
    #[arg(long, value_name = "URL", env = "SUDA_SERVER")]
    server: Option<String>,
}

impl ServerArg {
    /// The server's address as it stands in the credentials, if one was given.
    pub(crate) fn address(&self) -> Result<Option<String>, Failure> {
        let server = self.server.as_deref().map(address::parse).transpose()?;
        Ok(server.map(|server| server.to_string()))
    }
}

/// How long a script waits.
#[derive(Debug, clap::Args)]
pub(crate) struct TimeoutArg {
    /// How long to wait for each answer of the server, connecting included, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
}

impl TimeoutArg {
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

/// A client that connects, and connects again, by itself.
pub(crate) struct Session {
    /// The server's address.
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) events: Events,
    /// The name that the person signed in with.
    pub(crate) name: String,
    /// What the server knows this device by.
    pub(crate) device: uuid::Uuid,
}

impl Session {
    /// Begins with the stored sign-in. Does not wait for the connection.
    pub(crate) fn begin(server: &ServerArg, texts: Texts) -> Result<Session, Failure> {
        let wanted = server.address()?;
        let credentials = Credentials::load(texts)?;
        let Some(credential) = credentials.signed_in(wanted.as_deref()) else {
            return Err(Failure::new(
                Exit::NotSignedIn,
                texts.not_signed_in(wanted.as_deref()),
            ));
        };
        let server = address::parse(&credential.server)?;
        let config = ClientConfig::new(
            server.clone(),
            credentials.token(credential)?,
            credential.device,
            CLIENT,
        );
        let (client, events) =
            Client::connect(config).map_err(|error| Failure::failed(error.to_string()))?;
        Ok(Session {
            server,
            client,
            events,
            name: credential.name.clone(),
            device: credential.device,
        })
    }
}

/// A session for a script that asks one thing after the other and gives up when there is no answer in time.
pub(crate) struct Asking {
    session: Session,
    timeout: Duration,
    texts: Texts,
    /// Why there is no connection now, if there is none and a reason is known.
    offline: Option<OfflineReason>,
    /// Why the server did not take the last command yet, though it was asked.
    delayed: Option<v1::Error>,
}

impl Asking {
    pub(crate) fn begin(
        server: &ServerArg,
        timeout: &TimeoutArg,
        texts: Texts,
    ) -> Result<Asking, Failure> {
        Ok(Asking {
            session: Session::begin(server, texts)?,
            timeout: timeout.duration(),
            texts,
            offline: None,
            delayed: None,
        })
    }

    pub(crate) fn client(&self) -> Client {
        self.session.client.clone()
    }

    /// Waits for an answer. The inner result is the server's; the outer one fails where there is no answer to be had.
    pub(crate) async fn answer<T>(
        &mut self,
        question: impl Future<Output = Result<T, v1::Error>>,
    ) -> Result<Result<T, v1::Error>, Failure> {
        self.delayed = None;
        let mut question = std::pin::pin!(question);
        let mut late = std::pin::pin!(tokio::time::sleep(self.timeout));
        loop {
            tokio::select! {
                biased;
                event = self.session.events.next() => match event {
                    Some(Event::Online { .. }) => self.offline = None,
                    Some(Event::Offline { reason, .. }) => self.offline = Some(reason),
                    Some(Event::Delayed { error, .. }) => self.delayed = Some(error),
                    Some(Event::SignedOut { error }) => return Err(self.signed_out(&error)),
                    Some(Event::Stopped { message, .. }) => {
                        return Err(Failure::new(Exit::Refused, self.texts.refused(&crate::visible::line(&message))));
                    }
                    Some(_) => {}
                    None => return Err(self.too_late()),
                },
                answer = &mut question => return match answer {
                    Err(error) if error.code() == ErrorCode::Unauthenticated => Err(self.signed_out(&error)),
                    answer => Ok(answer),
                },
                () = &mut late => return Err(self.too_late()),
            }
        }
    }

    /// Becomes a member of the room; makes it where there is none and that is wished.
    pub(crate) async fn enter(&mut self, room: &str, create: bool) -> Result<v1::Room, Failure> {
        let client = self.client();
        let entered = self.answer(enter(&client, room, create)).await?;
        entered.map_err(|error| self.refused(&error))
    }

    /// Ends the connection in an orderly way.
    pub(crate) async fn end(self) {
        self.session.client.close(CLOSE_WAIT).await;
    }

    pub(crate) fn refused(&self, error: &v1::Error) -> Failure {
        Failure::new(Exit::Refused, self.texts.refused(&self.texts.error(error)))
    }

    fn signed_out(&self, error: &v1::Error) -> Failure {
        let reason = self.texts.error(error);
        Failure::new(Exit::NotSignedIn, self.texts.sign_in_ended(&reason))
    }

    fn too_late(&self) -> Failure {
        let server = &self.session.server.to_string();
        if let (Some(error), None) = (&self.delayed, &self.offline) {
            return self.refused(error);
        }
        let text = match &self.offline {
            Some(reason) => {
                let reason = self.texts.offline_reason(reason);
                self.texts.unreachable(server, &reason)
            }
            None => self
                .texts
                .not_acknowledged_in_time(server, self.timeout.as_secs()),
        };
        Failure::new(Exit::Unreachable, text)
    }
}

/// Becomes a member of the room; makes it where there is none and `create` says so.
pub(crate) async fn enter(
    client: &Client,
    room: &str,
    create: bool,
) -> Result<v1::Room, v1::Error> {
    match client.join(room).await {
        Err(error) if create && error.code() == ErrorCode::UnknownRoom => {
            match client.create_room(room).await {
                // Somebody else was faster.
                Err(error) if error.code() == ErrorCode::NameTaken => client.join(room).await,
                created => created,
            }
        }
        joined => joined,
    }
}
