//! `/knowledge/search`.

use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{HOURS, Told, keys, make_bot, on_both, post, text};

on_both!(
    search_shows_what_is_found,
    search_understands_what_was_said_before,
    search_checks_its_fields,
);

async fn search_shows_what_is_found(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let source = client.create_text(&bot, "Handbook", HOURS).await.unwrap();
    let other = text(&make_bot(client, json!({})).await, "id").to_owned();
    client
        .create_text(
            &other,
            "Elsewhere",
            "Our opening hours are none of your business.",
        )
        .await
        .unwrap();
    let answer = post(
        client,
        "/knowledge/search",
        json!({ "bot_id": bot, "query": "What are your opening hours?" }),
    )
    .await;
    let data = answer.gives(200);
    assert_eq!(keys(data), ["answerable", "results"]);
    let answerable = data["answerable"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&answerable));
    let results = data["results"].as_array().unwrap();
    let first = &results[0];
    let expected = [
        "chunk_id",
        "chunk_index",
        "content",
        "heading",
        "page",
        "score",
        "source_id",
        "source_name",
        "url",
    ];
    assert_eq!(keys(first), expected);
    assert_eq!(
        (&first["source_id"], &first["source_name"]),
        (&json!(source), &json!("Handbook"))
    );
    assert!(text(first, "content").contains("9 AM to 6 PM"));
    let scores: Vec<_> = results
        .iter()
        .map(|hit| hit["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "best first: {scores:?}");
    assert!(
        results.iter().all(|hit| hit["source_name"] == "Handbook"),
        "only the bot's own"
    );
    let unknown = post(
        client,
        "/knowledge/search",
        json!({ "bot_id": bot, "query": "How heavy is the moon?" }),
    )
    .await;
    assert!(unknown.gives(200)["answerable"].as_f64().unwrap() < answerable);
}

async fn search_understands_what_was_said_before(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    client.create_text(&bot, "Handbook", HOURS).await.unwrap();
    let history = json!([
        { "sender": "user", "message": "Can I return a product?" },
        { "sender": "bot", "message": "You can return any product within 30 days of the purchase for a full refund." },
    ]);
    let body =
        json!({ "bot_id": bot, "query": "And how long do I have for that?", "history": history });
    let answer = post(client, "/knowledge/search", body).await;
    let first = &answer.gives(200)["results"][0];
    assert!(text(first, "content").contains("30 days"), "{first}");
    for wrong in [
        json!([{ "sender": "robot", "message": "x" }]),
        json!([{ "message": "x" }]),
        json!("x"),
        json!([5]),
    ] {
        let body = json!({ "bot_id": bot, "query": "opening hours", "history": wrong });
        let answer = post(client, "/knowledge/search", body).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
}

async fn search_checks_its_fields(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let twelve: String = (0..60)
        .map(|n| format!("# Hours of shop {n}\n\nShop {n} has opening hours from {n} on.\n\n"))
        .collect();
    client.create_text(&bot, "Shops", &twelve).await.unwrap();
    let search = async |limit: Value| {
        post(
            client,
            "/knowledge/search",
            json!({ "bot_id": bot, "query": "opening hours", "limit": limit }),
        )
        .await
    };
    for (limit, most) in [
        (Value::Null, 10),
        (json!(1), 1),
        (json!(3), 3),
        (json!(50), 50),
    ] {
        let count = search(limit.clone()).await.gives(200)["results"]
            .as_array()
            .unwrap()
            .len();
        assert!((1..=most).contains(&count), "{limit}: {count}");
    }
    for limit in [json!(0), json!(51), json!(-1), json!("5"), json!(1.5)] {
        search(limit).await.refuses(400, "Invalid field: limit");
    }
    for (body, error) in [
        (json!({ "query": "x" }), "Missing required field: bot_id"),
        (json!({ "bot_id": bot }), "Missing required field: query"),
        (
            json!({ "bot_id": bot, "query": " " }),
            "Missing required field: query",
        ),
        (json!({ "bot_id": bot, "query": 5 }), "Invalid field: query"),
        (
            json!({ "bot_id": bot, "query": "a\0" }),
            "Invalid field: query",
        ),
        (
            json!({ "bot_id": bot, "query": "é".repeat(8_001) }),
            "Invalid field: query",
        ),
    ] {
        post(client, "/knowledge/search", body)
            .await
            .refuses(400, error);
    }
    post(
        client,
        "/knowledge/search",
        json!({ "bot_id": "nobodys", "query": "x" }),
    )
    .await
    .refuses(404, "Bot not found");
    post(
        client,
        "/knowledge/search",
        json!({ "bot_id": bot, "query": "é".repeat(8_000) }),
    )
    .await
    .gives(200);
}

/// Two servers, one on each engine, that know the same are asked the same: what is found, in which order and how sure,
/// does not depend on the engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ranking_is_the_same_on_both_engines() {
    let servers = [
        TestServer::start().await,
        TestServer::builder().postgres().start().await,
    ];
    let topics = [
        "refunds",
        "opening hours",
        "shipping",
        "repairs",
        "gift cards",
        "returns",
        "invoices",
        "parking",
    ];
    let mut bots = Vec::new();
    for server in &servers {
        let client = &server.client;
        let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
        for (number, topic) in topics.iter().enumerate() {
            let other = topics[(number + 3) % topics.len()];
            let sections = (0..5).map(|part| {
                format!(
                    "## {topic} {part}\n\nOn {topic} in case {part}: ask us within {} days. Not about {other}.\n\n",
                    number * 7 + part
                )
            });
            let content: String = sections.collect();
            client
                .create_text(&bot, &format!("On {topic}"), &content)
                .await
                .unwrap();
        }
        bots.push(bot);
    }
    for topic in topics {
        for query in [
            format!("What about {topic}?"),
            format!("How many days for {topic} in case 3"),
            format!("days case {topic} not"),
        ] {
            let mut found = Vec::new();
            for (server, bot) in servers.iter().zip(&bots) {
                let body = json!({ "bot_id": bot, "query": query, "limit": 50 });
                let answer = post(&server.client, "/knowledge/search", body).await;
                let data = answer.gives(200);
                let results = data["results"].as_array().unwrap();
                let seen = |hit: &Value| {
                    (
                        hit["source_name"].clone(),
                        hit["chunk_index"].clone(),
                        hit["score"].clone(),
                    )
                };
                let results: Vec<_> = results.iter().map(seen).collect();
                found.push((data["answerable"].clone(), results));
            }
            assert!(!found[0].1.is_empty(), "{query}");
            assert_eq!(found[0], found[1], "{query}");
        }
    }
    for server in servers {
        server.stop().await;
    }
}
