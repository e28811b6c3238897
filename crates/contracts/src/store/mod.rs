//! What every store promises: one clause, one function, named after its promise.
//!
//! The clauses are written from the documentation of the ports. An adapter's tests call
//! [`store_contract!`](crate::store_contract), which runs each of them on a store of its own.

pub mod agent_loops;
pub mod analytics;
pub mod bot_changes;
pub mod bots;
pub mod channels;
pub mod connections;
pub mod conversations;
pub mod deliveries;
pub mod drafts;
pub mod embeddings;
pub mod endings;
pub mod erasures;
pub mod evaluations;
pub mod given;
pub mod hangups;
pub mod histories;
pub mod idempotency;
pub mod inbox;
pub mod index;
pub mod isolation;
pub mod jobs;
pub mod keys;
pub mod knowledge;
pub mod leads;
pub mod learning;
pub mod limits;
mod list;
pub mod opinions;
pub mod orders;
pub mod people;
pub mod races;
pub mod seen;
pub mod settings;
pub mod sites;
pub mod staging;
pub mod sweeping;
pub mod tenants;
pub mod trials;
pub mod visits;
pub mod webhooks;
pub mod words;

use std::sync::Arc;

use domain::agent_loops::AgentLoops;
use domain::analytics::Analytics;
use domain::bots::Bots;
use domain::channels::Channels;
use domain::channels::inbox::Inbox;
use domain::connections::Connections;
use domain::conversations::Conversations;
use domain::embeddings::Embeddings;
use domain::evaluations::Evaluations;
use domain::events::Outbox;
use domain::executions::Executions;
use domain::idempotency::IdempotencyKeys;
use domain::insights::Insights;
use domain::jobs::JobQueue;
use domain::keys::ApiKeys;
use domain::knowledge::{KnowledgeIndex, KnowledgeSources};
use domain::leads::Leads;
use domain::learning::Learning;
use domain::orders::Orders;
use domain::people::People;
use domain::tenants::Tenants;
use domain::trials::TrialIndexes;
use domain::usage::Usages;
use domain::visits::Visits;
use domain::webhooks::{Deliveries, WebhookEndpoints};

/// A store, seen through its ports.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is named after its port")]
pub struct Ports {
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
    pub learning: Arc<dyn Learning>,
    pub insights: Arc<dyn Insights>,
    pub knowledge: Arc<dyn KnowledgeSources>,
    pub index: Arc<dyn KnowledgeIndex>,
    pub trials: Arc<dyn TrialIndexes>,
    pub connections: Arc<dyn Connections>,
    pub channels: Arc<dyn Channels>,
    pub inbox: Arc<dyn Inbox>,
    pub embeddings: Arc<dyn Embeddings>,
    pub evaluations: Arc<dyn Evaluations>,
    pub agent_loops: Arc<dyn AgentLoops>,
    pub executions: Arc<dyn Executions>,
    pub jobs: Arc<dyn JobQueue>,
    pub webhooks: Arc<dyn WebhookEndpoints>,
    pub outbox: Arc<dyn Outbox>,
    pub deliveries: Arc<dyn Deliveries>,
    pub idempotency: Arc<dyn IdempotencyKeys>,
}
