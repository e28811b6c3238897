//! What an operator can set: from the environment (`BOTWRIGHT_...`), or from `botwright.toml` with the same
//! names in lower case without the prefix. The environment wins.

mod source;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::plans::Plans;
use domain::webhooks::RetrySchedule;
use ipnet::IpNet;

use source::{Source, variable};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `BOTWRIGHT_BIND`: the address to listen on.
    pub bind: SocketAddr,
    /// `BOTWRIGHT_DATA_DIR`: everything that is kept on disk.
    pub data_dir: PathBuf,
    /// `DATABASE_URL`: where the store is.
    pub database: Database,
    /// `BOTWRIGHT_LLM_*`: who answers first.
    pub llm: Llm,
    /// `BOTWRIGHT_LLM_FALLBACK`: who answers when the first does not.
    pub fallbacks: Vec<Llm>,
    /// `BOTWRIGHT_EMBEDDINGS_*`: who embeds, and after it, from `BOTWRIGHT_EMBEDDINGS_PREVIOUS_*`, who did before. Empty:
    /// knowledge is searched by its words alone. Each with what its variables begin with.
    pub embedders: Vec<(String, Embeddings)>,
    /// `BOTWRIGHT_SECRET_KEYS`: what encrypts stored credentials, the newest first. `None`: the file `secret.key` in the
    /// data directory, made when it is needed first.
    pub secret_keys: Option<SecretKeys>,
    /// `BOTWRIGHT_EGRESS_ALLOW`: networks that tenants' requests may reach although they are private.
    pub egress_allow: Vec<IpNet>,
    /// `BOTWRIGHT_TRUSTED_PROXIES`: who may say in `X-Forwarded-For` where a client is.
    pub trusted_proxies: Vec<IpNet>,
    /// `BOTWRIGHT_PUBLIC_URL`: where this server is for others, such as the platforms of channels.
    pub public_url: Option<String>,
    /// `BOTWRIGHT_TELEGRAM_URL`, `BOTWRIGHT_GRAPH_URL`, `BOTWRIGHT_SLACK_URL`: where the platforms' APIs are.
    pub platforms: Platforms,
    /// `BOTWRIGHT_WEBHOOK_RETRIES`: after how many seconds each an event is sent again.
    pub webhook_retries: RetrySchedule,
    /// `BOTWRIGHT_ABANDON_AFTER`: silence after which a conversation is abandoned.
    pub abandon_after: Duration,
    /// `BOTWRIGHT_RETRIEVAL_CACHE_MB`: memory for the bots' indexes, in bytes.
    pub retrieval_cache_bytes: usize,
    /// `BOTWRIGHT_METRICS_TOKEN`: opens `/metrics` for others than this machine.
    pub metrics_token: Option<String>,
    /// `BOTWRIGHT_LOG`: tracing filter.
    pub log: String,
    /// `BOTWRIGHT_LOG_FORMAT`: `text` or `json`.
    pub log_json: bool,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: where traces go.
    pub otlp_endpoint: Option<String>,
    /// `[plans.NAME]` in the file.
    pub plans: Plans,
    /// The program that reads uploaded files in a process of its own: this one, where it is the product's. `None`
    /// (in somebody's tests): this process reads them, with no bound on memory.
    pub extractor: Option<PathBuf>,
}

/// Keys in base64, with commas. `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKeys(pub String);

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKeys(…)")
    }
}

/// Where the store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// PostgreSQL, by its URL, which may hold a password.
    Postgres(String),
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// A provider of answers.
#[derive(Clone, PartialEq, Eq)]
pub enum Llm {
    /// Quotes the knowledge; no network, no model.
    Extractive,
    /// Any OpenAI-compatible endpoint.
    OpenAi(Endpoint),
    /// Anthropic's Messages API.
    Anthropic(Endpoint),
}

/// A provider of embeddings.
#[derive(Clone, PartialEq, Eq)]
pub enum Embeddings {
    /// Any OpenAI-compatible endpoint.
    OpenAi(Endpoint),
    /// A folder with a model of the BERT family.
    Local(PathBuf),
}

impl fmt::Debug for Embeddings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenAi(_) => f.write_str("openai"),
            Self::Local(folder) => write!(f, "local({})", folder.display()),
        }
    }
}

/// Where a provider is and how to speak to it; what is absent is the provider's own default.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Endpoint {
    /// Base URL.
    pub base_url: Option<String>,
    /// Key.
    pub api_key: Option<String>,
    /// Model.
    pub model: Option<String>,
}

/// Where the platforms' APIs are; what is absent is the real one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Platforms {
    /// Telegram's Bot API.
    pub telegram: Option<String>,
    /// Meta's Graph API with its version.
    pub graph: Option<String>,
    /// Slack's Web API.
    pub slack: Option<String>,
}

impl fmt::Debug for Llm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Extractive => "extractive",
            Self::OpenAi(_) => "openai",
            Self::Anthropic(_) => "anthropic",
        })
    }
}

/// A setting that can't be taken. One line, naming the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct SettingsError {
    /// The variable, or the file.
    pub name: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl SettingsError {
    /// A setting and what is wrong with it.
    pub fn new(name: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self {
            name: name.into(),
            problem: problem.to_string(),
        }
    }
}

/// The embedded store in the data directory.
const EMBEDDED: &str = "botwright.db";

impl Settings {
    /// Reads the process's environment and the file that it names.
    ///
    /// # Errors
    /// [`SettingsError`] for the first setting that can't be taken.
    pub fn load() -> Result<Self, SettingsError> {
        // What is not Unicode can't be one of ours.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_environment(variables.collect())
    }

    /// Reads the given environment and the file that it names.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn from_environment(environment: HashMap<String, String>) -> Result<Self, SettingsError> {
        let (source, changes) = Source::read(environment)?;
        let data_dir = PathBuf::from(
            source
                .text("data_dir")
                .unwrap_or_else(|| "./data".to_owned()),
        );
        let mut plans = Plans::default();
        for (plan, change) in changes {
            plans.change(plan, change);
        }
        Ok(Self {
            bind: source
                .parse("bind", "an address and a port, such as 127.0.0.1:8080")?
                .unwrap_or(([127, 0, 0, 1], 8080).into()),
            database: database(&source, &data_dir)?,
            llm: provider(
                &source,
                "llm_provider",
                source
                    .text("llm_provider")
                    .as_deref()
                    .unwrap_or("extractive"),
            )?,
            fallbacks: fallbacks(&source)?,
            embedders: ["embeddings", "embeddings_previous"]
                .into_iter()
                .filter_map(|group| {
                    let found = embeddings(&source, group).transpose()?;
                    Some(found.map(|embeddings| (variable(group), embeddings)))
                })
                .collect::<Result<_, _>>()?,
            egress_allow: networks(&source, "egress_allow")?,
            trusted_proxies: networks(&source, "trusted_proxies")?,
            public_url: web_address(&source, "public_url")?,
            platforms: Platforms {
                telegram: web_address(&source, "telegram_url")?,
                graph: web_address(&source, "graph_url")?,
                slack: web_address(&source, "slack_url")?,
            },
            webhook_retries: source
                .parse("webhook_retries", "seconds with commas between them")?
                .unwrap_or_default(),
            abandon_after: Duration::from_secs(
                source
                    .parse::<u64>("abandon_after", "whole seconds")?
                    .filter(|s| *s > 0)
                    .unwrap_or(1800),
            ),
            retrieval_cache_bytes: source
                .parse::<usize>("retrieval_cache_mb", "whole megabytes")?
                .unwrap_or(64)
                .saturating_mul(1024 * 1024),
            secret_keys: source.text("secret_keys").map(SecretKeys),
            metrics_token: source.text("metrics_token"),
            log: source.text("log").unwrap_or_else(|| "info".to_owned()),
            log_json: source
                .choice("log_format", &["text", "json"])?
                .is_some_and(|format| format == "json"),
            otlp_endpoint: source.text("otel_exporter_otlp_endpoint"),
            plans,
            extractor: None,
            data_dir,
        })
    }
}

impl Settings {
    /// Which setting says where the embedded store lies.
    pub(crate) fn store_setting(&self) -> &'static str {
        if self.database == Database::Sqlite(self.data_dir.join(EMBEDDED)) {
            "BOTWRIGHT_DATA_DIR"
        } else {
            "DATABASE_URL"
        }
    }
}

fn database(source: &Source, data_dir: &Path) -> Result<Database, SettingsError> {
    let Some(url) = source.text("database_url") else {
        return Ok(Database::Sqlite(data_dir.join(EMBEDDED)));
    };
    if let Some(path) = url.strip_prefix("sqlite://") {
        if path.is_empty() {
            return Err(SettingsError::new("DATABASE_URL", "sqlite:// needs a path"));
        }
        return Ok(Database::Sqlite(PathBuf::from(path)));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(url));
    }
    // The value itself may hold a password: it is not repeated.
    Err(SettingsError::new(
        "DATABASE_URL",
        "must begin with postgres:// or sqlite://",
    ))
}

fn provider(source: &Source, setting: &str, word: &str) -> Result<Llm, SettingsError> {
    let endpoint = |own_key: &str| Endpoint {
        base_url: source.text("llm_base_url"),
        api_key: source.text("llm_api_key").or_else(|| source.text(own_key)),
        model: source.text("llm_model"),
    };
    match word {
        "extractive" => Ok(Llm::Extractive),
        "openai" => Ok(Llm::OpenAi(endpoint("openai_api_key"))),
        "anthropic" => Ok(Llm::Anthropic(endpoint("anthropic_api_key"))),
        other => Err(SettingsError::new(
            variable(setting),
            format!("'{other}' is not one of: extractive, openai, anthropic"),
        )),
    }
}

/// A fallback of another kind than the first provider uses its own address and key: the first one's are not its.
fn fallbacks(source: &Source) -> Result<Vec<Llm>, SettingsError> {
    let text = source
        .text("llm_fallback")
        .unwrap_or_else(|| "extractive".to_owned());
    if text == "none" {
        return Ok(Vec::new());
    }
    let first = source.text("llm_provider");
    let mut providers = Vec::new();
    for word in text.split(',').map(str::trim) {
        let own = |key: &str| Endpoint {
            api_key: source.text(key),
            ..Endpoint::default()
        };
        providers.push(match provider(source, "llm_fallback", word)? {
            Llm::OpenAi(_) if first.as_deref() != Some("openai") => {
                Llm::OpenAi(own("openai_api_key"))
            }
            Llm::Anthropic(_) if first.as_deref() != Some("anthropic") => {
                Llm::Anthropic(own("anthropic_api_key"))
            }
            same => same,
        });
    }
    Ok(providers)
}

/// Who embeds, by the settings of a group.
fn embeddings(source: &Source, group: &str) -> Result<Option<Embeddings>, SettingsError> {
    let name = |field: &str| format!("{group}_{field}");
    let text = |field: &str| source.text(&name(field));
    let Some(word) = text("provider") else {
        for field in ["base_url", "api_key", "model"] {
            if text(field).is_some() {
                let problem = format!("is of no use without {}", variable(&name("provider")));
                return Err(SettingsError::new(variable(&name(field)), problem));
            }
        }
        return Ok(None);
    };
    match word.as_str() {
        "openai" => Ok(Some(Embeddings::OpenAi(Endpoint {
            base_url: text("base_url"),
            api_key: text("api_key").or_else(|| source.text("openai_api_key")),
            model: text("model"),
        }))),
        "local" => match text("model") {
            Some(folder) => Ok(Some(Embeddings::Local(folder.into()))),
            None => Err(SettingsError::new(
                variable(&name("model")),
                "must name the folder of the local model",
            )),
        },
        other => Err(SettingsError::new(
            variable(&name("provider")),
            format!("'{other}' is not one of: openai, local"),
        )),
    }
}

/// An address that paths are put behind.
fn web_address(source: &Source, name: &str) -> Result<Option<String>, SettingsError> {
    let Some(text) = source.text(name) else {
        return Ok(None);
    };
    let is_base = |url: &url::Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    if url::Url::parse(&text).is_ok_and(|url| is_base(&url)) {
        return Ok(Some(text));
    }
    let problem = format!("'{text}' is not an address such as https://bots.example.com");
    Err(SettingsError::new(variable(name), problem))
}

fn networks(source: &Source, name: &str) -> Result<Vec<IpNet>, SettingsError> {
    let text = source.text(name).unwrap_or_default();
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words
        .map(|word| {
            let network = word
                .parse::<IpNet>()
                .or_else(|_| word.parse::<std::net::IpAddr>().map(IpNet::from));
            network.map_err(|_| {
                SettingsError::new(
                    variable(name),
                    format!("'{word}' is not a network such as 10.0.0.0/8"),
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::plans::Plan;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_environment(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn nothing_set_is_a_server_on_loopback_with_sqlite() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.bind.to_string(), "127.0.0.1:8080");
        assert_eq!(
            settings.database,
            Database::Sqlite("./data/botwright.db".into())
        );
        assert_eq!(settings.llm, Llm::Extractive);
        assert_eq!(settings.fallbacks, [Llm::Extractive]);
    }

    #[test]
    fn a_wrong_setting_names_its_variable() {
        for (name, value) in [
            ("BOTWRIGHT_BIND", "nowhere"),
            ("BOTWRIGHT_LLM_PROVIDER", "oracle"),
            ("BOTWRIGHT_WEBHOOK_RETRIES", "soon"),
            ("BOTWRIGHT_LLM_FALLBACK", "extractive,oracle"),
            ("BOTWRIGHT_EMBEDDINGS_PROVIDER", "oracle"),
            ("BOTWRIGHT_EMBEDDINGS_MODEL", "text-embedding-3-small"),
            ("BOTWRIGHT_EMBEDDINGS_PREVIOUS_API_KEY", "x"),
            ("DATABASE_URL", "mysql://x"),
            ("BOTWRIGHT_EGRESS_ALLOW", "10.0.0.0/99"),
            ("BOTWRIGHT_ABANDON_AFTER", "soon"),
            ("BOTWRIGHT_LOG_FORMAT", "xml"),
            ("BOTWRIGHT_BNID", "127.0.0.1:1"),
            ("BOTWRIGHT_CONFIG", "/nowhere/botwright.toml"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            let line = error.to_string();
            assert!(
                line.contains(if name == "BOTWRIGHT_CONFIG" {
                    value
                } else {
                    name
                }),
                "{line}"
            );
            assert!(!line.contains('\n'));
        }
    }

    #[test]
    fn the_embedder_before_comes_second() {
        let settings = read(&[
            ("BOTWRIGHT_EMBEDDINGS_PREVIOUS_PROVIDER", "openai"),
            ("BOTWRIGHT_EMBEDDINGS_PREVIOUS_MODEL", "old"),
            ("BOTWRIGHT_EMBEDDINGS_PROVIDER", "local"),
            ("BOTWRIGHT_EMBEDDINGS_MODEL", "/srv/minilm"),
            ("OPENAI_API_KEY", "geheim"),
        ])
        .unwrap();
        let before = Endpoint {
            api_key: Some("geheim".into()),
            model: Some("old".into()),
            ..Endpoint::default()
        };
        let wanted = [
            (
                "BOTWRIGHT_EMBEDDINGS".to_owned(),
                Embeddings::Local("/srv/minilm".into()),
            ),
            (
                "BOTWRIGHT_EMBEDDINGS_PREVIOUS".to_owned(),
                Embeddings::OpenAi(before),
            ),
        ];
        assert_eq!(settings.embedders, wanted);
        assert!(!format!("{settings:?}").contains("geheim"));
        let error = read(&[("BOTWRIGHT_EMBEDDINGS_PROVIDER", "local")]).unwrap_err();
        assert_eq!(error.name, "BOTWRIGHT_EMBEDDINGS_MODEL");
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = read(&[("DATABASE_URL", "mysql://u:geheim@h/d")]).unwrap_err();
        assert!(!error.to_string().contains("geheim"));
        let settings = read(&[("DATABASE_URL", "postgres://u:geheim@h/d")]).unwrap();
        assert!(!format!("{settings:?}").contains("geheim"));
    }

    #[test]
    fn the_file_gives_what_the_environment_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.toml");
        std::fs::write(&path, "bind = \"127.0.0.1:1\"\nabandon_after = 5\n[plans.enterprise]\nbots = 0\nrequests_per_minute = 7\n").unwrap();
        let settings = read(&[
            ("BOTWRIGHT_CONFIG", path.to_str().unwrap()),
            ("BOTWRIGHT_BIND", "127.0.0.1:2"),
        ])
        .unwrap();
        assert_eq!(settings.bind.port(), 2);
        assert_eq!(settings.abandon_after, Duration::from_secs(5));
        let limits = settings.plans.limits(Plan::Enterprise);
        assert_eq!((limits.bots, limits.requests_per_minute), (None, Some(7)));
        for wrong in [
            "[plans.gold]\nbots = 1",
            "[plans.free]\nbtos = 1",
            "bnid = \"x\"",
            "bind = [",
        ] {
            std::fs::write(&path, wrong).unwrap();
            assert!(
                read(&[("BOTWRIGHT_CONFIG", path.to_str().unwrap())]).is_err(),
                "{wrong}"
            );
        }
    }
}
