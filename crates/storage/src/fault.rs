//! What can go wrong within a transaction, and the one place where it becomes the domain's error.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind as Kind, Error as DbError};
use domain::{Clash, Error, Resource};

/// When a client may come again, after the store had no room or was not to be reached.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a transaction is rolled back.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The domain's rules say no.
    Refused(Error),
    /// The engine says no.
    Database(DbError),
    /// Another transaction was faster: run this one again from its start, and it will see why.
    Again,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl Fault {
    /// Whether the same transaction may succeed when it is run again.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Again => true,
            Self::Database(DbError::DatabaseError(Kind::SerializationFailure, _)) => true,
            // diesel keeps no SQLSTATE, and has no kind for this one.
            Self::Database(DbError::DatabaseError(Kind::Unknown, info)) => {
                info.message() == "deadlock detected"
            }
            _ => false,
        }
    }
}

/// Nothing was done, and trying again helps.
pub(crate) const fn unavailable() -> Error {
    Error::Unavailable {
        retry_after: RETRY_AFTER,
    }
}

/// The engine gave up for this reason, and nothing was done.
pub(crate) fn lost(reason: &str) -> Error {
    // SQLite's way to say that another process has been writing for longer than we wait.
    if reason.starts_with("database is locked") {
        unavailable()
    } else {
        Error::internal(reason)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        if fault.is_passing() {
            return unavailable();
        }
        match fault {
            Fault::Refused(error) => error,
            Fault::Again => unavailable(),
            Fault::Database(DbError::DatabaseError(
                Kind::ClosedConnection | Kind::UnableToSendCommand,
                info,
            )) => {
                tracing::warn!(reason = info.message(), "the database can't be reached");
                unavailable()
            }
            Fault::Database(DbError::DatabaseError(_, info)) => lost(info.message()),
            Fault::Database(error) => Self::internal(error),
        }
    }
}

/// Says what a broken constraint means where it was broken.
pub(crate) trait Meaning<T> {
    /// A unique constraint: something with this id is there already.
    fn or_exists(self) -> Result<T, Fault>;
    /// A foreign key: this is not there.
    fn or_missing(self, resource: Resource) -> Result<T, Fault>;
    /// A foreign key: what was there a moment ago is gone, which the transaction sees when it is run again.
    fn or_gone(self) -> Result<T, Fault>;
}

impl<T, E: Into<Fault>> Meaning<T> for Result<T, E> {
    fn or_exists(self) -> Result<T, Fault> {
        self.map_err(|error| match error.into() {
            Fault::Database(DbError::DatabaseError(Kind::UniqueViolation, _)) => {
                Error::Conflict(Clash::AlreadyExists).into()
            }
            other => other,
        })
    }

    fn or_missing(self, resource: Resource) -> Result<T, Fault> {
        self.map_err(|error| match error.into() {
            Fault::Database(DbError::DatabaseError(Kind::ForeignKeyViolation, _)) => {
                Error::NotFound(resource).into()
            }
            other => other,
        })
    }

    fn or_gone(self) -> Result<T, Fault> {
        self.map_err(|error| match error.into() {
            Fault::Database(DbError::DatabaseError(Kind::ForeignKeyViolation, _)) => Fault::Again,
            other => other,
        })
    }
}
