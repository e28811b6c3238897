use std::collections::HashMap;

use botwright::Server;
use botwright::application::{App, tenants};
use botwright::domain::plans::Plan;
use botwright::settings::Settings;
use contracts::postgres::TestDatabase;
use tempfile::TempDir;

use crate::Client;

/// A running server with a tenant and its key. Its files and its database go when it is dropped.
pub struct TestServer {
    /// A client with the tenant's key.
    pub client: Client,
    /// The tenant's id.
    pub tenant_id: String,
    /// The tenant's key.
    pub api_key: String,
    server: Server,
    settings: Settings,
    // Dropped after the server.
    _database: Option<TestDatabase>,
    _data: TempDir,
}

/// How a [`TestServer`] is to be.
#[derive(Default)]
pub struct Builder {
    postgres: bool,
    plan: Option<Plan>,
    environment: HashMap<String, String>,
    file: Option<String>,
}

impl Builder {
    /// On PostgreSQL instead of SQLite.
    #[must_use]
    pub fn postgres(mut self) -> Self {
        self.postgres = true;
        self
    }

    /// With the tenant on this plan instead of `enterprise` without a request rate.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = Some(plan);
        self
    }

    /// With a setting, named as in the environment.
    #[must_use]
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// With a settings file of this text, for what the environment can't say (plans).
    #[must_use]
    pub fn settings_file(mut self, text: &str) -> Self {
        self.file = Some(text.to_owned());
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    /// Where it can't be started: a test has no use for going on.
    pub async fn start(self) -> TestServer {
        crate::choose_cryptography();
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let database = if self.postgres {
            Some(TestDatabase::from_template("botwright", migrate).await)
        } else {
            None
        };
        let mut environment = HashMap::from([
            ("BOTWRIGHT_BIND".to_owned(), "127.0.0.1:0".to_owned()),
            (
                "BOTWRIGHT_DATA_DIR".to_owned(),
                data.path().display().to_string(),
            ),
        ]);
        if let Some(database) = &database {
            environment.insert("DATABASE_URL".to_owned(), database.url().to_owned());
        }
        if let Some(text) = self.file {
            let path = data.path().join("botwright.toml");
            std::fs::write(&path, text).expect("the settings file can be written");
            environment.insert("BOTWRIGHT_CONFIG".to_owned(), path.display().to_string());
        }
        environment.extend(self.environment);
        let mut settings = Settings::from_environment(environment).expect("the settings are good");
        if self.plan.is_none() {
            let change = botwright::domain::plans::PlanOverride {
                requests_per_minute: Some(0),
                ..Default::default()
            };
            settings.plans.change(Plan::Enterprise, change);
        }
        let server = Server::start(&settings).await.expect("the server starts");
        let made = tenants::create(
            server.app(),
            "Test tenant",
            self.plan.unwrap_or(Plan::Enterprise),
        )
        .await
        .expect("a tenant can be made");
        let api_key = made.secret.reveal().to_owned();
        TestServer {
            client: Client::new(&format!("http://{}", server.address()), &api_key),
            tenant_id: made.tenant.id.to_string(),
            api_key,
            server,
            settings,
            _database: database,
            _data: data,
        }
    }
}

/// Brings a database's schema up to date, once for all the servers that get a copy of it.
async fn migrate(url: String) {
    let environment = HashMap::from([("DATABASE_URL".to_owned(), url)]);
    let settings = Settings::from_environment(environment).expect("the settings are good");
    let wired = botwright::wire(&settings)
        .await
        .expect("the schema can be brought up to date");
    wired.stores.close().await;
}

impl TestServer {
    /// A server on SQLite with a tenant on `enterprise`, without a request rate.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// The same on PostgreSQL, found by `TEST_DATABASE_URL`.
    pub async fn start_postgres() -> Self {
        Self::builder().postgres().start().await
    }

    /// Chooses how the server is to be.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The use cases' ports, for what is done beside HTTP (suspending a tenant, say).
    pub fn app(&self) -> &App {
        self.server.app()
    }

    /// A client of another, new tenant.
    ///
    /// # Panics
    /// Where the tenant can't be made.
    pub async fn another_tenant(&self, plan: Plan) -> Client {
        let made = tenants::create(self.app(), "Another tenant", plan)
            .await
            .expect("a tenant can be made");
        Client::new(&self.url(), made.secret.reveal())
    }

    /// Stops the server as SIGTERM does.
    pub async fn stop(self) {
        // Its idle connections would be waited for.
        drop(self.client);
        self.server.stop().await;
    }

    /// Stops the server and starts it again on the same store, on another port.
    ///
    /// # Panics
    /// Where it can't be started again.
    pub async fn restart(self) -> Self {
        let Self {
            api_key,
            tenant_id,
            server,
            settings,
            client,
            _database,
            _data,
        } = self;
        drop(client);
        server.stop().await;
        let server = Server::start(&settings)
            .await
            .expect("the server starts again");
        let client = Client::new(&format!("http://{}", server.address()), &api_key);
        Self {
            client,
            tenant_id,
            api_key,
            server,
            settings,
            _database,
            _data,
        }
    }
}
