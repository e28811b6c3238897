//! What can be done with tenants and their keys: by a tenant itself, and by the operator at the console.

mod admin;
mod keys;
mod usage;

pub use admin::{NewTenant, create, delete, list, resume, suspend};
pub use keys::{create_bot_key, create_key, list_bot_keys, list_keys, revoke_bot_key, revoke_key};
pub use usage::{UsageReport, usage};
