//! The domain of Botwright: what there is (entities, value types), what always holds (rules), and what
//! the outside must be able to do (ports). Nothing here does I/O, reads a clock or makes randomness.
//!
//! One file per noun; an adapter's file of the same noun has the same name. Every port is a trait whose
//! documentation is its contract; the crate `contracts` has one test per promise.
//!
//! # Adding a port
//! 1. The trait goes into the file of its noun, named after what the domain wants.
//! 2. What must be atomic is one method. No transaction object crosses a port.
//! 3. Its errors are [`Error`]; a store's "there is none" is `Option`, never an error.
//! 4. Its promises become a suite in `contracts`, and every adapter's tests call that suite.

pub mod actors;
pub mod agent_loops;
pub mod analytics;
pub mod answers;
pub mod bots;
pub mod channels;
pub mod clock;
pub mod connections;
pub mod conversations;
pub mod documents;
pub mod embeddings;
mod error;
pub mod evaluations;
pub mod events;
pub mod executions;
pub mod idempotency;
mod ids;
pub mod insights;
pub mod jobs;
pub mod keys;
pub mod knowledge;
pub mod language;
pub mod leads;
pub mod learning;
pub mod messages;
mod named;
pub mod openapi;
pub mod orders;
pub mod paging;
pub mod people;
pub mod plans;
pub mod prompts;
pub mod receipts;
pub mod retrieval;
pub mod schedules;
pub mod schemas;
pub mod secrets;
pub mod tenants;
pub mod text;
pub mod tool_models;
pub mod tools;
pub mod trials;
pub mod usage;
pub mod visits;
pub mod webhooks;
pub mod websites;

pub use error::{Clash, Error, Limit, Resource, Result};
pub use ids::{
    AgentLoopId, ApiKeyId, BotId, ChannelId, ChunkId, ConnectionId, ConversationId, EndUserId,
    ErasureId, EvaluationId, EventId, ExecutionId, JobId, LeadId, MessageId, OrderId,
    QuestionGroupId, SourceId, StepId, TenantId, WebhookId,
};

/// A moment in UTC, in whole microseconds (PostgreSQL keeps no more).
pub type Timestamp = time::OffsetDateTime;
