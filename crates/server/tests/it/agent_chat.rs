//! A turn in the Agent API: told in events, gone on with, and come back to.

use std::time::Duration;

use botwright::domain::conversations::{EndUserDetails, Incoming, NewConversationIds};
use botwright::domain::plans::Plan;
use botwright::domain::{BotId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::{Answer, Builder, Client, TestServer};

use crate::providers::alone;
use crate::support::{
    ASK_HOURS, Denied, HOURS, Told, agent, agent_get, agent_post, assert_id, bot_that_knows,
    column, get, keys, make_bot, messages, on_both, put, started_on_both, text, time,
};

on_both!(
    a_turn_is_told_in_events,
    a_conversation_goes_on,
    a_client_that_was_cut_off_gets_the_rest,
    what_is_refused_before_a_turn_is_an_ordinary_error,
    a_turn_is_whole_for_who_hung_up,
    an_answer_that_nobody_makes_is_made,
);

started_on_both!(
    a_turn_that_fails_ends_with_an_error,
    a_stream_that_waits_shows_that_it_lives,
);

/// An event's id, name and data.
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

pub fn events(answer: &Answer) -> Vec<Event> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer
            .header("content-type")
            .starts_with("text/event-stream")
    );
    let blocks = answer.text.split("\n\n");
    let blocks = blocks.filter(|block| !block.is_empty() && !block.starts_with(':'));
    blocks
        .map(|block| {
            let field = |name: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_else(|| panic!("no {name} in {block}"))
                    .to_owned()
            };
            Event {
                id: field("id: "),
                name: field("event: "),
                data: serde_json::from_str(&field("data: ")).unwrap(),
            }
        })
        .collect()
}

pub fn names(events: &[Event]) -> Vec<&str> {
    let mut names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    names.dedup();
    names
}

pub fn told(events: &[Event]) -> String {
    let chunks = events.iter().filter(|event| event.name == "chunk");
    chunks.map(|event| text(&event.data, "text")).collect()
}

pub async fn chat(agent: &Client, body: Value) -> Vec<Event> {
    events(&agent_post(agent, "/chat", body).await)
}

async fn come_back(agent: &Client, last: &str, body: Value) -> Answer {
    let request = agent.request_outside(Method::POST, "/v1/chat");
    let request = request.header("last-event-id", last).json(&body);
    agent.answer(request).await.unwrap()
}

pub async fn knowing(server: &TestServer) -> (String, Client) {
    let bot = bot_that_knows(&server.client, HOURS).await;
    let agent = agent(server, &bot).await;
    (bot, agent)
}

async fn a_turn_is_told_in_events(server: &TestServer) {
    let (bot, agent) = knowing(server).await;
    let identity = json!({ "id": "zoe", "name": "Zoë", "email": "zoe@example.com" });
    let told_events = chat(
        &agent,
        json!({ "message": ASK_HOURS, "identity": identity }),
    )
    .await;
    assert_eq!(
        names(&told_events),
        [
            "action_started",
            "tool_call",
            "chunk",
            "action_completed",
            "completed"
        ]
    );
    let first = &told_events[0].data;
    assert_id(&first["conversationId"]);
    assert_id(&first["messageId"]);
    let last = &told_events.last().unwrap().data;
    assert_eq!(last["conversationId"], first["conversationId"]);
    assert_eq!(text(last, "message"), told(&told_events));
    assert!(text(last, "message").contains("9 AM to 6 PM"));
    assert!(!last["sources"].as_array().unwrap().is_empty());
    for event in &told_events {
        assert!(
            event.id.starts_with(text(first, "messageId")),
            "{}",
            event.id
        );
    }
    let path = format!("/conversations/{}", text(first, "conversationId"));
    let shown = agent_get(&agent, &path).await;
    let shown = shown.grants();
    assert_eq!(
        keys(shown),
        [
            "customer",
            "endedAt",
            "id",
            "messages",
            "purchased",
            "sentiment",
            "source",
            "startedAt",
            "status"
        ]
    );
    assert_eq!(
        (text(shown, "source"), text(shown, "status")),
        ("EMBED", "ACTIVE")
    );
    assert_eq!(text(&shown["customer"], "name"), "Zoë");
    time(&shown["startedAt"]);
    let said = shown["messages"].as_array().unwrap();
    assert_eq!(column(said, "role"), ["USER", "ASSISTANT"]);
    assert_eq!(
        (&said[0]["id"], &said[1]["id"]),
        (&first["messageId"], &last["messageId"])
    );
    assert_eq!(
        keys(&said[1]),
        [
            "citations",
            "content",
            "createdAt",
            "feedback",
            "id",
            "intent",
            "role",
            "sentiment"
        ]
    );
    let cited = &said[1]["citations"];
    assert_eq!(cited, &last["sources"]);
    assert_eq!(
        keys(&cited[0]),
        [
            "chunkId",
            "chunkIndex",
            "heading",
            "page",
            "score",
            "sourceId",
            "sourceName",
            "url"
        ]
    );
    let lighter = agent_get(&agent, &format!("{path}/messages")).await;
    let lighter = lighter.grants()["data"].as_array().unwrap();
    assert_eq!(column(lighter, "content"), column(said, "content"));
    assert_eq!(
        keys(&lighter[1]),
        ["content", "createdAt", "feedback", "id", "role"]
    );
    // The same conversation in the other API.
    let listed = get(&server.client, "/conversations").await;
    assert_eq!(text(&listed.lists()[0], "bot_id"), bot);
}

async fn a_conversation_goes_on(server: &TestServer) {
    let (_, agent) = knowing(server).await;
    let first = chat(&agent, json!({ "message": ASK_HOURS })).await;
    let talk = text(&first[0].data, "conversationId").to_owned();
    let second = chat(
        &agent,
        json!({ "message": "Thanks!", "conversationId": talk }),
    )
    .await;
    assert_eq!(text(&second[0].data, "conversationId"), talk);
    let shown = agent_get(&agent, &format!("/conversations/{talk}/messages")).await;
    assert_eq!(shown.grants()["data"].as_array().unwrap().len(), 4);
    let another = chat(
        &agent,
        json!({ "message": ASK_HOURS, "conversationId": null }),
    )
    .await;
    assert_ne!(text(&another[0].data, "conversationId"), talk);
}

async fn a_client_that_was_cut_off_gets_the_rest(server: &TestServer) {
    let (_, agent) = knowing(server).await;
    let body = json!({ "message": ASK_HOURS });
    let whole = chat(&agent, body.clone()).await;
    let answer = told(&whole);
    let talk = text(&whole[0].data, "conversationId").to_owned();
    for (number, event) in whole.iter().enumerate() {
        let seen = told(&whole[..=number]);
        let again = events(&come_back(&agent, &event.id, body.clone()).await);
        assert_eq!(
            format!("{seen}{}", told(&again)),
            answer,
            "after {}",
            event.id
        );
        assert_eq!(again[0].data, whole[0].data);
        assert_eq!(again.last().unwrap().data, whole.last().unwrap().data);
    }
    let messages = agent_get(&agent, &format!("/conversations/{talk}/messages")).await;
    let stored = messages.grants()["data"].as_array().unwrap().len();
    assert_eq!(stored, 2, "nothing is stored twice");
    let id = text(&whole[0].data, "messageId");
    // More than there is: the pieces were another answer's.
    let again = events(&come_back(&agent, &format!("{id}.100000"), body.clone()).await);
    let restarted = again.iter().find(|event| event.name == "chunk").unwrap();
    assert_eq!(restarted.data, json!({ "text": answer, "restart": true }));
    for wrong in [
        "nonsense",
        "",
        "0.0",
        &format!("{id}."),
        &format!("{id}.-1"),
    ] {
        come_back(&agent, wrong, body.clone()).await.denies(400);
    }
    let nobodys = "018f0000-0000-7000-8000-000000000000.0";
    come_back(&agent, nobodys, body.clone()).await.denies(404);
    let other = chat(&agent, body).await;
    let elsewhere = text(&other[0].data, "conversationId");
    let body = json!({ "message": ASK_HOURS, "conversationId": elsewhere });
    come_back(&agent, &whole[0].id, body.clone())
        .await
        .denies(404);
    let second = make_bot(&server.client, json!({})).await;
    let second = crate::support::agent(server, text(&second, "id")).await;
    come_back(&second, &whole[0].id, json!({ "message": "x" }))
        .await
        .denies(404);
}

async fn what_is_refused_before_a_turn_is_an_ordinary_error(server: &TestServer) {
    let (bot, agent) = knowing(server).await;
    let long = "x".repeat(8_001);
    for body in [
        json!({}),
        json!({ "message": " " }),
        json!({ "message": long }),
        json!({ "message": 5 }),
        json!({ "message": "x", "identity": { "email": "nobody" } }),
        json!({ "message": "x", "identity": { "id": "i".repeat(321) } }),
    ] {
        agent_post(&agent, "/chat", body).await.denies(400);
    }
    for talk in ["nonsense", "018f0000-0000-7000-8000-000000000000"] {
        let body = json!({ "message": "x", "conversationId": talk });
        agent_post(&agent, "/chat", body).await.denies(404);
    }
    let request = agent.request_outside(Method::POST, "/v1/chat").body("{");
    agent.answer(request).await.unwrap().denies(400);
    let request = agent.request_outside(Method::POST, "/v1/chat");
    let request = request.header("content-type", "text/plain").body("x");
    agent.answer(request).await.unwrap().denies(415);
    put(
        &server.client,
        &format!("/bots/{bot}"),
        json!({ "is_active": false }),
    )
    .await;
    let refused = agent_post(&agent, "/chat", json!({ "message": "x" })).await;
    assert!(text(refused.denies(403), "message").starts_with("Bot is inactive"));
    let none = agent_get(&agent, "/conversations").await;
    assert_eq!(none.grants()["meta"]["total"], 0);
}

async fn a_turn_is_whole_for_who_hung_up(server: &TestServer) {
    let (_, agent) = knowing(server).await;
    let first = chat(&agent, json!({ "message": ASK_HOURS })).await;
    let id = text(&first[0].data, "messageId");
    // A client that hung up at once finds the turn whole.
    let body = json!({ "message": ASK_HOURS });
    let request = agent.request_outside(Method::POST, "/v1/chat").json(&body);
    let response = request.send().await.unwrap();
    drop(response);
    let again = events(&come_back(&agent, &format!("{id}.0"), body).await);
    assert_eq!(names(&again).last(), Some(&"completed"));
    crate::support::eventually(
        std::time::Duration::from_secs(5),
        "both are stored",
        async || {
            let listed = get(&server.client, "/tenant/usage").await;
            listed.gives(200)["usage"]["message_count"] == 4
        },
    )
    .await;
}

async fn an_answer_that_nobody_makes_is_made(server: &TestServer) {
    let (bot, agent) = knowing(server).await;
    let app = server.app();
    let id = || app.ids.uuid();
    // As a process leaves it that died ten minutes ago.
    let left = Incoming {
        session_id: "left".into(),
        bot_id: BotId::parse(&bot),
        channel: None,
        end_user: EndUserDetails::default(),
        contact: None,
        text: ASK_HOURS.into(),
        message_id: id().into(),
        new_ids: NewConversationIds {
            conversation: id().into(),
            end_user: id().into(),
            welcome: id().into(),
        },
        history: 0,
        limits: app.plans.limits(Plan::Enterprise),
        at: app.clock.now() - std::time::Duration::from_secs(600),
    };
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    app.conversations.receive(tenant, &left).await.unwrap();
    let body = json!({ "message": ASK_HOURS, "conversationId": left.new_ids.conversation });
    let last = format!("{}.5", left.message_id);
    let made = events(&come_back(&agent, &last, body.clone()).await);
    assert_eq!(
        names(&made),
        [
            "action_started",
            "chunk",
            "tool_call",
            "chunk",
            "action_completed",
            "completed"
        ]
    );
    assert_eq!(made[1].data, json!({ "text": "", "restart": true }));
    let answer = text(&made.last().unwrap().data, "message");
    assert_eq!(told(&made), answer);
    assert!(answer.contains("9 AM to 6 PM"));
    let again = events(&come_back(&agent, &format!("{}.0", left.message_id), body).await);
    assert_eq!(again.last().unwrap().data, made.last().unwrap().data);
    assert_eq!(messages(&server.client, "left").await.len(), 2);
}

/// The visitor's message is kept, and who comes back has it answered.
async fn a_turn_that_fails_ends_with_an_error(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(500));
    let server = alone(builder, &provider).start().await;
    let (_, agent) = knowing(&server).await;
    let body = json!({ "message": ASK_HOURS });
    let failed = chat(&agent, body.clone()).await;
    assert_eq!(names(&failed), ["action_started", "tool_call", "error"]);
    let error = failed.last().unwrap();
    assert_eq!(keys(&error.data), ["error", "message", "statusCode"]);
    assert_eq!(error.data["statusCode"], 502);
    let said = text(&error.data, "message");
    assert!(said.starts_with("AI provider failed"), "{said}");
    assert!(
        !said.contains("127.0.0.1") && !said.contains("500"),
        "{said}"
    );
    let talk = text(&failed[0].data, "conversationId").to_owned();
    let path = format!("/conversations/{talk}/messages");
    let kept = agent_get(&agent, &path).await;
    let kept = kept.grants()["data"].as_array().unwrap().clone();
    assert_eq!(column(&kept, "content"), [ASK_HOURS]);

    provider.always(Behaviour::answer("We open at nine."));
    let body = json!({ "message": ASK_HOURS, "conversationId": talk });
    let again = events(&come_back(&agent, &error.id, body).await);
    assert_eq!(
        text(&again.last().unwrap().data, "message"),
        "We open at nine."
    );
    let stored = agent_get(&agent, &path).await;
    assert_eq!(stored.grants()["data"].as_array().unwrap().len(), 2);
    server.stop().await;
}

/// However long a model thinks, proxies on the way hear something every fifteen seconds.
async fn a_stream_that_waits_shows_that_it_lives(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Slow {
        text: "Nine.".to_owned(),
        pause: Duration::from_secs(16),
    });
    let server = alone(builder, &provider).start().await;
    let (_, agent) = knowing(&server).await;
    let answer = agent_post(&agent, "/chat", json!({ "message": ASK_HOURS })).await;
    assert!(
        answer.text.contains("\n\n: still here\n\n"),
        "{}",
        answer.text
    );
    let told = events(&answer);
    assert_eq!(text(&told.last().unwrap().data, "message"), "Nine.");
    server.stop().await;
}
