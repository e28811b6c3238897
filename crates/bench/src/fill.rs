//! Filling a store quickly with many ended conversations, by the engine itself and in the real schema. The
//! month's usage is left out: it is one row, whatever was stored.

use anyhow::Result;
use rusqlite::Connection;

use crate::store::{Engine, Store};

/// Messages in a conversation.
pub const MESSAGES_EACH: u64 = 10;
/// They began in the last thirty days, in microseconds.
const SPAN: u64 = 30 * 86_400 * 1_000_000;

/// What the engines write differently.
struct Dialect {
    /// A table `n` with a column `i`, from 0 until the count.
    series: fn(u64) -> String,
    /// An id from a number.
    id: fn(&str) -> String,
    /// A known id.
    known: fn(&str) -> String,
    /// A moment from microseconds.
    at: fn(&str) -> String,
    /// Microseconds now.
    now: &'static str,
}

const SQLITE: Dialect = Dialect {
    series: |count| {
        format!(
            "(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {count}) SELECT i FROM s) AS n"
        )
    },
    id: |number| format!("unhex(printf('%032x', {number}))"),
    known: |id| format!("x'{}'", id.replace('-', "")),
    at: |micros| format!("({micros})"),
    now: "unixepoch() * 1000000",
};

const POSTGRES: Dialect = Dialect {
    series: |count| format!("generate_series(0::bigint, {count} - 1) AS n(i)"),
    id: |number| format!("lpad(to_hex(({number})::bigint), 32, '0')::uuid"),
    known: |id| format!("'{id}'::uuid"),
    at: |micros| format!("to_timestamp(({micros}) / 1e6)"),
    now: "(extract(epoch FROM now()) * 1000000)::bigint",
};

/// Puts in `messages`; answers how many conversations they are in.
pub async fn fill(store: &Store, bot: &str, messages: u64) -> Result<u64> {
    let count = messages / MESSAGES_EACH;
    match store.engine {
        Engine::Sqlite => {
            let statements = statements(&SQLITE, &store.tenant, bot, count);
            let conn = Connection::open(store.file())?;
            conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN;")?;
            conn.execute_batch(&statements)?;
            conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE);")?;
        }
        Engine::Postgres => {
            let statements = statements(&POSTGRES, &store.tenant, bot, count);
            store.connect().await?.batch_execute(&statements).await?;
        }
    }
    store.settle().await?;
    Ok(count)
}

fn statements(sql: &Dialect, tenant: &str, bot: &str, count: u64) -> String {
    let (tenant, bot) = ((sql.known)(tenant), (sql.known)(bot));
    let series = (sql.series)(count);
    let began = format!("{} - ({count} - n.i) * {}", sql.now, SPAN / count);
    let (at, ended_at) = ((sql.at)(&began), (sql.at)(&format!("{began} + 600000000")));
    let id = (sql.id)("n.i + 1");
    let message = (sql.id)(&format!("n.i * {MESSAGES_EACH} + m.column1"));
    let earlier = (sql.id)(&format!("n.i * {MESSAGES_EACH} + m.column1 - 1"));
    let sent_at = (sql.at)(&format!("{began} + m.column1 * 1000000"));
    // Julian day number.
    let day = format!("({began}) / 86400000000 + 2440588");
    let places: Vec<_> = (1..=MESSAGES_EACH)
        .map(|place| format!("({place})"))
        .collect();
    let places = places.join(", ");
    let words =
        "'We are open Monday to Friday from eight to six, and on weekends from ten on. ' || n.i";
    let metadata = r#"'{"provider":"extractive","fallback":false,"grounded":true,"citations":[{"source_id":"0190f2a5-0000-7000-8000-000000000000","source_name":"Handbook","chunk_id":"0190f2a5-0000-7000-8000-000000000001","chunk_index":0,"heading":"Opening hours","page":null,"url":null,"score":7.5}],"took_ms":0}'"#;
    let json = if sql.now == POSTGRES.now {
        "::jsonb"
    } else {
        ""
    };
    format!(
        "INSERT INTO end_users (tenant_id, id, bot_id, channel, created_at)
           SELECT {tenant}, {id}, {bot}, 'webchat', {at} FROM {series};
         INSERT INTO conversations (tenant_id, id, bot_id, session_id, channel, status, end_user_id, tags, last_seq,
             last_author, last_message_at, usage_shard, started_at, ended_at, created_at)
           SELECT {tenant}, {id}, {bot}, 'filled-' || n.i, 'webchat', 'ended', {id}, '{{}}'{json}, {MESSAGES_EACH},
             'bot', {ended_at}, 1, {at}, {ended_at}, {at} FROM {series};
         INSERT INTO messages (tenant_id, conversation_id, seq, id, author, message_type, payload, text, metadata,
             reply_to, created_at)
           SELECT {tenant}, {id}, m.column1, {message},
             CASE m.column1 % 2 WHEN 1 THEN 'user' ELSE 'bot' END, 'text',
             ('{{\"text\":\"' || {words} || '\"}}'){json}, {words},
             CASE m.column1 % 2 WHEN 1 THEN '{{}}' ELSE {metadata} END{json},
             CASE m.column1 % 2 WHEN 1 THEN NULL ELSE {earlier} END, {sent_at}
           FROM {series} CROSS JOIN (VALUES {places}) AS m;
         INSERT INTO conversation_stats (tenant_id, bot_id, day, channel, status, shard, count)
           SELECT {tenant}, {bot}, {day} AS day, 'webchat', 'ended', 0, count(*) FROM {series} GROUP BY 3;
         INSERT INTO message_stats (tenant_id, bot_id, day, shard, count)
           SELECT {tenant}, {bot}, {day} AS day, 0, count(*) * {MESSAGES_EACH} FROM {series} GROUP BY 3;"
    )
}
