//! What can be done with Botwright: one use case a file, in the room of its noun. A use case checks its
//! input, asks the ports, and knows nothing of HTTP, SQL or any provider.
//!
//! A use case is an async function of [`App`] (the ports), an [`domain::actors::Actor`] (who asks; all
//! scoping comes from it) and a command. Those that people run at the console have no actor.

pub mod agent_loops;
pub mod analytics;
pub mod answering;
pub mod authentication;
pub mod bots;
pub mod channels;
pub mod connections;
pub mod conversations;
pub mod embeddings;
pub mod evaluations;
pub mod executions;
pub mod idempotency;
pub mod insights;
pub mod jobs;
pub mod knowledge;
pub mod leads;
pub mod orders;
pub mod people;
pub mod rate_limits;
pub mod tenants;
pub mod visits;
pub mod webhooks;

use std::sync::Arc;

use domain::agent_loops::AgentLoops;
use domain::analytics::Analytics;
use domain::bots::Bots;
use domain::channels::inbox::{Inbox, InboxBell};
use domain::channels::{ChannelAdapter, Channels};
use domain::clock::{Clock, Ids};
use domain::connections::{Connections, ModelFactory};
use domain::conversations::Conversations;
use domain::documents::DocumentReader;
use domain::embeddings::{Embedder, Embeddings};
use domain::evaluations::Evaluations;
use domain::events::Outbox;
use domain::executions::Executions;
use domain::idempotency::IdempotencyKeys;
use domain::insights::{Insights, IntentModel, MessageReader, SentimentModel};
use domain::jobs::{JobBell, JobQueue};
use domain::keys::ApiKeys;
use domain::knowledge::{KnowledgeIndex, KnowledgeSources};
use domain::leads::Leads;
use domain::learning::Learning;
use domain::orders::Orders;
use domain::people::People;
use domain::plans::Plans;
use domain::retrieval::Retriever;
use domain::secrets::SecretBox;
use domain::tenants::Tenants;
use domain::tool_models::ToolModel;
use domain::tools::ToolCaller;
use domain::trials::TrialRetrievers;
use domain::usage::Usages;
use domain::visits::Visits;
use domain::webhooks::{Deliveries, DeliveryBell, RetrySchedule, WebhookEndpoints, WebhookSender};
use domain::websites::Crawler;

use answering::AnswerChain;

/// The ports that use cases speak to, as the server wired them.
#[expect(
    missing_docs,
    reason = "each field is the port that its type documents"
)]
pub struct App {
    pub tenants: Arc<dyn Tenants>,
    pub keys: Arc<dyn ApiKeys>,
    pub bots: Arc<dyn Bots>,
    pub conversations: Arc<dyn Conversations>,
    pub leads: Arc<dyn Leads>,
    pub people: Arc<dyn People>,
    pub visits: Arc<dyn Visits>,
    pub orders: Arc<dyn Orders>,
    pub usages: Arc<dyn Usages>,
    pub analytics: Arc<dyn Analytics>,
    pub insights: Arc<dyn Insights>,
    pub learning: Arc<dyn Learning>,
    pub sentiment: Arc<dyn SentimentModel>,
    pub intents: Arc<dyn IntentModel>,
    pub words: Arc<dyn MessageReader>,
    pub knowledge: Arc<dyn KnowledgeSources>,
    pub index: Arc<dyn KnowledgeIndex>,
    pub embeddings: Arc<dyn Embeddings>,
    /// Those that knowledge is embedded by: first the one that bots are to be searched with.
    pub embedders: Vec<Arc<dyn Embedder>>,
    pub evaluations: Arc<dyn Evaluations>,
    pub connections: Arc<dyn Connections>,
    pub models: Arc<dyn ModelFactory>,
    pub agent_loops: Arc<dyn AgentLoops>,
    pub executions: Arc<dyn Executions>,
    /// The operator's models that call tools, in the order in which they are asked.
    pub tool_models: Vec<Arc<dyn ToolModel>>,
    pub tool_caller: Arc<dyn ToolCaller>,
    pub channels: Arc<dyn Channels>,
    pub inbox: Arc<dyn Inbox>,
    pub inbox_bell: Arc<dyn InboxBell>,
    /// The platforms that channels lead to, one of each kind.
    pub platforms: Vec<Arc<dyn ChannelAdapter>>,
    /// What the platforms have been asked lately.
    pub pace: channels::Pace,
    /// Where this server is for others, as in `https://bots.example.com`; `None`: nobody has said.
    pub public_url: Option<String>,
    pub jobs: Arc<dyn JobQueue>,
    pub bell: Arc<dyn JobBell>,
    pub webhooks: Arc<dyn WebhookEndpoints>,
    pub outbox: Arc<dyn Outbox>,
    pub deliveries: Arc<dyn Deliveries>,
    pub delivery_bell: Arc<dyn DeliveryBell>,
    pub webhook_sender: Arc<dyn WebhookSender>,
    /// When what could not be delivered is tried again.
    pub retries: RetrySchedule,
    pub secrets: Arc<dyn SecretBox>,
    pub idempotency: Arc<dyn IdempotencyKeys>,
    pub retriever: Arc<dyn Retriever>,
    pub trials: Arc<dyn TrialRetrievers>,
    pub answers: AnswerChain,
    pub reader: Arc<dyn DocumentReader>,
    pub crawler: Arc<dyn Crawler>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub plans: Plans,
}
