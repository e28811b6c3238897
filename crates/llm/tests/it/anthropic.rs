//! What the provider `anthropic` sends, and how it reads what comes.

use contracts::answers::{Pieces, answerable, question};
use contracts::fakes::openai::{Behaviour, FakeOpenAi};
use domain::answers::{AnswerModel, Discard, ProviderError, Tokens};
use domain::messages::Author;
use domain::messages::Utterance;
use llm::{Anthropic, AnthropicSettings, SettingsError};
use serde_json::json;

use super::{KEY, anthropic_with, limits};

#[tokio::test]
async fn the_request_is_as_the_api_wants_it() {
    let provider = FakeOpenAi::start().await;
    let mut asked = answerable("And on Sunday?", &[("We open at nine.", 0.9)]);
    asked.history = vec![Utterance {
        author: Author::Bot,
        text: "Welcome!".into(),
    }];
    let mut pieces = Pieces::default();
    let answer = anthropic_with(&provider, limits())
        .answer(&asked, &mut pieces)
        .await
        .unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.provider),
        ("And on Sunday?", "anthropic")
    );
    assert_eq!(
        answer.tokens,
        Some(Tokens {
            input: 11,
            output: 3
        })
    );
    assert_eq!(answer.model.as_deref(), Some("fake"));

    let request = &provider.requests()[0];
    assert_eq!(request.path, "/v1/messages");
    assert_eq!(request.header("x-api-key"), Some(KEY));
    assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(request.header("authorization"), None);
    assert!(
        request.body["system"]
            .as_str()
            .unwrap()
            .contains("We open at nine.")
    );
    assert_eq!(
        request.body["messages"],
        json!([{"role": "user", "content": "And on Sunday?"}])
    );
    assert!(request.body["max_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn overload_is_tried_again_in_both_its_forms() {
    let provider = FakeOpenAi::start().await;
    let in_stream = "event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"overloaded_error\"}}\n\n";
    let headers = vec![("content-type".into(), "text/event-stream".into())];
    provider.next(Behaviour::status(529));
    provider.next(Behaviour::Status {
        code: 200,
        headers,
        body: in_stream.into(),
    });
    let answer = anthropic_with(&provider, limits())
        .answer(&question("Hello"), &mut Discard)
        .await;
    assert_eq!(answer.unwrap().text, "Hello");
    assert_eq!(provider.requests().len(), 3);
}

#[tokio::test]
async fn faults_are_told_as_they_are() {
    let provider = FakeOpenAi::start().await;
    let model = anthropic_with(&provider, limits());
    for (behaviour, expected) in [
        (
            Behaviour::NoEndMark("We open".into()),
            ProviderError::Unavailable("stream cut".into()),
        ),
        (
            Behaviour::Cut("We open".into()),
            ProviderError::Unavailable("stream cut".into()),
        ),
        (
            Behaviour::status(401),
            ProviderError::Refused("401 test_error".into()),
        ),
        (
            Behaviour::EmptyText,
            ProviderError::BadAnswer("no text".into()),
        ),
        (
            Behaviour::BrokenJson,
            ProviderError::BadAnswer("broken JSON".into()),
        ),
    ] {
        provider.next(behaviour);
        let error = model
            .answer(&question("?"), &mut Discard)
            .await
            .unwrap_err();
        assert_eq!(error, expected);
    }
    provider.next(Behaviour::PlainJson("Whole.".into()));
    let answer = model.answer(&question("?"), &mut Discard).await.unwrap();
    assert_eq!(answer.text, "Whole.");
}

#[test]
fn its_own_address_wants_a_key() {
    let error = Anthropic::new(AnthropicSettings::default()).err();
    assert!(matches!(error, Some(SettingsError::ApiKey(_))));
}
