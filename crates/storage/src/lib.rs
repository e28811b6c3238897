//! The store's ports on SQL: SQLite and PostgreSQL.
//!
//! Each query is written once, in `queries`, as an async fn over a connection. The folder is compiled
//! twice, as a part of `sqlite` and of `postgres`, against the connection of each; what the engines do
//! differently (threads or a pool, how a transaction begins, leasing jobs, inserting many rows) stands in
//! those two modules and nowhere else.
//!
//! Every method of a port is one transaction. A caller that goes away does not stop it.
//!
//! # Adding a query
//! 1. The table goes into a migration of both engines, and into `schema.rs`.
//! 2. The query goes into the file of its noun in `queries`, the tenant first among its conditions.
//! 3. The port's method calls it through `run!`, which moves it to the engine.
#![expect(
    clippy::duplicate_mod,
    reason = "queries/ is compiled once per engine, on purpose"
)]

mod fault;
mod postgres;
mod schema;
mod scope;
mod sqlite;
#[cfg(test)]
mod tests;
mod types;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use domain::Result;
use domain::agent_loops::AgentLoops;
use domain::analytics::Analytics;
use domain::bots::Bots;
use domain::channels::Channels;
use domain::channels::inbox::Inbox;
use domain::connections::Connections;
use domain::conversations::Conversations;
use domain::embeddings::Embeddings;
use domain::evaluations::Evaluations;
use domain::events::Outbox;
use domain::executions::Executions;
use domain::idempotency::IdempotencyKeys;
use domain::insights::Insights;
use domain::jobs::JobQueue;
use domain::keys::ApiKeys;
use domain::knowledge::{KnowledgeIndex, KnowledgeSources};
use domain::leads::Leads;
use domain::learning::Learning;
use domain::orders::Orders;
use domain::people::People;
use domain::tenants::Tenants;
use domain::trials::TrialIndexes;
use domain::usage::Usages;
use domain::visits::Visits;
use domain::webhooks::{Deliveries, WebhookEndpoints};

pub use sqlite::backup as backup_sqlite;

/// Connections to PostgreSQL where the operator does not say.
pub const DEFAULT_CONNECTIONS: usize = 16;

/// Which store to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file. Its folder must be there; beside it come `-wal`, `-shm` and `.lock`.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// Its address, which may hold a password: not for logs.
        url: String,
        /// The most connections.
        connections: usize,
    },
}

impl Target {
    /// Reads a `DATABASE_URL`: `sqlite://PATH`, `postgres://...` or `postgresql://...`.
    ///
    /// # Errors
    /// [`OpenError::Url`] for anything else.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|p| !p.is_empty()) {
            return Ok(Self::Sqlite(path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres {
                url: url.to_owned(),
                connections: DEFAULT_CONNECTIONS,
            });
        }
        Err(OpenError::Url(
            "it must begin with sqlite:// or postgres://".into(),
        ))
    }
}

/// Why a store could not be opened or brought up to date. `Display` is for the operator and holds no
/// password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address can't be read.
    #[error("the database URL can't be read: {0}")]
    Url(String),
    /// The file can't be opened.
    #[error("the database file {} can't be opened: {reason}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// PostgreSQL can't be reached, or refuses us.
    #[error("PostgreSQL can't be connected to: {0}")]
    Postgres(String),
    /// TLS can't be set up.
    #[error("TLS for PostgreSQL can't be set up: {0}")]
    Tls(String),
    /// The schema can't be brought up to date.
    #[error("the database schema can't be brought up to date: {0}")]
    Migration(String),
}

/// How busy a store is, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Connections that are open.
    pub connections: usize,
    /// Transactions that wait for one.
    pub waiting: usize,
}

/// What an engine does beside the ports.
#[async_trait]
trait Engine: Send + Sync {
    fn name(&self) -> &'static str;
    async fn migrate(&self) -> Result<(), OpenError>;
    async fn pending_migrations(&self) -> Result<Vec<String>, OpenError>;
    async fn ping(&self) -> Result<()>;
    async fn close(&self);
    fn load(&self) -> Load;
    async fn row_security_holds(&self) -> Result<Option<bool>>;
}

/// Every port of the store, on one engine.
#[derive(Clone)]
pub struct Stores {
    /// Tenants.
    pub tenants: Arc<dyn Tenants>,
    /// API keys.
    pub keys: Arc<dyn ApiKeys>,
    /// Bots.
    pub bots: Arc<dyn Bots>,
    /// Conversations and messages.
    pub conversations: Arc<dyn Conversations>,
    /// People who talk to bots, and their addresses.
    pub leads: Arc<dyn Leads>,
    /// People with all that is kept about them.
    pub people: Arc<dyn People>,
    /// What visitors do beside writing.
    pub visits: Arc<dyn Visits>,
    /// Orders.
    pub orders: Arc<dyn Orders>,
    /// What tenants used.
    pub usages: Arc<dyn Usages>,
    /// Figures about conversations.
    pub analytics: Arc<dyn Analytics>,
    /// Learning from what visitors write.
    pub learning: Arc<dyn Learning>,
    /// Figures about what was learned.
    pub insights: Arc<dyn Insights>,
    /// Knowledge sources.
    pub knowledge: Arc<dyn KnowledgeSources>,
    /// What retrieval reads.
    pub index: Arc<dyn KnowledgeIndex>,
    /// What retrieval would read after a change.
    pub trials: Arc<dyn TrialIndexes>,
    /// Embeddings.
    pub embeddings: Arc<dyn Embeddings>,
    /// Bots' connections to models.
    pub connections: Arc<dyn Connections>,
    /// Platforms that bots talk on.
    pub channels: Arc<dyn Channels>,
    /// What came from there.
    pub inbox: Arc<dyn Inbox>,
    /// Evaluations.
    pub evaluations: Arc<dyn Evaluations>,
    /// Agent loops.
    pub agent_loops: Arc<dyn AgentLoops>,
    /// Executions of agent loops.
    pub executions: Arc<dyn Executions>,
    /// Work to be done later.
    pub jobs: Arc<dyn JobQueue>,
    /// Endpoints of webhooks.
    pub webhooks: Arc<dyn WebhookEndpoints>,
    /// Events to be told.
    pub outbox: Arc<dyn Outbox>,
    /// Events on their way.
    pub deliveries: Arc<dyn Deliveries>,
    /// Requests that may be repeated.
    pub idempotency: Arc<dyn IdempotencyKeys>,
    engine: Arc<dyn Engine>,
}

/// Opens a store. Its schema is left as it is: see [`Stores::migrate`].
///
/// # Errors
/// [`OpenError`], in a sentence for the operator. PostgreSQL is not connected to yet.
pub fn open(target: &Target) -> Result<Stores, OpenError> {
    match target {
        Target::Sqlite(path) => open_sqlite(path),
        Target::Postgres { url, connections } => open_postgres(url, *connections),
    }
}

/// Opens a SQLite file, which is made if there is none.
///
/// # Errors
/// [`OpenError::Sqlite`].
pub fn open_sqlite(path: &Path) -> Result<Stores, OpenError> {
    let store = Arc::new(sqlite::Store::open(path)?);
    let trials = Arc::new(sqlite::Trials(Arc::clone(&store)));
    Ok(Stores::on(store, trials))
}

/// Opens a PostgreSQL database with at most so many connections, made when they are needed. They live on the Tokio
/// runtime that this is called on.
///
/// # Errors
/// [`OpenError::Url`] and [`OpenError::Tls`]; [`OpenError::Postgres`] outside of a runtime.
pub fn open_postgres(url: &str, connections: usize) -> Result<Stores, OpenError> {
    let store = Arc::new(postgres::Store::open(url, connections)?);
    let trials = Arc::new(postgres::Trials(Arc::clone(&store)));
    Ok(Stores::on(store, trials))
}

impl Stores {
    fn on<S>(store: Arc<S>, trials: Arc<dyn TrialIndexes>) -> Self
    where
        S: Engine
            + Tenants
            + ApiKeys
            + Bots
            + Conversations
            + Leads
            + People
            + Visits
            + Orders
            + Usages
            + Analytics
            + Learning
            + Insights
            + KnowledgeSources
            + KnowledgeIndex
            + Embeddings
            + Connections
            + Channels
            + Inbox
            + Evaluations
            + AgentLoops
            + Executions
            + JobQueue
            + WebhookEndpoints
            + Outbox
            + Deliveries
            + IdempotencyKeys
            + 'static,
    {
        Self {
            tenants: store.clone(),
            keys: store.clone(),
            bots: store.clone(),
            conversations: store.clone(),
            leads: store.clone(),
            people: store.clone(),
            visits: store.clone(),
            orders: store.clone(),
            usages: store.clone(),
            analytics: store.clone(),
            learning: store.clone(),
            insights: store.clone(),
            knowledge: store.clone(),
            index: store.clone(),
            trials,
            embeddings: store.clone(),
            connections: store.clone(),
            channels: store.clone(),
            inbox: store.clone(),
            evaluations: store.clone(),
            agent_loops: store.clone(),
            executions: store.clone(),
            jobs: store.clone(),
            webhooks: store.clone(),
            outbox: store.clone(),
            deliveries: store.clone(),
            idempotency: store.clone(),
            engine: store,
        }
    }

    /// `sqlite` or `postgresql`.
    pub fn engine(&self) -> &'static str {
        self.engine.name()
    }

    /// Brings the schema up to date. Several processes may do it at once.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn migrate(&self) -> Result<(), OpenError> {
        self.engine.migrate().await
    }

    /// The migrations that are still to be run, by name.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn pending_migrations(&self) -> Result<Vec<String>, OpenError> {
        self.engine.pending_migrations().await
    }

    /// Answers when the store answers, for readiness.
    ///
    /// # Errors
    /// As any port.
    pub async fn ping(&self) -> Result<()> {
        self.engine.ping().await
    }

    /// Finishes what is queued and closes. What comes later is answered with
    /// [`domain::Error::Unavailable`].
    pub async fn close(&self) {
        self.engine.close().await;
    }

    /// How busy the store is.
    pub fn load(&self) -> Load {
        self.engine.load()
    }

    /// Whether the database itself keeps tenants apart: `Some(false)` where our role is one that
    /// row-level security does not bind, `None` where the engine has none.
    ///
    /// # Errors
    /// As any port.
    pub async fn row_security_holds(&self) -> Result<Option<bool>> {
        self.engine.row_security_holds().await
    }
}
