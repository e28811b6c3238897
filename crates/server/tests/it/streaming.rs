//! Answers as server-sent events.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{
    ASK_HOURS, HOURS, Told, bot_that_knows, get, keys, make_bot, messages, on_both, text, usage,
};

on_both!(
    the_pieces_are_the_stored_answer,
    what_is_refused_is_an_ordinary_error,
    only_who_asks_for_a_stream_gets_one,
);

/// An event's name and data.
pub type Event = (String, Value);

/// Sends a message and reads the stream to its end.
pub async fn stream(server: &TestServer, session: &str, message: &str) -> Vec<Event> {
    let client = &server.client;
    let request = client.request(Method::POST, &format!("/conversations/{session}/messages"));
    let request = request
        .header("accept", "text/event-stream")
        .json(&json!({ "message": message }));
    let answer = client.answer(request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer
            .header("content-type")
            .starts_with("text/event-stream")
    );
    assert!(!answer.header("x-request-id").is_empty());
    read(&answer.text)
}

/// The events of a stream.
pub fn read(text: &str) -> Vec<Event> {
    let blocks = text
        .split("\n\n")
        .filter(|block| !block.is_empty() && !block.starts_with(':'));
    blocks
        .map(|block| {
            let (name, data) = block.split_once('\n').unwrap();
            let name = name.strip_prefix("event: ").unwrap();
            let data = data.strip_prefix("data: ").unwrap();
            (name.to_owned(), serde_json::from_str(data).unwrap())
        })
        .collect()
}

/// What a reader has on the screen at the end.
pub fn shown(events: &[Event]) -> String {
    let mut shown = String::new();
    for (name, data) in events {
        match name.as_str() {
            "chunk" => shown.push_str(text(data, "text")),
            "restart" => shown.clear(),
            _ => {}
        }
    }
    shown
}

async fn the_pieces_are_the_stored_answer(server: &TestServer) {
    bot_that_knows(&server.client, HOURS).await;
    for (session, question) in [
        ("known", ASK_HOURS),
        ("unknown", "How heavy is the moon?"),
        ("courtesy", "Hello!"),
    ] {
        let events = stream(server, session, question).await;
        let (first, last) = (events.first().unwrap(), events.last().unwrap());
        assert_eq!(
            (first.0.as_str(), &first.1["message"]),
            ("user_message", &json!(question))
        );
        assert_eq!(last.0, "completed");
        // The last event is the body of the answer without streaming.
        assert_eq!(keys(&last.1), ["data", "success"]);
        let turn = &last.1["data"];
        assert_eq!(keys(turn), ["bot_response", "user_message"]);
        assert_eq!(turn["user_message"]["id"], first.1["id"]);
        let middle = &events[1..events.len() - 1];
        assert!(
            !middle.is_empty() && middle.iter().all(|(name, _)| name == "chunk"),
            "{events:?}"
        );
        let answer = text(&turn["bot_response"], "message");
        assert_eq!(shown(&events), answer);
        let stored = messages(&server.client, session).await;
        assert_eq!(
            stored,
            [
                ("user".to_owned(), question.to_owned()),
                ("bot".to_owned(), answer.to_owned())
            ]
        );
    }
    assert_eq!(usage(&server.client).await, [1, 3, 6]);
}

async fn what_is_refused_is_an_ordinary_error(server: &TestServer) {
    let client = &server.client;
    let send = async |body: Value| {
        let request = client
            .request(Method::POST, "/conversations/s/messages")
            .header("accept", "text/event-stream");
        client.answer(request.json(&body)).await.unwrap()
    };
    send(json!({ "message": "What?" }))
        .await
        .refuses(404, "Bot not found");
    make_bot(client, json!({ "is_active": false })).await;
    send(json!({ "message": "What?" }))
        .await
        .refuses(403, "Bot is inactive");
    send(json!({}))
        .await
        .refuses(400, "Missing required field: message");
    get(client, "/conversations/s")
        .await
        .refuses(404, "Conversation not found");
}

async fn only_who_asks_for_a_stream_gets_one(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    for (accept, streamed) in [
        ("*/*", false),
        ("application/json", false),
        ("text/event-stream", true),
        ("Text/Event-Stream", true),
        ("text/event-stream, application/json;q=0.5", true),
    ] {
        let request = client
            .request(Method::POST, "/conversations/s/messages")
            .header("accept", accept);
        let answer = client
            .answer(request.json(&json!({ "message": "What?" })))
            .await
            .unwrap();
        assert_eq!(
            answer
                .header("content-type")
                .starts_with("text/event-stream"),
            streamed,
            "{accept}"
        );
    }
}
