//! A running server: what starts in which order, and how it ends.

use crate::accounts::{Accounts, Hasher, SetupToken, has_administrator};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::http::{self, Acceptor, App};
use crate::journal::{self, Journal};
use crate::store::{self, Readers};
use crate::worker::{self, Outlets, Tools, Workers};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long the journal and the pools may take to end after the workers have.
const THREADS_TIMEOUT: Duration = Duration::from_secs(30);

/// A server that is running. Dropping it closes its sockets without a word to anybody; [`Server::stop`] is the polite way.
#[derive(Debug)]
pub struct Server {
    local_addr: SocketAddr,
    accounts: Arc<Accounts>,
    workers: Workers,
    journal: Journal,
    stop_http: watch::Sender<bool>,
    serving: Option<tokio::task::JoinHandle<()>>,
    worker_threads: Vec<JoinHandle<()>>,
    other_threads: Vec<JoinHandle<()>>,
    stop_timeout: Duration,
}

impl Server {
    /// Opens the data folder (and makes it at the first start), starts the threads and listens.
    ///
    /// To be called within a tokio runtime, which serves HTTP then. Cancelling leaves nothing running but threads
    /// that end by themselves.
    ///
    /// # Errors
    ///
    /// [`StartError`], whose text is for whoever starts the server.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let public_origin = match &config.public_url {
            Some(url) => Some(http::public_origin(url).ok_or_else(|| StartError::Setting {
                setting: "public_url",
                problem: format!(
                    "{url} is no http or https URL with a host, like https://chat.example.org"
                ),
            })?),
            None => None,
        };
        // Before the data folder: whoever starts a second server by mistake should hear of the address, and change nothing.
        let listener = listen(config.listen).await?;
        let local_addr = listener.local_addr().map_err(|source| StartError::Listen {
            address: config.listen,
            source,
        })?;
        let limits = config.limits.clone();
        let data_dir = DataDir::open(&config.data_dir)?;
        let database = data_dir.database();
        let writer = store::open(&database, limits.database_bytes_max)?;
        let log_mover = store::open_for_log(&database)?;
        let setup = setup_token(&writer, &database)?;

        let (readers, mut other_threads) = Readers::start(
            &database,
            &data_dir.database_file(),
            limits.reader_threads,
            limits.reader_queue_max,
        )?;
        let (hasher, hashing) = Hasher::start(limits.password_threads, limits.password_queue_max)?;
        other_threads.extend(hashing);
        let (outlets, inlets) = Outlets::new(config.worker_count(), limits.worker_queue_max);
        let (journal, writing) = journal::start(
            journal::Start {
                writer,
                data_dir,
                queue_max: limits.journal_queue_max,
                batch_max: limits.journal_batch_max,
                outlets,
            },
            log_mover,
        )?;
        other_threads.push(writing);
        let accounts = Arc::new(Accounts::new(
            journal.clone(),
            readers.clone(),
            hasher,
            setup,
            config.sign_up,
        ));
        let tools = Tools {
            journal: journal.clone(),
            readers,
            accounts: Arc::clone(&accounts),
            limits: limits.clone(),
        };
        let (workers, worker_threads) = worker::start(inlets, &tools)?;

        let (stop_http, http_stopped) = watch::channel(false);
        let acceptor = Acceptor {
            listener,
            connections_max: limits.http_connections_max,
            header_timeout: limits.header_timeout,
            stop_timeout: limits.stop_timeout,
        };
        let stop_timeout = limits.stop_timeout;
        let router = http::router(Arc::new(App {
            accounts: Arc::clone(&accounts),
            journal: journal.clone(),
            workers: workers.clone(),
            upgrader: http::upgrader(public_origin.clone(), config.compression),
            cookies: http::Cookies::new(public_origin),
            trusted_proxies: config.trusted_proxies,
            limits,
        }));
        let serving = tokio::spawn(http::serve(acceptor, router, http_stopped));
        tracing::info!(address = %local_addr, data = %config.data_dir.display(), "listening");
        Ok(Self {
            local_addr,
            accounts,
            workers,
            journal,
            stop_http,
            serving: Some(serving),
            worker_threads,
            other_threads,
            stop_timeout,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// With this token the first person signs up as administrator; none once there is one. It is a new one at every start.
    pub fn setup_token(&self) -> Option<String> {
        self.accounts.setup_token()
    }

    /// Stops so that nobody loses anything: takes no more connections, tells clients when to come back, answers what was
    /// submitted, closes with 4000, moves everything into the database file.
    ///
    /// Takes at most a few times [`Limits::stop_timeout`](crate::Limits::stop_timeout). Cancelling it leaves the rest to the
    /// end of the process, which loses nothing that was acknowledged.
    pub async fn stop(mut self) {
        tracing::info!("stopping");
        self.stop_http.send_replace(true);
        self.workers.stop(Instant::now() + self.stop_timeout);
        join(
            std::mem::take(&mut self.worker_threads),
            self.stop_timeout * 2,
        )
        .await;
        if let Some(serving) = self.serving.take()
            && let Err(error) = serving.await
        {
            tracing::error!(%error, "serving HTTP ended badly");
        }
        // Only now: both the workers and the requests under way may still have had something to write.
        let journal = self.journal.clone();
        let mut threads = std::mem::take(&mut self.other_threads);
        let stopping = tokio::task::spawn_blocking(move || journal.stop());
        if stopping.await.is_err() {
            tracing::error!("the journal could not be told to stop");
        }
        // The pools end with their last handle, which is ours.
        drop(self);
        join(std::mem::take(&mut threads), THREADS_TIMEOUT).await;
        tracing::info!("stopped");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_http.send_replace(true);
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
        self.workers.stop(Instant::now());
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => StartError::AddressInUse { address },
            _ => StartError::Listen { address, source },
        })
}

fn setup_token(
    writer: &rusqlite::Connection,
    database: &std::path::Path,
) -> Result<SetupToken, StartError> {
    let has_administrator = has_administrator(writer).map_err(|source| StartError::Database {
        path: database.to_owned(),
        source: Box::new(source),
    })?;
    if has_administrator {
        return Ok(SetupToken::none());
    }
    SetupToken::generate().map_err(|error| StartError::System {
        what: "random bytes",
        source: io::Error::other(error),
    })
}

/// Waits for threads without holding up the runtime.
async fn join(threads: Vec<JoinHandle<()>>, timeout: Duration) {
    let joined = tokio::task::spawn_blocking(move || {
        for thread in threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "a thread ended badly");
            }
        }
    });
    if tokio::time::timeout(timeout, joined).await.is_err() {
        tracing::warn!("some threads did not end in time");
    }
}
