//! The engine's threads: the writer, which commits what waits together in one go, and the readers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryResult, SqliteConnection};
use diesel_async::SimpleAsyncConnection;
use domain::{Error, Result};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::Conn;
use crate::OpenError;
use crate::fault::{self, Fault};

/// Jobs that share one commit: more would make the first of them wait for nothing.
const GROUP: usize = 256;
/// How long a group may take jobs in.
const GROUP_TIME: Duration = Duration::from_millis(5);

/// For the writer. FULL: what was acknowledged survives loss of power. The log is written back beside it (see
/// `checkpoint`) and bounded; the cache is small, since the whole process is to stay small.
const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY; \
    PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -2000; \
    PRAGMA temp_store = MEMORY;";

/// What a thread is told.
pub(super) enum Command {
    /// Run this.
    Run(Box<dyn Job>),
    /// Write back what little the log holds. For the writer.
    WriteBack,
    /// Stop, after all that was sent before.
    Stop,
}

/// A transaction on its way, whatever it answers.
pub(super) trait Job: Send {
    /// Runs it and keeps what it answers; `false`: what it wrote must be undone.
    fn run(&mut self, conn: &mut Conn) -> bool;
    /// Gives the answer, or the error that befell the whole group.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

/// See [`Job`].
pub(super) struct Work<T, F> {
    task: Option<F>,
    outcome: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Work<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send,
{
    pub fn new(task: F) -> (Self, oneshot::Receiver<Result<T>>) {
        let (answer, receiver) = oneshot::channel();
        let work = Self {
            task: Some(task),
            outcome: None,
            answer,
        };
        (work, receiver)
    }
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, Fault>> + Send,
{
    fn run(&mut self, conn: &mut Conn) -> bool {
        let Some(task) = self.task.take() else {
            return false;
        };
        // The futures of this connection are ready when they are made, so one poll runs the whole.
        let ran = catch_unwind(AssertUnwindSafe(|| task(conn).now_or_never()));
        let outcome = match ran {
            Ok(Some(outcome)) => outcome.map_err(Error::from),
            Ok(None) => Err(Error::internal("a transaction waited for something else")),
            Err(_) => Err(Error::internal("a transaction panicked")),
        };
        let ok = outcome.is_ok();
        self.outcome = Some(outcome);
        ok
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let outcome = match lost {
            Some(reason) => Err(fault::lost(reason)),
            None => self
                .outcome
                .unwrap_or_else(|| Err(Error::internal("a transaction did not run"))),
        };
        // Nobody there: the caller went away, and the work is done all the same.
        let _ = self.answer.send(outcome);
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Writing,
    Reading,
}

/// Opens a connection and starts a thread that works with it.
pub(super) fn start(
    name: &str,
    path: &Path,
    purpose: Use,
    work: impl FnOnce(SqliteConnection) + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let conn = connect(path, purpose)?;
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || work(conn))
        .map_err(|error| OpenError::Sqlite {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

/// A connection.
pub(super) fn connect(path: &Path, purpose: Use) -> Result<SqliteConnection, OpenError> {
    let failed = |reason: String| OpenError::Sqlite {
        path: path.to_owned(),
        reason,
    };
    let url = path
        .to_str()
        .ok_or_else(|| failed("the path is not valid Unicode".into()))?;
    let mut conn = SqliteConnection::establish(url).map_err(|error| failed(error.to_string()))?;
    let settings = match purpose {
        Use::Writing => WRITER,
        Use::Reading => READER,
    };
    conn.batch_execute(settings)
        .map_err(|error| failed(error.to_string()))?;
    Ok(conn)
}

fn execute(conn: &mut Conn, sql: &str) -> QueryResult<()> {
    conn.batch_execute(sql)
        .now_or_never()
        .unwrap_or(Err(diesel::result::Error::NotInTransaction))
}

/// The readers' loop: each job sees one state of the file from its first statement to its last.
pub(super) fn read(conn: SqliteConnection, commands: &flume::Receiver<Command>) {
    let mut conn = Conn::new(conn);
    while let Ok(Command::Run(mut job)) = commands.recv() {
        let lost = execute(&mut conn, "BEGIN").err().map(|e| e.to_string());
        if lost.is_none() {
            job.run(&mut conn);
            if let Err(error) = execute(&mut conn, "ROLLBACK") {
                tracing::error!(%error, "a reader could not end its transaction");
            }
        }
        job.answer(lost.as_deref());
    }
}

/// The writer's loop: a job and those that wait behind it share one commit, each in a savepoint of its
/// own, and are answered after it. Says in `written` that there is something to write back.
pub(super) fn write(
    conn: SqliteConnection,
    commands: &flume::Receiver<Command>,
    written: &flume::Sender<()>,
) {
    let mut conn = Conn::new(conn);
    let mut group = Vec::with_capacity(GROUP);
    let mut next = commands.recv().ok();
    while let Some(command) = next {
        next = match command {
            Command::Run(first) => {
                let mut behind = None;
                let lost = together(&mut conn, first, commands, &mut group, &mut behind)
                    .err()
                    .map(|error| {
                        // After a failed commit the transaction may still be open, or not: both are fine.
                        let _ = execute(&mut conn, "ROLLBACK");
                        tracing::error!(%error, jobs = group.len(), "a group of writes was lost");
                        error.to_string()
                    });
                for job in group.drain(..) {
                    job.answer(lost.as_deref());
                }
                // Full: it was said already.
                let _ = written.try_send(());
                behind
            }
            Command::WriteBack => {
                write_back(&mut conn, "PASSIVE");
                None
            }
            Command::Stop => break,
        }
        .or_else(|| commands.recv().ok());
    }
    write_back(&mut conn, "TRUNCATE");
}

fn write_back(conn: &mut Conn, how: &str) {
    if let Err(error) = execute(conn, &format!("PRAGMA wal_checkpoint({how})")) {
        tracing::warn!(%error, "the log could not be written back");
    }
}

/// Runs a group up to its commit. Whatever comes, all its jobs are in `group` for their answers; `behind` is what
/// else came after them.
fn together(
    conn: &mut Conn,
    first: Box<dyn Job>,
    commands: &flume::Receiver<Command>,
    group: &mut Vec<Box<dyn Job>>,
    behind: &mut Option<Command>,
) -> QueryResult<()> {
    group.push(first);
    execute(conn, "BEGIN IMMEDIATE")?;
    let began = Instant::now();
    loop {
        if let Some(job) = group.last_mut() {
            execute(conn, "SAVEPOINT job")?;
            if !job.run(conn) {
                execute(conn, "ROLLBACK TO job")?;
            }
            execute(conn, "RELEASE job")?;
        }
        if group.len() == GROUP || began.elapsed() > GROUP_TIME {
            break;
        }
        match commands.try_recv() {
            Ok(Command::Run(job)) => group.push(job),
            Ok(other) => {
                *behind = Some(other);
                break;
            }
            Err(_) => break,
        }
    }
    execute(conn, "COMMIT")
}
