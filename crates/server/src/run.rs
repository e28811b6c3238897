//! Starting and stopping the server.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as WebApp, HttpServer};
use application::App;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::http::app::{self, Described};
use crate::http::clients::Proxies;
use crate::http::requests;
use crate::metrics::Metrics;
use crate::settings::{Database, Settings, SettingsError};
use crate::state::State;
use crate::wiring::{self, Wired};
use crate::worker::Background;

/// How long requests in flight may take after the server was told to stop. The whole stop takes less than
/// ten seconds.
const GRACE: Duration = Duration::from_secs(7);
/// How long open connections are waited for once nothing is in flight.
const CONNECTIONS: u64 = 1;

/// Why the server did not start, for people. The chain of its sources says the rest.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that can't be taken.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The store can't be opened or brought up to date.
    #[error("DATABASE_URL: the store can't be opened")]
    Store(#[from] storage::OpenError),
    /// The store was opened, but does not answer as it should.
    #[error("DATABASE_URL: the store does not answer")]
    Silent(#[from] domain::Error),
    /// The metrics can't be set up: a fault of the program.
    #[error("the metrics can't be set up")]
    Metrics(#[from] prometheus::Error),
    /// The address can't be listened on.
    #[error("BOTWRIGHT_BIND: can't listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The API's description can't be written: a fault of the program.
    #[error("the API's description can't be written")]
    Description(serde_json::Error),
    /// The system has no threads for the background work.
    #[error("the background work can't be started")]
    Threads(std::io::Error),
    /// Another server runs on the same embedded store.
    #[error("BOTWRIGHT_DATA_DIR: another botwright server is running on {0}")]
    InUse(String),
}

/// A running server. Dropping it leaves it running until the process ends; [`Server::stop`] stops it well.
pub struct Server {
    address: SocketAddr,
    state: Data<State>,
    wired: Wired,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    background: Background,
    _lock: Option<std::fs::File>,
}

impl Server {
    /// Starts the server: opens the store, brings it up to date, listens, and begins the background work.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        // Bound first: a port in use must not have touched the store.
        let listener = TcpListener::bind(settings.bind).map_err(|source| StartError::Bind {
            address: settings.bind,
            source,
        })?;
        let address = listener.local_addr().map_err(|source| StartError::Bind {
            address: settings.bind,
            source,
        })?;
        let lock = lock(settings)?;
        let wired = wiring::wire(settings).await?;
        if lock.is_some() {
            // Nobody else works on this store: what was leased was leased by a server that is gone.
            wired.app.jobs.release_all().await?;
            wired.app.deliveries.release_all().await?;
            wired.app.inbox.release_all().await?;
        }
        if wired.stores.row_security_holds().await? == Some(false) {
            tracing::warn!(
                "the database role is exempt from row-level security: the second wall between tenants does not \
                 stand; use a role that is no superuser"
            );
        }
        let state = Data::new(State::new(
            wired.app.clone(),
            wired.stores.clone(),
            Metrics::new()?,
            settings.metrics_token.clone(),
            Proxies::new(settings.trusted_proxies.clone()),
        ));
        let described = Described::new().map_err(StartError::Description)?;
        let server = {
            let state = state.clone();
            HttpServer::new(move || {
                let described = described.clone();
                WebApp::new()
                    .app_data(state.clone())
                    .wrap(from_fn(requests::observe))
                    .configure(move |config| app::configure(config, described))
            })
            .workers(std::thread::available_parallelism().map_or(2, std::num::NonZero::get))
            .disable_signals()
            .shutdown_timeout(CONNECTIONS)
            .listen(listener)
            .map_err(|source| StartError::Bind { address, source })?
            .run()
        };
        let handle = server.handle();
        let serving = tokio::spawn(server);
        let background = Background::start(&wired.app, &wired.bell, settings.abandon_after)
            .map_err(StartError::Threads)?;
        tracing::info!(%address, store = wired.stores.engine(), provider = ?settings.llm, "botwright is listening");
        Ok(Self {
            address,
            state,
            wired,
            handle,
            serving,
            background,
            _lock: lock,
        })
    }

    /// The address that it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases' ports, for what is done beside HTTP.
    pub fn app(&self) -> &Arc<App> {
        &self.wired.app
    }

    /// Stops: no new requests, those in flight are finished, what is acknowledged is kept.
    pub async fn stop(self) {
        self.handle.pause().await;
        self.state.drain();
        self.background.stop();
        self.state.tasks.close();
        let finished = async {
            self.state.tasks.wait().await;
            self.background.ended().await;
        };
        if timeout(GRACE, finished).await.is_err() {
            tracing::warn!(
                "requests were still in flight after {} seconds",
                GRACE.as_secs()
            );
        }
        self.handle.stop(true).await;
        if let Ok(Err(error)) = self.serving.await {
            tracing::warn!(%error, "the HTTP server ended badly");
        }
        self.wired.stores.close().await;
        tracing::info!("botwright has stopped");
    }
}

/// Two servers must not run on one embedded store: each would think the other's work its own leftovers.
/// The lock goes with the process, however it ends.
pub(crate) fn lock(settings: &Settings) -> Result<Option<std::fs::File>, StartError> {
    let Database::Sqlite(path) = &settings.database else {
        return Ok(None);
    };
    make_folder(settings, path)?;
    let lock = path.with_extension("serving");
    let file = std::fs::File::create(&lock).map_err(|error| {
        let problem = format!("{} can't be written: {error}", lock.display());
        SettingsError::new(settings.store_setting(), problem)
    })?;
    file.try_lock()
        .map_err(|_| StartError::InUse(path.display().to_string()))?;
    Ok(Some(file))
}

/// Makes a folder, and those it lies in, that only the operator's account may enter: conversations lie there.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the folder that an embedded store lies in.
pub(crate) fn make_folder(settings: &Settings, store: &Path) -> Result<(), SettingsError> {
    let folder = store.parent().unwrap_or(store);
    private_folder(folder).map_err(|error| {
        let problem = format!("the folder {} can't be made: {error}", folder.display());
        SettingsError::new(settings.store_setting(), problem)
    })
}
