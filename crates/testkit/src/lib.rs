//! The whole of Botwright inside your test's process.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use testkit::{NewBot, TestServer};
//!
//! let server = TestServer::start().await;
//! let bot = server.client.create_bot(&NewBot::named("Support")).await?;
//! server.client.create_text(&bot.id, "Hours", "We are open from 9 to 5.").await?;
//! let turn = server.client.send("session-1", "When are you open?").await?;
//! assert!(turn.bot_response.message.contains("9 to 5"));
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! A [`TestServer`] is the real server on a port of its own with a store of its own, a tenant and a key;
//! nothing is faked but what lies outside: [`fakes::openai::FakeOpenAi`] speaks a model provider's protocol,
//! [`fakes::website::FakeWebsite`] is a foreign website, faults included. [`TestServer::builder`] chooses the
//! engine, the plan and any setting.
//!
//! PostgreSQL is found by `TEST_DATABASE_URL` (a role that may create databases); a test that asks for it
//! without one fails.

#![allow(
    clippy::expect_used,
    reason = "a test that has no server has no use for going on"
)]

mod client;
mod server;

pub use client::{
    Answer, Bot, Client, ClientError, Conversation, ConversationDetails, Message, NewBot, Page,
    Pagination, SearchResults, Sent, Source, SourceDetails, Turn, encode,
};
pub use contracts::{fakes, files};
pub use server::{Builder, TestServer};

/// What TLS rests on, which the process has to say once, before the first client or server.
fn choose_cryptography() {
    // Another one that was installed before serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
