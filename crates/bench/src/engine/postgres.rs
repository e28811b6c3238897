use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::{TURN, id};
use crate::store::Store;

/// As many as the server opens.
const CONNECTIONS: usize = 16;

/// Turns a second, of sixteen connections with prepared statements, the statements of a transaction sent
/// together. The server is not running.
pub async fn turns_per_second(store: &Store, time: Duration) -> Result<f64> {
    let find = "SELECT tenant_id::text, bot_id::text, id::text FROM conversations LIMIT 1600";
    let rows = store.connect().await?.query(find, &[]).await?;
    let conversations: Vec<[String; 3]> = rows
        .iter()
        .map(|row| Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?]))
        .collect::<Result<_, tokio_postgres::Error>>()?;
    let conversations = Arc::new(conversations);
    let began = Instant::now();
    let mut running = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (client, conversations) = (store.connect().await?, Arc::clone(&conversations));
        running.spawn(async move { write(client, number, &conversations, time).await });
    }
    let mut written = 0;
    while let Some(done) = running.join_next().await {
        written += done??;
    }
    Ok(written as f64 / 2.0 / began.elapsed().as_secs_f64())
}

async fn write(
    client: Client,
    number: usize,
    conversations: &[[String; 3]],
    time: Duration,
) -> Result<usize> {
    let begin = client.prepare("BEGIN").await?;
    let commit = client.prepare("COMMIT").await?;
    // The place in the conversation is read in the same statement that uses it.
    let message = client
        .prepare(
            "WITH place AS (UPDATE conversations SET last_seq = last_seq + 1, last_author = $3, last_message_at = now()
                 WHERE tenant_id = $1::text::uuid AND id = $2::text::uuid RETURNING last_seq)
             INSERT INTO messages (tenant_id, conversation_id, seq, id, author, message_type, payload, text, metadata,
                 created_at)
             SELECT $1::text::uuid, $2::text::uuid, last_seq, $4::text::uuid, $3, 'text', $5::text::jsonb, $6,
                 $7::text::jsonb, now() FROM place",
        )
        .await?;
    let usage = client
        .prepare(
            "INSERT INTO usage_counters AS c (tenant_id, month, shard, messages) VALUES ($1::text::uuid, 202001, $2, 1)
             ON CONFLICT (tenant_id, month, shard) DO UPDATE SET messages = c.messages + 1",
        )
        .await?;
    let statistics = client
        .prepare(
            "INSERT INTO message_stats AS s (tenant_id, bot_id, day, shard, count)
             VALUES ($1::text::uuid, $2::text::uuid, 1, $3, 1)
             ON CONFLICT (tenant_id, bot_id, day, shard) DO UPDATE SET count = s.count + 1",
        )
        .await?;
    let own: Vec<_> = conversations
        .iter()
        .skip(number)
        .step_by(CONNECTIONS)
        .collect();
    anyhow::ensure!(!own.is_empty(), "the store holds too few conversations");
    let (began, mut written, shard) = (Instant::now(), 0_usize, number as i32);
    while began.elapsed() < time {
        let [tenant, bot, conversation] = own[written / 2 % own.len()];
        let spoken = &TURN[written % 2];
        let id = uuid(id((written * CONNECTIONS + number) as u64));
        let payload = format!("{{\"text\":\"{}\"}}", spoken.text);
        let (author, text, metadata) = (spoken.author, spoken.text, spoken.metadata);
        let in_message: [&(dyn ToSql + Sync); 7] = [
            tenant,
            conversation,
            &author,
            &id,
            &payload,
            &text,
            &metadata,
        ];
        let in_usage: [&(dyn ToSql + Sync); 2] = [tenant, &shard];
        let in_statistics: [&(dyn ToSql + Sync); 3] = [tenant, bot, &shard];
        tokio::try_join!(
            client.execute(&begin, &[]),
            client.execute(&message, &in_message),
            client.execute(&usage, &in_usage),
            client.execute(&statistics, &in_statistics),
            client.execute(&commit, &[]),
        )?;
        written += 1;
    }
    Ok(written)
}

fn uuid(id: u128) -> String {
    let hex = format!("{id:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// The server's version.
pub async fn version(cluster: &str) -> Result<String> {
    let client = crate::store::connect(cluster).await?;
    let row = client.query_one("SHOW server_version", &[]).await?;
    Ok(row.try_get(0)?)
}
