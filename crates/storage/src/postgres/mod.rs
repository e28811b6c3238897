//! PostgreSQL: a pool of connections, each transaction scoped to its tenant by row-level security.

mod connect;
mod migrate;

#[path = "../queries/mod.rs"]
mod queries;

pub(crate) use queries::Trials;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, RunQueryDsl, TransactionManager};
use domain::jobs::JobKind;
use domain::{Error, Result, TenantId};
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tracing::Instrument;

use crate::fault::{Fault, unavailable};
use crate::schema::{embeddings, evaluation_cases, jobs, knowledge_chunks};
use crate::scope::Scope;
use crate::types::{Key, Moment, key};
use crate::{Engine, Load, OpenError};

pub(crate) type Db = Pg;
pub(crate) type Conn = AsyncPgConnection;

/// Counters are spread over so many rows, so that turns of one tenant need not wait for each other.
pub(crate) const SHARDS: i32 = 16;

/// How long to wait for a connection before the caller is told to come again.
const WAIT: Duration = Duration::from_secs(5);
/// How often a transaction is run that others overtake.
const ATTEMPTS: usize = 5;
/// Rows in one insert: PostgreSQL takes 65,535 parameters.
const BATCH: usize = 1_000;

/// The store's ports on a PostgreSQL database.
pub(crate) struct Store {
    target: Arc<connect::Target>,
    pool: Pool<Conn>,
}

impl Store {
    /// Reads the address. Connections are made when they are needed, on the runtime that this is called on.
    pub fn open(url: &str, connections: usize) -> Result<Self, OpenError> {
        let target = Arc::new(connect::Target::parse(url)?);
        let runtime = Handle::try_current().map_err(|e| OpenError::Postgres(e.to_string()))?;
        let pool = connect::pool(target.clone(), connections, runtime)?;
        Ok(Self { target, pool })
    }

    /// Runs a transaction. It is done whether or not the caller waits for it.
    pub async fn write<T, F>(&self, name: &'static str, scope: Scope, task: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync + 'static,
    {
        self.run(name, "BEGIN", scope, task).await
    }

    /// Runs a transaction that only reads, and sees one state of the database from its first statement to
    /// its last.
    pub async fn read<T, F>(&self, name: &'static str, scope: Scope, task: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync + 'static,
    {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.run(name, begin, scope, task).await
    }

    async fn run<T, F>(
        &self,
        name: &'static str,
        begin: &'static str,
        scope: Scope,
        task: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync + 'static,
    {
        let span = tracing::debug_span!("sql", otel.name = name, db.system = "postgresql");
        let pool = self.pool.clone();
        let begin = match scope {
            Scope::Tenant(tenant) => format!("{begin}; SET LOCAL botwright.tenant = '{tenant}'"),
            Scope::System => format!("{begin}; SET LOCAL botwright.tenant = '*'"),
        };
        let work = async move {
            let mut attempt = 1;
            loop {
                let mut conn = begun(&pool, &begin).await?;
                match to_its_end(&mut conn, &task).await {
                    Err(fault) if fault.is_passing() && attempt < ATTEMPTS => {
                        tracing::debug!(?fault, "a transaction is run again");
                        attempt += 1;
                    }
                    Err(fault) if conn.is_broken() => {
                        tracing::warn!(?fault, "a connection was lost");
                        return Err(unavailable());
                    }
                    outcome => return outcome.map_err(Error::from),
                }
            }
        };
        // On a task of its own, since a dropped future would leave the transaction half done.
        tokio::spawn(work.instrument(span))
            .await
            .unwrap_or_else(|error| Err(Error::internal(error)))
    }
}

/// A connection with a transaction begun on it.
async fn begun(pool: &Pool<Conn>, begin: &str) -> Result<Object<Conn>> {
    // As many as there are may have been lost while they lay in the pool, and one is new then.
    for _ in 0..=pool.status().max_size {
        let mut conn = match tokio::time::timeout(WAIT, pool.get()).await {
            Ok(Ok(conn)) => conn,
            Ok(Err(error)) => {
                tracing::warn!(%error, "PostgreSQL can't be reached");
                return Err(unavailable());
            }
            Err(_) => return Err(unavailable()),
        };
        match AnsiTransactionManager::begin_transaction_sql(&mut *conn, begin).await {
            Ok(()) => return Ok(conn),
            Err(error) => {
                tracing::debug!(%error, "a connection was lost while it lay in the pool");
                drop(Object::take(conn));
            }
        }
    }
    Err(unavailable())
}

/// Runs a transaction that has begun to its end.
async fn to_its_end<T, F>(conn: &mut Conn, task: &F) -> Result<T, Fault>
where
    F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>>,
{
    match task(conn).await {
        Ok(value) => {
            AnsiTransactionManager::commit_transaction(conn).await?;
            Ok(value)
        }
        Err(fault) => {
            // If this fails too, the connection is found broken and not used again.
            if let Err(error) = AnsiTransactionManager::rollback_transaction(conn).await {
                tracing::warn!(%error, "a transaction could not be rolled back");
            }
            Err(fault)
        }
    }
}

#[async_trait]
impl Engine for Store {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    async fn migrate(&self) -> Result<(), OpenError> {
        migrate::run(&self.target).await
    }

    async fn pending_migrations(&self) -> Result<Vec<String>, OpenError> {
        migrate::pending(&self.target).await
    }

    async fn ping(&self) -> Result<()> {
        self.read("ping", Scope::System, |conn| {
            Box::pin(async move {
                diesel::sql_query("SELECT 1").execute(conn).await?;
                Ok(())
            })
        })
        .await
    }

    async fn close(&self) {
        self.pool.close();
    }

    fn load(&self) -> Load {
        let status = self.pool.status();
        Load {
            connections: status.size,
            waiting: status.waiting,
        }
    }

    async fn row_security_holds(&self) -> Result<Option<bool>> {
        let holds = self
            .read("row_security_holds", Scope::System, |conn| {
                Box::pin(async move { Ok(connect::obeys_row_security(conn).await?) })
            })
            .await?;
        Ok(Some(holds))
    }
}

/// Runs independent queries of one transaction: sent in one go, in the order given, and answered in it, so
/// that together they wait for the server once. The first that fails decides the error; what the server says
/// to those behind it (that the transaction is aborted) is never looked at.
macro_rules! together {
    ($conn:ident, $($query:expr),+ $(,)?) => {{
        let shared: &$crate::postgres::Conn = $conn;
        // Polled in the order given, which is what the above rests on.
        tokio::try_join!(biased; $(async {
            let $conn = &mut { shared };
            $query.await
        }),+)
    }};
}
pub(crate) use together;

/// A query whose rows nobody else changes until the commit, as one of the locks that changes take.
macro_rules! held {
    ($query:expr) => {
        $query.for_no_key_update()
    };
}
pub(crate) use held;

/// A query that holds its rows until the commit, and passes over those that others hold.
macro_rules! unless_held {
    ($query:expr) => {
        $query.for_no_key_update().skip_locked()
    };
}
pub(crate) use unless_held;

/// The job to lease next, passing over those that another worker is about to lease.
pub(crate) async fn next_job(
    conn: &mut Conn,
    kinds: &[JobKind],
    now: Moment,
    busy: &[TenantId],
) -> QueryResult<Option<(Key, Key)>> {
    jobs::table
        .filter(jobs::kind.eq_any(kinds.iter().map(|kind| kind.as_str())))
        .filter(jobs::due_at.le(now))
        .filter(jobs::lease_until.is_null().or(jobs::lease_until.le(now)))
        .filter(jobs::tenant_id.ne_all(busy.iter().copied().map(key)))
        .order((jobs::due_at, jobs::id))
        .select((jobs::tenant_id, jobs::id))
        .for_update()
        .skip_locked()
        .first(conn)
        .await
        .optional()
}

/// Many rows in few statements.
pub(crate) async fn insert_chunks(
    conn: &mut Conn,
    rows: Vec<queries::ChunkRow>,
) -> QueryResult<()> {
    for batch in rows.chunks(BATCH) {
        diesel::insert_into(knowledge_chunks::table)
            .values(batch)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// As [`insert_chunks`].
pub(crate) async fn insert_cases(conn: &mut Conn, rows: Vec<queries::CaseRow>) -> QueryResult<()> {
    for batch in rows.chunks(BATCH) {
        diesel::insert_into(evaluation_cases::table)
            .values(batch)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// As [`insert_chunks`]; what is there is replaced.
pub(crate) async fn insert_embeddings(
    conn: &mut Conn,
    rows: Vec<queries::EmbeddingRow>,
) -> QueryResult<()> {
    for batch in rows.chunks(BATCH) {
        diesel::insert_into(embeddings::table)
            .values(batch)
            .on_conflict(embeddings::table.primary_key())
            .do_update()
            .set((
                embeddings::generation.eq(excluded(embeddings::generation)),
                embeddings::vector.eq(excluded(embeddings::vector)),
            ))
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use migrate::MIGRATIONS;
