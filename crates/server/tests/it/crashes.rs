//! kill -9: what was acknowledged is kept, and what was begun is finished.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::program::Place;
use crate::support::{Told, eventually, get, make_bot, messages, say, text, usage};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_kept_sqlite() {
    what_was_acknowledged_is_kept(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_kept_postgres() {
    what_was_acknowledged_is_kept(Place::postgres().await).await;
}

async fn what_was_acknowledged_is_kept(place: Place) {
    let (_, key) = place.tenant("Ours");
    let (mut uploads, mut turns, mut bots) = (Vec::new(), Vec::new(), Vec::new());
    let large = "The quick brown fox jumps over the lazy dog. \n".repeat(50_000);
    // Not more often: a file that was begun this often counts as one that ends its reader.
    for round in 0..2 {
        let server = place.serve().await;
        let client = server.client(&key);
        bots.push(
            text(
                &make_bot(&client, json!({ "name": format!("{round}") })).await,
                "id",
            )
            .to_owned(),
        );
        for number in 0..4 {
            turns.push(say(&client, &format!("s{round}"), &format!("Message {number}?")).await);
        }
        for (name, words) in [
            ("large.txt", large.as_str()),
            ("small.md", "# Head\n\nSome words."),
            ("empty.txt", " "),
        ] {
            let answer = client
                .upload(&bots[0], name, words.as_bytes().to_vec())
                .await
                .unwrap();
            uploads.push(text(answer.gives(201), "id").to_owned());
        }
        // At once: the files are acknowledged, and hardly read.
        server.kill();
    }
    let server = place.serve().await;
    let client = server.client(&key);
    eventually(Duration::from_secs(30), "all files are read", async || {
        let list = get(&client, "/knowledge/sources?per_page=100").await;
        assert_eq!(list.lists().len(), uploads.len());
        list.lists()
            .iter()
            .all(|source| source["status"] != "processing")
    })
    .await;
    for (number, id) in uploads.iter().enumerate() {
        let source = client.source(id).await.unwrap().source;
        let expected = if number % 3 == 2 { "failed" } else { "ready" };
        assert_eq!(source["status"], expected, "{number}: {}", source["error"]);
    }
    for (round, bot) in bots.iter().enumerate() {
        get(&client, &format!("/bots/{bot}")).await.gives(200);
        let said = messages(&client, &format!("s{round}")).await;
        let expected: Vec<_> = turns[round * 4..round * 4 + 4]
            .iter()
            .flat_map(|turn| {
                [
                    text(&turn["user_message"], "message"),
                    text(&turn["bot_response"], "message"),
                ]
            })
            .collect();
        assert_eq!(
            said.iter()
                .map(|(_, message)| message.as_str())
                .collect::<Vec<_>>(),
            expected
        );
    }
    assert_eq!(usage(&client).await, [2, 2, 16]);
    server.stop().await;
}

/// A turn that died with its process is finished by the repeated request, and nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_keyed_request_is_done_once_also_across_a_kill() {
    let place = Place::new();
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    make_bot(&client, json!({})).await;
    let send = async |client: &testkit::Client| {
        let request = client
            .request(Method::POST, "/conversations/s/messages")
            .header("idempotency-key", "k");
        client
            .answer(request.json(&json!({ "message": "What?" })))
            .await
            .unwrap()
    };
    let first = send(&client).await;
    first.gives(200);
    server.kill();
    let server = place.serve().await;
    let client = server.client(&key);
    assert_eq!(send(&client).await.text, first.text);
    assert_eq!(messages(&client, "s").await.len(), 2);
    server.stop().await;
}
