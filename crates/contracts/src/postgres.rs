//! Throw-away databases on a real PostgreSQL server, the one that `TEST_DATABASE_URL` names.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio_postgres::{Client, NoTls};
use url::Url;
use uuid::Uuid;

/// A database of a test's own, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    server: Url,
    name: String,
}

impl TestDatabase {
    /// A fresh, empty database.
    ///
    /// # Panics
    /// Where `TEST_DATABASE_URL` is not set, or its server can't be used: a test that needs PostgreSQL is
    /// never skipped in silence.
    pub async fn create() -> Self {
        Self::copy_of("template1").await
    }

    /// A copy of a database that `prepare` has filled, given its URL; it must leave no connection open.
    /// It runs once per `name` and build of the test binary, however many tests and processes ask for it.
    ///
    /// # Panics
    /// As [`TestDatabase::create`].
    pub async fn from_template(name: &str, prepare: impl AsyncFnOnce(String)) -> Self {
        let template = format!("template_{name}_{:016x}", fingerprint_of_build());
        let server = server();
        let client = connect(&server).await;
        client
            .execute("SELECT pg_advisory_lock(hashtext($1))", &[&template])
            .await
            .expect("the lock for the template can be had");
        let found = client
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&template])
            .await
            .expect("the server lists its databases");
        if found.is_none() {
            // It gets its name when it is whole, so that a broken-off attempt is never copied.
            let draft = Self::create().await;
            prepare(draft.url()).await;
            execute(
                &client,
                &format!("ALTER DATABASE {} RENAME TO {template}", draft.name),
            )
            .await;
        }
        drop(client);
        Self::copy_of(&template).await
    }

    async fn copy_of(template: &str) -> Self {
        let server = server();
        let name = format!("test_{}", unique().simple());
        let client = connect(&server).await;
        execute(
            &client,
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )
        .await;
        Self { server, name }
    }

    /// Where the database is, with the role of `TEST_DATABASE_URL`.
    pub fn url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.into()
    }

    /// A plain connection, to look behind an adapter.
    pub async fn connect(&self) -> Client {
        connect(&Url::parse(&self.url()).expect("the database's URL is one")).await
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own: the test's runtime can't be waited for from within, and may be gone.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime starts")
                .block_on(async {
                    let client = connect(&server).await;
                    execute(
                        &client,
                        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                    )
                    .await;
                });
        });
        if dropping.join().is_err() {
            eprintln!("the test database {} could not be dropped", self.name);
        }
    }
}

fn server() -> Url {
    let url = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("TEST_DATABASE_URL is not set: run the tests with `cargo xtask test`, which starts a PostgreSQL server and sets it")
    });
    Url::parse(&url).expect("TEST_DATABASE_URL is a URL")
}

async fn connect(url: &Url) -> Client {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls)
        .await
        .unwrap_or_else(|error| panic!("the server of TEST_DATABASE_URL refuses: {error}"));
    // It ends with the client; what goes wrong before that, the client's calls tell.
    tokio::spawn(connection);
    client
}

async fn execute(client: &Client, statement: &str) {
    if let Err(error) = client.batch_execute(statement).await {
        panic!("{statement}: {error:?}");
    }
}

/// A template made by another build may have another schema.
fn fingerprint_of_build() -> u64 {
    let binary = std::env::current_exe().expect("a test knows its binary");
    let built = binary.metadata().and_then(|file| file.modified());
    let mut hasher = DefaultHasher::new();
    (binary, built.expect("a file has a time")).hash(&mut hasher);
    hasher.finish()
}

#[allow(
    clippy::disallowed_methods,
    reason = "a database's name must not repeat across processes; nothing rests on its value"
)]
fn unique() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn databases_are_fresh_and_gone_when_dropped() {
        let (first, second) = (TestDatabase::create().await, TestDatabase::create().await);
        execute(&first.connect().await, "CREATE TABLE t (id int)").await;
        execute(&second.connect().await, "CREATE TABLE t (id int)").await;
        let (name, left_open) = (first.name.clone(), first.connect().await);
        drop(first);
        assert!(left_open.query("SELECT 1", &[]).await.is_err());
        let found = second
            .connect()
            .await
            .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
            .await
            .unwrap();
        assert!(found.is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_template_is_prepared_once_and_copied() {
        let made = || {
            TestDatabase::from_template("contracts", async |url| {
                let client = connect(&Url::parse(&url).unwrap()).await;
                // Fails where it is run a second time on the same database.
                execute(&client, "CREATE TABLE prepared (id int)").await;
            })
        };
        let (first, second) = tokio::join!(made(), made());
        for database in [&first, &second] {
            execute(&database.connect().await, "INSERT INTO prepared VALUES (1)").await;
        }
        let count = first
            .connect()
            .await
            .query_one("SELECT count(*) FROM prepared", &[])
            .await
            .unwrap();
        assert_eq!(count.get::<_, i64>(0), 1);
    }
}
