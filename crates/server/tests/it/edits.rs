//! Changing sources: `PUT /knowledge/sources/{id}`, enabling and disabling, curated questions and answers.

use serde_json::{Value, json};
use testkit::{Client, TestServer};

use crate::support::{
    ASK_HOURS, HOURS, Told, get, keys, make_bot, on_both, post, put, say, text, time,
};
use crate::uploads::upload;

on_both!(
    new_content_is_answered_from_at_once,
    only_the_fields_given_change,
    what_a_type_does_not_have_is_refused,
    a_disabled_source_is_not_answered_from,
    two_changes_of_different_fields_both_hold,
    chunks_stay_numbered_after_a_change,
    curated_answers_win_and_are_given_word_for_word,
    pairs_are_shown_and_replaced,
    pairs_are_checked,
);

async fn text_source(client: &Client, bot: &str, content: &str) -> String {
    let answer = post(
        client,
        "/knowledge/sources",
        json!({ "bot_id": bot, "name": "Handbook", "source_type": "text", "content": content }),
    )
    .await;
    text(answer.gives(201), "id").to_owned()
}

async fn bot(server: &TestServer) -> String {
    text(&make_bot(&server.client, json!({})).await, "id").to_owned()
}

async fn answer(client: &Client, session: &str, question: &str) -> String {
    text(
        &say(client, session, question).await["bot_response"],
        "message",
    )
    .to_owned()
}

fn path(id: &str) -> String {
    format!("/knowledge/sources/{id}")
}

async fn new_content_is_answered_from_at_once(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let id = text_source(client, &bot, HOURS).await;
    assert!(
        answer(client, "before", ASK_HOURS)
            .await
            .contains("9 AM to 6 PM")
    );
    let content = "# Opening hours\n\nOur opening hours are Tuesday to Sunday, 10 AM to 4 PM.";
    let changed = put(client, &path(&id), json!({ "content": content })).await;
    let source = &changed.gives(200)["source"];
    assert_eq!(source["status"], "ready");
    assert_eq!(source["size_bytes"], content.len());
    assert!(time(&source["updated_at"]) >= time(&source["created_at"]));
    let told = answer(client, "after", ASK_HOURS).await;
    assert!(
        told.contains("10 AM to 4 PM") && !told.contains("9 AM"),
        "{told}"
    );
    let whole = get(client, &path(&id)).await;
    assert_eq!(whole.gives(200)["source"]["content"], content);
    let listed = get(client, "/knowledge/sources").await;
    assert!(text(&listed.lists()[0], "content_preview").contains("Tuesday to Sunday"));
}

async fn only_the_fields_given_change(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let id = text_source(client, &bot, HOURS).await;
    let before = get(client, &path(&id)).await.gives(200).clone();
    let changed = put(
        client,
        &path(&id),
        json!({ "name": "House rules", "id": "x", "bot_id": "y" }),
    )
    .await;
    assert_eq!(changed.gives(200)["source"]["name"], "House rules");
    let after = get(client, &path(&id)).await.gives(200).clone();
    for field in [
        "id",
        "bot_id",
        "content",
        "status",
        "enabled",
        "chunk_count",
        "created_at",
    ] {
        assert_eq!(after["source"][field], before["source"][field], "{field}");
    }
    assert_eq!(after["chunks"], before["chunks"]);
    let brief = get(client, &format!("{}?include_content=false", path(&id))).await;
    assert_eq!(keys(brief.gives(200)), ["source"]);
    assert!(brief.gives(200)["source"].get("content").is_none());
    for (body, error) in [
        (json!({ "name": null }), "Missing required field: name"),
        (json!({ "name": " " }), "Missing required field: name"),
        (json!({ "content": "" }), "Missing required field: content"),
        (
            json!({ "enabled": null }),
            "Missing required field: enabled",
        ),
    ] {
        put(client, &path(&id), body).await.refuses(400, error);
    }
    put(
        client,
        &path("0190a6d4-7e2c-7cc1-9fbb-000000000000"),
        json!({ "name": "x" }),
    )
    .await
    .refuses(404, "Knowledge source not found");
}

async fn what_a_type_does_not_have_is_refused(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let id = text_source(client, &bot, HOURS).await;
    for body in [
        json!({ "pairs": [{ "question": "a?", "answer": "b" }] }),
        json!({ "resync_hours": 5 }),
        json!({ "max_pages": 5 }),
        json!({ "content": "x".repeat(1_000_001) }),
        json!({ "name": "x".repeat(201) }),
        json!({ "name": "a\u{0}b" }),
        json!({ "enabled": "yes" }),
    ] {
        let refused = put(client, &path(&id), body).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    let refresh = post(client, &format!("{}/refresh", path(&id)), json!({})).await;
    assert_eq!(refresh.status, 400, "{}", refresh.text);
    let file = upload(client, &bot, "a.txt", "Words of a file.").await;
    let file = text(file.gives(201), "id").to_owned();
    let refused = put(client, &path(&file), json!({ "content": "Others." })).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
}

async fn a_disabled_source_is_not_answered_from(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let id = text_source(client, &bot, HOURS).await;
    let off = put(client, &path(&id), json!({ "enabled": false })).await;
    assert_eq!(off.gives(200)["source"]["enabled"], false);
    let told = answer(client, "off", ASK_HOURS).await;
    assert!(!told.contains("9 AM"), "{told}");
    let found = post(
        client,
        "/knowledge/search",
        json!({ "bot_id": bot, "query": ASK_HOURS }),
    )
    .await;
    assert_eq!(found.gives(200)["results"], json!([]));
    // Its owner still sees it whole.
    let whole = get(client, &path(&id)).await;
    assert_eq!(whole.gives(200)["source"]["content"], HOURS);
    assert_ne!(whole.gives(200)["chunks"], json!([]));
    assert_eq!(
        get(client, "/knowledge/sources").await.lists()[0]["enabled"],
        false
    );
    put(client, &path(&id), json!({ "enabled": true }))
        .await
        .gives(200);
    assert!(
        answer(client, "on", ASK_HOURS)
            .await
            .contains("9 AM to 6 PM")
    );
}

async fn two_changes_of_different_fields_both_hold(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let id = text_source(client, &bot, HOURS).await;
    for round in 0..5 {
        let (name, content) = (format!("Name {round}"), format!("Words of round {round}."));
        let path = path(&id);
        let (one, other) = tokio::join!(
            put(client, &path, json!({ "name": name })),
            put(client, &path, json!({ "content": content })),
        );
        one.gives(200);
        other.gives(200);
        let now = get(client, &path).await;
        let source = &now.gives(200)["source"];
        assert_eq!(
            (&source["name"], &source["content"]),
            (&json!(name), &json!(content))
        );
    }
}

async fn chunks_stay_numbered_after_a_change(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let paragraphs = |count: usize, word: &str| -> String {
        let paragraph = format!("This {word} is a sentence of a paragraph. ").repeat(12);
        format!("{paragraph}\n\n").repeat(count)
    };
    let id = text_source(client, &bot, &paragraphs(1000, "first")).await;
    for (count, word) in [(3, "second"), (700, "third"), (1, "fourth")] {
        let content = paragraphs(count, word);
        put(client, &path(&id), json!({ "content": content }))
            .await
            .gives(200);
        let whole = get(client, &path(&id)).await.gives(200).clone();
        let chunks = whole["chunks"].as_array().unwrap();
        assert_eq!(whole["source"]["chunk_count"], chunks.len());
        for (index, chunk) in chunks.iter().enumerate() {
            assert_eq!(chunk["chunk_index"], index);
            assert!(text(chunk, "content").contains(word));
        }
        let query = json!({ "bot_id": bot, "query": "a sentence of a paragraph", "limit": 50 });
        let found = post(client, "/knowledge/search", query).await;
        for hit in found.gives(200)["results"].as_array().unwrap() {
            assert!(text(hit, "content").contains(word), "{hit}");
        }
    }
}

async fn make_pairs(client: &Client, bot: &str, pairs: Value) -> testkit::Answer {
    let body = json!({ "bot_id": bot, "name": "Curated", "source_type": "qa", "pairs": pairs });
    post(client, "/knowledge/sources", body).await
}

async fn curated_answers_win_and_are_given_word_for_word(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    text_source(client, &bot, HOURS).await;
    let curated = "We are open every day but Monday. On holidays, call us first: 555-0134.";
    let pairs = json!([
        { "question": "What are your opening hours?", "answer": curated },
        { "question": "Do you repair bicycles?", "answer": "Yes, in our own workshop." },
    ]);
    let made = make_pairs(client, &bot, pairs).await;
    let made = made.gives(201);
    assert_eq!(
        (&made["source_type"], &made["status"]),
        (&json!("qa"), &json!("ready"))
    );
    assert_eq!(answer(client, "one", ASK_HOURS).await, curated);
    assert_eq!(
        answer(client, "two", "your opening hours, please?").await,
        curated
    );
    // What the pairs do not answer is answered as before.
    let returns = answer(client, "three", "Can I return a product?").await;
    assert!(returns.contains("30 days"), "{returns}");
}

async fn pairs_are_shown_and_replaced(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let pairs = json!([
        { "question": "Where?", "answer": "Here.\n\nA: not a new answer" },
        { "question": "Q: When?\nA: x", "answer": "Now." },
    ]);
    let made = make_pairs(client, &bot, pairs.clone()).await;
    let id = text(made.gives(201), "id").to_owned();
    let whole = get(client, &path(&id)).await.gives(200).clone();
    assert_eq!(whole["source"]["pairs"], pairs);
    assert_eq!(whole["chunks"].as_array().unwrap().len(), 2);
    let listed = get(client, "/knowledge/sources?source_type=qa").await;
    assert_eq!(listed.lists().len(), 1);
    let fewer = json!([{ "question": "Do you deliver?", "answer": "Yes, within a day." }]);
    put(client, &path(&id), json!({ "pairs": fewer }))
        .await
        .gives(200);
    assert_eq!(
        get(client, &path(&id)).await.gives(200)["source"]["pairs"],
        fewer
    );
    assert_eq!(
        answer(client, "s", "Do you deliver?").await,
        "Yes, within a day."
    );
}

async fn pairs_are_checked(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let many: Vec<_> = (0..1001)
        .map(|n| json!({ "question": format!("q{n}"), "answer": "a" }))
        .collect();
    for (pairs, named) in [
        (json!([]), "pairs"),
        (json!(many), "pairs"),
        (
            json!([{ "question": " ", "answer": "a" }]),
            "pairs[0].question",
        ),
        (
            json!([{ "question": "q", "answer": "a" }, { "question": "q", "answer": "" }]),
            "pairs[1].answer",
        ),
        (
            json!([{ "question": "q".repeat(1001), "answer": "a" }]),
            "pairs[0].question",
        ),
        (
            json!([{ "question": "q", "answer": "a\u{0}" }]),
            "pairs[0].answer",
        ),
        (json!([{ "question": "q" }]), "answer"),
        (json!("q"), "pairs"),
    ] {
        let refused = make_pairs(client, &bot, pairs).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert!(refused.text.contains(named), "{named}: {}", refused.text);
    }
    let body = json!({ "bot_id": bot, "name": "Curated", "source_type": "qa" });
    post(client, "/knowledge/sources", body)
        .await
        .refuses(400, "Missing required field: pairs");
}
