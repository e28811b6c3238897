//! What all dialects of HTTP share: reading requests, knowing who asks, telling errors.

pub mod app;
pub mod authentication;
pub mod body;
pub mod clients;
pub mod dialects;
pub mod error;
pub mod idempotency;
pub mod params;
pub mod requests;
