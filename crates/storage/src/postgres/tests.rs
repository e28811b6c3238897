//! What the engine promises beside the ports, on a real server.

use std::sync::Mutex;

use contracts::postgres::TestDatabase;
use diesel_async::{AsyncMigrationHarness, SimpleAsyncConnection};
use diesel_migrations::MigrationHarness;
use domain::Error;
use domain::tenants::Tenants;

use super::*;
use crate::tests::tenant;

async fn open() -> (Store, TestDatabase) {
    let database = TestDatabase::create().await;
    let store = Store::open(&database.url(), 4).unwrap();
    store.migrate().await.unwrap();
    (store, database)
}

#[tokio::test]
async fn a_write_outlives_its_caller() {
    let (store, _database) = open().await;
    let new = tenant(1);
    let created = tokio::time::timeout(Duration::ZERO, store.create(&new)).await;
    assert!(created.is_err(), "it was not dropped in the middle");
    for _ in 0..500 {
        if store.find(new.id).await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the write was lost with its caller");
}

#[tokio::test]
async fn an_overtaken_transaction_is_run_again_from_its_start() {
    let (store, _database) = open().await;
    let runs = Arc::new(Mutex::new(0));
    let counted = runs.clone();
    store
        .write("test", Scope::System, move |conn| {
            let mut runs = counted.lock().unwrap();
            *runs += 1;
            let overtaken = *runs < 3;
            Box::pin(async move {
                // Fails the second time, unless the first left nothing behind.
                conn.batch_execute("CREATE TABLE left_behind (id int)")
                    .await?;
                if overtaken { Err(Fault::Again) } else { Ok(()) }
            })
        })
        .await
        .unwrap();
    assert_eq!(*runs.lock().unwrap(), 3);
}

#[tokio::test]
async fn deadlocks_are_resolved() {
    let (store, _database) = open().await;
    for n in [1, 2] {
        store.create(&tenant(n)).await.unwrap();
    }
    let lock_both = |first: u32, second: u32| {
        let store = &store;
        async move {
            store
                .write("test", Scope::System, move |conn| {
                    Box::pin(async move {
                        for n in [first, second] {
                            let id = tenant(n).id;
                            let sql = format!("UPDATE tenants SET name = 'x' WHERE id = '{id}'; SELECT pg_sleep(0.2)");
                            conn.batch_execute(&sql).await?;
                        }
                        Ok(())
                    })
                })
                .await
        }
    };
    let (one, two) = tokio::join!(lock_both(1, 2), lock_both(2, 1));
    one.unwrap();
    two.unwrap();
}

#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let (store, database) = open().await;
    store.create(&tenant(1)).await.unwrap();
    let client = database.connect().await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.batch_execute(kill).await.unwrap();
    assert!(store.find(tenant(1).id).await.unwrap().is_some());
}

#[tokio::test]
async fn migrating_twice_at_once_is_safe() {
    let database = TestDatabase::create().await;
    let open = || Store::open(&database.url(), 1).unwrap();
    let (one, two) = (open(), open());
    assert_eq!(one.pending_migrations().await.unwrap().len(), 18);
    let (first, second) = tokio::join!(one.migrate(), two.migrate());
    first.unwrap();
    second.unwrap();
    assert!(two.pending_migrations().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_there_before_is_kept_and_learned_from() {
    let database = TestDatabase::create().await;
    let store = Store::open(&database.url(), 4).unwrap();
    let conn = store.target.connect().await.unwrap();
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        for _ in 0..8 {
            harness.run_next_migration(MIGRATIONS).unwrap();
        }
    })
    .await
    .unwrap();
    let id = |number| format!("'{number:032x}'::uuid");
    let rows = crate::tests::before_readings(id, "'2026-01-01 12:00:00Z'::timestamptz");
    let client = database.connect().await;
    let scope = "SET botwright.tenant = '*'";
    client.batch_execute(scope).await.unwrap();
    client.batch_execute(&rows).await.unwrap();
    let time = "'2026-01-01 12:00:00Z'::timestamptz";
    let talk = crate::tests::before_learning(id, time, "'{}'");
    client.batch_execute(&talk).await.unwrap();
    store.migrate().await.unwrap();
    crate::tests::check_after_readings(&store).await;
    crate::tests::check_before_learning(&store).await;
}

#[tokio::test]
async fn the_schema_is_the_migrations() {
    let (store, _database) = open().await;
    for statement in crate::tests::selects() {
        store
            .read("test", Scope::System, move |conn| {
                let statement = statement.clone();
                Box::pin(async move { Ok(conn.batch_execute(&statement).await?) })
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn row_security_is_reported() {
    let (store, database) = open().await;
    let client = database.connect().await;
    let sql = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let bypassed: bool = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(store.row_security_holds().await.unwrap(), Some(!bypassed));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_so() {
    let store = Store::open("postgres://nobody@127.0.0.1:1/none", 1).unwrap();
    assert!(matches!(store.ping().await, Err(Error::Unavailable { .. })));
    assert!(matches!(store.migrate().await, Err(OpenError::Postgres(_))));
}
