//! Bringing the file's schema up to date.

use std::fs::File;
use std::path::{Path, PathBuf};

use diesel::SqliteConnection;
use diesel::migration::Migration;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::worker;
use crate::OpenError;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Runs one of the functions below where blocking is allowed, on a connection of its own.
pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    task: fn(&Path, &mut SqliteConnection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut conn = worker::connect(&path, worker::Use::Writing)?;
        task(&path, &mut conn)
    })
    .await
    .map_err(|error| OpenError::Migration(error.to_string()))?
}

/// Brings the schema up to date. Several processes may do it at once: they queue for a lock beside the
/// file, since diesel looks for what is pending outside the transaction in which it runs it.
pub(super) fn run(path: &Path, conn: &mut SqliteConnection) -> Result<(), OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError::Migration(error.to_string());
    let lock = File::create(lock_path(path)).map_err(|error| failed(&error))?;
    lock.lock().map_err(|error| failed(&error))?;
    conn.run_pending_migrations(MIGRATIONS)
        .map_err(|error| failed(&error))?;
    Ok(())
}

/// The migrations that are still to be run, by name.
pub(super) fn pending(_: &Path, conn: &mut SqliteConnection) -> Result<Vec<String>, OpenError> {
    let pending = conn
        .pending_migrations(MIGRATIONS)
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    Ok(pending.iter().map(|m| m.name().to_string()).collect())
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}
