//! `/conversations`: sending, reading, listing, ending.

use std::time::Duration;

use botwright::domain::plans::Plan;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{
    ASK_HOURS, HOURS, Told, assert_id, bot_that_knows, column, eventually, get, keys, make_bot,
    messages, on_both, post, say, text, time,
};

on_both!(
    a_turn_has_every_documented_field,
    a_conversation_has_every_documented_field,
    the_optional_fields_make_the_conversation,
    the_message_is_checked,
    lists_are_filtered_and_newest_first,
    a_conversation_is_ended_and_goes_on_with_a_message,
    silence_abandons_a_conversation: |builder| builder.setting("BOTWRIGHT_ABANDON_AFTER", "2"),
    what_is_nobodys_is_not_found,
);

const SESSION: [&str; 12] = [
    "bot_id",
    "bot_name",
    "channel",
    "created_at",
    "ended_at",
    "id",
    "session_id",
    "started_at",
    "status",
    "user_email",
    "user_identifier",
    "user_name",
];

async fn a_turn_has_every_documented_field(server: &TestServer) {
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    let turn = say(client, "session-123", ASK_HOURS).await;
    assert_eq!(keys(&turn), ["bot_response", "user_message"]);
    assert_eq!(keys(&turn["user_message"]), ["created_at", "id", "message"]);
    assert_eq!(
        keys(&turn["bot_response"]),
        ["created_at", "id", "message", "metadata"]
    );
    assert_eq!(turn["user_message"]["message"], ASK_HOURS);
    for message in [&turn["user_message"], &turn["bot_response"]] {
        assert_id(&message["id"]);
    }
    assert!(time(&turn["user_message"]["created_at"]) <= time(&turn["bot_response"]["created_at"]));
    let metadata = &turn["bot_response"]["metadata"];
    assert_eq!(
        (
            &metadata["provider"],
            &metadata["grounded"],
            &metadata["fallback"]
        ),
        (&json!("extractive"), &json!(true), &json!(false))
    );
    assert_eq!(metadata["citations"][0]["source_name"], "Handbook");
}

async fn a_conversation_has_every_documented_field(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(client, json!({ "name": "Customer Support Bot", "welcome_message": "Hi! How can I help you today?" })).await;
    let turn = say(client, "session-123", "I need a tractor").await;
    let answer = get(client, "/conversations/session-123").await;
    let data = answer.gives(200);
    assert_eq!(keys(data), ["messages", "session"]);
    let session = &data["session"];
    assert_eq!(keys(session), SESSION);
    assert_id(&session["id"]);
    assert_eq!(session["session_id"], "session-123");
    assert_eq!(
        (&session["bot_id"], &session["bot_name"]),
        (&bot["id"], &bot["name"])
    );
    assert_eq!(
        (&session["channel"], &session["status"]),
        (&json!("webchat"), &json!("active"))
    );
    for absent in ["user_identifier", "user_name", "user_email", "ended_at"] {
        assert_eq!(session[absent], Value::Null, "{absent}");
    }
    assert!(time(&session["started_at"]) <= time(&turn["user_message"]["created_at"]));
    time(&session["created_at"]);
    let messages = data["messages"].as_array().unwrap();
    assert_eq!(column(messages, "sender"), ["bot", "user", "bot"]);
    assert_eq!(messages[0]["message"], "Hi! How can I help you today?");
    for (kept, told) in [
        (&messages[1], &turn["user_message"]),
        (&messages[2], &turn["bot_response"]),
    ] {
        for field in ["id", "message", "created_at"] {
            assert_eq!(kept[field], told[field], "{field}");
        }
    }
    assert_eq!(
        keys(&messages[1]),
        ["created_at", "id", "message", "message_type", "sender"]
    );
    assert!(
        messages
            .iter()
            .all(|message| message["message_type"] == "text")
    );
    let times: Vec<_> = messages
        .iter()
        .map(|message| time(&message["created_at"]))
        .collect();
    assert!(times.is_sorted(), "oldest first");
}

async fn the_optional_fields_make_the_conversation(server: &TestServer) {
    let client = &server.client;
    let _default = make_bot(client, json!({ "name": "Default" })).await;
    let other = make_bot(
        client,
        json!({ "name": "Other", "channel_type": "telegram" }),
    )
    .await;
    let body = json!({
        "message": "What about tractors?", "bot_id": other["id"], "channel": "whatsapp", "user_identifier": "user@example.com",
        "user_name": "John Doe", "user_email": "user@example.com", "unknown": [],
    });
    post(client, "/conversations/s/messages", body)
        .await
        .gives(200);
    let answer = get(client, "/conversations/s").await;
    let session = &answer.gives(200)["session"];
    for (field, value) in [
        ("bot_id", text(&other, "id")),
        ("bot_name", "Other"),
        ("channel", "whatsapp"),
        ("user_identifier", "user@example.com"),
        ("user_name", "John Doe"),
        ("user_email", "user@example.com"),
    ] {
        assert_eq!(session[field], value, "{field}");
    }
    // Without them: the default bot, its channel, nobody known. Null counts as absent.
    let nulls = json!({ "message": "What?", "bot_id": null, "channel": null, "user_identifier": null, "user_name": null, "user_email": null });
    post(client, "/conversations/t/messages", nulls)
        .await
        .gives(200);
    let answer = get(client, "/conversations/t").await;
    let session = &answer.gives(200)["session"];
    assert_eq!(
        (&session["bot_name"], &session["channel"]),
        (&json!("Default"), &json!("webchat"))
    );
    // The bot's own channel, where only the bot is named.
    post(
        client,
        "/conversations/u/messages",
        json!({ "message": "What?", "bot_id": other["id"] }),
    )
    .await
    .gives(200);
    assert_eq!(
        get(client, "/conversations/u").await.gives(200)["session"]["channel"],
        "telegram"
    );
    for field in ["user_identifier", "user_name", "user_email"] {
        for value in [json!(5), json!("a\0b"), json!("x".repeat(321))] {
            let answer = post(
                client,
                "/conversations/v/messages",
                json!({ "message": "What?", field: value }),
            )
            .await;
            answer.refuses(400, &format!("Invalid field: {field}"));
        }
        post(
            client,
            "/conversations/w/messages",
            json!({ "message": "What?", field: "é".repeat(320) }),
        )
        .await
        .gives(200);
    }
    let answer = post(
        client,
        "/conversations/v/messages",
        json!({ "message": "What?", "channel": "fax" }),
    )
    .await;
    assert!(
        answer
            .refuses(400, "Invalid field: channel")
            .contains("whatsapp")
    );
    get(client, "/conversations/v")
        .await
        .refuses(404, "Conversation not found");
}

async fn the_message_is_checked(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    let send = async |body: Value| post(client, "/conversations/s/messages", body).await;
    for blank in [
        json!({}),
        json!({ "message": null }),
        json!({ "message": "" }),
        json!({ "message": " \n\t\u{a0}" }),
    ] {
        send(blank)
            .await
            .refuses(400, "Missing required field: message");
    }
    for wrong in [
        json!(5),
        json!(true),
        json!(["a"]),
        json!({ "text": "a" }),
        json!("a\0b"),
        json!("😀".repeat(8_001)),
    ] {
        send(json!({ "message": wrong }))
            .await
            .refuses(400, "Invalid field: message");
    }
    get(client, "/conversations/s")
        .await
        .refuses(404, "Conversation not found");
    for right in [
        "😀".repeat(8_000),
        "a".repeat(8_000),
        "  kept\r\nas it is \u{301} ".to_owned(),
    ] {
        let answer = send(json!({ "message": right })).await;
        assert_eq!(answer.gives(200)["user_message"]["message"], right);
        let said = messages(client, "s").await;
        assert_eq!(said[said.len() - 2].1, right);
    }
}

async fn lists_are_filtered_and_newest_first(server: &TestServer) {
    let client = &server.client;
    let (first, second) = (
        make_bot(client, json!({})).await,
        make_bot(client, json!({ "channel_type": "slack" })).await,
    );
    for (session, bot) in [("a", &first), ("b", &second), ("c", &first)] {
        post(
            client,
            &format!("/conversations/{session}/messages"),
            json!({ "message": "What?", "bot_id": bot["id"] }),
        )
        .await
        .gives(200);
    }
    post(client, "/conversations/a/end", json!({}))
        .await
        .gives(200);
    let (first, second) = (text(&first, "id"), text(&second, "id"));
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let theirs = text(&make_bot(&stranger, json!({})).await, "id").to_owned();
    for (query, sessions) in [
        (String::new(), vec!["c", "b", "a"]),
        ("per_page=2".into(), vec!["c", "b"]),
        ("per_page=2&page=2".into(), vec!["a"]),
        (format!("bot_id={first}"), vec!["c", "a"]),
        (format!("bot_id={second}&status=active"), vec!["b"]),
        ("status=active".into(), vec!["c", "b"]),
        ("status=ended".into(), vec!["a"]),
        ("status=abandoned".into(), vec![]),
        ("channel=slack".into(), vec!["b"]),
        ("channel=webchat&status=ended".into(), vec!["a"]),
        (format!("bot_id={theirs}"), vec![]),
        ("bot_id=nonsense".into(), vec![]),
        ("bot_id=018f0000-0000-7000-8000-000000000000".into(), vec![]),
    ] {
        let answer = get(client, &format!("/conversations?{query}")).await;
        assert_eq!(column(answer.lists(), "session_id"), sessions, "{query}");
        assert!(
            answer
                .lists()
                .iter()
                .all(|session| keys(session) == SESSION)
        );
    }
    get(client, "/conversations?status=asleep")
        .await
        .refuses(400, "Invalid field: status");
    get(client, "/conversations?channel=fax")
        .await
        .refuses(400, "Invalid field: channel");
}

async fn a_conversation_is_ended_and_goes_on_with_a_message(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    say(client, "s", "What?").await;
    let answer = post(client, "/conversations/s/end", json!({})).await;
    let ended = answer.gives(200);
    assert_eq!(
        (keys(ended), &ended["status"]),
        (SESSION.to_vec(), &json!("ended"))
    );
    assert!(time(&ended["ended_at"]) >= time(&ended["started_at"]));
    // Ending it again changes nothing, and no body is needed for it.
    let bare = client.request(reqwest::Method::POST, "/conversations/s/end");
    assert_eq!(client.answer(bare).await.unwrap().gives(200), ended);
    assert_eq!(
        &get(client, "/conversations/s").await.gives(200)["session"],
        ended
    );
    say(client, "s", "One more thing").await;
    let answer = get(client, "/conversations/s").await;
    let session = &answer.gives(200)["session"];
    assert_eq!(
        (&session["status"], &session["ended_at"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(session["id"], ended["id"], "it is the same conversation");
    assert_eq!(messages(client, "s").await.len(), 4);
}

async fn silence_abandons_a_conversation(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    for session in ["silent", "done"] {
        say(client, session, "What?").await;
    }
    post(client, "/conversations/done/end", json!({}))
        .await
        .gives(200);
    let status = async |session: &str| {
        get(client, &format!("/conversations/{session}"))
            .await
            .gives(200)["session"]
            .clone()
    };
    eventually(Duration::from_secs(20), "it is abandoned", async || {
        status("silent").await["status"] == "abandoned"
    })
    .await;
    time(&status("silent").await["ended_at"]);
    assert_eq!(
        status("done").await["status"],
        "ended",
        "what was ended stays so"
    );
    say(client, "silent", "I am back").await;
    let session = status("silent").await;
    assert_eq!(
        (&session["status"], &session["ended_at"]),
        (&json!("active"), &Value::Null)
    );
}

async fn what_is_nobodys_is_not_found(server: &TestServer) {
    let client = &server.client;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    make_bot(&stranger, json!({})).await;
    say(&stranger, "theirs", "What?").await;
    let mut bodies = Vec::new();
    for session in ["theirs", "nobodys", "018f0000-0000-7000-8000-000000000000"] {
        let path = format!("/conversations/{session}");
        for answer in [
            get(client, &path).await,
            post(client, &format!("{path}/end"), json!({})).await,
        ] {
            answer.refuses(404, "Conversation not found");
            bodies.push(answer.text);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        get(&stranger, "/conversations/theirs").await.gives(200)["session"]["status"],
        "active"
    );
}
