//! Answer providers: models, built-in or elsewhere, behind the port [`domain::answers::AnswerModel`]; and embedders,
//! behind [`domain::embeddings::Embedder`].
//!
//! [`Extractive`] quotes the knowledge, with no network and no model. [`OpenAi`] and [`Anthropic`] speak to
//! endpoints over HTTP; all that the two have in common (time-outs, retries, the circuit breaker, reading a
//! stream) stands once, in the module `remote`, and each adds only its dialect.
//!
//! # Adding a provider that is reached over HTTP
//! Write its dialect (how a prompt becomes a body, and what an event adds to the answer) beside `openai.rs`,
//! and call `contracts::answer_model_contract!` in `tests/it`.

mod anthropic;
mod connections;
mod embeddings;
mod extractive;
mod openai;
mod prompt;
mod remote;
mod webhook;

pub use anthropic::{Anthropic, AnthropicSettings};
pub use connections::ConnectedModels;
pub use embeddings::{EmbedderSettings, OpenAiEmbedder};
pub use extractive::Extractive;
pub use openai::{OpenAi, OpenAiSettings};
pub use remote::settings::{ApiKey, Limits, SettingsError};
