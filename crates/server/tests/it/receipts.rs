//! How an answer came to be: citations, receipts, and answering again.

use serde_json::json;
use testkit::TestServer;

use crate::support::{ASK_HOURS, HOURS, Told, bot_that_knows, get, keys, on_both, post, say, text};

on_both!(
    an_answer_shows_what_it_was_made_from,
    an_answer_has_a_receipt,
    what_answers_nothing_has_no_receipt,
);

async fn an_answer_shows_what_it_was_made_from(server: &TestServer) {
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    say(client, "session", ASK_HOURS).await;
    let shown = get(client, "/conversations/session").await;
    let messages = shown.gives(200)["messages"].as_array().unwrap().clone();
    assert!(messages[0].get("citations").is_none(), "{}", messages[0]);
    let cited = &messages[1]["citations"];
    assert_eq!(cited, &messages[1]["metadata"]["citations"]);
    assert_eq!(cited[0]["source_name"], "Handbook");
    say(client, "other", "What is the weather like on Mars?").await;
    let shown = get(client, "/conversations/other").await;
    assert_eq!(shown.gives(200)["messages"][1]["citations"], json!([]));
}

async fn an_answer_has_a_receipt(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let receipt = async |session: &str, question: &str| {
        let turn = say(client, session, question).await;
        let id = text(&turn["bot_response"], "id").to_owned();
        let receipt = get(client, &format!("/messages/{id}/receipt")).await;
        let receipt = receipt.gives(200).clone();
        assert_eq!(receipt["message_id"], id);
        assert_eq!(receipt["question"]["id"], turn["user_message"]["id"]);
        assert_eq!(receipt["answer"], turn["bot_response"]["message"]);
        receipt
    };
    let first = receipt("one", ASK_HOURS).await;
    assert_eq!(
        keys(&first),
        [
            "answer",
            "answerable",
            "bot_id",
            "citations",
            "created_at",
            "embedding_model",
            "failed_providers",
            "fallback",
            "grounded",
            "knowledge_version",
            "message_id",
            "model",
            "prompt_hash",
            "provider",
            "question",
            "session_id",
            "tokens",
            "took_ms",
        ]
    );
    assert_eq!(
        (&first["session_id"], &first["bot_id"]),
        (&json!("one"), &json!(bot))
    );
    assert_eq!(first["question"]["message"], ASK_HOURS);
    assert_eq!(first["provider"], "extractive");
    assert_eq!(first["grounded"], true);
    assert!(first["answerable"].as_f64().unwrap() >= 0.5);
    assert_eq!(
        keys(&first["citations"][0]),
        [
            "chunk_id",
            "chunk_index",
            "heading",
            "page",
            "score",
            "source_id",
            "source_name",
            "url"
        ]
    );
    let same = receipt("two", ASK_HOURS).await;
    assert_eq!(same["prompt_hash"], first["prompt_hash"]);
    assert_eq!(text(&first, "prompt_hash").len(), 64);
    let later = receipt("two", ASK_HOURS).await;
    assert_ne!(
        later["prompt_hash"], first["prompt_hash"],
        "it had a history"
    );
    let words = json!({ "bot_id": bot, "name": "News", "source_type": "text", "content": "Our opening hours on Sunday are short." });
    post(client, "/knowledge/sources", words).await.gives(201);
    let informed = receipt("three", ASK_HOURS).await;
    assert_ne!(
        informed["prompt_hash"], first["prompt_hash"],
        "it knew more"
    );
    assert!(informed["knowledge_version"].as_i64() > first["knowledge_version"].as_i64());
}

async fn what_answers_nothing_has_no_receipt(server: &TestServer) {
    let client = &server.client;
    bot_that_knows(client, HOURS).await;
    let turn = say(client, "session", ASK_HOURS).await;
    let visitors = text(&turn["user_message"], "id").to_owned();
    for id in [
        &*visitors,
        "0198c5d2-7d1e-7000-8000-000000000000",
        "none",
        "%00",
    ] {
        let none = get(client, &format!("/messages/{id}/receipt")).await;
        none.refuses(404, "Message not found");
    }
}
