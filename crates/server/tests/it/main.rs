//! The product as its clients see it: over HTTP, on both engines, with real files, real databases and the
//! built binary. What is asserted comes from the Tenant API's document and the contract, never from the code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where what it needs is not there"
)]

mod agent;
mod agent_chat;
mod agent_keys;
mod agent_loops;
mod analytics;
mod answers;
mod approvals;
mod binary;
mod bot_changes;
mod bots;
mod channel_answers;
mod channels;
mod clients;
mod commands;
mod concurrency;
mod conversations;
mod crashes;
mod description;
mod edits;
mod embeddings;
mod evaluations;
mod executions;
mod forms;
mod hostile;
mod idempotency;
mod insights;
mod integrations;
mod isolation;
mod knowledge;
mod limits;
mod operations;
mod people;
mod platform;
mod program;
mod providers;
mod raw;
mod receipts;
mod refusals;
mod requests;
mod routes;
mod search;
mod sessions;
mod sites;
mod streaming;
mod support;
mod tenant;
mod traces;
mod uploads;
mod webhooks;
mod websites;
