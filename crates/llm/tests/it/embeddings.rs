//! Embedders over HTTP, and what can go wrong with them.

use std::time::{Duration, Instant};

use contracts::embeddings::cosine;
use contracts::fakes::openai::{Behaviour, FakeOpenAi};
use domain::answers::ProviderError;
use domain::embeddings::{Embedder, Embedding, Purpose};
use llm::{ApiKey, EmbedderSettings, Limits, OpenAiEmbedder};
use serde_json::json;

use super::{KEY, limits};

fn embedder(provider: &FakeOpenAi, limits: Limits) -> OpenAiEmbedder {
    OpenAiEmbedder::new(EmbedderSettings {
        base_url: provider.base_url(),
        api_key: Some(ApiKey::from(KEY)),
        model: "small".into(),
        limits,
        query_time: Duration::from_millis(600),
    })
    .unwrap()
}

mod keeps_the_contract {
    use super::*;

    async fn open() -> (OpenAiEmbedder, FakeOpenAi) {
        let provider = FakeOpenAi::start().await;
        (embedder(&provider, limits()), provider)
    }

    contracts::embedder_contract!(open);
}

async fn ask(
    embedder: &OpenAiEmbedder,
    purpose: Purpose,
    texts: &[&str],
) -> Result<Vec<Embedding>, ProviderError> {
    let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
    let result = embedder.embed(purpose, &texts).await;
    if let Err(error) = &result {
        for secret in [KEY, "stock", "127.0.0.1", "as the test asked"] {
            assert!(!format!("{error} {error:?}").contains(secret), "{error}");
        }
    }
    result
}

const TEXTS: &[&str] = &["What is in stock?"];

/// What comes of a fault that stays, and how many requests were made.
async fn always(behaviour: Behaviour) -> (ProviderError, usize) {
    let provider = FakeOpenAi::start().await;
    provider.always(behaviour);
    let error = ask(&embedder(&provider, limits()), Purpose::Passage, TEXTS).await;
    (error.unwrap_err(), provider.requests().len())
}

fn body(body: &str) -> Behaviour {
    Behaviour::Status {
        code: 200,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn the_request_is_as_the_api_wants_it() {
    let provider = FakeOpenAi::start().await;
    let embedder = embedder(&provider, limits());
    assert_eq!(embedder.model(), "openai:small");
    let made = ask(
        &embedder,
        Purpose::Passage,
        &["tea and biscuits", "biscuits and tea", "a bicycle"],
    );
    let made = made.await.unwrap();
    assert!(cosine(&made[0], &made[1]) > cosine(&made[0], &made[2]));
    let requests = provider.requests();
    assert_eq!(requests[0].path, "/v1/embeddings");
    assert_eq!(
        requests[0].header("authorization"),
        Some(&*format!("Bearer {KEY}"))
    );
    assert_eq!(
        requests[0].body,
        json!({ "model": "small", "input": ["tea and biscuits", "biscuits and tea", "a bicycle"] })
    );
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for fault in [
        Behaviour::status(429),
        Behaviour::status(500),
        Behaviour::status(503),
        Behaviour::status(529),
        Behaviour::HangUp,
    ] {
        let provider = FakeOpenAi::start().await;
        provider.next(fault.clone());
        let made = ask(&embedder(&provider, limits()), Purpose::Passage, TEXTS).await;
        assert_eq!(made.map(|made| made.len()), Ok(1), "{fault:?}");
        assert_eq!(provider.requests().len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn what_stays_is_told_as_it_is() {
    let (error, requests) = always(Behaviour::status(500)).await;
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
    assert_eq!(requests, 1 + limits().retries);
    let (error, _) = always(Behaviour::status(429)).await;
    assert!(
        matches!(error, ProviderError::RateLimited { .. }),
        "{error}"
    );
    for code in [401, 403, 404] {
        let (error, requests) = always(Behaviour::status(code)).await;
        assert!(matches!(error, ProviderError::Refused(_)), "{error}");
        assert_eq!(requests, 1);
    }
    let (error, _) = always(Behaviour::Hang).await;
    assert_eq!(error, ProviderError::TimedOut);
    let mut provider = FakeOpenAi::start().await;
    let gone = embedder(&provider, limits());
    provider.stop().await;
    let error = ask(&gone, Purpose::Passage, TEXTS).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn what_is_no_embedding_is_a_bad_answer() {
    let item = |embedding: serde_json::Value| json!({ "index": 0, "embedding": embedding });
    let list = |data: serde_json::Value| body(&json!({ "data": data }).to_string());
    for fault in [
        Behaviour::Html,
        Behaviour::BrokenJson,
        body("{\"data\": ["),
        body("{}"),
        list(json!([])),
        list(json!([item(json!([1.0])), item(json!([1.0]))])),
        list(json!([item(json!([0.0, 0.0]))])),
        list(json!([item(json!([null]))])),
        list(json!([item(json!([]))])),
        list(json!([item(json!("AAAA"))])),
        list(json!([{ "index": 7, "embedding": [1.0] }])),
        Behaviour::Huge(40 * 1024 * 1024),
    ] {
        let (error, requests) = always(fault.clone()).await;
        assert!(
            matches!(error, ProviderError::BadAnswer(_)),
            "{fault:?}: {error}"
        );
        assert_eq!(requests, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_takes_less_at_a_time_is_given_less() {
    for code in [400, 413, 422] {
        let provider = FakeOpenAi::start().await;
        provider.next(Behaviour::status(code));
        let texts = ["one", "two", "three", "four"];
        let made = ask(&embedder(&provider, limits()), Purpose::Passage, &texts).await;
        assert_eq!(made.unwrap().len(), 4);
        let sizes: Vec<_> = provider
            .requests()
            .iter()
            .map(|request| request.body["input"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [4, 2, 2]);
    }
    let provider = FakeOpenAi::start().await;
    provider
        .next(Behaviour::status(400))
        .next(Behaviour::status(400));
    let long = "word ".repeat(1_000);
    let made = ask(&embedder(&provider, limits()), Purpose::Passage, &[&long]).await;
    assert_eq!(made.unwrap().len(), 1);
    let lengths: Vec<_> = provider
        .requests()
        .iter()
        .map(|request| request.body["input"][0].as_str().unwrap().len())
        .collect();
    assert!(
        lengths[1] < lengths[0] && lengths[2] < lengths[1],
        "{lengths:?}"
    );
    let (error, requests) = always(Behaviour::status(400)).await;
    assert!(matches!(error, ProviderError::Refused(_)), "{error}");
    assert_eq!(requests, 1, "a short text is not refused for its length");
}

#[tokio::test]
async fn a_question_does_not_wait_for_long() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Hang);
    let embedder = embedder(
        &provider,
        Limits {
            first_byte: Duration::from_secs(5),
            ..limits()
        },
    );
    let began = Instant::now();
    let error = ask(&embedder, Purpose::Query, TEXTS).await.unwrap_err();
    assert_eq!(error, ProviderError::TimedOut);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_dead_embedder_is_left_alone_for_a_while() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(401));
    let refused = embedder(&provider, limits());
    for _ in 0..10 {
        ask(&refused, Purpose::Query, TEXTS).await.unwrap_err();
    }
    assert_eq!(provider.requests().len(), 10, "a refusal is a sign of life");
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(500));
    let down = embedder(
        &provider,
        Limits {
            retries: 0,
            ..limits()
        },
    );
    for _ in 0..10 {
        ask(&down, Purpose::Passage, TEXTS).await.unwrap_err();
    }
    assert_eq!(provider.requests().len(), limits().failures as usize);
    provider.always(Behaviour::Echo);
    tokio::time::sleep(limits().rest * 2).await;
    assert!(ask(&down, Purpose::Passage, TEXTS).await.is_ok());
}
