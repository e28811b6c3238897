//! The one file that names adapters: which of them stands behind which port.

use std::path::Path;
use std::sync::Arc;

use application::App;
use application::answering::AnswerChain;
use application::channels::Pace;
use caller::HttpCaller;
use channels::Endpoints;
use documents::Reader;
use documents::isolated::{Isolated, Limits};
use domain::answers::AnswerModel;
use domain::channels::ChannelAdapter;
use domain::documents::DocumentReader;
use domain::embeddings::Embedder;
use domain::tool_models::ToolModel;
use egress::Egress;
use insights::{LexiconSentiment, PatternIntents, WordReader};
use llm::{
    Anthropic, AnthropicSettings, ConnectedModels, EmbedderSettings, Extractive, OpenAi,
    OpenAiEmbedder, OpenAiSettings,
};
use retrieval::HybridRetriever;
use scraper::SiteCrawler;
use sender::HttpSender;
use storage::{DEFAULT_CONNECTIONS, Stores, Target};
use vault::{Keys, Vault};

use crate::clock::System;
use crate::commands::EXTRACT;
use crate::run::{StartError, make_folder};
use crate::settings::{Database, Embeddings, Llm, Settings, SettingsError};
use crate::worker::Bell;

/// What encrypts stored credentials where the operator sets no keys, in the data directory.
pub(crate) const SECRET_KEY: &str = "secret.key";

/// The product, put together, with nothing running yet.
pub struct Wired {
    /// The use cases' ports.
    pub app: Arc<App>,
    /// The store, for what only operators do with it.
    pub stores: Stores,
    pub(crate) bell: Arc<Bell>,
}

/// Puts the product together and brings the store's schema up to date.
///
/// # Errors
/// [`StartError`]: a wrong setting, or a store that can't be opened.
pub async fn wire(settings: &Settings) -> Result<Wired, StartError> {
    let stores = open(settings)?;
    stores.migrate().await?;
    wire_on(settings, stores)
}

/// Opens the store as it is.
pub(crate) fn open(settings: &Settings) -> Result<Stores, StartError> {
    let target = match &settings.database {
        Database::Sqlite(path) => {
            make_folder(settings, path)?;
            Target::Sqlite(path.clone())
        }
        Database::Postgres(url) => Target::Postgres {
            url: url.clone(),
            connections: DEFAULT_CONNECTIONS,
        },
    };
    Ok(storage::open(&target)?)
}

fn wire_on(settings: &Settings, stores: Stores) -> Result<Wired, StartError> {
    let bell = Arc::new(Bell::default());
    let egress = Egress::new(settings.egress_allow.clone())
        .map_err(|error| SettingsError::new("BOTWRIGHT_EGRESS_ALLOW", error))?;
    let egress = Arc::new(egress);
    let allow = settings.egress_allow.clone();
    let webhook_sender = HttpSender::new(allow, sender::Options::default())?;
    let fallbacks = settings
        .fallbacks
        .iter()
        .filter(|fallback| **fallback != settings.llm);
    let first = model(&settings.llm)?;
    let fallbacks: Vec<_> = fallbacks.map(model).collect::<Result<_, _>>()?;
    let tool_models = std::iter::once(&first).chain(&fallbacks);
    let tool_models = tool_models
        .filter_map(|model| model.tools.clone())
        .collect();
    let embedders: Vec<_> = settings
        .embedders
        .iter()
        .map(|(group, provider)| embedder(provider, group))
        .collect::<Result<_, _>>()?;
    let options = retrieval::Options {
        cache_bytes: settings.retrieval_cache_bytes,
        ..retrieval::Options::default()
    };
    let retriever = HybridRetriever::new(stores.index.clone(), embedders.clone(), options);
    let trials = retrieval::Trials::new(stores.trials.clone(), embedders.clone(), options);
    let platforms = platforms(settings, Arc::clone(&egress))?;
    let app = App {
        tenants: stores.tenants.clone(),
        keys: stores.keys.clone(),
        bots: stores.bots.clone(),
        conversations: stores.conversations.clone(),
        leads: stores.leads.clone(),
        people: stores.people.clone(),
        visits: stores.visits.clone(),
        orders: stores.orders.clone(),
        usages: stores.usages.clone(),
        analytics: stores.analytics.clone(),
        insights: stores.insights.clone(),
        learning: stores.learning.clone(),
        sentiment: Arc::new(LexiconSentiment),
        intents: Arc::new(PatternIntents),
        words: Arc::new(WordReader),
        knowledge: stores.knowledge.clone(),
        index: stores.index.clone(),
        embeddings: stores.embeddings.clone(),
        evaluations: stores.evaluations.clone(),
        connections: stores.connections.clone(),
        models: Arc::new(ConnectedModels::new(Arc::clone(&egress), Arc::new(System))),
        channels: stores.channels.clone(),
        inbox: stores.inbox.clone(),
        inbox_bell: bell.clone(),
        platforms,
        pace: Pace::default(),
        public_url: settings.public_url.clone(),
        embedders,
        jobs: stores.jobs.clone(),
        bell: bell.clone(),
        webhooks: stores.webhooks.clone(),
        outbox: stores.outbox.clone(),
        deliveries: stores.deliveries.clone(),
        delivery_bell: bell.clone(),
        webhook_sender: Arc::new(webhook_sender),
        retries: settings.webhook_retries.clone(),
        idempotency: stores.idempotency.clone(),
        retriever: Arc::new(retriever),
        trials: Arc::new(trials),
        secrets: Arc::new(secrets(settings)?),
        answers: AnswerChain::new(
            first.answers,
            fallbacks.into_iter().map(|model| model.answers).collect(),
        ),
        agent_loops: stores.agent_loops.clone(),
        executions: stores.executions.clone(),
        tool_models,
        tool_caller: Arc::new(HttpCaller::new(Arc::clone(&egress))),
        reader: reader(settings),
        crawler: Arc::new(SiteCrawler::new(egress, scraper::Options::default())),
        clock: Arc::new(System),
        ids: Arc::new(System),
        plans: settings.plans.clone(),
    };
    Ok(Wired {
        app: Arc::new(app),
        stores,
        bell,
    })
}

fn secrets(settings: &Settings) -> Result<Vault, StartError> {
    let keys = match &settings.secret_keys {
        Some(keys) => Keys::parse(&keys.0)
            .map_err(|error| SettingsError::new("BOTWRIGHT_SECRET_KEYS", error))?,
        None => {
            let file = settings.data_dir.join(SECRET_KEY);
            make_folder(settings, &file)?;
            Keys::of_file(&file).map_err(|error| SettingsError::new("BOTWRIGHT_DATA_DIR", error))?
        }
    };
    Ok(Vault::new(keys))
}

fn platforms(
    settings: &Settings,
    egress: Arc<Egress>,
) -> Result<Vec<Arc<dyn ChannelAdapter>>, StartError> {
    let (defaults, chosen) = (Endpoints::default(), settings.platforms.clone());
    let endpoints = Endpoints {
        telegram: chosen.telegram.unwrap_or(defaults.telegram),
        graph: chosen.graph.unwrap_or(defaults.graph),
        slack: chosen.slack.unwrap_or(defaults.slack),
    };
    let made = channels::adapters(&endpoints, egress);
    Ok(made.map_err(|error| SettingsError::new("the channels' platforms", error))?)
}

fn reader(settings: &Settings) -> Arc<dyn DocumentReader> {
    match &settings.extractor {
        Some(program) => Arc::new(Isolated::new(
            program.clone(),
            vec![EXTRACT.into()],
            Limits::default(),
        )),
        None => Arc::new(Reader::new()),
    }
}

/// One of the operator's providers.
struct Provider {
    answers: Arc<dyn AnswerModel>,
    /// `None`: it calls no tools.
    tools: Option<Arc<dyn ToolModel>>,
}

impl Provider {
    /// One that answers and calls tools alike: what it learnt about its endpoint holds for both.
    fn with_tools(model: impl AnswerModel + ToolModel + 'static) -> Self {
        let model = Arc::new(model);
        Self {
            answers: model.clone(),
            tools: Some(model),
        }
    }
}

fn model(provider: &Llm) -> Result<Provider, StartError> {
    Ok(match provider {
        Llm::Extractive => Provider {
            answers: Arc::new(Extractive::new()),
            tools: None,
        },
        Llm::OpenAi(endpoint) => {
            let defaults = OpenAiSettings::default();
            let settings = OpenAiSettings {
                base_url: endpoint.base_url.clone().unwrap_or(defaults.base_url),
                api_key: endpoint.api_key.clone().map(Into::into),
                model: endpoint.model.clone().unwrap_or(defaults.model),
                ..defaults
            };
            Provider::with_tools(OpenAi::new(settings).map_err(provider_setting)?)
        }
        Llm::Anthropic(endpoint) => {
            let defaults = AnthropicSettings::default();
            let settings = AnthropicSettings {
                base_url: endpoint.base_url.clone().unwrap_or(defaults.base_url),
                api_key: endpoint.api_key.clone().map(Into::into),
                model: endpoint.model.clone().unwrap_or(defaults.model),
                ..defaults
            };
            Provider::with_tools(Anthropic::new(settings).map_err(provider_setting)?)
        }
    })
}

fn embedder(provider: &Embeddings, group: &str) -> Result<Arc<dyn Embedder>, StartError> {
    match provider {
        Embeddings::OpenAi(endpoint) => {
            let defaults = EmbedderSettings::default();
            let settings = EmbedderSettings {
                base_url: endpoint.base_url.clone().unwrap_or(defaults.base_url),
                api_key: endpoint.api_key.clone().map(Into::into),
                model: endpoint.model.clone().unwrap_or(defaults.model),
                ..defaults
            };
            let made = OpenAiEmbedder::new(settings);
            Ok(Arc::new(made.map_err(|error| wrong(group, error))?))
        }
        Embeddings::Local(folder) => local(folder, group),
    }
}

#[cfg(feature = "local-embeddings")]
fn local(folder: &Path, group: &str) -> Result<Arc<dyn Embedder>, StartError> {
    let opened = local_embeddings::LocalEmbedder::open(folder);
    let opened = opened.map_err(|error| SettingsError::new(format!("{group}_MODEL"), error))?;
    Ok(Arc::new(opened))
}

#[cfg(not(feature = "local-embeddings"))]
fn local(_: &Path, group: &str) -> Result<Arc<dyn Embedder>, StartError> {
    let problem = "this program was built without local models; \
                   build it with `cargo build --release --features local-embeddings`";
    Err(SettingsError::new(format!("{group}_PROVIDER"), problem).into())
}

fn provider_setting(error: llm::SettingsError) -> StartError {
    wrong("BOTWRIGHT_LLM", error)
}

/// The setting of a group that an error is about.
fn wrong(group: &str, error: llm::SettingsError) -> StartError {
    let field = match &error {
        llm::SettingsError::BaseUrl(_) => "BASE_URL",
        llm::SettingsError::ApiKey(_) => "API_KEY",
        _ => "MODEL",
    };
    StartError::Settings(SettingsError::new(format!("{group}_{field}"), error))
}
