//! Integrations: bots that answer by their owners' models.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::fakes::website::{FakeWebsite, Reply};
use testkit::{Builder, Client, TestServer};

use crate::support::{
    ASK_HOURS, Denied, HOURS, Told, agent, agent_get, bot_that_knows, delete, eventually, get,
    make_bot, patch, post, say, started_on_both, text,
};

started_on_both!(
    an_integration_is_made_shown_changed_and_deleted,
    a_bot_answers_by_its_own_integration,
    a_failing_integration_is_passed_over,
    an_ollama_answers,
    what_cannot_be_used_is_refused,
    a_key_goes_to_no_other_address,
    an_owners_endpoint_answers_itself,
    a_gated_bot_takes_a_model_only_if_its_evaluation_holds,
);

/// A server whose integrations may be on this machine.
async fn start(builder: Builder) -> TestServer {
    let builder = builder.setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8");
    builder.start().await
}

const KEY: &str = "sk-very-secret";

async fn connect(client: &Client, bot: &str, body: Value) -> Value {
    let made = post(client, &format!("/bots/{bot}/integrations"), body).await;
    made.gives(201).clone()
}

fn to(provider: &FakeOpenAi) -> Value {
    json!({ "name": "Ours", "kind": "openai", "base_url": provider.base_url(), "model": "small", "api_key": KEY })
}

async fn an_integration_is_made_shown_changed_and_deleted(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let provider = FakeOpenAi::start().await;
    let bot = bot_that_knows(client, HOURS).await;
    let made = connect(client, &bot, to(&provider)).await;
    assert_eq!(
        (&made["status"], &made["has_api_key"], &made["kind"]),
        (&json!("active"), &json!(true), &json!("openai"))
    );
    let path = format!("/integrations/{}", text(&made, "id"));
    assert_eq!(get(client, &path).await.gives(200), &made);
    let listed = get(client, &format!("/bots/{bot}/integrations")).await;
    assert_eq!(listed.lists(), std::slice::from_ref(&made));
    let beyond = get(
        client,
        &format!("/bots/{bot}/integrations?page=2&per_page=1"),
    )
    .await;
    assert!(beyond.lists().is_empty());
    assert_eq!(beyond.body["pagination"]["total"], 1);
    let tested = post(client, &format!("{path}/test"), json!({})).await;
    assert_eq!(tested.gives(200)["ok"], true, "{:?}", tested.body);
    let changed = patch(
        client,
        &path,
        json!({ "name": "Renamed", "enabled": false }),
    )
    .await;
    let changed = changed.gives(200).clone();
    assert_eq!(
        (
            &changed["name"],
            &changed["status"],
            &changed["has_api_key"]
        ),
        (&json!("Renamed"), &json!("disabled"), &json!(true))
    );
    for answer in [get(client, &path).await, listed, tested] {
        assert!(!answer.body.to_string().contains(KEY));
    }
    let deleted = delete(client, &path).await;
    assert_eq!(deleted.body["success"], true);
    for answer in [get(client, &path).await, delete(client, &path).await] {
        answer.refuses(404, "Integration not found");
    }
}

async fn a_bot_answers_by_its_own_integration(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::answer("Ours answers."));
    let bot = bot_that_knows(client, HOURS).await;
    let made = connect(client, &bot, to(&provider)).await;
    let turn = say(client, "s", ASK_HOURS).await;
    let answer = &turn["bot_response"];
    assert_eq!(answer["message"], "Ours answers.");
    assert_eq!(answer["metadata"]["provider"], "openai");
    let requests = provider.requests();
    assert_eq!(
        requests[0].header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
    assert!(
        requests[0].body.to_string().contains("9 AM to 6 PM"),
        "it is told what the bot knows"
    );
    let path = format!("/integrations/{}", text(&made, "id"));
    patch(client, &path, json!({ "enabled": false }))
        .await
        .gives(200);
    let turn = say(client, "s", ASK_HOURS).await;
    assert_eq!(turn["bot_response"]["metadata"]["provider"], "extractive");
}

async fn a_failing_integration_is_passed_over(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::status(401));
    let site = FakeWebsite::start().await;
    site.put("/hook", Reply::text("Thanks"));
    let hook = json!({ "url": site.url("/hook"), "events": ["integration.failed"] });
    post(client, "/webhooks", hook).await.gives(201);
    let bot = bot_that_knows(client, HOURS).await;
    let made = connect(client, &bot, to(&provider)).await;
    let path = format!("/integrations/{}", text(&made, "id"));
    for failures in 1..=4 {
        let turn = say(client, "s", ASK_HOURS).await;
        let answer = &turn["bot_response"];
        assert!(text(answer, "message").contains("9 AM"), "others answer");
        let metadata = &answer["metadata"];
        let is_asked = failures < 4;
        assert_eq!(metadata["fallback"], is_asked, "{failures}: {metadata}");
        let now = get(client, &path).await.gives(200).clone();
        let status = if failures < 3 { "active" } else { "failed" };
        assert_eq!(now["status"], status, "{failures}");
        assert!(text(&now, "error").contains("401"), "{now}");
    }
    assert_eq!(provider.requests().len(), 3, "then it is left alone");
    eventually(Duration::from_secs(10), "its owner is told", async || {
        !site.requests().is_empty()
    })
    .await;
    let [told] = &site.requests()[..] else {
        panic!("once")
    };
    let told: Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(told["type"], "integration.failed");
    assert_eq!(told["data"]["integration"]["id"], made["id"]);
    let tested = post(client, &format!("{path}/test"), json!({})).await;
    assert_eq!(tested.gives(200)["ok"], false);
    provider.always(Behaviour::answer("Back."));
    let tested = post(client, &format!("{path}/test"), json!({})).await;
    assert_eq!(tested.gives(200)["answer"], "Back.");
    assert_eq!(get(client, &path).await.gives(200)["status"], "active");
    let turn = say(client, "s", ASK_HOURS).await;
    assert_eq!(turn["bot_response"]["message"], "Back.");
}

async fn an_ollama_answers(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let provider = FakeOpenAi::start().await;
    let bot = make_bot(client, json!({ "name": "Ada" })).await;
    let bot = text(&bot, "id");
    let agent = agent(&server, bot).await;
    let shown = agent_get(&agent, "/agent").await;
    assert_eq!(shown.grants()["model"], "extractive");
    // Its owners know its address without the path of OpenAI's dialect.
    let address = provider.base_url().trim_end_matches("/v1").to_owned();
    let body =
        json!({ "name": "Ours", "kind": "ollama", "base_url": address, "model": "llama3.2" });
    connect(client, bot, body).await;
    let shown = agent_get(&agent, "/agent").await;
    assert_eq!(shown.grants()["model"], "llama3.2");
    provider.next(Behaviour::answer("From Ollama."));
    let message = json!({ "message": "Hello?", "bot_id": bot });
    let turn = post(client, "/conversations/session/messages", message).await;
    assert_eq!(turn.gives(200)["bot_response"]["message"], "From Ollama.");
}

async fn what_cannot_be_used_is_refused(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let path = format!("/bots/{bot}/integrations");
    for (body, error) in [
        (json!({ "kind": "openai" }), "Missing required field: name"),
        (json!({ "name": "x" }), "Missing required field: kind"),
        (
            json!({ "name": "x", "kind": "oracle" }),
            "Invalid field: kind",
        ),
        (
            json!({ "name": "x", "kind": "ollama", "model": "m" }),
            "Missing required field: base_url",
        ),
        (
            json!({ "name": "x", "kind": "ollama", "base_url": "https://o.example" }),
            "Missing required field: model",
        ),
        (
            json!({ "name": "x", "kind": "webhook" }),
            "Missing required field: base_url",
        ),
        (
            json!({ "name": "x", "kind": "openai" }),
            "Invalid field: api_key",
        ),
        (
            json!({ "name": "x", "kind": "openai", "api_key": "a b" }),
            "Invalid field: api_key",
        ),
        (
            json!({ "name": "x", "kind": "webhook", "base_url": "https://o.example/answer" }),
            "Missing required field: api_key",
        ),
        (
            json!({ "name": "x", "kind": "webhook", "base_url": "nowhere" }),
            "Invalid field: base_url",
        ),
        (
            json!({ "name": "x", "kind": "webhook", "base_url": "file:///etc/passwd" }),
            "Invalid field: base_url",
        ),
        (
            json!({ "name": "x", "kind": "webhook", "base_url": "http://169.254.169.254/" }),
            "Invalid field: base_url",
        ),
        (
            json!({ "name": "x", "kind": "ollama", "model": "m", "base_url": "http://10.0.0.1:11434" }),
            "Invalid field: base_url",
        ),
    ] {
        post(client, &path, body).await.refuses(422, error);
    }
    let none = get(client, &path).await;
    assert!(none.lists().is_empty());
    post(
        client,
        "/bots/none/integrations",
        json!({ "name": "x", "kind": "webhook" }),
    )
    .await
    .refuses(404, "Bot not found");
}

async fn a_key_goes_to_no_other_address(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let (ours, theirs) = (FakeOpenAi::start().await, FakeOpenAi::start().await);
    let bot = bot_that_knows(client, HOURS).await;
    let made = connect(client, &bot, to(&ours)).await;
    let path = format!("/integrations/{}", text(&made, "id"));
    let moved = json!({ "base_url": theirs.base_url() });
    patch(client, &path, moved)
        .await
        .refuses(422, "Invalid field: api_key");
    let moved = json!({ "base_url": theirs.base_url(), "api_key": null });
    let now = patch(client, &path, moved).await;
    assert_eq!(now.gives(200)["has_api_key"], false);
    say(client, "s", ASK_HOURS).await;
    assert_eq!(theirs.requests()[0].header("authorization"), None);
}

async fn an_owners_endpoint_answers_itself(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let endpoint = FakeOpenAi::start().await;
    endpoint.next(Behaviour::Status {
        code: 200,
        headers: vec![("content-type".into(), "text/event-stream".into())],
        body: "data: {\"text\":\"From \"}\n\ndata: {\"text\":\"us.\"}\n\ndata: [DONE]\n\n".into(),
    });
    endpoint.next(Behaviour::Status {
        code: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: "{\"text\":\"As a whole.\"}".into(),
    });
    let bot = bot_that_knows(client, HOURS).await;
    let address = format!("{}/chat/completions", endpoint.base_url());
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let body = json!({ "name": "Ours", "kind": "webhook", "base_url": address, "api_key": secret });
    connect(client, &bot, body).await;
    for expected in ["From us.", "As a whole."] {
        let turn = say(client, "s", ASK_HOURS).await;
        assert_eq!(turn["bot_response"]["message"], expected);
        assert_eq!(turn["bot_response"]["metadata"]["provider"], "webhook");
    }
    let request = &endpoint.requests()[0];
    assert_eq!(request.body["type"], "answer.requested");
    let messages = request.body["messages"].as_array().unwrap();
    assert_eq!(messages.last().unwrap()["content"], ASK_HOURS);
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert!(request.header(name).is_some(), "{name}");
    }
    assert!(
        request
            .header("webhook-signature")
            .unwrap()
            .starts_with("v1,")
    );
}

async fn a_gated_bot_takes_a_model_only_if_its_evaluation_holds(builder: Builder) {
    let server = start(builder).await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let evaluations = format!("/bots/{bot}/evaluations");
    let newest = async || {
        let mut newest = Value::Null;
        eventually(Duration::from_secs(20), "it is decided", async || {
            newest = get(client, &evaluations).await.lists()[0].clone();
            newest["status"] == "done"
        })
        .await;
        newest
    };
    let cases = json!([{ "question": ASK_HOURS, "expected_phrases": ["9 AM to 6 PM"] }]);
    post(client, &evaluations, json!({ "cases": cases }))
        .await
        .gives(201);
    newest().await;
    let gate = json!({ "evaluation_gate": true });
    patch(client, &format!("/bots/{bot}"), gate)
        .await
        .gives(200);
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::answer("No idea."));
    let made = connect(client, &bot, to(&provider)).await;
    let decided = newest().await;
    assert_eq!(
        (&decided["change"], &decided["published"]),
        (&json!("enable_integration"), &json!(false))
    );
    let path = format!("/integrations/{}", text(&made, "id"));
    assert_eq!(get(client, &path).await.gives(200)["status"], "disabled");
    let turn = say(client, "s", ASK_HOURS).await;
    assert!(text(&turn["bot_response"], "message").contains("9 AM"));
    provider.always(Behaviour::answer("From 9 AM to 6 PM."));
    let again = patch(client, &path, json!({ "enabled": true })).await;
    assert_eq!(again.gives(200)["status"], "disabled", "it waits");
    assert_eq!(newest().await["published"], true);
    assert_eq!(get(client, &path).await.gives(200)["status"], "active");
    let turn = say(client, "s", ASK_HOURS).await;
    assert_eq!(turn["bot_response"]["message"], "From 9 AM to 6 PM.");
}
