//! Answers from a model provider, over its real protocol; when it fails, too.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::Builder;
use testkit::fakes::openai::{Behaviour, FakeOpenAi};

use crate::streaming::{shown, stream};
use crate::support::{
    ASK_HOURS, HOURS, Told, bot_that_knows, make_bot, messages, post, put, say, started_on_both,
    text, usage,
};

started_on_both!(
    the_request_is_as_the_contract_says,
    words_of_the_provider_are_the_answer,
    the_fallback_answers_where_the_knowledge_does,
    without_a_fallback_the_failure_is_told,
    a_failed_turn_is_finished_by_its_repetition,
    a_stream_is_passed_on_as_it_comes,
    a_stream_that_breaks_off_starts_again_with_the_fallback,
    a_stream_without_an_answer_ends_with_the_error,
    nonsense_of_the_provider_is_a_failure,
);

/// On this provider, with the fallback that is the default.
pub fn with_provider(builder: Builder, provider: &FakeOpenAi) -> Builder {
    builder
        .setting("BOTWRIGHT_LLM_PROVIDER", "openai")
        .setting("BOTWRIGHT_LLM_BASE_URL", provider.base_url())
        .setting("BOTWRIGHT_LLM_API_KEY", "sk-test-key")
        .setting("BOTWRIGHT_LLM_MODEL", "test-model")
}

/// On it alone.
pub fn alone(builder: Builder, provider: &FakeOpenAi) -> Builder {
    with_provider(builder, provider).setting("BOTWRIGHT_LLM_FALLBACK", "none")
}

async fn the_request_is_as_the_contract_says(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::answer("We open at nine."));
    let server = with_provider(builder, &provider).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let change = json!({ "system_prompt": "You are the shop's good spirit.", "welcome_message": "Welcome!" });
    put(client, &format!("/bots/{bot}"), change)
        .await
        .gives(200);
    say(client, "s", "Good to be here, what do you sell?").await;
    say(client, "s", ASK_HOURS).await;
    let requests = provider.requests();
    assert_eq!(requests.len(), 2);
    let last = &requests[1];
    assert_eq!(
        (last.path.as_str(), last.header("authorization")),
        ("/v1/chat/completions", Some("Bearer sk-test-key"))
    );
    assert_eq!(last.body["model"], "test-model");
    let sent = last.body["messages"].as_array().unwrap();
    let roles: Vec<_> = sent.iter().map(|message| text(message, "role")).collect();
    assert_eq!(roles, ["system", "assistant", "user", "assistant", "user"]);
    let system = text(&sent[0], "content");
    assert!(
        system.contains("You are the shop's good spirit.") && system.contains("9 AM to 6 PM"),
        "{system}"
    );
    let words: Vec<_> = sent[1..]
        .iter()
        .map(|message| text(message, "content"))
        .collect();
    assert_eq!(
        words,
        [
            "Welcome!",
            "Good to be here, what do you sell?",
            "We open at nine.",
            ASK_HOURS
        ]
    );
    server.stop().await;
}

async fn words_of_the_provider_are_the_answer(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let server = with_provider(builder, &provider).start().await;
    let client = &server.client;
    make_bot(client, json!({})).await;
    for words in [
        "We open at nine.",
        "Größe 😀\n\n- one\n- two",
        "<b>\"quoted\"</b> \\ \u{2028}",
    ] {
        provider.next(Behaviour::answer(words));
        let turn = say(client, "s", "What?").await;
        let response = &turn["bot_response"];
        assert_eq!(response["message"], words);
        let metadata = &response["metadata"];
        assert_eq!(
            (&metadata["provider"], &metadata["fallback"]),
            (&json!("openai"), &json!(false))
        );
        assert_eq!(
            metadata["model"], "fake",
            "the one that the provider says it was"
        );
        assert_eq!(messages(client, "s").await.last().unwrap().1, words);
    }
    server.stop().await;
}

async fn the_fallback_answers_where_the_knowledge_does(builder: Builder) {
    let mut provider = FakeOpenAi::start().await;
    let server = with_provider(builder, &provider).start().await;
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    provider.stop().await;
    let turn = say(client, "s", ASK_HOURS).await;
    let response = &turn["bot_response"];
    assert!(text(response, "message").contains("9 AM to 6 PM"));
    let metadata = &response["metadata"];
    assert_eq!(
        (&metadata["provider"], &metadata["fallback"]),
        (&json!("extractive"), &json!(true))
    );
    assert_eq!(metadata["failed_providers"], json!(["openai"]));
    // Where the knowledge has no answer, the fallback has none either.
    let answer = post(
        client,
        "/conversations/t/messages",
        json!({ "message": "How heavy is the moon?" }),
    )
    .await;
    answer.refuses(502, "AI provider failed");
    assert_eq!(messages(client, "t").await.len(), 1);
    assert_eq!(usage(client).await, [1, 2, 3]);
    server.stop().await;
}

async fn without_a_fallback_the_failure_is_told(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(500));
    let server = alone(builder, &provider).start().await;
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    let answer = post(
        client,
        "/conversations/s/messages",
        json!({ "message": ASK_HOURS }),
    )
    .await;
    let message = answer.refuses(502, "AI provider failed");
    assert!(
        !message.contains("127.0.0.1") && !message.contains("500"),
        "{message}"
    );
    assert_eq!(
        messages(client, "s").await,
        [("user".to_owned(), ASK_HOURS.to_owned())],
        "the visitor's message is kept"
    );
    assert_eq!(
        usage(client).await,
        [1, 1, 1],
        "nothing is counted for the answer that never came"
    );
    server.stop().await;
}

async fn a_failed_turn_is_finished_by_its_repetition(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(400));
    let server = alone(builder, &provider).start().await;
    let client = &server.client;
    make_bot(client, json!({})).await;
    let send = async || {
        let request = client
            .request(Method::POST, "/conversations/s/messages")
            .header("idempotency-key", "k");
        client
            .answer(request.json(&json!({ "message": "What?" })))
            .await
            .unwrap()
    };
    send().await.refuses(502, "AI provider failed");
    provider.always(Behaviour::answer("We open at nine."));
    let finished = send().await;
    assert_eq!(
        finished.gives(200)["bot_response"]["message"],
        "We open at nine."
    );
    assert_eq!(send().await.text, finished.text);
    let expected = [
        ("user".to_owned(), "What?".to_owned()),
        ("bot".to_owned(), "We open at nine.".to_owned()),
    ];
    assert_eq!(messages(client, "s").await, expected);
    assert_eq!(usage(client).await, [1, 1, 2]);
    server.stop().await;
}

async fn a_stream_is_passed_on_as_it_comes(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let words = "We open at nine every day but Sunday.";
    provider.always(Behaviour::Slow {
        text: words.to_owned(),
        pause: Duration::from_millis(20),
    });
    let server = with_provider(builder, &provider).start().await;
    make_bot(&server.client, json!({})).await;
    let events = stream(&server, "s", "When do you open?").await;
    let pieces = events.iter().filter(|(name, _)| name == "chunk").count();
    assert!(pieces > 3, "in pieces: {events:?}");
    assert_eq!(shown(&events), words);
    assert_eq!(messages(&server.client, "s").await[1].1, words);
    server.stop().await;
}

async fn a_stream_that_breaks_off_starts_again_with_the_fallback(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Cut("We open at".to_owned()));
    let server = with_provider(builder, &provider).start().await;
    bot_that_knows(&server.client, HOURS).await;
    let events = stream(&server, "s", ASK_HOURS).await;
    let (name, last) = events.last().unwrap();
    assert_eq!(name, "completed", "{events:?}");
    let answer = text(&last["data"]["bot_response"], "message");
    assert!(answer.contains("9 AM to 6 PM"));
    assert_eq!(shown(&events), answer, "{events:?}");
    assert_eq!(messages(&server.client, "s").await[1].1, answer);
    server.stop().await;
}

async fn a_stream_without_an_answer_ends_with_the_error(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(401));
    let server = alone(builder, &provider).start().await;
    make_bot(&server.client, json!({})).await;
    let events = stream(&server, "s", "When do you open?").await;
    assert_eq!(events[0].0, "user_message");
    let (name, body) = events.last().unwrap();
    assert_eq!(
        (name.as_str(), &body["success"], &body["error"]),
        ("error", &json!(false), &json!("AI provider failed"))
    );
    assert_eq!(messages(&server.client, "s").await.len(), 1);
    assert_eq!(usage(&server.client).await, [1, 1, 1]);
    server.stop().await;
}

async fn nonsense_of_the_provider_is_a_failure(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let server = alone(builder, &provider).start().await;
    let client = &server.client;
    make_bot(client, json!({})).await;
    for (number, behaviour) in [
        Behaviour::Html,
        Behaviour::BrokenJson,
        Behaviour::NoChoices,
        Behaviour::EmptyText,
        Behaviour::HangUp,
        Behaviour::Cut("We".into()),
    ]
    .into_iter()
    .enumerate()
    {
        provider.always(behaviour);
        let path = format!("/conversations/s{number}/messages");
        let answer = post(client, &path, json!({ "message": "What?" })).await;
        answer.refuses(502, "AI provider failed");
        assert_eq!(answer.body.get("data"), None::<&Value>);
        assert_eq!(messages(client, &format!("s{number}")).await.len(), 1);
    }
    server.stop().await;
}
