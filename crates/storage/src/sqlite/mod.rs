//! The embedded engine: one writer that commits in groups, a few readers, all on threads of their own.
//!
//! A statement costs no hop between threads: a whole transaction travels to the engine's thread as one
//! job and runs there to its end.

mod backup;
mod checkpoint;
mod inline;
mod migrate;
mod worker;

#[path = "../queries/mod.rs"]
mod queries;

pub(crate) use queries::Trials;

pub use backup::backup;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::JoinHandle;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use domain::jobs::JobKind;
use domain::{Result, TenantId};
use futures_util::future::BoxFuture;
use tracing::Instrument;

use crate::fault::{Fault, unavailable};
use crate::schema::{embeddings, evaluation_cases, jobs, knowledge_chunks};
use crate::scope::Scope;
use crate::types::{Key, Moment, key};
use crate::{Engine, Load, OpenError};

use inline::Inline;
use worker::{Command, Use, Work};

pub(crate) type Db = Sqlite;
pub(crate) type Conn = SyncConnectionWrapper<SqliteConnection, Inline>;

/// Counters are not spread: there is one writer.
pub(crate) const SHARDS: i32 = 1;

/// Readers answer lists and look-ups while the writer writes.
const READERS: usize = 4;
/// Jobs that may wait; whoever comes then is told to come again.
const QUEUE: usize = 4096;

/// The store's ports on a SQLite file.
pub(crate) struct Store {
    path: PathBuf,
    writer: flume::Sender<Command>,
    readers: flume::Sender<Command>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Opens the file, which is made if there is none, and starts the threads.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (writer, writes) = flume::bounded(QUEUE);
        let (readers, reads) = flume::bounded(QUEUE);
        let (written, writings) = flume::bounded(1);
        let mut threads = vec![worker::start(
            "sqlite-writer",
            path,
            Use::Writing,
            move |conn| worker::write(conn, &writes, &written),
        )?];
        for _ in 0..READERS {
            let reads = reads.clone();
            threads.push(worker::start(
                "sqlite-reader",
                path,
                Use::Reading,
                move |conn| worker::read(conn, &reads),
            )?);
        }
        let commands = writer.clone();
        threads.push(worker::start(
            "sqlite-checkpoint",
            path,
            Use::Writing,
            move |conn| checkpoint::run(conn, &writings, &commands),
        )?);
        Ok(Self {
            path: path.to_owned(),
            writer,
            readers,
            threads: Mutex::new(threads),
        })
    }

    /// Runs a transaction on the writer. It is done whether or not the caller waits for it, and its answer
    /// is given once it is on disk.
    pub async fn write<T, F>(&self, name: &'static str, _scope: Scope, task: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync + 'static,
    {
        submit(&self.writer, name, task).await
    }

    /// Runs a transaction on a reader, which sees all that was answered before.
    pub async fn read<T, F>(&self, name: &'static str, _scope: Scope, task: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + Sync + 'static,
    {
        submit(&self.readers, name, task).await
    }

    /// Tells every thread to stop after what is queued. Twice does no harm.
    fn stop(&self) -> Vec<JoinHandle<()>> {
        let mut threads = self.threads.lock().unwrap_or_else(|e| e.into_inner());
        if !threads.is_empty() {
            let _ = self.writer.send(Command::Stop);
            for _ in 0..READERS {
                let _ = self.readers.send(Command::Stop);
            }
        }
        std::mem::take(&mut threads)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        join(self.stop());
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        let _ = thread.join();
    }
}

async fn submit<T, F>(queue: &flume::Sender<Command>, name: &'static str, task: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send + 'static,
{
    let span = tracing::debug_span!("sql", otel.name = name, db.system = "sqlite");
    let (work, answer) = Work::new(task);
    queue
        .try_send(Command::Run(Box::new(work)))
        .map_err(|_| unavailable())?;
    answer
        .instrument(span)
        .await
        .unwrap_or_else(|_| Err(unavailable()))
}

#[async_trait]
impl Engine for Store {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn migrate(&self) -> Result<(), OpenError> {
        migrate::blocking(&self.path, migrate::run).await
    }

    async fn pending_migrations(&self) -> Result<Vec<String>, OpenError> {
        migrate::blocking(&self.path, migrate::pending).await
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
        let threads = self.stop();
        let _ = tokio::task::spawn_blocking(move || join(threads)).await;
    }

    fn load(&self) -> Load {
        Load {
            connections: READERS + 1,
            waiting: self.writer.len() + self.readers.len(),
        }
    }

    async fn row_security_holds(&self) -> Result<Option<bool>> {
        Ok(None)
    }
}

/// Runs independent queries of one transaction, up to the first that fails: one after the other, since here
/// none of them waits.
macro_rules! together {
    ($conn:ident, $($query:expr),+ $(,)?) => {
        async { Ok::<_, $crate::fault::Fault>(($($query.await?),+)) }.await
    };
}
pub(crate) use together;

/// A query whose rows nobody else changes until the commit: there is one writer.
macro_rules! held {
    ($query:expr) => {
        $query
    };
}
pub(crate) use held;

/// A query that passes over rows that others hold: there is one writer, and so none.
macro_rules! unless_held {
    ($query:expr) => {
        $query
    };
}
pub(crate) use unless_held;

/// The job to lease next. Nobody else can take it meanwhile: there is one writer.
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
        .first(conn)
        .await
        .optional()
}

/// diesel has no batch insert for SQLite; a loop over one prepared statement is as fast here.
pub(crate) async fn insert_chunks(
    conn: &mut Conn,
    rows: Vec<queries::ChunkRow>,
) -> QueryResult<()> {
    for row in rows {
        diesel::insert_into(knowledge_chunks::table)
            .values(row)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// As [`insert_chunks`].
pub(crate) async fn insert_cases(conn: &mut Conn, rows: Vec<queries::CaseRow>) -> QueryResult<()> {
    for row in rows {
        diesel::insert_into(evaluation_cases::table)
            .values(row)
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
    for row in rows {
        diesel::insert_into(embeddings::table)
            .values(row.clone())
            .on_conflict(embeddings::table.primary_key())
            .do_update()
            .set(row)
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use migrate::MIGRATIONS;
