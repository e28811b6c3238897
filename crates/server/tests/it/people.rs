//! All of a person: given to them, and erased.

use std::time::Duration;

use botwright::domain::people::{Erasure, Named};
use botwright::domain::{BotId, TenantId};
use contracts::channels::{FakePlatform, FakeTelegram, Fault, Said};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::{Client, TestServer};

use crate::channels::{PUBLIC, connected, hook};
use crate::program::Place;
use crate::support::{
    Denied, HOURS, Told, agent, agent_get, agent_of, agent_post, bot_that_knows, column, delete,
    eventually, get, on_both, post, text,
};

on_both!(
    one_person_in_two_channels_is_one_customer,
    a_person_is_found_by_id_and_by_address,
    an_erasure_whose_request_died_is_finished,
);

/// Stands in all that the person gives, and nowhere else.
const MARK: &str = "xq7zmark";
const SOON: Duration = Duration::from_secs(30);

/// Has Zoe talk to a bot in two channels, order, and do things; `mark` stands in all that is hers alone.
async fn zoe_at(url: &str, client: &Client, bot: &str, mark: &str) {
    for (session, channel, identifier) in [("a", "webchat", "zoe"), ("b", "telegram", "zoe-t")] {
        let message = json!({ "message": format!("My {mark} is lost, where is my order {mark}?"), "bot_id": bot,
            "channel": channel, "user_identifier": identifier, "user_name": format!("Zoe {mark}"),
            "user_email": "Zoe@Example.com" });
        let path = format!("/conversations/{mark}-{bot}-{session}/messages");
        let request = client.request(Method::POST, &path);
        let request = request.header("idempotency-key", format!("{mark}-{bot}-{session}"));
        client
            .answer(request.json(&message))
            .await
            .unwrap()
            .gives(200);
        let path = format!("/conversations/{mark}-{bot}-{session}/end");
        let request = client.request(Method::POST, &path);
        let request = request.header("idempotency-key", format!("{bot}-{session}-end"));
        client.answer(request).await.unwrap().gives(200);
    }
    let agent = agent_of(url, client, bot).await;
    let talks = agent_get(&agent, "/conversations").await;
    let talk = text(&talks.grants()["data"][0], "id").to_owned();
    let order = json!({ "externalId": "1", "amount": 4711, "currency": "EUR",
        "customer": { "id": "zoe", "email": "zoe@example.com", "name": format!("Zoe {mark}") } });
    agent_post(&agent, "/orders", order).await.grants();
    let order = json!({ "externalId": "2", "amount": 1, "currency": "EUR", "conversationId": talk,
        "customer": { "id": format!("{mark} elsewhere") } });
    agent_post(&agent, "/orders", order).await.grants();
    let events = json!({ "events": [
        { "id": "1", "type": "chat_open", "customerId": "zoe", "product": mark },
        { "id": "2", "type": "cart_add", "conversationId": talk, "product": mark },
        { "id": "3", "type": "cart_add", "customerId": "somebody" },
    ] });
    agent_post(&agent, "/events", events).await.grants();
    eventually(
        Duration::from_secs(30),
        "what she wrote is learned from",
        async || {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let told = agent_get(&agent, "/insights/sentiment").await;
            told.grants()["total"] == 2
        },
    )
    .await;
}

/// Has a loop begin an execution that names Zoe, by her address alone.
async fn run_about_zoe(client: &Client, bot: &str) {
    let models = json!({ "name": "Models", "kind": "openai", "base_url": "https://models.invalid/v1", "enabled": false });
    let models = post(client, &format!("/bots/{bot}/integrations"), models).await;
    let desk = json!({ "name": "Desk", "instructions": "Look after it.",
        "integration_id": models.gives(201)["id"] });
    let desk = post(client, "/agent-loops", desk).await;
    let path = format!("/agent-loops/{}", text(desk.gives(201), "id"));
    let request = client.request(Method::POST, &format!("{path}/run"));
    let request = request.header("idempotency-key", format!("{bot}-run"));
    let input = json!({ "input": { "customer": "Zoe@example.com", "about": MARK } });
    client
        .answer(request.json(&input))
        .await
        .unwrap()
        .gives(201);
    eventually(SOON, "the execution fails", async || {
        let ended = get(client, &format!("{path}/executions?status=failed")).await;
        ended.lists().len() == 1
    })
    .await;
}

async fn exported(client: &Client, bot: &str, who: &str) -> Value {
    let answer = get(client, &format!("/bots/{bot}/customers/{who}/export")).await;
    answer.gives(200).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_erased_person_sqlite() {
    nothing_is_left_of_an_erased_person(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_erased_person_postgres() {
    nothing_is_left_of_an_erased_person(Place::postgres().await).await;
}

async fn nothing_is_left_of_an_erased_person(place: Place) {
    let ((_, key), (_, theirs)) = (place.tenant("Ours"), place.tenant("Theirs"));
    let server = place.serve().await;
    let (client, other) = (server.client(&key), server.client(&theirs));
    let endpoint = json!({ "url": "https://webhooks.invalid/", "events": ["message.received"] });
    post(&client, "/webhooks", endpoint).await.gives(201);
    let bot = bot_that_knows(&client, HOURS).await;
    let second = bot_that_knows(&client, HOURS).await;
    let elsewhere = bot_that_knows(&other, HOURS).await;
    zoe_at(&server.url, &client, &bot, MARK).await;
    run_about_zoe(&client, &bot).await;
    zoe_at(&server.url, &client, &second, "second").await;
    zoe_at(&server.url, &other, &elsewhere, "theirs").await;
    let message = json!({ "message": "I am olga@example.com, where is my order?", "bot_id": bot,
        "user_identifier": "olga" });
    post(&client, "/conversations/olgas/messages", message)
        .await
        .gives(200);

    let zoe = exported(&client, &bot, "zoe@example.com").await;
    let all = zoe.to_string();
    assert_eq!(zoe["identifiers"], json!(["zoe", "zoe-t"]));
    assert_eq!(zoe["emails"], json!(["zoe@example.com"]));
    for (part, count) in [
        ("customers", 2),
        ("conversations", 2),
        ("leads", 1),
        ("orders", 2),
        ("visitor_events", 2),
        ("webhook_events", 2),
        ("executions", 1),
    ] {
        assert_eq!(
            zoe[part].as_array().unwrap().len(),
            count,
            "{part}: {}",
            zoe[part]
        );
    }
    assert_eq!(
        zoe["conversations"][0]["messages"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(!all.contains("olga") && !all.contains("theirs") && !all.contains("second"));

    let watched = [
        (&client, &second, "zoe@example.com"),
        (&other, &elsewhere, "zoe@example.com"),
        (&client, &bot, "olga@example.com"),
    ];
    let mut before = Vec::new();
    for (client, bot, who) in watched {
        before.push(exported(client, bot, who).await);
    }
    let agent = agent_of(&server.url, &client, &bot).await;
    let revenue = agent_get(&agent, "/analytics/revenue")
        .await
        .grants()
        .clone();
    assert!(place.traces(MARK).await >= 10);

    let id = text(&zoe["customers"][0], "id");
    let path = format!("/bots/{bot}/customers/{id}");
    let erased = delete(&client, &path).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert_eq!(place.traces(MARK).await, 0);
    assert_eq!(place.traces(id).await, 0);
    for who in [id, "zoe@example.com"] {
        let gone = get(&client, &format!("/bots/{bot}/customers/{who}/export")).await;
        assert_eq!(gone.status, 404, "{}", gone.text);
    }
    delete(&client, &path)
        .await
        .refuses(404, "Customer not found");
    for ((client, bot, who), before) in watched.into_iter().zip(before) {
        assert_eq!(exported(client, bot, who).await, before);
    }
    // What was sold is still told, and who is left is still counted.
    assert_eq!(
        agent_get(&agent, "/analytics/revenue").await.grants(),
        &revenue
    );
    let orders = agent_get(&agent, "/orders").await;
    let nobody = json!({ "id": null, "email": null, "name": null });
    for order in orders.grants()["data"].as_array().unwrap() {
        assert_eq!(
            (&order["customer"], &order["conversationId"]),
            (&nobody, &Value::Null)
        );
    }
    let told = agent_get(&agent, "/analytics").await;
    assert_eq!(
        (&told.grants()["conversations"], &told.grants()["cartAdds"]),
        (&json!(1), &json!(1))
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_channels_and_loops_hold_goes_too_sqlite() {
    what_channels_and_loops_hold_goes_too(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_channels_and_loops_hold_goes_too_postgres() {
    what_channels_and_loops_hold_goes_too(Place::postgres().await).await;
}

/// What waits for its answer in a messenger, executions that a message began, and executions that wrote to the person.
async fn what_channels_and_loops_hold_goes_too(place: Place) {
    let (telegram, provider) = (FakeTelegram::start().await, FakeOpenAi::start().await);
    let place = place
        .with("BOTWRIGHT_TELEGRAM_URL", &telegram.base_url())
        .with("BOTWRIGHT_PUBLIC_URL", PUBLIC)
        .with("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8");
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = bot_that_knows(&client, HOURS).await;
    let channel = connected(&client, &bot, &telegram).await;
    let model = json!({ "name": "Models", "kind": "openai", "base_url": provider.base_url(), "model": "small",
        "enabled": false });
    let path = format!("/bots/{bot}/integrations");
    let model = post(&client, &path, model).await;
    let desk = |triggers: Value| {
        json!({ "name": "Desk", "instructions": "Look after it.", "integration_id": model.gives(201)["id"],
            "tools": [{ "type": "send_message" }], "approval": "never", "triggers": triggers })
    };
    let listens = post(
        &client,
        "/agent-loops",
        desk(json!({ "events": ["message.received"] })),
    )
    .await;
    let called = post(&client, "/agent-loops", desk(json!({}))).await;
    let (listens, called) = (
        text(listens.gives(201), "id"),
        text(called.gives(201), "id"),
    );
    let endpoint =
        json!({ "url": "https://webhooks.invalid/", "events": ["agent_loop.completed"] });
    post(&client, "/webhooks", endpoint).await.gives(201);
    let ended = async |id: &str, count: usize| {
        let path = format!("/agent-loops/{id}/executions?status=completed");
        eventually(SOON, "the executions end", async || {
            get(&client, &path).await.lists().len() == count
        })
        .await;
    };

    // Her first message is answered, and begins an execution; her second one waits.
    provider.always(Behaviour::answer(format!("She wrote {MARK}.")));
    let write = async |id: u64, person: u64, text: &str| {
        let post = telegram.post(&Said { id, person, text });
        assert_eq!(hook(&server.url, &channel, &post).await.status, 200);
    };
    write(1, 7, &format!("Where is my {MARK}?")).await;
    eventually(SOON, "it is answered", async || {
        telegram.delivered().len() == 1
    })
    .await;
    ended(listens, 1).await;
    telegram.plan(Some(Fault::TooMany(3_000)));
    write(2, 7, &format!("Still no {MARK}?")).await;
    ended(listens, 2).await;
    // Somebody's call has a loop write to her.
    let talks = get(&client, "/conversations").await;
    let talk = talks.lists()[0].clone();
    let arguments =
        json!({ "conversation_id": talk["id"], "text": format!("{MARK} is on its way.") });
    provider
        .next(Behaviour::calls(&[("send_message", arguments)]))
        .next(Behaviour::answer("Told her."));
    let run = post(
        &client,
        &format!("/agent-loops/{called}/run"),
        json!({ "input": "Tell her." }),
    )
    .await;
    run.gives(201);
    ended(called, 1).await;
    // Somebody else's stay.
    provider.always(Behaviour::answer("Nothing."));
    write(3, 8, "Hello, it is Olga").await;
    ended(listens, 3).await;

    let agent = agent_of(&server.url, &client, &bot).await;
    let customers = agent_get(&agent, "/customers?sortBy=oldest").await;
    let customer = text(&customers.grants()["data"][0], "id").to_owned();
    let zoe = exported(&client, &bot, &customer).await;
    let waiting = zoe["waiting_messages"].as_array().unwrap();
    // What the loop wrote to her waits for its turn.
    let words = [
        format!("Still no {MARK}?"),
        format!("{MARK} is on its way."),
    ];
    assert_eq!(column(waiting, "message"), words);
    let executions = zoe["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 3, "{}", zoe["executions"]);
    assert!(executions.iter().all(|execution| {
        execution["steps"]
            .as_array()
            .is_some_and(|steps| !steps.is_empty())
    }));
    let session = text(&talk, "session_id");
    assert!(place.traces(MARK).await >= 5 && place.traces(session).await >= 2);
    let erased = delete(&client, &format!("/bots/{bot}/customers/{customer}")).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert_eq!(place.traces(MARK).await, 0);
    assert_eq!(place.traces(session).await, 0);
    ended(listens, 1).await;
    ended(called, 0).await;
    assert_eq!(get(&client, "/conversations").await.lists().len(), 1);
    server.stop().await;
}

async fn one_person_in_two_channels_is_one_customer(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let agent = agent(server, &bot).await;
    for (session, channel, identifier, email) in [
        ("w", "webchat", "zoe", json!("zoe@example.com")),
        ("t", "telegram", "4711", json!("Zoe@Example.com")),
        ("s", "sms", "zoe", Value::Null),
        ("o", "sms", "olga", json!("olga@example.com")),
    ] {
        let message = json!({ "message": "Hello", "bot_id": bot, "channel": channel,
            "user_identifier": identifier, "user_email": email });
        let path = format!("/conversations/{session}/messages");
        post(client, &path, message).await.gives(200);
    }
    let mut customers = Value::Null;
    eventually(
        Duration::from_secs(30),
        "there are two customers",
        async || {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let listed = agent_get(&agent, "/customers?sortBy=oldest").await;
            customers = listed.grants()["data"].clone();
            customers.as_array().unwrap().len() == 2
        },
    )
    .await;
    assert_eq!(text(&customers[0], "externalId"), "zoe");
    let id = text(&customers[0], "id");
    let talks = agent_get(&agent, &format!("/conversations?customerId={id}")).await;
    assert_eq!(talks.grants()["meta"]["total"], 3);
}

async fn a_person_is_found_by_id_and_by_address(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let bot = bot.as_str();
    let agent = agent(server, bot).await;
    let order = json!({ "externalId": "1", "amount": 1, "currency": "EUR",
        "customer": { "email": "buyer@example.com" } });
    agent_post(&agent, "/orders", order).await.grants();
    let buyer = exported(client, bot, "Buyer@Example.com").await;
    assert_eq!(
        (
            buyer["orders"].as_array().unwrap().len(),
            &buyer["customers"]
        ),
        (1, &json!([]))
    );
    // An address that somebody wrote makes nobody the same, and leads to who wrote it.
    for (session, message, email) in [
        ("1", "Please write to bob@example.com", Value::Null),
        ("2", "Hello", json!("bob@example.com")),
    ] {
        let message = json!({ "message": message, "bot_id": bot, "user_identifier": session, "user_email": email });
        let path = format!("/conversations/{session}/messages");
        post(client, &path, message).await.gives(200);
    }
    let customers = agent_get(&agent, "/customers?sortBy=oldest").await;
    let first = text(&customers.grants()["data"][0], "id").to_owned();
    let first = exported(client, bot, &first).await;
    assert_eq!(
        (&first["identifiers"], &first["emails"]),
        (&json!(["1"]), &json!([]))
    );
    assert_eq!(first["leads"][0]["origin"], "message");
    for who in [
        "nobody@example.com",
        "no-id",
        "0198c5d2-0000-7000-8000-000000000000",
    ] {
        for method in [Method::GET, Method::DELETE] {
            let path = match method {
                Method::GET => format!("/bots/{bot}/customers/{who}/export"),
                _ => format!("/bots/{bot}/customers/{who}"),
            };
            let answer = client.answer(client.request(method, &path)).await.unwrap();
            answer.refuses(404, "Customer not found");
        }
    }
}

async fn an_erasure_whose_request_died_is_finished(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    for number in 0..12 {
        let message = json!({ "message": "Hello?", "bot_id": bot, "user_identifier": "zoe",
            "user_email": "zoe@example.com" });
        let path = format!("/conversations/{number}/messages");
        post(client, &path, message).await.gives(200);
    }
    let app = server.app();
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    let bot_id = BotId::parse(&bot).unwrap();
    let named = Named::Email("zoe@example.com".into());
    let person = app
        .people
        .find(tenant, bot_id, &named)
        .await
        .unwrap()
        .unwrap();
    let erasure = Erasure {
        id: app.ids.uuid().into(),
        tenant_id: tenant,
        bot_id,
        person,
        created_at: app.clock.now() - Duration::from_secs(120),
    };
    app.people.begin_erasure(&erasure).await.unwrap();
    eventually(Duration::from_secs(30), "she is gone", async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        app.people
            .find(tenant, bot_id, &named)
            .await
            .unwrap()
            .is_none()
    })
    .await;
    assert!(get(client, "/conversations").await.lists().is_empty());
    eventually(
        Duration::from_secs(5),
        "nothing is left to do",
        async || {
            app.people
                .unfinished(app.clock.now(), 1)
                .await
                .unwrap()
                .is_empty()
        },
    )
    .await;
}
