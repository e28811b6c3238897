//! Bringing the database's schema up to date.

use diesel::migration::Migration;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connect::Target;
use crate::OpenError;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The number of the lock that those who migrate queue for: "botwrigh" in ASCII.
const LOCK: i64 = 0x626f_7477_7269_6768;

/// Brings the schema up to date. Several processes may do it at once: they queue for an advisory lock,
/// which ends with the connection.
pub(super) async fn run(target: &Target) -> Result<(), OpenError> {
    let mut conn = connect(target).await?;
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(LOCK)
        .execute(&mut conn)
        .await
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    with_harness(conn, |harness| {
        harness.run_pending_migrations(MIGRATIONS).map(drop)
    })
    .await
}

/// The migrations that are still to be run, by name.
pub(super) async fn pending(target: &Target) -> Result<Vec<String>, OpenError> {
    with_harness(connect(target).await?, |harness| {
        let pending = harness.pending_migrations(MIGRATIONS)?;
        Ok(pending.iter().map(|m| m.name().to_string()).collect())
    })
    .await
}

async fn connect(target: &Target) -> Result<AsyncPgConnection, OpenError> {
    let connected = target.connect().await;
    connected.map_err(|error| OpenError::Postgres(error.to_string()))
}

/// The harness blocks, so it gets a thread of its own.
async fn with_harness<T: Send + 'static>(
    conn: AsyncPgConnection,
    task: fn(&mut AsyncMigrationHarness<AsyncPgConnection>) -> diesel::migration::Result<T>,
) -> Result<T, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError::Migration(error.to_string());
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        task(&mut harness).map_err(|error| failed(&error))
    })
    .await
    .map_err(|error| OpenError::Migration(error.to_string()))?
}
