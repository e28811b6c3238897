//! The second wall: whatever a query forgets, PostgreSQL itself shows a tenant its own rows only.

use contracts::store::{
    Ports, agent_loops, channels, connections, embeddings, erasures, evaluations, given, inbox,
    leads, learning, orders, visits, webhooks,
};
use domain::TenantId;
use tokio_postgres::Client;

use crate::postgres::{database, ports};

/// A tenant with a row in every table.
async fn tenant_with_everything(s: &Ports) -> TenantId {
    let tenant = given::tenant(s).await;
    let bot = given::welcoming_bot(s, tenant, "Welcome!").await;
    webhooks::endpoint(s, tenant, given::NOON).await;
    let connection = connections::new(&bot);
    s.connections.create(&connection).await.unwrap();
    let (key, hash) = given::new_key(tenant, 1);
    s.keys.create(&key, hash).await.unwrap();
    given::turn(s, tenant, "session", given::NOON).await;
    // Leaves its reservation.
    given::received(s, tenant, &given::incoming("session", "Hello?")).await;
    let site = given::site(s, &bot, None).await;
    embeddings::embed(s, tenant, site.id, embeddings::MODEL).await;
    given::upload(s, &bot, given::NOON).await;
    connections::connection(s, &bot).await;
    let channel = channels::channel(s, &bot).await;
    inbox::arrive(s, &channel, &[("1", "1")], 0).await;
    evaluations::evaluation(s, &bot, given::NOON).await;
    let message = leads::given(s, &bot, "lead", (None, "a@example.com"), given::NOON).await;
    let learned = domain::conversations::Learned {
        products: vec!["Lamp".into()],
        ..Default::default()
    };
    let learned = s
        .conversations
        .learn(tenant, message.conversation_id, &learned);
    assert!(learned.await.unwrap());
    let visit = visits::visit("1", domain::visits::VisitKind::ChatOpen, given::NOON);
    s.visits.record(tenant, bot.id, &[visit]).await.unwrap();
    let order = orders::new_order("1", 1, given::NOON);
    s.orders.record(tenant, bot.id, &order).await.unwrap();
    let request = domain::idempotency::KeyedRequest {
        key: "key".into(),
        fingerprint: [1; 32],
        operation_id: given::id(),
        at: given::NOON,
        stale_before: given::NOON,
    };
    s.idempotency.begin(tenant, &request).await.unwrap();
    learning::learn_something(s, "lamp").await;
    agent_loops::executed(s, &bot).await;
    let erasure = erasures::erasure(&bot, domain::people::Person::default());
    s.people.begin_erasure(&erasure).await.unwrap();
    tenant
}

/// Every table that has rows of tenants.
async fn tables(client: &Client) -> Vec<String> {
    let rows = client
        .query(
            "SELECT table_name::text FROM information_schema.columns \
             WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    let tables: Vec<_> = rows.iter().map(|row| row.get(0)).collect();
    assert!(tables.len() >= 8, "only {tables:?}");
    tables
}

async fn scope(client: &Client, tenant: &str) {
    let statement = format!("SET botwright.tenant = '{tenant}'");
    client.batch_execute(&statement).await.unwrap();
}

async fn count(client: &Client, statement: &str) -> i64 {
    match client.query_one(statement, &[]).await {
        Ok(row) => row.get(0),
        Err(error) => panic!("{statement}: {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_tenants_has_forced_row_security() {
    let database = database().await;
    let client = database.connect().await;
    for table in tables(&client).await {
        let statement = format!(
            "SELECT count(*) FROM pg_class WHERE oid = 'public.{table}'::regclass \
             AND relrowsecurity AND relforcerowsecurity"
        );
        assert_eq!(count(&client, &statement).await, 1, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_there_are_no_rows() {
    let database = database().await;
    tenant_with_everything(&ports(&database)).await;
    let client = database.connect().await;
    for table in tables(&client).await {
        let statement = format!("SELECT count(*) FROM {table}");
        assert_eq!(count(&client, &statement).await, 0, "{table}");
    }
    assert_eq!(count(&client, "SELECT count(*) FROM tenants").await, 0);
    scope(&client, "").await;
    assert_eq!(count(&client, "SELECT count(*) FROM bots").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_and_changes_its_own_rows_only() {
    let database = database().await;
    let s = ports(&database);
    let mine = tenant_with_everything(&s).await;
    let other = tenant_with_everything(&s).await;
    let client = database.connect().await;
    for table in tables(&client).await {
        scope(&client, &mine.to_string()).await;
        let own = count(&client, &format!("SELECT count(*) FROM {table}")).await;
        assert!(own > 0, "{table} has no row to hide");
        scope(&client, &other.to_string()).await;
        for statement in [
            format!("SELECT count(*) FROM {table} WHERE tenant_id = '{mine}'"),
            format!(
                "WITH gone AS (DELETE FROM {table} WHERE tenant_id = '{mine}' RETURNING 1) \
                 SELECT count(*) FROM gone"
            ),
        ] {
            assert_eq!(count(&client, &statement).await, 0, "{statement}");
        }
    }
    let moved = format!("UPDATE idempotency_keys SET tenant_id = '{mine}', key = 'moved'");
    let refused = client.batch_execute(&moved).await.unwrap_err();
    let message = refused.as_db_error().unwrap().message().to_owned();
    assert!(message.contains("row-level security"), "{message}");
}
