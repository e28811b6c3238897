//! What visitors' messages say, from the messages to the figures and filters.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Client, TestServer};

use crate::program::Place;
use crate::support::{
    ASK_HOURS, Denied, HOURS, Told, agent, agent_get, agent_of, bot_that_knows, column, delete,
    eventually, get, make_bot, on_both, post, put, say, text,
};

on_both!(
    what_visitors_say_is_told_in_every_language,
    a_shop_learns_what_its_visitors_say,
    names_count_as_products_from_three_conversations_on,
    what_cannot_be_asked_is_refused,
);

const WITHIN: Duration = Duration::from_secs(30);

/// Waits until so many messages have been learned from; keys of bots may ask once a second.
async fn learned(agent: &Client, count: u64) -> Value {
    let mut told = Value::Null;
    eventually(WITHIN, &format!("{count} messages are read"), async || {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let answer = agent_get(agent, "/insights/sentiment").await;
        told = answer.grants().clone();
        let total = told["total"].as_u64().unwrap();
        assert!(total <= count, "{total} of {count}");
        total == count
    })
    .await;
    told
}

async fn listed(agent: &Client, path: &str) -> Vec<Value> {
    let answer = agent_get(agent, path).await;
    answer.grants()["data"].as_array().unwrap().clone()
}

async fn write(client: &Client, bot: &str, session: &str, message: &str) {
    let body = json!({ "message": message, "bot_id": bot });
    let answer = post(client, &format!("/conversations/{session}/messages"), body).await;
    answer.gives(200);
}

/// The sessions of conversations that the Agent API finds, newest first, by their numbers.
async fn found(agent: &Client, filter: &str) -> usize {
    listed(agent, &format!("/conversations?{filter}"))
        .await
        .len()
}

async fn what_visitors_say_is_told_in_every_language(server: &TestServer) {
    for (language, good, bad, intent) in [
        (
            "en",
            "I love it, this is excellent!",
            "This is terrible, I hate it.",
            ("Where is my order?", "order_status"),
        ),
        (
            "es",
            "¡Me encanta, es excelente!",
            "Es terrible, lo odio.",
            ("¿Dónde está mi pedido?", "order_status"),
        ),
        (
            "fr",
            "J'adore, c'est excellent !",
            "C'est horrible, je déteste.",
            ("Où est ma commande ?", "order_status"),
        ),
        (
            "de",
            "Ich liebe es, ausgezeichnet!",
            "Das ist schrecklich, ich hasse es.",
            ("Wo ist meine Bestellung?", "order_status"),
        ),
        (
            "it",
            "Lo adoro, è eccellente!",
            "È terribile, lo odio.",
            ("Dov'è il mio ordine?", "order_status"),
        ),
        (
            "pt",
            "Adoro, é excelente!",
            "É terrível, odeio isto.",
            ("Onde está o meu pedido?", "order_status"),
        ),
    ] {
        let bot = make_bot(&server.client, json!({ "language": language })).await;
        let bot = text(&bot, "id");
        let agent = agent(server, bot).await;
        write(&server.client, bot, &format!("{language}-good"), good).await;
        write(&server.client, bot, &format!("{language}-bad"), bad).await;
        write(&server.client, bot, &format!("{language}-asks"), intent.0).await;
        let told = learned(&agent, 3).await;
        assert_eq!(told["positive"]["count"], 1, "{language}: {told}");
        assert_eq!(told["negative"]["count"], 1, "{language}: {told}");
        assert_eq!(told["neutral"]["count"], 1, "{language}: {told}");
        assert!(told["positive"]["score"].as_f64().unwrap() > 0.25);
        assert!(told["negative"]["score"].as_f64().unwrap() < -0.25);
        let intents = listed(&agent, "/insights/intents").await;
        let wanted = intents.iter().find(|wanted| wanted["intent"] == intent.1);
        assert!(wanted.is_some(), "{language}: {intents:?}");
        let questions = listed(&agent, "/insights/questions").await;
        assert_eq!(column(&questions, "question"), [intent.0], "{language}");
    }
}

async fn a_shop_learns_what_its_visitors_say(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let agent = agent(server, &bot).await;
    let catalogue = json!({ "products": [
        { "id": "sku-1", "name": "Aurora Lamp", "aliases": ["night light"] },
        { "id": "sku-2", "name": "Comet Chair" },
    ] });
    let products = format!("/bots/{bot}/products");
    put(client, &products, catalogue).await.gives(200);
    let kept = get(client, &products).await;
    assert_eq!(kept.gives(200)[0]["aliases"], json!(["night light"]));
    assert_eq!(kept.gives(200)[1]["aliases"], json!([]));

    write(
        client,
        &bot,
        "s1",
        "I love the Aurora Lamp, it is wonderful!",
    )
    .await;
    write(
        client,
        &bot,
        "s2",
        "The night light is terrible and broken.",
    )
    .await;
    write(client, &bot, "s2", "Where is my order?").await;
    write(client, &bot, "s3", "hi, where is my order").await;
    write(client, &bot, "s4", ASK_HOURS).await;
    let told = learned(&agent, 5).await;
    assert_eq!(
        [
            &told["positive"]["count"],
            &told["negative"]["count"],
            &told["neutral"]["count"]
        ],
        [1, 1, 3]
    );

    let spoken = listed(&agent, "/insights/products").await;
    assert_eq!(spoken.len(), 1, "{spoken:?}");
    assert_eq!(
        (text(&spoken[0], "productId"), text(&spoken[0], "name")),
        ("sku-1", "Aurora Lamp")
    );
    assert_eq!(
        (&spoken[0]["frequency"], &spoken[0]["conversations"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&spoken[0]["positive"], &spoken[0]["negative"]),
        (&json!(1), &json!(1))
    );

    let asked = agent_get(&agent, "/insights/questions?limit=1").await;
    let asked = asked.grants();
    assert_eq!(
        asked["meta"],
        json!({ "page": 1, "limit": 1, "total": 2, "totalPages": 2 })
    );
    assert_eq!(
        asked["data"][0],
        json!({ "question": "Where is my order?", "count": 2, "answered": 0, "unanswered": 2 })
    );
    let asked = listed(&agent, "/insights/questions?limit=1&page=2").await;
    assert_eq!(
        asked[0],
        json!({ "question": ASK_HOURS, "count": 1, "answered": 1, "unanswered": 0 })
    );
    let intents = listed(&agent, "/insights/intents").await;
    assert!(intents.len() <= 3);
    assert_eq!(intents[0]["intent"], "order_status", "{intents:?}");
    let scores: Vec<_> = intents
        .iter()
        .map(|wanted| wanted["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|one, other| one >= other) && scores.iter().sum::<f64>() <= 1.001);

    assert_eq!(found(&agent, "sentiment=POSITIVE").await, 1);
    assert_eq!(found(&agent, "sentiment=NEGATIVE").await, 1);
    assert_eq!(found(&agent, "sentiment=NEUTRAL").await, 2);
    assert_eq!(found(&agent, "product=aurora%20lamp").await, 2);

    let talk = &listed(&agent, "/conversations?sentiment=NEGATIVE").await[0];
    let talk = agent_get(&agent, &format!("/conversations/{}", text(talk, "id"))).await;
    let said = talk.grants()["messages"].as_array().unwrap();
    let of_each = said
        .iter()
        .map(|message| [&message["sentiment"], &message["intent"]]);
    assert_eq!(
        json!(of_each.collect::<Vec<_>>()),
        json!([
            ["NEGATIVE", "complaint"],
            [null, null],
            ["NEUTRAL", "order_status"],
            [null, null]
        ])
    );

    // Other days have nothing.
    for path in ["sentiment", "intents", "products", "questions"] {
        let answer = agent_get(&agent, &format!("/insights/{path}?to=2020-01-01")).await;
        let told = answer.grants();
        assert!(
            told["total"] == 0 || told["data"] == json!([]),
            "{path}: {told}"
        );
    }

    let deleted = delete(client, "/conversations/s2").await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    let told = learned(&agent, 3).await;
    assert_eq!(told["negative"]["count"], 0);
    assert_eq!(
        listed(&agent, "/insights/products").await[0]["frequency"],
        1
    );
    let asked = listed(&agent, "/insights/questions").await;
    assert_eq!(
        column(&asked, "question"),
        ["hi, where is my order", ASK_HOURS]
    );

    // What was said before the catalogue came is read for it, and nothing else is counted again.
    let catalogue = json!({ "products": [{ "id": "order", "name": "Order" }] });
    put(client, &products, catalogue).await.gives(200);
    eventually(WITHIN, "the new catalogue's product is found", async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let spoken = listed(&agent, "/insights/products").await;
        column(&spoken, "productId") == ["order"]
    })
    .await;
    learned(&agent, 3).await;
    assert_eq!(listed(&agent, "/insights/questions").await, asked);
    assert_eq!(found(&agent, "product=order").await, 1);
    assert_eq!(found(&agent, "product=aurora%20lamp").await, 0);

    // Messages that come later join their group, and change their conversation.
    write(client, &bot, "s4", "Where is my order?").await;
    write(client, &bot, "s4", "This is awful, terrible service!").await;
    learned(&agent, 5).await;
    let asked = listed(&agent, "/insights/questions").await;
    assert_eq!(asked[0]["unanswered"], 2, "{asked:?}");
    assert_eq!(found(&agent, "sentiment=NEGATIVE").await, 1);
}

async fn names_count_as_products_from_three_conversations_on(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let agent = agent(server, &bot).await;
    for session in ["n1", "n2"] {
        write(client, &bot, session, "Is the Aurora Lamp good?").await;
    }
    learned(&agent, 2).await;
    assert!(listed(&agent, "/insights/products").await.is_empty());
    write(
        client,
        &bot,
        "n3",
        "I love the Aurora Lamps, they are great!",
    )
    .await;
    learned(&agent, 3).await;
    let spoken = listed(&agent, "/insights/products").await;
    assert_eq!(spoken.len(), 1, "{spoken:?}");
    assert_eq!(
        (&spoken[0]["productId"], &spoken[0]["frequency"]),
        (&Value::Null, &json!(3))
    );
    assert_eq!(spoken[0]["sentiment"], "POSITIVE");
}

async fn what_cannot_be_asked_is_refused(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let agent = agent(server, &bot).await;
    for path in ["sentiment", "intents", "products", "questions"] {
        for query in [
            "from=yesterday",
            "to=2026-02-30",
            "from=2026-02-02&to=2026-02-01",
        ] {
            agent_get(&agent, &format!("/insights/{path}?{query}"))
                .await
                .denies(400);
        }
    }
    for path in ["products", "questions"] {
        for query in ["page=0", "limit=0", "limit=251", "page=x"] {
            agent_get(&agent, &format!("/insights/{path}?{query}"))
                .await
                .denies(400);
        }
    }
    let products = format!("/bots/{bot}/products");
    let product = |fields: Value| json!({ "products": [fields] });
    for body in [
        json!({}),
        json!({ "products": null }),
        json!({ "products": {} }),
        product(json!({ "name": "Lamp" })),
        product(json!({ "id": "1" })),
        product(json!({ "id": "1", "name": " " })),
        product(json!({ "id": "1", "name": "n".repeat(201) })),
        product(json!({ "id": "i".repeat(129), "name": "Lamp" })),
        product(json!({ "id": "1", "name": "Lamp", "aliases": vec!["a"; 21] })),
        product(json!({ "id": "1", "name": "Lamp", "aliases": ["a\u{0}"] })),
        json!({ "products": [{ "id": "1", "name": "Lamp" }, { "id": "1", "name": "Chair" }] }),
        json!({ "products": (0..10_001).map(|i| json!({ "id": format!("{i}"), "name": "Lamp" })).collect::<Vec<_>>() }),
    ] {
        let answer = put(client, &products, body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert_eq!(answer.body["success"], false);
    }
    assert_eq!(get(client, &products).await.gives(200), &json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_misses_nothing_and_counts_nothing_twice_sqlite() {
    a_kill_misses_nothing_and_counts_nothing_twice(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_misses_nothing_and_counts_nothing_twice_postgres() {
    a_kill_misses_nothing_and_counts_nothing_twice(Place::postgres().await).await;
}

async fn a_kill_misses_nothing_and_counts_nothing_twice(place: Place) {
    let (_, key) = place.tenant("Ours");
    let mut bot = String::new();
    for round in 0..4 {
        let server = place.serve().await;
        let client = server.client(&key);
        if round == 0 {
            bot = text(&make_bot(&client, json!({})).await, "id").to_owned();
        }
        for number in 0..25 {
            say(
                &client,
                &format!("s{}", number % 5),
                &format!("Where is my order {round}{number}?"),
            )
            .await;
        }
        // While these are being read.
        tokio::time::sleep(Duration::from_millis(700 * round)).await;
        server.kill();
    }
    let server = place.serve().await;
    let agent = agent_of(&server.url, &server.client(&key), &bot).await;
    learned(&agent, 100).await;
    let asked = listed(&agent, "/insights/questions?limit=250").await;
    let counts = asked.iter().map(|asked| asked["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 100);
    let intents = listed(&agent, "/insights/intents").await;
    assert_eq!(intents[0]["count"], 100, "{intents:?}");
    server.stop().await;
}
