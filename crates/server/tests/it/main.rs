//! The product as its clients see it: over HTTP, on both engines, with real files, real databases and the
//! built binary. What is asserted comes from the Tenant API's document and the contract, never from the code.

mod analytics;
mod binary;
mod bots;
mod clients;
mod commands;
mod concurrency;
mod conversations;
mod crashes;
mod hostile;
mod idempotency;
mod isolation;
mod knowledge;
mod limits;
mod operations;
mod program;
mod providers;
mod raw;
mod requests;
mod sessions;
mod streaming;
mod support;
mod tenant;
mod uploads;
mod websites;
