//! What the engine promises beside the ports.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel_async::SimpleAsyncConnection;
use diesel_migrations::MigrationHarness;
use domain::tenants::Tenants;
use domain::{Clash, Error, TenantId};
use futures_util::future::join_all;
use tempfile::TempDir;

use super::*;
use crate::tests::tenant;

async fn open() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("test.db")).unwrap();
    store.migrate().await.unwrap();
    (store, folder)
}

/// Keeps the writer busy until the answer is dropped.
fn hold(store: &Store) -> std::sync::mpsc::Sender<()> {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (started, starting) = std::sync::mpsc::channel::<()>();
    let (work, _answer) = Work::new(move |_: &mut Conn| {
        let _ = started.send(());
        let _ = held.recv();
        Box::pin(async { Ok(()) }) as BoxFuture<'_, _>
    });
    store.writer.send(Command::Run(Box::new(work))).unwrap();
    starting.recv().unwrap();
    release
}

#[tokio::test]
async fn writes_at_once_all_land_and_a_failing_one_harms_no_other() {
    let (store, _folder) = open().await;
    store.create(&tenant(1)).await.unwrap();
    let release = hold(&store);
    let writes: Vec<_> = (0..200)
        .map(|n| {
            let new = tenant(if n % 3 == 0 { 1 } else { n + 10 });
            let store = &store;
            async move { (n, store.create(&new).await) }
        })
        .collect();
    let (outcomes, ()) = tokio::join!(join_all(writes), async { drop(release) });
    for (n, outcome) in outcomes {
        match outcome {
            Err(Error::Conflict(Clash::AlreadyExists)) => assert_eq!(n % 3, 0, "{n}"),
            other => assert!(other.is_ok() && n % 3 != 0, "{n}: {other:?}"),
        }
    }
    assert_eq!(store.list().await.unwrap().len(), 1 + 133);
}

#[tokio::test]
async fn a_panic_costs_one_transaction() {
    let (store, _folder) = open().await;
    let id = tenant(1).id;
    let panicked: Result<()> = store
        .write("test", id.into(), |conn| {
            Box::pin(async move {
                conn.batch_execute("DELETE FROM tenants").await?;
                panic!("on purpose")
            })
        })
        .await;
    assert!(matches!(panicked, Err(Error::Internal(_))));
    store.create(&tenant(1)).await.unwrap();
    assert!(store.find(id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_write_outlives_its_caller() {
    let (store, _folder) = open().await;
    let release = hold(&store);
    let (new, later) = (tenant(1), tenant(2));
    let created = tokio::time::timeout(Duration::from_millis(20), store.create(&new)).await;
    assert!(created.is_err(), "the writer was not busy");
    drop(release);
    store.create(&later).await.unwrap();
    assert!(store.find(new.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_queue_says_so() {
    let (store, _folder) = open().await;
    let release = hold(&store);
    for _ in 0..QUEUE {
        let (work, _) = Work::new(|_: &mut Conn| Box::pin(async { Ok(()) }) as BoxFuture<'_, _>);
        store.writer.try_send(Command::Run(Box::new(work))).unwrap();
    }
    let refused = store.create(&tenant(1)).await;
    assert!(
        matches!(refused, Err(Error::Unavailable { .. })),
        "{refused:?}"
    );
    drop(release);
    while store.create(&tenant(1)).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn closing_finishes_what_is_queued() {
    let (store, folder) = open().await;
    let store = Arc::new(store);
    let release = hold(&store);
    let pending: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.create(&tenant(n)).await })
        })
        .collect();
    while Engine::load(&*store).waiting < 50 {
        tokio::task::yield_now().await;
    }
    drop(release);
    store.close().await;
    for write in pending {
        write.await.unwrap().unwrap();
    }
    let refused = store.create(&tenant(99)).await;
    assert!(
        matches!(refused, Err(Error::Unavailable { .. })),
        "{refused:?}"
    );
    store.close().await;
    let again = Store::open(&folder.path().join("test.db")).unwrap();
    assert_eq!(again.list().await.unwrap().len(), 50);
}

#[tokio::test]
async fn another_process_may_write_too() {
    let (store, folder) = open().await;
    let other = Store::open(&folder.path().join("test.db")).unwrap();
    let writes = (0..100).map(|n| {
        let store = if n % 2 == 0 { &store } else { &other };
        async move { store.create(&tenant(n)).await }
    });
    for outcome in join_all(writes).await {
        outcome.unwrap();
    }
    assert_eq!(other.list().await.unwrap().len(), 100);
}

#[tokio::test]
async fn the_log_is_written_back_while_there_is_writing() {
    let (store, folder) = open().await;
    let log = folder.path().join("test.db-wal");
    let write = |sql: &'static str| {
        store.write("test", Scope::System, move |conn| {
            Box::pin(async move { Ok(conn.batch_execute(sql).await?) })
        })
    };
    write("CREATE TABLE filling (bytes BLOB)").await.unwrap();
    let mut longest = 0;
    for _ in 0..150 {
        write("INSERT INTO filling VALUES (randomblob(1000000))")
            .await
            .unwrap();
        longest = longest.max(log.metadata().unwrap().len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        longest < 100_000_000,
        "{longest} bytes of log for 150 megabytes"
    );
}

#[tokio::test]
async fn migrating_twice_at_once_is_safe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let (one, two) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    assert_eq!(one.pending_migrations().await.unwrap().len(), 18);
    let (first, second) = tokio::join!(one.migrate(), two.migrate());
    first.unwrap();
    second.unwrap();
    assert!(two.pending_migrations().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_there_before_is_kept_and_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let mut conn = worker::connect(&path, Use::Writing).unwrap();
    for _ in 0..8 {
        conn.run_next_migration(MIGRATIONS).unwrap();
    }
    let id = |number| format!("x'{number:032x}'");
    let rows = crate::tests::before_readings(id, "1767268800000000");
    SimpleConnection::batch_execute(&mut conn, &rows).unwrap();
    let talk = crate::tests::before_learning(id, "1767268800000000", "'{}'");
    SimpleConnection::batch_execute(&mut conn, &talk).unwrap();
    drop(conn);
    let store = Store::open(&path).unwrap();
    store.migrate().await.unwrap();
    crate::tests::check_after_readings(&store).await;
    crate::tests::check_before_learning(&store).await;
}

#[tokio::test]
async fn the_schema_is_the_migrations() {
    let (store, _folder) = open().await;
    for statement in crate::tests::selects() {
        store
            .read("test", TenantId(uuid::Uuid::nil()).into(), move |conn| {
                let statement = statement.clone();
                Box::pin(async move { Ok(conn.batch_execute(&statement).await?) })
            })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let (store, _folder) = open().await;
    let written = store
        .read("test", Scope::System, |conn| {
            Box::pin(async move { Ok(conn.batch_execute("DELETE FROM tenants").await?) })
        })
        .await;
    assert!(matches!(written, Err(Error::Internal(_))), "{written:?}");
}
