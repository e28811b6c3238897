//! Writing the log back into the file beside the writer: on it, the tens of milliseconds that this takes would keep
//! everybody waiting who writes meanwhile.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::worker::Command;

/// How long after a write the log is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Pages in the log that are worth writing back.
const WORTH: i32 = 1_000;

/// What SQLite says of its log, in pages.
#[derive(QueryableByName)]
struct Log {
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

/// The loop: ends with the writer, which says in `written` when it has written.
pub(super) fn run(
    mut conn: SqliteConnection,
    written: &flume::Receiver<()>,
    writer: &flume::Sender<Command>,
) {
    while written.recv().is_ok() {
        std::thread::sleep(LOOK);
        match write_back(&mut conn) {
            Ok(true) => {
                // What was written meanwhile is little, and only the writer can write it back before there is more:
                // then the log begins anew and does not grow.
                let _ = writer.try_send(Command::WriteBack);
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the log could not be written back"),
        }
    }
}

/// Writes the log back if that is worth it. `false`: it was not.
fn write_back(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let state: Log = diesel::sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(conn)?;
    if state.log - state.checkpointed < WORTH {
        return Ok(false);
    }
    diesel::sql_query("PRAGMA wal_checkpoint(PASSIVE)").execute(conn)?;
    Ok(true)
}
