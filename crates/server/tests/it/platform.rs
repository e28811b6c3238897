//! The Platform API, beside the Tenant API under the same prefix.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{
    ASK_HOURS, HOURS, Told, agent, bot_that_knows, delete, get, make_bot, on_both, patch, say,
    text, usage,
};

on_both!(
    a_bot_is_changed_by_patch,
    conversations_go_by_their_id_as_well,
    a_bots_conversations_are_listed,
    a_deleted_conversation_leaves_the_figures_and_not_the_usage,
    every_body_is_read_alike,
);

async fn a_bot_is_changed_by_patch(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let path = format!("/bots/{bot}");
    let changed = patch(client, &path, json!({ "name": "Ada" })).await;
    assert_eq!(changed.gives(200)["name"], "Ada");
    assert_eq!(get(client, &path).await.gives(200)["name"], "Ada");
    for (body, error) in [
        (json!({ "name": null }), "Missing required field: name"),
        (json!({ "language": "tlh" }), "Invalid field: language"),
        (json!({ "name": "x".repeat(201) }), "Invalid field: name"),
    ] {
        patch(client, &path, body).await.refuses(422, error);
    }
    let nowhere = "/bots/018f0000-0000-7000-8000-000000000000";
    patch(client, nowhere, json!({ "name": "Ada" }))
        .await
        .refuses(404, "Bot not found");
}

async fn conversations_go_by_their_id_as_well(server: &TestServer) {
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    for number in 0..3 {
        say(client, "first", &format!("{ASK_HOURS} {number}")).await;
    }
    let by_session = get(client, "/conversations/first").await;
    let by_session = by_session.gives(200).clone();
    let id = text(&by_session["session"], "id").to_owned();
    let by_id = get(client, &format!("/conversations/{id}")).await;
    assert_eq!(by_id.gives(200), &by_session);
    let page = get(
        client,
        &format!("/conversations/{id}/messages?page=2&per_page=2"),
    )
    .await;
    let all = by_session["messages"].as_array().unwrap();
    assert_eq!(page.lists(), &all[2..4]);
    assert_eq!(page.body["pagination"]["total"], all.len());
    let by_session = get(client, "/conversations/first/messages").await;
    assert_eq!(by_session.lists(), &all[..]);
    get(client, "/conversations/none/messages")
        .await
        .refuses(404, "Conversation not found");
    get(client, "/conversations/first/messages?per_page=101")
        .await
        .refuses(422, "Invalid field: per_page");
}

async fn a_bots_conversations_are_listed(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let other = text(&make_bot(client, json!({})).await, "id").to_owned();
    say(client, "one", "Hello").await;
    say(client, "two", "Hello").await;
    let path = format!("/bots/{bot}/conversations");
    let listed = get(client, &path).await;
    let names: Vec<_> = listed
        .lists()
        .iter()
        .map(|c| text(c, "session_id"))
        .collect();
    assert_eq!(names, ["two", "one"]);
    let ended = get(client, &format!("{path}?status=ended")).await;
    assert!(ended.lists().is_empty());
    let none = get(client, &format!("/bots/{other}/conversations?bot_id={bot}")).await;
    assert!(none.lists().is_empty(), "the bot of the path counts");
    get(client, "/bots/none/conversations")
        .await
        .refuses(404, "Bot not found");
}

async fn a_deleted_conversation_leaves_the_figures_and_not_the_usage(server: &TestServer) {
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    say(client, "gone", "Hello").await;
    say(client, "kept", "Hello").await;
    let used = usage(client).await;
    let deleted = delete(client, "/conversations/gone").await;
    assert_eq!(
        deleted.body,
        json!({ "success": true, "message": "Conversation deleted successfully" })
    );
    for path in ["/conversations/gone", "/conversations/gone/messages"] {
        get(client, path)
            .await
            .refuses(404, "Conversation not found");
    }
    delete(client, "/conversations/gone")
        .await
        .refuses(404, "Conversation not found");
    assert_eq!(usage(client).await, used);
    let figures = get(client, "/analytics/overview").await.gives(200).clone();
    assert_eq!(figures["total_conversations"], 1, "{figures}");
    assert_eq!(figures["total_messages"], 2);
    let again = say(client, "gone", "Hello").await;
    assert_ne!(again, Value::Null, "the name is free again");
}

/// Every operation that takes JSON refuses what is none, is too large, or does not fit, before it looks at anything else.
async fn every_body_is_read_alike(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let agent = agent(server, &bot).await;
    let request = client.request_outside(Method::GET, "/openapi.json");
    let document = client.answer(request).await.unwrap().body;
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            let dialect = operation["tags"][0].as_str().unwrap();
            let is_platforms = dialect.starts_with("Platform API");
            if content.is_null() || dialect.starts_with("Tenant API") {
                continue;
            }
            operations += 1;
            let schema = content["schema"]["$ref"].as_str().unwrap_or_default();
            let schema = document.pointer(schema.trim_start_matches('#'));
            let has_name = schema.is_some_and(|schema| schema["properties"]["name"].is_object());
            let client = if is_platforms { client } else { &agent };
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let send = async |kind: &str, body: String| {
                let request = client.request_outside(method.clone(), path);
                let request = request.header("content-type", kind);
                let answer = client.answer(request.body(body)).await.unwrap();
                (answer.status, answer.text)
            };
            let called = format!("{method} {path}");
            for broken in ["{", "[]", "1", ""] {
                let (status, told) = send("application/json", broken.into()).await;
                // Some bodies may be left out.
                let is_left_out = broken.is_empty() && status != 400;
                assert!(
                    status == 400 || is_left_out,
                    "{called} {broken}: {status} {told}"
                );
            }
            let (status, told) = send("text/plain", "{}".into()).await;
            assert_eq!(status, 415, "{called}: {told}");
            let large = format!("{{{}}}", " ".repeat(20_000_000));
            let (status, told) = send("application/json", large).await;
            assert_eq!(status, 413, "{called}: {told}");
            if is_platforms && has_name {
                let wrong = json!({ "name": { "a": 1 } }).to_string();
                let (status, told) = send("application/json", wrong).await;
                assert_eq!(status, 422, "{called}: {told}");
                assert!(told.contains("Invalid field: name"), "{called}: {told}");
            }
        }
    }
    assert!(operations >= 15, "{operations}");
}
