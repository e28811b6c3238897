//! Stores to run the server on, each new and thrown away.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The cluster that was started for the benchmark.
    Postgres,
}

impl Engine {
    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A store of the server's, and the settings to run it with.
pub struct Store {
    /// Which engine it is on.
    pub engine: Engine,
    /// The tenant that was made in it.
    pub tenant: String,
    /// That tenant's key.
    pub key: String,
    program: PathBuf,
    folder: TempDir,
    database: Option<Database>,
}

/// A database on the cluster, dropped with this value.
struct Database {
    cluster: String,
    name: String,
}

impl Store {
    /// Makes an empty store with a tenant on a plan without limits.
    pub async fn create(program: PathBuf, engine: Engine, cluster: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("botwright-bench-")
            .tempdir()?;
        let config = "[plans.enterprise]\nrequests_per_minute = 0\n";
        std::fs::write(folder.path().join("botwright.toml"), config)?;
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Database::create(cluster, folder.path()).await?),
        };
        let mut store = Self {
            engine,
            tenant: String::new(),
            key: String::new(),
            program,
            folder,
            database,
        };
        let made = store
            .command()
            .args(["tenant", "create", "--name", "Benchmark"])
            .args(["--plan", "enterprise", "--json"])
            .output()?;
        ensure!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let made: Value = serde_json::from_slice(&made.stdout)?;
        let word = |name: &str| made[name].as_str().map(ToOwned::to_owned);
        store.tenant = word("tenant_id").context("no tenant's id was printed")?;
        store.key = word("api_key").context("no key was printed")?;
        Ok(store)
    }

    /// The server's program, set to this store.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(self.folder.path()).envs([
            (
                "BOTWRIGHT_CONFIG",
                self.folder.path().join("botwright.toml"),
            ),
            ("BOTWRIGHT_DATA_DIR", self.folder.path().join("data")),
        ]);
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.url());
        }
        command
    }

    /// Where the server's log goes.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The file, on SQLite.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("data/botwright.db")
    }

    /// A connection to the database, on PostgreSQL, with the rights of the system's own work.
    pub async fn connect(&self) -> Result<Client> {
        let database = self.database.as_ref().context("not on PostgreSQL")?;
        let client = connect(&database.url()).await?;
        client.batch_execute("SET botwright.tenant = '*'").await?;
        Ok(client)
    }

    /// Has the engine put in order what was filled in, so that it does not do so during a measurement.
    pub async fn settle(&self) -> Result<()> {
        if let Some(database) = &self.database {
            self.connect()
                .await?
                .batch_execute("VACUUM ANALYZE")
                .await?;
            // Only a superuser may; the cluster trusts whoever reaches it.
            let role = database
                .cluster
                .split(['/', '@'])
                .nth(2)
                .unwrap_or_default();
            let superuser = database.cluster.replacen(role, "postgres", 1);
            connect(&superuser)
                .await?
                .batch_execute("CHECKPOINT")
                .await?;
        }
        Ok(())
    }
}

impl Database {
    async fn create(cluster: &str, folder: &std::path::Path) -> Result<Self> {
        let suffix = folder.extension().or(folder.file_name());
        let suffix = suffix.and_then(|name| name.to_str()).unwrap_or_default();
        let name: String = suffix
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let name = format!("bench_{name}");
        let client = connect(cluster).await?;
        let create = format!("CREATE DATABASE {name}");
        client.batch_execute(&create).await?;
        Ok(Self {
            cluster: cluster.to_owned(),
            name,
        })
    }

    fn url(&self) -> String {
        let (server, _) = self.cluster.rsplit_once('/').unwrap_or_default();
        format!("{server}/{}", self.name)
    }
}

/// Connects to a database.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with the client; what goes wrong before that, the client's calls tell.
    tokio::spawn(connection);
    Ok(client)
}
