//! What the provider `openai` sends, and how it reads what comes.

use std::time::Duration;

use contracts::answers::{Pieces, answerable, hit, question};
use contracts::fakes::openai::{Behaviour, FakeOpenAi};
use domain::answers::{AnswerKind, AnswerModel, Discard, Tokens};
use domain::messages::Author;
use domain::messages::Utterance;
use llm::{ApiKey, Limits, OpenAi, OpenAiSettings, SettingsError};
use serde_json::json;

use super::{KEY, limits, openai_with};

#[tokio::test]
async fn the_prompt_has_knowledge_then_conversation_then_the_message() {
    let provider = FakeOpenAi::start().await;
    let mut asked = answerable("And on Sunday?", &[("We open at nine.", 0.9)]);
    asked.findings.hits.push(hit("Closed on Sundays.", &[]));
    asked.history = [
        (Author::Bot, "Welcome!"),
        (Author::User, "When are you open?"),
        (Author::Bot, "At nine."),
    ]
    .map(|(author, text)| Utterance {
        author,
        text: text.into(),
    })
    .to_vec();
    let answer = openai_with(&provider, limits())
        .answer(&asked, &mut Discard)
        .await
        .unwrap();
    assert_eq!(answer.text, "And on Sunday?");
    assert_eq!(answer.kind, AnswerKind::Answer);
    assert_eq!(answer.model.as_deref(), Some("fake"));
    assert_eq!(
        answer.tokens,
        Some(Tokens {
            input: 11,
            output: 3
        })
    );
    assert_eq!(answer.used_hits, [0, 1]);

    let [request] = &provider.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(request.path, "/v1/chat/completions");
    assert_eq!(
        request.header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
    assert_eq!(request.body["model"], "small");
    assert_eq!(request.body["stream"], true);
    let messages = request.body["messages"].as_array().unwrap();
    let roles: Vec<_> = messages
        .iter()
        .map(|m| m["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "assistant", "user", "assistant", "user"]);
    let system = messages[0]["content"].as_str().unwrap();
    let places = [
        asked.system_prompt.as_str(),
        "We open at nine.",
        "Closed on Sundays.",
    ]
    .map(|part| system.find(part).unwrap());
    assert!(places.is_sorted(), "{system}");
    assert_eq!(messages[4]["content"], "And on Sunday?");
}

#[tokio::test]
async fn pieces_come_while_the_answer_is_made_and_the_connection_is_kept() {
    let provider = FakeOpenAi::start().await;
    let pause = Duration::from_millis(20);
    let text = "one  two\nthree ";
    provider.always(Behaviour::Slow {
        text: text.into(),
        pause,
    });
    let model = openai_with(&provider, limits());
    for _ in 0..5 {
        let mut pieces = Pieces::default();
        let answer = model.answer(&question("?"), &mut pieces).await.unwrap();
        assert_eq!(answer.text, text, "word for word");
        assert!(pieces.0.len() > 1, "{pieces:?}");
    }
    assert_eq!(provider.connections(), 1);
}

#[tokio::test]
async fn a_server_that_answers_whole_is_understood() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::PlainJson("We open at nine.".into()));
    let mut pieces = Pieces::default();
    let answer = openai_with(&provider, limits())
        .answer(&question("?"), &mut pieces)
        .await
        .unwrap();
    assert_eq!(
        (answer.text.as_str(), pieces.0.len()),
        ("We open at nine.", 1)
    );
    assert_eq!(
        answer.tokens,
        Some(Tokens {
            input: 11,
            output: 4
        })
    );
}

#[tokio::test]
async fn a_server_that_does_not_know_stream_options_is_asked_without() {
    let provider = FakeOpenAi::start().await;
    provider.next(Behaviour::Status {
        code: 400,
        headers: Vec::new(),
        body: r#"{"error": {"message": "Unrecognized request argument: stream_options"}}"#.into(),
    });
    let model = openai_with(&provider, limits());
    for _ in 0..2 {
        model
            .answer(&question("Hello"), &mut Discard)
            .await
            .unwrap();
    }
    let asked: Vec<_> = provider
        .requests()
        .iter()
        .map(|r| r.body["stream_options"].clone())
        .collect();
    assert_eq!(
        asked,
        [json!({"include_usage": true}), json!(null), json!(null)]
    );
}

#[tokio::test]
async fn reasoning_is_not_for_the_visitor() {
    let provider = FakeOpenAi::start().await;
    let body = [
        r#"{"choices":[{"delta":{"reasoning_content":"Let me think.","content":null}}]}"#,
        r#"{"choices":[{"delta":{"content":"At nine."},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]
    .map(|data| format!("data: {data}\n\n"))
    .concat();
    let headers = vec![("content-type".into(), "text/event-stream".into())];
    provider.next(Behaviour::Status {
        code: 200,
        headers,
        body,
    });
    let answer = openai_with(&provider, limits())
        .answer(&question("?"), &mut Discard)
        .await
        .unwrap();
    assert_eq!((answer.text.as_str(), answer.tokens), ("At nine.", None));
}

#[tokio::test]
async fn too_much_context_is_cut_down_to_the_budget() {
    let provider = FakeOpenAi::start().await;
    let mut asked = answerable("And now?", &[("We open at nine.", 0.9)]);
    let text = "blah ".repeat(200);
    asked.history = vec![
        Utterance {
            author: Author::User,
            text
        };
        20
    ];
    let model = openai_with(
        &provider,
        Limits {
            context_bytes: 3_000,
            ..limits()
        },
    );
    model.answer(&asked, &mut Discard).await.unwrap();
    let request = &provider.requests()[0].body;
    assert!(request["messages"].as_array().unwrap().len() < 6);
    assert!(request.to_string().contains("We open at nine."));
}

#[tokio::test]
async fn azure_takes_its_key_and_version_in_its_own_way() {
    let provider = FakeOpenAi::start().await;
    // As Azure begins a stream: with what its filters found, and no choice.
    provider.next(Behaviour::Status {
        code: 200,
        headers: vec![("content-type".into(), "text/event-stream".into())],
        body: "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n\
               data: {\"choices\":[{\"delta\":{\"content\":\"At nine.\"}}]}\n\ndata: [DONE]\n\n"
            .into(),
    });
    let deployment = "/openai/deployments/small";
    let host = provider.base_url();
    let host = host.trim_end_matches("/v1");
    let model = OpenAi::new(OpenAiSettings {
        base_url: format!("{host}{deployment}?api-version=2024-10-21"),
        api_key: Some(ApiKey::from(KEY)),
        limits: limits(),
        ..OpenAiSettings::default()
    })
    .unwrap();
    let answer = model
        .answer(&question("When are you open?"), &mut Discard)
        .await
        .unwrap();
    assert_eq!(answer.text, "At nine.");
    let [request] = &provider.requests()[..] else {
        panic!("one request")
    };
    let path = format!("{deployment}/chat/completions?api-version=2024-10-21");
    assert_eq!(request.path, path);
    assert_eq!(request.header("api-key"), Some(KEY));
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn wrong_settings_are_told_by_name_and_without_secrets() {
    let new = |change: fn(&mut OpenAiSettings)| {
        let mut settings = OpenAiSettings {
            api_key: Some(ApiKey::from(KEY)),
            ..OpenAiSettings::default()
        };
        change(&mut settings);
        assert!(!format!("{settings:?}").contains(KEY));
        OpenAi::new(settings).err()
    };
    assert_eq!(new(|_| ()), None);
    assert_eq!(
        new(|s| s.base_url = "http://localhost:11434/v1/".into()),
        None
    );
    for url in [
        "",
        "localhost:11434",
        "ftp://x/v1",
        "/v1",
        "http://",
        "https://u:p@host/v1",
        "https://host/v1?k=v",
    ] {
        let settings = OpenAiSettings {
            base_url: url.into(),
            ..OpenAiSettings::default()
        };
        assert!(
            matches!(OpenAi::new(settings).err(), Some(SettingsError::BaseUrl(_))),
            "{url}"
        );
    }
    assert!(
        matches!(new(|s| s.api_key = None), Some(SettingsError::ApiKey(_))),
        "OpenAI itself wants one"
    );
    assert!(matches!(
        new(|s| s.api_key = Some(" ".into())),
        Some(SettingsError::ApiKey(_))
    ));
    assert!(matches!(
        new(|s| s.api_key = Some("a\nb".into())),
        Some(SettingsError::ApiKey(_))
    ));
    assert_eq!(new(|s| s.model = " ".into()), Some(SettingsError::Model));
    assert_eq!(
        new(|s| s.limits.idle = Duration::ZERO),
        Some(SettingsError::Limit("idle"))
    );
}
