//! The Platform API, beside the Tenant API under the same prefix.

use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{
    ASK_HOURS, HOURS, Told, bot_that_knows, delete, get, make_bot, on_both, patch, say, text, usage,
};

on_both!(
    a_bot_is_changed_by_patch,
    conversations_go_by_their_id_as_well,
    a_bots_conversations_are_listed,
    a_deleted_conversation_leaves_the_figures_and_not_the_usage,
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
