//! PostgreSQL, with a database of its own for each test.

use contracts::postgres::TestDatabase;
use contracts::store::Ports;

/// Fewer than the tasks of the clauses that do things at once, so that these also wait for connections.
const CONNECTIONS: usize = 8;

/// A copy of a database that was brought up to date once.
pub async fn database() -> TestDatabase {
    TestDatabase::from_template("storage", async |url| {
        let stores = storage::open_postgres(&url, 1).unwrap();
        stores.migrate().await.unwrap();
        stores.close().await;
    })
    .await
}

/// The ports on a database.
pub fn ports(database: &TestDatabase) -> Ports {
    crate::ports(&storage::open_postgres(&database.url(), CONNECTIONS).unwrap())
}

async fn open() -> (Ports, TestDatabase) {
    let database = database().await;
    (ports(&database), database)
}

contracts::store_contract!(crate::postgres::open);
