//! What the outbox costs a visitor's message: processor time of `Conversations::receive` on SQLite, by how many
//! endpoints are told of it. `cargo run --release -p botwright-storage --example outbox`
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "it measures, and prints what it found"
)]

use std::time::Duration;

use contracts::store::given::{NOON, incoming, new_bot, new_tenant};
use contracts::store::webhooks::new_endpoint;
use domain::events::EventKind;

const MESSAGES: u32 = 4_000;

/// Processor time of this process so far; the kernel counts in ticks of ten milliseconds.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    let ticks = fields.skip(11).take(2).map(|n| n.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

#[tokio::main]
async fn main() {
    for (endpoints, kind) in [
        (0, EventKind::MessageReceived),
        (1, EventKind::IntegrationFailed),
        (1, EventKind::MessageReceived),
        (3, EventKind::MessageReceived),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let stores = storage::open_sqlite(&folder.path().join("measured.db")).unwrap();
        stores.migrate().await.unwrap();
        let tenant = new_tenant();
        stores.tenants.create(&tenant).await.unwrap();
        stores.bots.create(&new_bot(tenant.id), None).await.unwrap();
        for _ in 0..endpoints {
            let endpoint = new_endpoint(tenant.id, &[kind], NOON);
            stores.webhooks.create(&endpoint).await.unwrap();
        }
        let before = processor_time();
        for number in 0..MESSAGES {
            let message = incoming(&(number % 200).to_string(), "When are you open?");
            let received = stores.conversations.receive(tenant.id, &message);
            received.await.unwrap();
        }
        let each = (processor_time() - before) / MESSAGES;
        println!("{endpoints} endpoints that want {kind}: {each:?} a message");
        stores.close().await;
    }
}
