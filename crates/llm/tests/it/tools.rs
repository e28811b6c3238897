//! Chats with tools, in both dialects.

use std::time::Duration;

use contracts::fakes::openai::{Behaviour, FakeOpenAi};
use domain::answers::{ProviderError, Tokens};
use domain::tool_models::{Said, ToolCall, ToolChat, ToolDescription, ToolModel};
use serde_json::{Value, json};

use super::{anthropic_with, limits, openai_with};

const WITHIN: Duration = Duration::from_secs(10);

fn chat() -> ToolChat {
    ToolChat {
        instructions: "Look after orders.".into(),
        said: vec![Said::User("Where is order 7?".into())],
        tools: vec![ToolDescription {
            name: "get_order".into(),
            description: "Gets an order.".into(),
            parameters: json!({ "type": "object", "properties": { "id": { "type": "string" } } }),
        }],
    }
}

fn call(id: &str, arguments: Value) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: "get_order".into(),
        arguments,
    }
}

/// A chat in which two calls were made at once, and one of them failed.
fn with_results() -> ToolChat {
    let result = |call_id: &str, result: &str, failed| Said::Tool {
        call_id: call_id.into(),
        result: result.into(),
        failed,
    };
    let mut chat = chat();
    chat.said.extend([
        Said::Model {
            text: "I look.".into(),
            calls: vec![
                call("a", json!({ "id": "7" })),
                call("b", "{\"id\": ".into()),
            ],
        },
        result("a", "On its way.", false),
        result("b", "That is no JSON.", true),
    ]);
    chat
}

/// Both dialects, each with a provider of its own.
async fn both() -> [(Box<dyn ToolModel>, FakeOpenAi); 2] {
    let (one, other) = (FakeOpenAi::start().await, FakeOpenAi::start().await);
    [
        (Box::new(openai_with(&one, limits())), one),
        (Box::new(anthropic_with(&other, limits())), other),
    ]
}

#[tokio::test]
async fn openai_is_told_what_was_called_and_what_came_of_it() {
    let provider = FakeOpenAi::start().await;
    let model = openai_with(&provider, limits());
    let turn = model.next(&with_results(), WITHIN).await.unwrap();
    assert_eq!(turn.text, "Error: That is no JSON.");
    assert_eq!(
        turn.tokens,
        Some(Tokens {
            input: 11,
            output: 5
        })
    );
    let body = &provider.requests()[0].body;
    assert_eq!(
        (&body["stream"], &body["model"]),
        (&json!(false), &json!("small"))
    );
    let function = &body["tools"][0]["function"];
    assert_eq!(function["name"], "get_order");
    assert_eq!(function["parameters"], chat().tools[0].parameters);
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool"]);
    let calls = &messages[2]["tool_calls"];
    assert_eq!(calls[0]["function"]["arguments"], "{\"id\":\"7\"}");
    assert_eq!(calls[1]["function"]["arguments"], "{\"id\": ");
    assert_eq!(
        messages[3],
        json!({ "role": "tool", "tool_call_id": "a", "content": "On its way." })
    );
}

#[tokio::test]
async fn anthropic_is_told_all_results_of_a_turn_at_once() {
    let provider = FakeOpenAi::start().await;
    let model = anthropic_with(&provider, limits());
    let turn = model.next(&with_results(), WITHIN).await.unwrap();
    assert_eq!(turn.text, "On its way.");
    let body = &provider.requests()[0].body;
    assert_eq!(body["system"], "Look after orders.");
    assert_eq!(body["tools"][0]["input_schema"], chat().tools[0].parameters);
    let messages = body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    let said = json!([
        { "type": "text", "text": "I look." },
        { "type": "tool_use", "id": "a", "name": "get_order", "input": { "id": "7" } },
        { "type": "tool_use", "id": "b", "name": "get_order", "input": {} },
    ]);
    assert_eq!(messages[1]["content"], said);
    let told = json!([
        { "type": "tool_result", "tool_use_id": "a", "content": "On its way.", "is_error": false },
        { "type": "tool_result", "tool_use_id": "b", "content": "That is no JSON.", "is_error": true },
    ]);
    assert_eq!(messages[2]["content"], told);
}

#[tokio::test]
async fn several_calls_come_in_their_order() {
    for (model, provider) in both().await {
        provider.next(Behaviour::calls(&[
            ("get_order", json!({ "id": "7" })),
            ("no_such_tool", json!({})),
            ("get_order", json!({ "id": "8" })),
        ]));
        let turn = model.next(&chat(), WITHIN).await.unwrap();
        let names: Vec<_> = turn.calls.iter().map(|call| call.name.as_str()).collect();
        // Whether there is such a tool is not the provider's to say.
        assert_eq!(names, ["get_order", "no_such_tool", "get_order"]);
        assert_eq!(turn.calls[2].arguments, json!({ "id": "8" }));
        assert_ne!(turn.calls[0].id, turn.calls[2].id);
        assert_eq!(
            (turn.text.as_str(), turn.model.as_deref()),
            ("", Some("fake"))
        );
        assert_eq!(
            turn.tokens,
            Some(Tokens {
                input: 11,
                output: 5
            })
        );
    }
}

#[tokio::test]
async fn broken_arguments_are_told_as_they_came() {
    for (model, provider) in both().await {
        let broken = ["{\"id\": ", "[7]"].map(|words| ("get_order".to_owned(), words.to_owned()));
        let empty = ("get_order".to_owned(), "{}".to_owned());
        provider.next(Behaviour::Calls(
            broken.into_iter().chain([empty]).collect(),
        ));
        let turn = model.next(&chat(), WITHIN).await.unwrap();
        let arguments: Vec<_> = turn.calls.into_iter().map(|call| call.arguments).collect();
        assert_eq!(arguments, [json!("{\"id\": "), json!("[7]"), json!({})]);
    }
}

#[tokio::test]
async fn what_is_no_turn_is_an_error() {
    for (model, provider) in both().await {
        for behaviour in [
            Behaviour::NoChoices,
            Behaviour::BrokenJson,
            Behaviour::EmptyText,
            Behaviour::Calls(Vec::new()),
            Behaviour::Html,
        ] {
            provider.next(behaviour.clone());
            let error = model.next(&chat(), WITHIN).await.unwrap_err();
            let is_bad = matches!(error, ProviderError::BadAnswer(_));
            assert!(is_bad, "{behaviour:?}: {error:?}");
        }
        provider.next(Behaviour::status(401));
        let error = model.next(&chat(), WITHIN).await.unwrap_err();
        assert_eq!(error, ProviderError::Refused("401 test_error".into()));
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_no_longer_than_allowed() {
    for (model, provider) in both().await {
        provider
            .next(Behaviour::status(503))
            .next(Behaviour::HangUp);
        provider.next(Behaviour::call("get_order", json!({ "id": "7" })));
        let turn = model.next(&chat(), WITHIN).await.unwrap();
        assert_eq!((turn.calls.len(), provider.requests().len()), (1, 3));
        provider.next(Behaviour::Hang);
        let error = model.next(&chat(), Duration::from_millis(50)).await;
        assert_eq!(error.unwrap_err(), ProviderError::TimedOut);
    }
}
