use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{Connection, params};

use super::{TURN, id, now};

/// As the server's writer has them.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
    PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;";

/// Commits that the file has seen: a counter in the header of the write-ahead log's index, see
/// <https://www.sqlite.org/walformat.html> (`iChange`).
pub fn commits(file: &Path) -> Result<u32> {
    let index = std::fs::read(file.with_extension("db-shm"))?;
    let bytes = index.get(8..12).and_then(|bytes| bytes.try_into().ok());
    Ok(u32::from_ne_bytes(bytes.unwrap_or_default()))
}

/// Turns a second, of one thread that commits `group` transactions together. The server is not running.
pub fn turns_per_second(file: &Path, group: usize, time: Duration) -> Result<f64> {
    let conn = Connection::open(file)?;
    conn.execute_batch(SETTINGS)?;
    let mut find = conn.prepare("SELECT tenant_id, bot_id, id FROM conversations LIMIT 1000")?;
    type Row = (Vec<u8>, Vec<u8>, Vec<u8>);
    let rows = find.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let conversations: Vec<Row> = rows.collect::<Result<_, _>>()?;
    let mut begin = conn.prepare("BEGIN IMMEDIATE")?;
    let mut commit = conn.prepare("COMMIT")?;
    let mut place = conn.prepare(
        "UPDATE conversations SET last_seq = last_seq + 1, last_author = ?3, last_message_at = ?4
         WHERE tenant_id = ?1 AND id = ?2 RETURNING last_seq",
    )?;
    let mut message = conn.prepare(
        "INSERT INTO messages (tenant_id, conversation_id, seq, id, author, message_type, payload, text, metadata,
             created_at) VALUES (?1, ?2, ?3, ?4, ?5, 'text', ?6, ?7, ?8, ?9)",
    )?;
    let mut usage = conn.prepare(
        "INSERT INTO usage_counters (tenant_id, month, shard, messages) VALUES (?1, 202001, 1, 1)
         ON CONFLICT DO UPDATE SET messages = messages + 1",
    )?;
    let mut statistics = conn.prepare(
        "INSERT INTO message_stats (tenant_id, bot_id, day, shard, count) VALUES (?1, ?2, 1, 0, 1)
         ON CONFLICT DO UPDATE SET count = count + 1",
    )?;
    let (began, mut written) = (Instant::now(), 0_usize);
    while began.elapsed() < time {
        begin.execute([])?;
        for _ in 0..group.max(1) {
            let spoken = &TURN[written % 2];
            let (tenant, bot, conversation) = &conversations[written / 2 % conversations.len()];
            let at = now();
            let seq: i64 = place
                .query_row(params![tenant, conversation, spoken.author, at], |r| {
                    r.get(0)
                })?;
            let payload = format!("{{\"text\":\"{}\"}}", spoken.text);
            let id = id(written as u64).to_be_bytes();
            message.execute(params![
                tenant,
                conversation,
                seq,
                id,
                spoken.author,
                payload,
                spoken.text,
                spoken.metadata,
                at
            ])?;
            usage.execute([tenant])?;
            statistics.execute([tenant, bot])?;
            written += 1;
        }
        commit.execute([])?;
    }
    Ok(written as f64 / 2.0 / began.elapsed().as_secs_f64())
}

/// The version of the SQLite that the server has built in as well.
pub fn version() -> &'static str {
    rusqlite::version()
}
