//! The providers against their port's promises, and against a provider over HTTP that misbehaves.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod anthropic;
mod embeddings;
mod faults;
mod openai;

use std::time::Duration;

use contracts::fakes::openai::FakeOpenAi;
use llm::{Anthropic, AnthropicSettings, ApiKey, Extractive, Limits, OpenAi, OpenAiSettings};

const KEY: &str = "sk-secret-123";

/// Limits for tests: all faults show within a second.
fn limits() -> Limits {
    Limits {
        connect: Duration::from_millis(500),
        first_byte: Duration::from_millis(400),
        idle: Duration::from_millis(400),
        total: Duration::from_secs(3),
        first_pause: Duration::from_millis(5),
        retry_within: Duration::from_millis(1500),
        rest: Duration::from_millis(300),
        ..Limits::default()
    }
}

fn openai_with(provider: &FakeOpenAi, limits: Limits) -> OpenAi {
    OpenAi::new(OpenAiSettings {
        base_url: provider.base_url(),
        api_key: Some(ApiKey::from(KEY)),
        model: "small".into(),
        limits,
        client: None,
    })
    .unwrap()
}

fn anthropic_with(provider: &FakeOpenAi, limits: Limits) -> Anthropic {
    Anthropic::new(AnthropicSettings {
        base_url: provider.anthropic_url(),
        api_key: Some(ApiKey::from(KEY)),
        limits,
        ..AnthropicSettings::default()
    })
    .unwrap()
}

mod extractive_keeps_the_contract {
    use super::*;

    async fn open() -> (Extractive, ()) {
        (Extractive::new(), ())
    }

    contracts::answer_model_contract!(open);
}

mod openai_keeps_the_contract {
    use super::*;

    async fn open() -> (OpenAi, FakeOpenAi) {
        let provider = FakeOpenAi::start().await;
        (openai_with(&provider, limits()), provider)
    }

    contracts::answer_model_contract!(open);
}

mod anthropic_keeps_the_contract {
    use super::*;

    async fn open() -> (Anthropic, FakeOpenAi) {
        let provider = FakeOpenAi::start().await;
        (anthropic_with(&provider, limits()), provider)
    }

    contracts::answer_model_contract!(open);
}
