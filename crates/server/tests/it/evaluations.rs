//! Measuring a bot by questions whose answers are known.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Client, TestServer};

use crate::support::{
    ASK_HOURS, HOURS, Told, bot_that_knows, eventually, get, make_bot, on_both, post, put, text,
    usage,
};

on_both!(
    a_bot_is_measured_by_what_it_should_say,
    an_evaluation_is_compared_with_the_one_before,
    chunks_may_be_expected_instead_of_phrases,
    cases_that_cannot_be_put_are_refused,
    a_gate_needs_something_to_measure_by,
    a_worse_prompt_is_not_published,
    knowledge_is_published_only_if_the_evaluation_holds,
);

const MARS: &str = "What is the weather like on Mars?";

async fn begin(client: &Client, bot: &str, body: Value) -> String {
    let begun = post(client, &format!("/bots/{bot}/evaluations"), body).await;
    let begun = begun.gives(201);
    assert_eq!(begun["status"], "running");
    text(begun, "id").to_owned()
}

/// An evaluation once it has ended.
async fn ended(client: &Client, bot: &str, id: &str) -> Value {
    let path = format!("/bots/{bot}/evaluations/{id}");
    let mut found = Value::Null;
    eventually(Duration::from_secs(20), "it has ended", async || {
        found = get(client, &path).await.gives(200).clone();
        found["evaluation"]["status"] != "running"
    })
    .await;
    assert_eq!(found["evaluation"]["status"], "done", "{found}");
    found
}

fn cases() -> Value {
    json!({ "cases": [
        { "question": ASK_HOURS, "expected_phrases": ["9 am  to 6 PM"] },
        { "question": "Can I return a product?", "expected_phrases": ["within 14 days", "within 60 days"] },
        { "question": MARS, "should_not_answer": true },
    ] })
}

async fn a_bot_is_measured_by_what_it_should_say(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let before = usage(client).await;
    let id = begin(client, &bot, cases()).await;
    let found = ended(client, &bot, &id).await;
    assert_eq!(
        found["evaluation"]["score"],
        json!({
            "cases": 3, "right": 2, "answerable": 2, "hit_rate_at_1": 0.5, "hit_rate_at_5": 0.5,
            "mean_reciprocal_rank": 0.5, "answered_rightly": 0.5, "refused_wrongly": 0.0,
            "unanswerable": 1, "refused_rightly": 1.0,
        })
    );
    let results: Vec<_> = found["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| &case["result"])
        .collect();
    assert_eq!(
        (
            &results[0]["right"],
            &results[0]["rank"],
            &results[0]["answered"]
        ),
        (&json!(true), &json!(1), &json!(true))
    );
    assert!(text(results[0], "answer").contains("9 AM to 6 PM"));
    assert_eq!(
        (&results[1]["right"], &results[1]["rank"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        (&results[2]["right"], &results[2]["answered"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(found["difference"], Value::Null);
    assert_eq!(usage(client).await, before, "it counts for nothing");
    let list = get(client, &format!("/bots/{bot}/evaluations")).await;
    assert_eq!(list.lists()[0]["id"], id);
}

async fn an_evaluation_is_compared_with_the_one_before(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let first = begin(client, &bot, cases()).await;
    ended(client, &bot, &first).await;
    let sources = get(client, "/knowledge/sources").await;
    let source = text(&sources.lists()[0], "id").to_owned();
    let content = HOURS
        .replace("30 days", "60 days")
        .replace("9 AM to 6 PM", "noon to 6 PM");
    put(
        client,
        &format!("/knowledge/sources/{source}"),
        json!({ "content": content }),
    )
    .await
    .gives(200);
    // The same cases again.
    let second = begin(client, &bot, json!({})).await;
    let found = ended(client, &bot, &second).await;
    let difference = &found["difference"];
    assert_eq!(difference["before"]["right"], 2);
    assert_eq!(difference["worse"].as_array().unwrap().len(), 1);
    assert_eq!(difference["worse"][0]["question"], ASK_HOURS);
    assert!(text(&difference["worse"][0], "before").contains("9 AM"));
    assert!(text(&difference["worse"][0], "now").contains("noon"));
    assert_eq!(
        difference["better"][0]["question"],
        "Can I return a product?"
    );
}

async fn chunks_may_be_expected_instead_of_phrases(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let search = post(
        client,
        "/knowledge/search",
        json!({ "bot_id": bot, "query": ASK_HOURS }),
    )
    .await;
    let chunk = text(&search.gives(200)["results"][0], "chunk_id").to_owned();
    let cases = json!({ "cases": [
        { "question": ASK_HOURS, "expected_chunks": [chunk] },
        { "question": ASK_HOURS, "expected_chunks": ["018f0000-0000-7000-8000-000000000000"] },
    ] });
    let id = begin(client, &bot, cases).await;
    let found = ended(client, &bot, &id).await;
    assert_eq!(found["cases"][0]["result"]["right"], true);
    assert_eq!(found["cases"][1]["result"]["right"], false);
}

async fn cases_that_cannot_be_put_are_refused(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let path = format!("/bots/{bot}/evaluations");
    let refused = async |body: Value, error: &str| {
        post(client, &path, body)
            .await
            .refuses(400, error)
            .to_owned()
    };
    refused(json!({}), "Missing required field: cases").await;
    refused(json!({ "cases": [] }), "Invalid field: cases").await;
    for wrong in [
        json!({ "question": "Hi?" }),
        json!({ "question": " ", "should_not_answer": true }),
        json!({ "should_not_answer": true }),
        json!({ "question": "Hi?", "expected_phrases": [] }),
        json!({ "question": "Hi?", "expected_phrases": ["a"], "should_not_answer": true }),
        json!({ "question": "Hi?", "expected_chunks": ["nonsense"] }),
        json!({ "question": "a".repeat(8_001), "should_not_answer": true }),
    ] {
        let good = json!({ "question": "Hi?", "should_not_answer": true });
        let sentence = refused(json!({ "cases": [good, wrong] }), "Invalid field: cases[1]").await;
        assert!(sentence.contains("cases[1]"), "{sentence}");
    }
    let many: Vec<_> = (0..1_001)
        .map(|n| json!({ "question": format!("{n}?"), "should_not_answer": true }))
        .collect();
    refused(json!({ "cases": many }), "Invalid field: cases").await;
    let none = get(client, &path).await;
    assert!(none.lists().is_empty());
    get(
        client,
        &format!("{path}/018f0000-0000-7000-8000-000000000000"),
    )
    .await
    .refuses(404, "Evaluation not found");
}

/// A bot whose changes wait, after an evaluation, and its source.
async fn gated(client: &Client, cases: Value) -> (String, String) {
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let source = client.create_text(&bot, "Hours", HOURS).await.unwrap();
    let id = begin(client, &bot, cases).await;
    ended(client, &bot, &id).await;
    put(
        client,
        &format!("/bots/{bot}"),
        json!({ "evaluation_gate": true }),
    )
    .await
    .gives(200);
    (bot, source)
}

/// The newest evaluation of a bot, once it has ended.
async fn decided(client: &Client, bot: &str) -> Value {
    let newest = get(client, &format!("/bots/{bot}/evaluations")).await;
    let id = text(&newest.lists()[0], "id").to_owned();
    ended(client, bot, &id).await["evaluation"].clone()
}

async fn a_gate_needs_something_to_measure_by(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let path = format!("/bots/{bot}");
    let closed = json!({ "evaluation_gate": true });
    let refused = put(client, &path, closed.clone()).await;
    refused.refuses(400, "Invalid field: evaluation_gate");
    let id = begin(client, &bot, cases()).await;
    ended(client, &bot, &id).await;
    put(client, &path, closed).await.gives(200);
    let found = get(client, &path).await;
    assert_eq!(found.gives(200)["evaluation_gate"], true);
    put(client, &path, json!({ "evaluation_gate": null }))
        .await
        .refuses(400, "Missing required field: evaluation_gate");
}

async fn a_worse_prompt_is_not_published(server: &TestServer) {
    let client = &server.client;
    // Only by the stems of English are these the words of what was returned.
    let stems = json!({ "question": "Is returning possible?", "expected_phrases": ["30 days"] });
    let (bot, _) = gated(client, json!({ "cases": [stems] })).await;
    let path = format!("/bots/{bot}");
    let worse = json!({ "language": "fr", "name": "Renamed", "personality": "friendly" });
    let changed = put(client, &path, worse).await;
    let decides = text(changed.gives(200), "evaluation_id").to_owned();
    assert_eq!(changed.gives(200)["name"], "Renamed", "nothing to measure");
    let better = json!({ "system_prompt": "You are brief." });
    let changed = put(client, &path, better).await;
    let second = text(changed.gives(200), "evaluation_id").to_owned();
    let found = ended(client, &bot, &second).await;
    assert_eq!(found["evaluation"]["change"], "settings");
    assert_eq!(found["evaluation"]["published"], true);
    let found = ended(client, &bot, &decides).await["evaluation"].clone();
    let bot = get(client, &path).await.gives(200).clone();
    assert_eq!(bot["system_prompt"], "You are brief.");
    assert_eq!(found["score"]["right"], 0, "{found}");
    assert_eq!(found["published"], false);
    assert_eq!(
        (&bot["language"], &bot["personality"]),
        (&json!("en"), &Value::Null)
    );
    let same = put(client, &path, json!({ "system_prompt": "You are brief." })).await;
    assert_eq!(same.gives(200)["evaluation_id"], Value::Null);
}

async fn knowledge_is_published_only_if_the_evaluation_holds(server: &TestServer) {
    let client = &server.client;
    let (bot, source) = gated(client, cases()).await;
    let path = format!("/knowledge/sources/{source}");
    let says = async |wanted: &str| {
        let turn = crate::support::say(client, wanted, ASK_HOURS).await;
        text(&turn["bot_response"], "message").contains(wanted)
    };
    let worse = HOURS.replace("9 AM to 6 PM", "noon to 6 PM");
    put(client, &path, json!({ "content": worse }))
        .await
        .gives(200);
    let found = decided(client, &bot).await;
    assert_eq!(
        (&found["change"], &found["published"], &found["source_id"]),
        (&json!("publish_reading"), &json!(false), &json!(source))
    );
    let kept = get(client, &path).await.gives(200)["source"].clone();
    assert_eq!(kept["status"], "ready");
    assert!(text(&kept, "error").contains("1 rightly, and answers 2 so now"));
    assert!(says("9 AM").await);

    let better = HOURS.replace("30 days", "60 days");
    put(client, &path, json!({ "content": better }))
        .await
        .gives(200);
    assert_eq!(decided(client, &bot).await["published"], true);
    let kept = get(client, &path).await.gives(200)["source"].clone();
    assert!(text(&kept, "content").contains("60 days"));
    assert_eq!(kept["error"], Value::Null);

    let lie = "# Mars\n\nThe weather on Mars is sunny and warm.";
    let made = client.create_text(&bot, "Mars", lie).await.unwrap();
    let found = decided(client, &bot).await;
    assert_eq!(
        (&found["change"], &found["published"]),
        (&json!("enable_source"), &json!(false))
    );
    let made = format!("/knowledge/sources/{made}");
    assert_eq!(
        get(client, &made).await.gives(200)["source"]["enabled"],
        false
    );
    // Its owner is free to open the gate.
    put(
        client,
        &format!("/bots/{bot}"),
        json!({ "evaluation_gate": false }),
    )
    .await
    .gives(200);
    put(client, &made, json!({ "enabled": true }))
        .await
        .gives(200);
    assert_eq!(
        get(client, &made).await.gives(200)["source"]["enabled"],
        true
    );
}
