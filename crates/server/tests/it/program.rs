//! The built binary as an operator runs it: in a folder of its own, seeing no more than it is given.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use contracts::postgres::TestDatabase;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use serde_json::Value;
use tempfile::TempDir;
use testkit::Client;

use crate::support::{eventually, get};

/// A place to run the program in: a data directory, and around it everything else that it might write to.
pub struct Place {
    folder: TempDir,
    environment: Vec<(String, String)>,
    database: Option<TestDatabase>,
}

impl Place {
    /// On SQLite.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["work", "home", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self {
            folder,
            environment: Vec::new(),
            database: None,
        }
    }

    /// On a database of its own.
    pub async fn postgres() -> Self {
        let database = TestDatabase::create().await;
        let mut place = Self::new().with("DATABASE_URL", &database.url());
        place.database = Some(database);
        place
    }

    /// Where `words` stand in the store, in any table: not in what has been deleted.
    pub async fn traces(&self, words: &str) -> usize {
        let Some(database) = &self.database else {
            let copy = self.path("copy.db");
            self.done(&["backup", copy.to_str().unwrap()]);
            let bytes = std::fs::read(&copy).unwrap();
            std::fs::remove_file(&copy).unwrap();
            let found = bytes.windows(words.len());
            return found.filter(|found| *found == words.as_bytes()).count();
        };
        let client = database.connect().await;
        let tables = "SET botwright.tenant = '*'; SELECT 1";
        client.batch_execute(tables).await.unwrap();
        let tables =
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
        let mut traces = 0;
        for table in client.query(tables, &[]).await.unwrap() {
            let table: String = table.get(0);
            let found = format!(
                "SELECT count(*) FROM {table} AS t WHERE t::text LIKE '%' || $1 || '%' \
                 OR t::text LIKE '%' || encode(convert_to($1, 'UTF8'), 'hex') || '%'"
            );
            let row = client.query_one(&found, &[&words]).await.unwrap();
            traces += row.get::<_, i64>(0) as usize;
        }
        traces
    }

    /// Takes from the store all that is not needed to know who asks.
    pub async fn ruin(&self) {
        let tables: Vec<String> = match &self.database {
            Some(database) => {
                let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
                let rows = database.connect().await.query(tables, &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            None => {
                #[derive(QueryableByName)]
                struct Table {
                    #[diesel(sql_type = Text)]
                    name: String,
                }
                let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
                let rows = sql_query(tables).load::<Table>(&mut self.sqlite()).unwrap();
                rows.into_iter().map(|table| table.name).collect()
            }
        };
        let cascade = self.database.as_ref().map_or("", |_| "CASCADE");
        for table in tables {
            if !["tenants", "api_keys"].contains(&table.as_str()) {
                self.execute(&format!("DROP TABLE IF EXISTS {table} {cascade}"))
                    .await;
            }
        }
    }

    /// Does something to the store behind the server's back.
    pub async fn execute(&self, statement: &str) {
        match &self.database {
            Some(database) => {
                let statement = format!("SET botwright.tenant = '*'; {statement}");
                let client = database.connect().await;
                client.batch_execute(&statement).await.unwrap();
            }
            None => self.sqlite().batch_execute(statement).unwrap(),
        }
    }

    fn sqlite(&self) -> SqliteConnection {
        let path = self.data().join("botwright.db");
        let mut store = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let settings = "PRAGMA foreign_keys = OFF; PRAGMA busy_timeout = 10000";
        store.batch_execute(settings).unwrap();
        store
    }

    /// With a setting, which may be given again to change it.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Files that are in neither the data directory nor named by the test.
    pub fn strays(&self) -> Vec<PathBuf> {
        ["work", "home", "tmp"]
            .iter()
            .flat_map(|name| files(&self.path(name)))
            .collect()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_botwright"));
        command
            .args(arguments)
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("BOTWRIGHT_DATA_DIR", self.data())
            .envs(self.environment.iter().cloned());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must end well; answers what it printed.
    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a tenant: its id and its key.
    pub fn tenant(&self, name: &str) -> (String, String) {
        let printed = self.done(&[
            "tenant",
            "create",
            "--name",
            name,
            "--plan",
            "enterprise",
            "--json",
        ]);
        let made: Value = serde_json::from_str(&printed).unwrap();
        let word = |field: &str| made[field].as_str().unwrap().to_owned();
        (word("tenant_id"), word("api_key"))
    }

    /// Starts a server and waits until it is ready.
    pub async fn serve(&self) -> Running {
        self.start("serve").await
    }

    pub async fn start(&self, command: &str) -> Running {
        let address = format!("127.0.0.1:{}", free_port());
        let (out, err) = (self.path("stdout"), self.path("stderr"));
        let child = self
            .command(&[command])
            .env("BOTWRIGHT_BIND", &address)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&err).unwrap())
            .spawn()
            .unwrap();
        let mut running = Running {
            child,
            url: format!("http://{address}"),
            out,
            err,
        };
        let client = Client::without_key(&running.url);
        eventually(Duration::from_secs(30), "the server is ready", async || {
            assert!(
                running.child.try_wait().unwrap().is_none(),
                "it ended: {}",
                running.errors()
            );
            let request = client.request_outside(reqwest::Method::GET, "/readyz");
            client
                .answer(request)
                .await
                .is_ok_and(|answer| answer.status == 200)
        })
        .await;
        running
    }
}

/// Ports below those that systems give out on their own, so that no other test's server takes one meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// A server that runs; it is killed when dropped.
pub struct Running {
    child: Child,
    pub url: String,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.url, key)
    }

    /// What it printed so far.
    pub fn printed(&self) -> String {
        read(&self.out)
    }

    /// What it logged so far.
    pub fn errors(&self) -> String {
        read(&self.err)
    }

    /// Sends it a signal by its name.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(done.success());
    }

    /// kill -9: nothing is finished.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, for so long at most.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                began.elapsed() < within,
                "it still runs after {within:?}: {}",
                self.errors()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGTERM, and the end that is promised for it.
    pub async fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(0), "{}", self.errors());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    std::fs::File::open(path)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// Waits until a key is answered with this status.
pub async fn answers(client: &Client, status: u16, within: Duration) {
    eventually(
        within,
        &format!("the key is answered with {status}"),
        async || get(client, "/tenant/info").await.status == status,
    )
    .await;
}
