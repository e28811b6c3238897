//! Session ids: any 1 to 128 characters but NUL, percent-encoded in the path.

use serde_json::json;
use testkit::{ClientError, TestServer};

use crate::raw;
use crate::support::{Told, column, get, make_bot, on_both, post, text};

on_both!(
    any_characters_make_a_session,
    dots_make_a_session_too,
    sessions_are_told_apart,
    too_long_or_with_nul_is_refused,
);

async fn any_characters_make_a_session(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    let longest = ["a".repeat(128), "😀".repeat(128), "é".repeat(128)];
    let odd = [
        "user@example.com",
        "a/b",
        "../../bots",
        "50%",
        "%2F",
        "a%20b",
        "a b",
        " ",
        "a+b",
        "a?b#c",
        "日本語",
        "e\u{301}",
        "\u{feff}",
        "\\",
        "\"'<>;--",
        "a\nb",
        "\u{1}\u{7f}",
        "end",
        "messages",
        "👩‍👩‍👧",
    ];
    for session in odd.into_iter().chain(longest.iter().map(String::as_str)) {
        let turn = client
            .send(session, "What?")
            .await
            .unwrap_or_else(|error| panic!("{session:?}: {error}"));
        let kept = client.conversation(session).await.unwrap();
        assert_eq!(kept.session.session_id, session);
        assert_eq!(kept.messages.len(), 2, "{session:?}");
        assert_eq!(kept.messages[0].id, turn.user_message.id);
        let ended = post(
            client,
            &format!("/conversations/{}/end", testkit::encode(session)),
            json!({}),
        )
        .await;
        assert_eq!(text(ended.gives(200), "session_id"), session);
    }
    let list = get(client, "/conversations?per_page=100").await;
    assert_eq!(list.lists().len(), odd.len() + longest.len());
}

/// Over bare TCP: clients take these for steps between folders.
async fn dots_make_a_session_too(server: &TestServer) {
    make_bot(&server.client, json!({})).await;
    for session in [".", "..", "%2E", "%2e%2E"] {
        let target = format!("/api/v1/conversations/{session}/messages");
        let body = br#"{"message": "What?"}"#;
        let length = format!("content-length: {}", body.len());
        let mut request = raw::head(server, "POST", &target, &[&length]);
        request.extend_from_slice(body);
        let answer = raw::exchange(server, &request).await;
        assert_eq!(answer.status, 200, "{session}: {}", answer.body);
    }
    let answer = get(&server.client, "/conversations").await;
    let mut sessions = column(answer.lists(), "session_id");
    sessions.sort_unstable();
    assert_eq!(sessions, [".", ".."]);
}

async fn sessions_are_told_apart(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    // Case, encoding and composition make different names; the encoding's own case does not.
    for session in ["a", "A", "é", "e\u{301}", "a/", "%61", " a", "a "] {
        client.send(session, "What?").await.unwrap();
    }
    assert_eq!(get(client, "/conversations").await.lists().len(), 8);
    for path in [
        "/conversations/a%2f/messages",
        "/conversations/a%2F/messages",
        "/conversations/%61%2F/messages",
    ] {
        post(client, path, json!({ "message": "What?" }))
            .await
            .gives(200);
    }
    assert_eq!(client.conversation("a/").await.unwrap().messages.len(), 8);
    assert_eq!(get(client, "/conversations").await.lists().len(), 8);
}

async fn too_long_or_with_nul_is_refused(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    for session in [
        "a".repeat(129),
        "😀".repeat(129),
        "a\0b".to_owned(),
        "\0".to_owned(),
    ] {
        for refused in [
            client.send(&session, "What?").await.map(drop),
            client.conversation(&session).await.map(drop),
        ] {
            let Err(ClientError::Refused { status, error, .. }) = refused else {
                panic!("{session:?}: {refused:?}")
            };
            assert_eq!((status, error.as_str()), (400, "Invalid field: session_id"));
        }
        let path = format!("/conversations/{}/end", testkit::encode(&session));
        post(client, &path, json!({}))
            .await
            .refuses(400, "Invalid field: session_id");
    }
    // Bytes that are no text are no name of anything.
    let answer = post(
        client,
        "/conversations/%ff%fe/messages",
        json!({ "message": "What?" }),
    )
    .await;
    assert!((400..500).contains(&answer.status), "{}", answer.text);
    assert!(get(client, "/conversations").await.lists().is_empty());
}
