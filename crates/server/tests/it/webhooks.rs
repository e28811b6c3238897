//! Events to tenants' own endpoints: signed, in order, at least once.

use std::collections::BTreeSet;
use std::time::Duration;

use http::HeaderMap;
use http::header::HeaderName;
use reqwest::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use testkit::fakes::website::{FakeWebsite, Reply, Request};
use testkit::{Builder, Client, TestServer};

use crate::program::Place;
use crate::support::{
    Told, assert_id, column, delete, eventually, get, keys, make_bot, on_both, patch, post, say,
    text, time,
};

on_both!(
    a_message_is_signed_and_sent: quick,
    a_new_key_signs_beside_the_old_one: quick,
    what_fails_is_sent_again_in_order: quick,
    what_is_given_up_can_be_replayed: once,
    an_endpoint_that_is_gone_is_switched_off: quick,
    a_redirect_is_not_followed: quick,
    a_dead_endpoint_delays_nobody_else: quick,
    only_what_was_chosen_is_sent: quick,
    bad_input_is_refused,
    webhooks_are_listed_changed_and_deleted,
);

/// What was not delivered is sent again at once, and often.
fn quick(builder: Builder) -> Builder {
    builder
        .setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.1/32")
        .setting("BOTWRIGHT_WEBHOOK_RETRIES", QUICK)
}

/// What was not delivered is sent once more, and then given up.
fn once(builder: Builder) -> Builder {
    quick(builder).setting("BOTWRIGHT_WEBHOOK_RETRIES", "0.05")
}

const QUICK: &str = "0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05,0.05";
const SOON: Duration = Duration::from_secs(20);

/// A webhook that wants messages: its id and its secret.
async fn webhook(client: &Client, url: &str) -> (String, String) {
    let body = json!({ "url": url, "events": ["message.received"] });
    let made = post(client, "/webhooks", body).await;
    let made = made.gives(201);
    (text(made, "id").to_owned(), text(made, "secret").to_owned())
}

/// An endpoint that answers well, a bot, and a webhook to it.
async fn listening(client: &Client) -> (FakeWebsite, String, String) {
    let site = FakeWebsite::start().await;
    site.put("/hook", Reply::text("Thanks"));
    make_bot(client, json!({})).await;
    let (id, secret) = webhook(client, &site.url("/hook")).await;
    (site, id, secret)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// The words of the messages that an endpoint was told, in the order in which it was.
fn told(requests: &[Request]) -> Vec<String> {
    let words = |request| text(&body(request)["data"]["message"], "text").to_owned();
    requests.iter().map(words).collect()
}

async fn received(site: &FakeWebsite, count: usize) -> Vec<Request> {
    eventually(SOON, "all has come", async || {
        site.requests().len() >= count
    })
    .await;
    site.requests()
}

/// Whether a request is signed by a key, by an implementation that is not ours.
fn is_signed(request: &Request, secret: &str) -> bool {
    let header = |(name, value): (&String, &String)| {
        (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
    };
    let headers: HeaderMap = request.headers.iter().map(header).collect();
    let webhook = Webhook::new(secret).unwrap();
    webhook.verify(&request.body, &headers).is_ok()
}

async fn log(client: &Client, id: &str, query: &str) -> Vec<Value> {
    let path = format!("/webhooks/{id}/deliveries?{query}");
    get(client, &path).await.lists().to_vec()
}

/// The newest delivery, once it stands so.
async fn newest(client: &Client, id: &str, status: &str) -> Value {
    let mut found = Value::Null;
    eventually(SOON, status, async || {
        found = log(client, id, "").await[0].clone();
        found["status"] == status
    })
    .await;
    found
}

async fn a_message_is_signed_and_sent(server: &TestServer) {
    let client = &server.client;
    let (site, id, secret) = listening(client).await;
    let turn = say(client, "session-1", "When? \u{1f600}").await;
    let requests = received(&site, 1).await;
    let request = &requests[0];
    assert!(is_signed(request, &secret));
    assert!(!is_signed(
        request,
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    ));
    let sent = body(request);
    assert_eq!(keys(&sent), ["data", "timestamp", "type"]);
    assert_eq!(sent["type"], "message.received");
    time(&sent["timestamp"]);
    let message = &sent["data"]["message"];
    assert_eq!(message["text"], "When? \u{1f600}");
    assert_eq!(message["id"], turn["user_message"]["id"]);
    assert_eq!(sent["data"]["session_id"], "session-1");
    assert_id(&sent["data"]["conversation_id"]);
    assert_id(&sent["data"]["bot_id"]);
    let delivery = newest(client, &id, "delivered").await;
    assert_eq!(delivery["id"], request.headers["webhook-id"].as_str());
    assert_eq!(
        (
            &delivery["event"],
            &delivery["attempts"],
            &delivery["last_status_code"]
        ),
        (&json!("message.received"), &json!(1), &json!(200))
    );
    assert_eq!(
        (&delivery["next_attempt_at"], &delivery["last_error"]),
        (&Value::Null, &Value::Null)
    );
    time(&delivery["last_attempt_at"]);
    for path in ["/webhooks".to_owned(), format!("/webhooks/{id}")] {
        let shown = get(client, &path).await.text;
        assert!(
            !shown.contains("whsec_") && !shown.contains("secret"),
            "{shown}"
        );
    }
}

async fn a_new_key_signs_beside_the_old_one(server: &TestServer) {
    let client = &server.client;
    let (site, id, old) = listening(client).await;
    let rotate = async |body: Option<Value>| {
        let request = client.request(Method::POST, &format!("/webhooks/{id}/rotate"));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        client.answer(request).await.unwrap()
    };
    let rotated = rotate(None).await;
    let new = text(rotated.gives(200), "secret").to_owned();
    assert_ne!(new, old);
    let left = time(&rotated.gives(200)["old_key_until"]) - time(&rotated.gives(200)["created_at"]);
    assert_eq!(left.whole_hours(), 24);
    say(client, "s", "One?").await;
    let request = received(&site, 1).await[0].clone();
    assert!(is_signed(&request, &old) && is_signed(&request, &new));

    let rotated = rotate(Some(json!({ "old_key_hours": 0 }))).await;
    let newest = text(rotated.gives(200), "secret").to_owned();
    say(client, "s", "Two?").await;
    let request = received(&site, 2).await[1].clone();
    assert!(is_signed(&request, &newest));
    assert!(!is_signed(&request, &old) && !is_signed(&request, &new));
    for wrong in [
        json!({ "old_key_hours": 169 }),
        json!({ "old_key_hours": -1 }),
    ] {
        rotate(Some(wrong))
            .await
            .refuses(422, "Invalid field: old_key_hours");
    }
}

async fn what_fails_is_sent_again_in_order(server: &TestServer) {
    let client = &server.client;
    let (site, id, _) = listening(client).await;
    let turns = [500, 429, 200, 503, 200].map(Reply::status);
    site.put_turns("/hook", turns);
    for message in ["One?", "Two?", "Three?"] {
        say(client, "s", message).await;
    }
    let requests = received(&site, 6).await;
    assert_eq!(
        told(&requests),
        ["One?", "One?", "One?", "Two?", "Two?", "Three?"]
    );
    let ids: BTreeSet<_> = requests.iter().map(|r| &r.headers["webhook-id"]).collect();
    assert_eq!(ids.len(), 3, "who gets an event twice knows it by its id");
    newest(client, &id, "delivered").await;
    let log = log(client, &id, "status=delivered").await;
    let attempts: Vec<_> = log.iter().map(|delivery| &delivery["attempts"]).collect();
    assert_eq!(attempts, [&json!(1), &json!(2), &json!(3)]);
    assert_eq!(
        get(client, &format!("/webhooks/{id}")).await.gives(200)["failing_since"],
        Value::Null
    );
}

async fn what_is_given_up_can_be_replayed(server: &TestServer) {
    let client = &server.client;
    let (site, id, _) = listening(client).await;
    site.put_turns("/hook", [500, 500, 200].map(Reply::status));
    say(client, "s", "One?").await;
    let failed = newest(client, &id, "failed").await;
    assert_eq!(
        (
            &failed["attempts"],
            &failed["last_status_code"],
            &failed["next_attempt_at"]
        ),
        (&json!(2), &json!(500), &Value::Null)
    );
    assert_eq!(
        failed["last_error"],
        "The endpoint answered with status 500."
    );
    // The next in the conversation has not waited for ever.
    say(client, "s", "Two?").await;
    newest(client, &id, "delivered").await;
    let replay = format!("/webhooks/{id}/deliveries/{}/replay", text(&failed, "id"));
    let replayed = post(client, &replay, json!({})).await;
    assert_eq!(replayed.gives(200)["id"], failed["id"]);
    let requests = received(&site, 4).await;
    assert_eq!(told(&requests), ["One?", "One?", "Two?", "One?"]);
    eventually(SOON, "it is delivered", async || {
        log(client, &id, "status=delivered").await.len() == 2
    })
    .await;
    let unknown = format!("/webhooks/{id}/deliveries/{id}/replay");
    post(client, &unknown, json!({}))
        .await
        .refuses(404, "Delivery not found");
}

async fn an_endpoint_that_is_gone_is_switched_off(server: &TestServer) {
    let client = &server.client;
    let (site, id, _) = listening(client).await;
    site.put_turns("/hook", [410, 200].map(Reply::status));
    let path = format!("/webhooks/{id}");
    say(client, "s", "One?").await;
    let mut found = Value::Null;
    eventually(SOON, "it is off", async || {
        found = get(client, &path).await.gives(200).clone();
        found["enabled"] == false
    })
    .await;
    assert!(text(&found, "disabled_reason").contains("410"));
    time(&found["disabled_at"]);
    say(client, "s", "Unheard?").await;
    post(client, &format!("{path}/test"), json!({}))
        .await
        .refuses(403, "Webhook is disabled");
    assert_eq!(site.requests().len(), 1);
    let on = patch(client, &path, json!({ "enabled": true })).await;
    assert_eq!(on.gives(200)["disabled_reason"], Value::Null);
    say(client, "s", "Three?").await;
    let requests = received(&site, 3).await;
    assert_eq!(
        told(&requests),
        ["One?", "One?", "Three?"],
        "what waited comes first"
    );
}

async fn a_redirect_is_not_followed(server: &TestServer) {
    let client = &server.client;
    let (site, id, _) = listening(client).await;
    let inside = FakeWebsite::start_at("127.0.0.2:0").await;
    inside.put("/hook", Reply::text("Inside"));
    let turns = [inside.url("/hook"), site.url("/other")].map(|to| Reply::redirect(&to));
    site.put_turns("/hook", turns.into_iter().chain([Reply::status(200)]));
    say(client, "s", "One?").await;
    newest(client, &id, "delivered").await;
    assert_eq!(site.paths(), ["/hook"; 3]);
    assert!(inside.requests().is_empty());
    // A name or an address that is closed is refused when it is sent to as well.
    let refused = patch(
        client,
        &format!("/webhooks/{id}"),
        json!({ "url": inside.url("/hook") }),
    )
    .await;
    refused.refuses(422, "Invalid field: url");
}

async fn a_dead_endpoint_delays_nobody_else(server: &TestServer) {
    let client = &server.client;
    let (site, _, _) = listening(client).await;
    let dead = FakeWebsite::start().await;
    let mut webhooks = Vec::new();
    for number in 0..10 {
        let path = format!("/{number}");
        dead.put(&path, Reply::hang());
        webhooks.push(webhook(client, &dead.url(&path)).await.0);
    }
    for number in 0..20 {
        say(client, &format!("s{number}"), &format!("{number}?")).await;
    }
    // Each of the dead would hold up what is behind it for fifteen seconds.
    let within = Duration::from_secs(10);
    eventually(within, "the others have come", async || {
        site.requests().len() >= 20
    })
    .await;
    assert_eq!(
        told(&site.requests()).iter().collect::<BTreeSet<_>>().len(),
        20
    );
    for id in webhooks {
        assert_eq!(delete(client, &format!("/webhooks/{id}")).await.status, 200);
    }
}

async fn only_what_was_chosen_is_sent(server: &TestServer) {
    let client = &server.client;
    let (site, id, secret) = listening(client).await;
    let path = format!("/webhooks/{id}");
    let other = json!({ "events": ["integration.failed", "integration.failed"] });
    let changed = patch(client, &path, other).await;
    assert_eq!(changed.gives(200)["events"], json!(["integration.failed"]));
    say(client, "s", "One?").await;
    let tested = post(client, &format!("{path}/test"), json!({})).await;
    assert_eq!(tested.gives(201)["event"], "webhook.test");
    let requests = received(&site, 1).await;
    assert_eq!(body(&requests[0])["type"], "webhook.test");
    assert!(is_signed(&requests[0], &secret));
    assert_eq!(
        newest(client, &id, "delivered").await["id"],
        tested.gives(201)["id"]
    );
    assert_eq!(log(client, &id, "").await.len(), 1);
}

async fn bad_input_is_refused(server: &TestServer) {
    let client = &server.client;
    let good = json!({ "url": "https://example.com/hook", "events": ["message.received"] });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (field, value, error) in [
        ("url", Value::Null, "Missing required field: url"),
        ("url", json!(" "), "Missing required field: url"),
        ("url", json!("example.com"), "Invalid field: url"),
        ("url", json!("ftp://example.com/"), "Invalid field: url"),
        (
            "url",
            json!("https://me:secret@example.com/"),
            "Invalid field: url",
        ),
        ("url", json!("http://127.0.0.1/"), "Invalid field: url"),
        ("url", json!("http://0xa9fea9fe/"), "Invalid field: url"),
        (
            "url",
            json!(format!("https://example.com/{}", "a".repeat(2_048))),
            "Invalid field: url",
        ),
        ("events", Value::Null, "Missing required field: events"),
        ("events", json!([]), "Invalid field: events"),
        ("events", json!(["message.sent"]), "Invalid field: events"),
        ("events", json!(["webhook.test"]), "Invalid field: events"),
        ("events", json!("message.received"), "Invalid field: events"),
        (
            "description",
            json!("a".repeat(2_001)),
            "Invalid field: description",
        ),
        ("description", json!("\0"), "Invalid field: description"),
    ] {
        let sentence = post(client, "/webhooks", with(field, value.clone())).await;
        let sentence = sentence.refuses(422, error).to_owned();
        assert!(!sentence.contains("secret"), "{value}: {sentence}");
    }
    assert!(get(client, "/webhooks").await.lists().is_empty());
    let made = post(client, "/webhooks", good.clone()).await;
    let path = format!("/webhooks/{}", text(made.gives(201), "id"));
    for (field, value, error) in [
        ("url", Value::Null, "Missing required field: url"),
        ("events", Value::Null, "Missing required field: events"),
        ("enabled", Value::Null, "Missing required field: enabled"),
        ("enabled", json!("yes"), "Invalid field: enabled"),
        ("url", json!("http://[::1]/"), "Invalid field: url"),
    ] {
        patch(client, &path, json!({ field: value }))
            .await
            .refuses(422, error);
    }
    let wrong = get(client, &format!("{path}/deliveries?status=lost")).await;
    wrong.refuses(422, "Invalid field: status");
    for number in 1..20 {
        let body = with("url", json!(format!("https://example.com/{number}")));
        post(client, "/webhooks", body).await.gives(201);
    }
    let sentence = post(client, "/webhooks", good).await;
    assert!(sentence.refuses(422, "Invalid field: url").contains("20"));
}

async fn webhooks_are_listed_changed_and_deleted(server: &TestServer) {
    let client = &server.client;
    let mut ids = Vec::new();
    for number in 0..3 {
        let url = format!("https://example.com/{number}");
        ids.insert(0, webhook(client, &url).await.0);
    }
    let list = get(client, "/webhooks?per_page=2&page=1").await;
    assert_eq!(column(list.lists(), "id"), ids[..2]);
    let path = format!("/webhooks/{}", ids[0]);
    let before = get(client, &path).await.gives(200).clone();
    assert_eq!(
        keys(&before),
        [
            "created_at",
            "description",
            "disabled_at",
            "disabled_reason",
            "enabled",
            "events",
            "failing_since",
            "id",
            "old_key_until",
            "url"
        ]
    );
    let changed = patch(
        client,
        &path,
        json!({ "description": "Ours", "enabled": false }),
    )
    .await;
    let mut expected = before.clone();
    expected["description"] = json!("Ours");
    expected["enabled"] = json!(false);
    expected["disabled_reason"] = json!("Its owner switched it off.");
    expected["disabled_at"] = changed.gives(200)["disabled_at"].clone();
    assert_eq!(changed.gives(200), &expected);
    assert_eq!(patch(client, &path, json!({})).await.gives(200), &expected);
    let back = json!({ "description": null, "enabled": true });
    assert_eq!(patch(client, &path, back).await.gives(200), &before);
    let deleted = delete(client, &path).await;
    assert_eq!(deleted.status, 200);
    get(client, &path).await.refuses(404, "Webhook not found");
    delete(client, &path)
        .await
        .refuses(404, "Webhook not found");
    get(client, "/webhooks/nonsense")
        .await
        .refuses(404, "Webhook not found");
    assert_eq!(get(client, "/webhooks").await.lists().len(), 2);
}

/// An endpoint that fails at random, and the program killed on the way: all comes, in order, and is known to have come.
async fn nothing_is_lost(place: Place, messages: usize) {
    const SESSIONS: usize = 20;
    let place = place
        .with("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8")
        .with("BOTWRIGHT_WEBHOOK_RETRIES", QUICK);
    let unlimited = "[plans.enterprise]\nrequests_per_minute = 0\n";
    std::fs::write(place.path("work").join("botwright.toml"), unlimited).unwrap();
    let (_, key) = place.tenant("Ours");
    let site = FakeWebsite::start().await;
    let mut noise: u32 = 7;
    let turns = (0..messages).map(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Reply::status(if noise >> 16 & 3 == 0 { 500 } else { 200 })
    });
    site.put_turns("/hook", turns.chain([Reply::status(200)]));
    let mut webhook_id = String::new();
    for round in 0..4 {
        let server = place.serve().await;
        let client = server.client(&key);
        if round == 0 {
            make_bot(&client, json!({})).await;
            webhook_id = webhook(&client, &site.url("/hook")).await.0;
        }
        let part = messages / 4;
        for number in round * part..(round + 1) * part {
            let session = format!("s{}", number % SESSIONS);
            say(&client, &session, &format!("{number:05}")).await;
        }
        // Some of it is under way.
        server.kill();
    }
    let server = place.serve().await;
    let client = server.client(&key);
    let delivered = format!("/webhooks/{webhook_id}/deliveries?status=delivered&per_page=1");
    eventually(Duration::from_secs(300), "all is delivered", async || {
        let page = get(&client, &delivered).await;
        page.body["pagination"]["total"] == messages
    })
    .await;
    let requests = site.requests();
    let mut told_of: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for (request, words) in requests.iter().zip(told(&requests)) {
        let session = text(&body(request)["data"], "session_id").to_owned();
        told_of.entry(session).or_default().push(words);
    }
    let all: BTreeSet<_> = told_of.values().flatten().collect();
    assert_eq!(all.len(), messages, "nothing is lost");
    for (session, words) in &told_of {
        assert!(words.is_sorted(), "{session}: {words:?}");
    }
    println!("{messages} events came in {} requests", requests.len());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_across_kills_sqlite() {
    nothing_is_lost(Place::new(), 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_across_kills_postgres() {
    nothing_is_lost(Place::postgres().await, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn nothing_of_ten_thousand_is_lost_sqlite() {
    nothing_is_lost(Place::new(), 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn nothing_of_ten_thousand_is_lost_postgres() {
    nothing_is_lost(Place::postgres().await, 10_000).await;
}
