//! Changing and deleting bots: `PUT` and `DELETE /bots/{bot_id}`.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::fakes::website::FakeWebsite;

use crate::support::{
    Told, delete, eventually, get, make_bot, messages, on_both, post, put, say, text, time, usage,
};

on_both!(
    only_given_fields_change,
    null_clears_what_is_optional,
    what_a_change_must_not_have_is_refused,
    changes_of_different_fields_at_once_both_hold,
    a_deleted_bot_is_gone_with_all_it_had,
    the_default_moves_to_the_oldest,
);

async fn only_given_fields_change(server: &TestServer) {
    let client = &server.client;
    let made = make_bot(
        client,
        json!({ "description": "D", "system_prompt": "Be brief." }),
    )
    .await;
    let path = format!("/bots/{}", text(&made, "id"));
    let before = get(client, &path).await.gives(200).clone();
    let change = json!({
        "name": "Updated Customer Support Bot",
        "welcome_message": "Hello! I'm your updated customer support assistant.",
        "is_active": false,
    });
    let answer = put(client, &path, change.clone()).await;
    let expected = json!({ "id": made["id"], "name": "Updated Customer Support Bot", "message": "Bot updated successfully" });
    assert_eq!(answer.gives(200), &expected);
    let mut after = get(client, &path).await.gives(200).clone();
    assert!(time(&after["updated_at"]) > time(&before["updated_at"]));
    let mut wanted = before.clone();
    wanted
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().unwrap().clone());
    after["updated_at"] = wanted["updated_at"].clone();
    assert_eq!(after, wanted);
    // Neither ids nor the channel, the default or times can be set.
    let fixed = json!({
        "id": "x", "tenant_id": "x", "channel_type": "sms", "is_default": false, "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z", "unknown": 1,
    });
    put(client, &path, fixed).await.gives(200);
    put(client, &path, json!({})).await.gives(200);
    let mut last = get(client, &path).await.gives(200).clone();
    assert!(time(&last["updated_at"]) >= time(&before["updated_at"]));
    last["updated_at"] = wanted["updated_at"].clone();
    assert_eq!(last, wanted);
    let change = json!({ "language": "fr", "personality": "expert", "bot_role": "sales", "description": "E", "system_prompt": "P" });
    put(client, &path, change.clone()).await.gives(200);
    let answer = get(client, &path).await;
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&answer.gives(200)[field], value);
    }
}

async fn null_clears_what_is_optional(server: &TestServer) {
    let client = &server.client;
    let full = json!({
        "description": "D", "welcome_message": "W", "system_prompt": "P", "personality": "expert", "bot_role": "sales",
    });
    let path = format!("/bots/{}", text(&make_bot(client, full).await, "id"));
    for field in [
        "description",
        "welcome_message",
        "personality",
        "bot_role",
        "system_prompt",
    ] {
        put(client, &path, json!({ field: null })).await.gives(200);
        let answer = get(client, &path).await;
        let now = &answer.gives(200)[field];
        if field == "system_prompt" {
            let composed = now.as_str().unwrap();
            assert!(composed.contains("Support"), "composed again: {composed}");
        } else {
            assert_eq!(now, &Value::Null, "{field}");
        }
    }
}

async fn what_a_change_must_not_have_is_refused(server: &TestServer) {
    let client = &server.client;
    let path = format!("/bots/{}", text(&make_bot(client, json!({})).await, "id"));
    let before = get(client, &path).await.gives(200).clone();
    for (change, error) in [
        (json!({ "name": null }), "Missing required field: name"),
        (json!({ "name": " " }), "Missing required field: name"),
        (
            json!({ "is_active": null }),
            "Missing required field: is_active",
        ),
        (
            json!({ "language": null }),
            "Missing required field: language",
        ),
        (json!({ "name": 5 }), "Invalid field: name"),
        (json!({ "is_active": "false" }), "Invalid field: is_active"),
        (json!({ "description": [] }), "Invalid field: description"),
        (
            json!({ "description": "taken?", "language": "xx" }),
            "Invalid field: language",
        ),
        (json!([]), "Invalid request body"),
    ] {
        put(client, &path, change).await.refuses(400, error);
    }
    let request = client.request(Method::PUT, &path).body("{\"name\"");
    client
        .answer(request)
        .await
        .unwrap()
        .refuses(400, "Invalid request body");
    assert_eq!(
        get(client, &path).await.gives(200),
        &before,
        "nothing was changed"
    );
}

async fn changes_of_different_fields_at_once_both_hold(server: &TestServer) {
    let client = &server.client;
    let path = format!("/bots/{}", text(&make_bot(client, json!({})).await, "id"));
    for round in 0..10 {
        let value = format!("round {round}");
        let (name, description, welcome) = tokio::join!(
            put(client, &path, json!({ "name": value })),
            put(client, &path, json!({ "description": value })),
            put(client, &path, json!({ "welcome_message": value })),
        );
        for answer in [name, description, welcome] {
            answer.gives(200);
        }
        let answer = get(client, &path).await;
        for field in ["name", "description", "welcome_message"] {
            assert_eq!(answer.gives(200)[field], value.as_str(), "{field}");
        }
    }
}

async fn a_deleted_bot_is_gone_with_all_it_had(server: &TestServer) {
    let client = &server.client;
    let bot = text(
        &make_bot(client, json!({ "name": "Customer 'Support' Bot" })).await,
        "id",
    )
    .to_owned();
    let source = client
        .create_text(&bot, "Hours", "We open at nine.")
        .await
        .unwrap();
    say(client, "s", "When do you open?").await;
    let answer = delete(client, &format!("/bots/{bot}")).await;
    let expected =
        json!({ "success": true, "message": "Bot 'Customer 'Support' Bot' deleted successfully" });
    assert_eq!((answer.status, &answer.body), (200, &expected));
    get(client, &format!("/bots/{bot}"))
        .await
        .refuses(404, "Bot not found");
    delete(client, &format!("/bots/{bot}"))
        .await
        .refuses(404, "Bot not found");
    get(client, "/conversations/s")
        .await
        .refuses(404, "Conversation not found");
    get(client, &format!("/knowledge/sources/{source}"))
        .await
        .refuses(404, "Knowledge source not found");
    for list in ["/bots", "/conversations", "/knowledge/sources"] {
        assert!(get(client, list).await.lists().is_empty(), "{list}");
    }
    assert_eq!(usage(client).await, [0, 1, 2], "what was used stays used");
    // The session's name is free again, for a conversation of its own.
    make_bot(client, json!({})).await;
    say(client, "s", "When do you open?").await;
    assert_eq!(messages(client, "s").await.len(), 2);
}

async fn the_default_moves_to_the_oldest(server: &TestServer) {
    let client = &server.client;
    let mut bots = Vec::new();
    for name in ["first", "second", "third"] {
        bots.push(text(&make_bot(client, json!({ "name": name })).await, "id").to_owned());
    }
    let default = async || {
        let answer = get(client, "/bots").await;
        let defaults: Vec<_> = answer
            .lists()
            .iter()
            .filter(|bot| bot["is_default"] == true)
            .cloned()
            .collect();
        assert!(defaults.len() <= 1);
        defaults.first().map(|bot| text(bot, "name").to_owned())
    };
    assert_eq!(default().await.as_deref(), Some("first"));
    delete(client, &format!("/bots/{}", bots[2])).await;
    assert_eq!(default().await.as_deref(), Some("first"));
    bots.push(text(&make_bot(client, json!({ "name": "fourth" })).await, "id").to_owned());
    delete(client, &format!("/bots/{}", bots[0])).await;
    assert_eq!(default().await.as_deref(), Some("second"));
    delete(client, &format!("/bots/{}", bots[1])).await;
    assert_eq!(default().await.as_deref(), Some("fourth"));
    delete(client, &format!("/bots/{}", bots[3])).await;
    assert_eq!(default().await, None);
    make_bot(client, json!({ "name": "fifth" })).await;
    assert_eq!(default().await.as_deref(), Some("fifth"));
}

/// Deleting a bot while its website is read leaves nothing of either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_deleted_while_a_website_is_read_leaves_nothing() {
    use testkit::fakes::website::{Delivery, Reply};

    let server = TestServer::builder()
        .setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8")
        .start()
        .await;
    let client = &server.client;
    let site = FakeWebsite::start().await;
    let page =
        Reply::html("<title>T</title><main><p>We open at nine every day of the week.</p></main>");
    site.put(
        "/",
        page.delivered(Delivery::Late(std::time::Duration::from_secs(1))),
    );
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let body = json!({ "bot_id": bot, "url": site.url("/") });
    let (answer, ()) = tokio::join!(post(client, "/knowledge/scrape", body), async {
        eventually(
            std::time::Duration::from_secs(10),
            "the page is asked for",
            async || site.paths().contains(&"/".to_owned()),
        )
        .await;
        delete(client, &format!("/bots/{bot}")).await;
    });
    answer.refuses(404, "Bot not found");
    assert!(get(client, "/knowledge/sources").await.lists().is_empty());
    server.stop().await;
}
