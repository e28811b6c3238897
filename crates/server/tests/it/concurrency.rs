//! Many at once, and clients that hang up.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::{Builder, TestServer};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::providers::with_provider;
use crate::raw;
use crate::support::{
    Told, column, eventually, get, make_bot, messages, on_both, post, started_on_both, text, time,
    usage,
};

on_both!(
    fifty_messages_at_once_land_in_one_order,
    twenty_first_messages_make_one_conversation,
    many_sessions_at_once_stay_apart,
);
started_on_both!(a_turn_is_stored_whole_when_its_client_hangs_up);

async fn send_at_once(
    server: &TestServer,
    count: usize,
    session: impl Fn(usize) -> String,
) -> Vec<Value> {
    let calls = (0..count).map(|number| {
        let (client, path) = (
            server.client.clone(),
            format!("/conversations/{}/messages", session(number)),
        );
        async move {
            post(
                &client,
                &path,
                json!({ "message": format!("Message {number}?") }),
            )
            .await
            .gives(200)
            .clone()
        }
    });
    calls.collect::<JoinSet<_>>().join_all().await
}

async fn fifty_messages_at_once_land_in_one_order(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    let turns = send_at_once(server, 50, |_| "s".to_owned()).await;
    let answer = get(client, "/conversations/s").await;
    let stored = answer.gives(200)["messages"].as_array().unwrap();
    assert_eq!(stored.len(), 100);
    let ids: HashSet<_> = column(stored, "id").into_iter().collect();
    let told: HashSet<_> = turns
        .iter()
        .flat_map(|turn| {
            [
                text(&turn["user_message"], "id"),
                text(&turn["bot_response"], "id"),
            ]
        })
        .collect();
    assert_eq!(ids, told, "each once, and no other");
    let place = |id: &str| {
        stored
            .iter()
            .position(|message| message["id"] == id)
            .unwrap()
    };
    for turn in &turns {
        assert!(
            place(text(&turn["user_message"], "id")) < place(text(&turn["bot_response"], "id")),
            "an answer comes after its message"
        );
    }
    let senders = column(stored, "sender");
    assert_eq!(
        senders.iter().filter(|sender| **sender == "user").count(),
        50
    );
    let times: Vec<_> = stored
        .iter()
        .map(|message| time(&message["created_at"]))
        .collect();
    assert!(times.is_sorted(), "the order is that of their times");
    assert_eq!(
        get(client, "/conversations/s").await.text,
        answer.text,
        "the order is one"
    );
    assert_eq!(usage(client).await, [1, 1, 100]);
}

async fn twenty_first_messages_make_one_conversation(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({ "welcome_message": "Welcome!" })).await;
    for session in ["a", "b", "c"] {
        send_at_once(server, 20, |_| session.to_owned()).await;
        let said = messages(client, session).await;
        assert_eq!(said.len(), 41);
        assert_eq!(said[0], ("bot".to_owned(), "Welcome!".to_owned()));
        assert_eq!(
            said.iter()
                .filter(|(_, message)| message == "Welcome!")
                .count(),
            1
        );
    }
    assert_eq!(get(client, "/conversations").await.lists().len(), 3);
    assert_eq!(usage(client).await, [1, 3, 123]);
}

async fn many_sessions_at_once_stay_apart(server: &TestServer) {
    make_bot(&server.client, json!({})).await;
    send_at_once(server, 60, |number| format!("s{}", number % 12)).await;
    for session in 0..12 {
        let said = messages(&server.client, &format!("s{session}")).await;
        let asked: HashSet<_> = said
            .iter()
            .filter(|(sender, _)| sender == "user")
            .map(|(_, message)| message.clone())
            .collect();
        let expected: HashSet<_> = (0..60)
            .filter(|number| number % 12 == session)
            .map(|number| format!("Message {number}?"))
            .collect();
        assert_eq!((said.len(), asked), (10, expected));
    }
}

/// Over bare TCP: the request is on its way to the provider when its client goes.
async fn a_turn_is_stored_whole_when_its_client_hangs_up(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let slow = Behaviour::Slow {
        text: "We open at nine every day.".to_owned(),
        pause: Duration::from_millis(100),
    };
    provider.always(slow);
    let server = with_provider(builder, &provider).start().await;
    let client = &server.client;
    make_bot(client, json!({})).await;
    for (number, accept) in ["accept: application/json", "accept: text/event-stream"]
        .into_iter()
        .enumerate()
    {
        let session = format!("s{number}");
        let body = br#"{"message": "When do you open?"}"#;
        let length = format!("content-length: {}", body.len());
        let target = format!("/api/v1/conversations/{session}/messages");
        let mut connection = raw::connect(&server).await;
        connection
            .write_all(&raw::head(&server, "POST", &target, &[&length, accept]))
            .await
            .unwrap();
        connection.write_all(body).await.unwrap();
        eventually(
            Duration::from_secs(10),
            "the provider is asked",
            async || provider.requests().len() > number,
        )
        .await;
        drop(connection);
        eventually(
            Duration::from_secs(10),
            "the turn is stored whole",
            async || messages(client, &session).await.len() == 2,
        )
        .await;
        assert_eq!(
            messages(client, &session).await[1],
            ("bot".to_owned(), "We open at nine every day.".to_owned())
        );
    }
    assert_eq!(usage(client).await, [1, 2, 4]);
    server.stop().await;
}
