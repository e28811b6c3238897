//! The built server, running on a store.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::{Connection, Message};
use crate::load::{self, Target};
use crate::process::Process;
use crate::store::Store;

/// The handbook that the demo's bot answers from.
const KNOWLEDGE: &str = include_str!("../../server/demo/knowledge.md");

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The built-in one.
    Extractive,
    /// A stub at this address that answers at once.
    OpenAi(SocketAddr),
}

impl Provider {
    /// Its name, as in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Extractive => "extractive",
            Self::OpenAi(_) => "openai",
        }
    }
}

/// A running server.
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Where the load goes.
    pub target: Target,
    /// From the start of the process to the first 200 on `/healthz`, in milliseconds.
    pub healthy_after: f64,
    began: Instant,
}

impl Server {
    /// Starts the server and waits until it is healthy.
    pub async fn start(store: &Store, provider: Provider) -> Result<Self> {
        Self::start_with(store, provider, &[]).await
    }

    /// The same with further settings.
    pub async fn start_with(
        store: &Store,
        provider: Provider,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = store.command();
        command
            .arg("serve")
            .envs(settings.iter().copied())
            .env("BOTWRIGHT_BIND", address.to_string())
            .stderr(File::create(store.log())?);
        if let Provider::OpenAi(stub) = provider {
            command
                .env("BOTWRIGHT_LLM_PROVIDER", "openai")
                .env("BOTWRIGHT_LLM_BASE_URL", format!("http://{stub}/v1"))
                .env("BOTWRIGHT_LLM_API_KEY", "stub");
        }
        let began = Instant::now();
        let mut process = Process::start(&mut command)?;
        while !is_healthy(address).await {
            process
                .check()
                .with_context(|| std::fs::read_to_string(store.log()).unwrap_or_default())?;
            ensure!(
                began.elapsed() < Duration::from_secs(60),
                "no server came up"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(Self {
            process,
            healthy_after: milliseconds(began),
            target: Target {
                address,
                headers: format!("X-API-Key: {}\r\n", store.key),
                filled: 0,
            },
            began,
        })
    }

    /// Makes a bot that knows the demo's handbook; answers its id.
    pub async fn make_bot(&self) -> Result<String> {
        let bot = json!({ "name": "Assistant", "channel_type": "webchat", "welcome_message": "Hi! Ask me anything." });
        let made = self.ask("POST", "/api/v1/bots", &bot).await?;
        let made: Value = serde_json::from_slice(&made.body)?;
        let id = made["data"]["id"].as_str().context("no bot was made")?;
        let source = json!({ "bot_id": id, "name": "Handbook", "source_type": "text", "content": KNOWLEDGE });
        self.ask("POST", "/api/v1/knowledge/sources", &source)
            .await?;
        Ok(id.to_owned())
    }

    /// Takes one turn; answers the size of its answer, and the milliseconds since the process was started.
    pub async fn first_turn(&self) -> Result<(usize, f64)> {
        let body = json!({ "message": "What are your opening hours?" });
        let path = load::path_of("first");
        let answer = self.ask("POST", &path, &body).await?;
        Ok((answer.body.len(), milliseconds(self.began)))
    }

    /// Asks it something; anything but a success is an error.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Message> {
        let mut connection = Connection::open(self.target.address).await?;
        let answer = connection
            .ask(method, path, &self.target.headers, &body.to_string())
            .await?;
        ensure!(
            matches!(answer.status(), 200 | 201),
            "{method} {path}: {}: {}",
            answer.first_line,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer)
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

async fn is_healthy(address: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address).await else {
        return false;
    };
    let answer = connection.ask("GET", "/healthz", "", "").await;
    answer.is_ok_and(|answer| answer.status() == 200)
}
