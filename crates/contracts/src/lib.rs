//! One suite of promises per port, written from the port's documentation and not from any adapter, and fakes
//! of foreign systems that keep to their protocol. Adapters' tests call the suites.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "this crate is used by tests only, where a panic is how a broken promise is told"
)]

pub mod answers;
pub mod channels;
pub mod documents;
pub mod embeddings;
pub mod fakes;
pub mod files;
pub mod insights;
pub mod poisoned;
pub mod postgres;
pub mod retrieval;
pub mod store;
pub mod websites;
