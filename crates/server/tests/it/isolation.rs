//! The wall between tenants, route by route of the OpenAPI document, and the door before it.

use std::collections::BTreeSet;
use std::time::Duration;

use application::tenants;
use botwright::application;
use botwright::domain::TenantId;
use botwright::domain::keys::KeyKind;
use botwright::domain::plans::Plan;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::{Answer, Client, TestServer};

use crate::support::{Told, bot_that_knows, eventually, get, make_bot, on_both, post, say, text};

on_both!(
    a_stranger_finds_nothing_on_any_route,
    one_name_in_two_tenants_is_two_conversations,
    no_route_opens_without_a_good_key,
    a_revoked_key_is_refused_within_five_seconds,
    a_suspended_tenant_is_refused_within_five_seconds,
);

/// What a stranger who knows the ids sees.
#[derive(Clone, Copy)]
enum Sees {
    /// 404, as for what does not exist.
    NotFound,
    /// A list or figures, and nothing of the owner's in them.
    OwnOnly,
}

/// How a route is called: `BOT`, `SESSION` and `SOURCE` stand for the owner's ids.
struct Route {
    method: Method,
    path: &'static str,
    query: &'static str,
    body: Option<Value>,
    sees: Sees,
}

const BOT: &str = "<bot>";
const SESSION: &str = "<session>";
const SOURCE: &str = "<source>";

/// Every route of the Tenant API. A route of the document that is not here fails the tests.
fn routes() -> Vec<Route> {
    let route = |method: Method, path, body: Option<Value>, sees| Route {
        method,
        path,
        query: "",
        body,
        sees,
    };
    let listed = |path, query| Route {
        method: Method::GET,
        path,
        query,
        body: None,
        sees: Sees::OwnOnly,
    };
    let words = json!({ "bot_id": BOT, "name": "Mine", "source_type": "text", "content": "Mine." });
    vec![
        listed("/tenant/info", ""),
        listed("/tenant/usage", ""),
        listed("/bots", ""),
        route(
            Method::POST,
            "/bots",
            Some(json!({ "id": BOT, "name": "Mine", "channel_type": "webchat" })),
            Sees::OwnOnly,
        ),
        route(Method::GET, "/bots/{bot_id}", None, Sees::NotFound),
        route(
            Method::PUT,
            "/bots/{bot_id}",
            Some(json!({ "name": "Mine" })),
            Sees::NotFound,
        ),
        route(Method::DELETE, "/bots/{bot_id}", None, Sees::NotFound),
        route(
            Method::PATCH,
            "/bots/{bot_id}",
            Some(json!({ "name": "Mine" })),
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/bots/{bot_id}/conversations",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/bots/{bot_id}/integrations",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/bots/{bot_id}/integrations",
            Some(json!({ "name": "Mine", "kind": "openai", "api_key": "sk" })),
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/integrations/{integration_id}",
            None,
            Sees::NotFound,
        ),
        route(
            Method::PATCH,
            "/integrations/{integration_id}",
            Some(json!({ "name": "Mine" })),
            Sees::NotFound,
        ),
        route(
            Method::DELETE,
            "/integrations/{integration_id}",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/integrations/{integration_id}/test",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/conversations/{session_id}/messages",
            None,
            Sees::NotFound,
        ),
        route(
            Method::DELETE,
            "/conversations/{session_id}",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/bots/{bot_id}/api-keys",
            Some(json!({ "name": "Mine" })),
            Sees::NotFound,
        ),
        route(Method::GET, "/bots/{bot_id}/api-keys", None, Sees::NotFound),
        route(
            Method::DELETE,
            "/bots/{bot_id}/api-keys/{key_id}",
            None,
            Sees::NotFound,
        ),
        listed("/conversations", "bot_id=<bot>"),
        route(
            Method::GET,
            "/conversations/{session_id}",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/conversations/{session_id}/messages",
            Some(json!({ "message": "Hi?", "bot_id": BOT })),
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/conversations/{session_id}/end",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/messages/{message_id}/receipt",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/bots/{bot_id}/embeddings",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/bots/{bot_id}/embeddings/comparison",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/bots/{bot_id}/embeddings",
            Some(json!({ "model": null })),
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/bots/{bot_id}/evaluations",
            Some(json!({ "cases": [{ "question": "Hi?", "should_not_answer": true }] })),
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/bots/{bot_id}/evaluations",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/bots/{bot_id}/evaluations/{evaluation_id}",
            None,
            Sees::NotFound,
        ),
        listed("/webhooks", ""),
        route(
            Method::POST,
            "/webhooks",
            Some(
                json!({ "id": BOT, "url": "https://example.com/", "events": ["message.received"] }),
            ),
            Sees::OwnOnly,
        ),
        route(Method::GET, "/webhooks/{webhook_id}", None, Sees::NotFound),
        route(
            Method::PATCH,
            "/webhooks/{webhook_id}",
            Some(json!({ "enabled": false, "url": "https://example.com/mine" })),
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/webhooks/{webhook_id}/rotate",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/webhooks/{webhook_id}/test",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/webhooks/{webhook_id}/deliveries",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
            None,
            Sees::NotFound,
        ),
        route(
            Method::DELETE,
            "/webhooks/{webhook_id}",
            None,
            Sees::NotFound,
        ),
        listed("/analytics/overview", ""),
        listed("/analytics/conversations", "bot_id=<bot>"),
        listed("/knowledge/sources", "bot_id=<bot>"),
        route(
            Method::POST,
            "/knowledge/sources",
            Some(words),
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/knowledge/sources/{source_id}",
            None,
            Sees::NotFound,
        ),
        route(
            Method::PUT,
            "/knowledge/sources/{source_id}",
            Some(json!({ "name": "Mine", "content": "Mine.", "enabled": false })),
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/knowledge/sources/{source_id}/refresh",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/knowledge/sources/{source_id}/events",
            None,
            Sees::NotFound,
        ),
        route(
            Method::DELETE,
            "/knowledge/sources/{source_id}",
            None,
            Sees::NotFound,
        ),
        route(Method::POST, "/knowledge/upload", None, Sees::NotFound),
        route(
            Method::POST,
            "/knowledge/scrape",
            Some(json!({ "bot_id": BOT, "url": "http://127.0.0.1:1/" })),
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/knowledge/search",
            Some(json!({ "bot_id": BOT, "query": "secret" })),
            Sees::NotFound,
        ),
    ]
}

/// What the owner has, and its ids.
struct Owned {
    bot: String,
    source: String,
    message: String,
    evaluation: String,
    integration: String,
    webhook: String,
    delivery: String,
    key: String,
}

const OWNED_SESSION: &str = "owners-session";

impl Owned {
    async fn make(client: &Client) -> Self {
        let bot = bot_that_knows(client, "The secret of the owner is the number 4711.").await;
        let webhook = json!({ "url": "https://webhooks.invalid/", "events": ["message.received"] });
        let webhook = post(client, "/webhooks", webhook).await;
        let turn = say(client, OWNED_SESSION, "What is the secret of the owner?").await;
        let list = get(client, "/knowledge/sources").await;
        let cases =
            json!({ "cases": [{ "question": "The secret?", "expected_phrases": ["4711"] }] });
        let evaluation = post(client, &format!("/bots/{bot}/evaluations"), cases).await;
        let integration =
            json!({ "name": "Owners", "kind": "openai", "api_key": "sk", "enabled": false });
        let integration = post(client, &format!("/bots/{bot}/integrations"), integration).await;
        let path = format!("/bots/{bot}/api-keys");
        let key = post(client, &path, json!({ "name": "key" })).await;
        Self {
            bot,
            integration: text(integration.gives(201), "id").to_owned(),
            key: text(key.gives(201), "id").to_owned(),
            source: text(&list.lists()[0], "id").to_owned(),
            evaluation: text(evaluation.gives(201), "id").to_owned(),
            message: text(&turn["bot_response"], "id").to_owned(),
            webhook: text(webhook.gives(201), "id").to_owned(),
            // A delivery is known by its event, and that by its message.
            delivery: text(&turn["user_message"], "id").to_owned(),
        }
    }

    fn fill(&self, text: &str) -> String {
        let names = [
            ("{bot_id}", self.bot.as_str()),
            (BOT, &self.bot),
            ("{session_id}", OWNED_SESSION),
            (SESSION, OWNED_SESSION),
            ("{source_id}", &self.source),
            (SOURCE, &self.source),
            ("{message_id}", &self.message),
            ("{evaluation_id}", &self.evaluation),
            ("{integration_id}", &self.integration),
            ("{webhook_id}", &self.webhook),
            ("{delivery_id}", &self.delivery),
            ("{key_id}", &self.key),
        ];
        names
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    async fn call(&self, client: &Client, route: &Route) -> Answer {
        let request = client.request(
            route.method.clone(),
            &self.fill(&format!("{}?{}", route.path, route.query)),
        );
        let request = match &route.body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(self.fill(&body.to_string())),
            None if route.path == "/knowledge/upload" => {
                let file = Part::bytes(b"Mine.".to_vec()).file_name("mine.txt");
                request.multipart(
                    Form::new()
                        .text("bot_id", self.bot.clone())
                        .part("file", file),
                )
            }
            None => request,
        };
        client.answer(request).await.unwrap()
    }

    /// All that the owner sees of it.
    async fn snapshot(&self, client: &Client) -> Vec<String> {
        let mut seen = Vec::new();
        for path in [
            "/tenant/info",
            "/tenant/usage",
            "/bots",
            "/bots/{bot_id}",
            "/conversations",
            "/conversations/{session_id}",
            "/knowledge/sources",
            "/knowledge/sources/{source_id}",
            "/analytics/overview",
            "/analytics/conversations",
        ] {
            let answer = get(client, &self.fill(path)).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text);
            seen.push(answer.text);
        }
        seen
    }
}

/// The document's routes as (method, path below the prefix).
async fn documented(server: &TestServer) -> BTreeSet<(String, String)> {
    let request = server.client.request_outside(Method::GET, "/openapi.json");
    let document = server.client.answer(request).await.unwrap().body;
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/v1") else {
            continue;
        };
        for method in item
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "parameters")
        {
            routes.insert((method.to_uppercase(), path.to_owned()));
        }
    }
    routes
}

async fn a_stranger_finds_nothing_on_any_route(server: &TestServer) {
    let routes = routes();
    let known: BTreeSet<_> = routes
        .iter()
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert_eq!(
        documented(server).await,
        known,
        "every route of the document, and no other, is in the table"
    );

    let owned = Owned::make(&server.client).await;
    let before = owned.snapshot(&server.client).await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    make_bot(&stranger, json!({ "name": "Strangers bot" })).await;
    for route in &routes {
        let answer = owned.call(&stranger, route).await;
        let called = format!("{} {}: {}", route.method, route.path, answer.text);
        match route.sees {
            Sees::NotFound => assert_eq!(
                (answer.status, &answer.body["success"]),
                (404, &json!(false)),
                "{called}"
            ),
            Sees::OwnOnly => assert!((200..300).contains(&answer.status), "{called}"),
        }
        for secret in [
            &owned.bot,
            &owned.source,
            &owned.webhook,
            OWNED_SESSION,
            "4711",
            &server.tenant_id,
            "Handbook",
        ] {
            assert!(!answer.text.contains(secret), "{called}");
        }
        if !route.query.is_empty() && answer.body["data"].is_array() {
            assert!(answer.lists().is_empty(), "{called}");
        }
    }
    assert_eq!(
        owned.snapshot(&server.client).await,
        before,
        "the owner's data is as it was"
    );
}

async fn one_name_in_two_tenants_is_two_conversations(server: &TestServer) {
    let owned = Owned::make(&server.client).await;
    let before = owned.snapshot(&server.client).await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let bot = make_bot(&stranger, json!({})).await;
    let turn = say(&stranger, OWNED_SESSION, "What is the secret of the owner?").await;
    assert!(!turn.to_string().contains("4711"));
    let answer = get(&stranger, &format!("/conversations/{OWNED_SESSION}")).await;
    let data = answer.gives(200);
    assert_eq!(
        (
            &data["session"]["bot_id"],
            data["messages"].as_array().unwrap().len()
        ),
        (&bot["id"], 2)
    );
    assert_eq!(owned.snapshot(&server.client).await, before);
}

async fn no_route_opens_without_a_good_key(server: &TestServer) {
    let owned = Owned::make(&server.client).await;
    let before = owned.snapshot(&server.client).await;
    let unknown = botwright::domain::keys::ApiSecret::new(KeyKind::Tenant, [7; 32]);
    let url = server.url();
    for (client, error) in [
        (Client::without_key(&url), "Missing API key"),
        (Client::new(&url, "tk_wrong"), "Invalid API key"),
        // Well-formed, with a good checksum, and nobody's.
        (Client::new(&url, unknown.reveal()), "Invalid API key"),
    ] {
        for route in routes() {
            owned.call(&client, &route).await.refuses(401, error);
        }
    }
    assert_eq!(owned.snapshot(&server.client).await, before);
}

const SOON: Duration = Duration::from_secs(5);

async fn refused_on_every_route(client: &Client, owned: &Owned) {
    eventually(SOON, "the key is refused", async || {
        get(client, "/tenant/info").await.status == 401
    })
    .await;
    for route in routes() {
        owned
            .call(client, &route)
            .await
            .refuses(401, "Invalid API key");
    }
}

async fn a_revoked_key_is_refused_within_five_seconds(server: &TestServer) {
    let app = server.app();
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    let (key, secret) = tenants::create_key(app, tenant, None, "second")
        .await
        .unwrap();
    let second = Client::new(&server.url(), secret.reveal());
    let owned = Owned::make(&second).await;
    tenants::revoke_key(app, tenant, key.id).await.unwrap();
    refused_on_every_route(&second, &owned).await;
    get(&server.client, "/tenant/info").await.gives(200);
    assert_eq!(get(&server.client, "/bots").await.lists().len(), 1);
}

async fn a_suspended_tenant_is_refused_within_five_seconds(server: &TestServer) {
    let app = server.app();
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    let client = &server.client;
    let owned = Owned::make(client).await;
    let before = owned.snapshot(client).await;
    let other = server.another_tenant(Plan::Enterprise).await;
    tenants::suspend(app, tenant).await.unwrap();
    refused_on_every_route(client, &owned).await;
    get(&other, "/tenant/info").await.gives(200);
    tenants::resume(app, tenant).await.unwrap();
    eventually(SOON, "the key is taken again", async || {
        get(client, "/tenant/info").await.status == 200
    })
    .await;
    // All but the tenant's own time of change.
    assert_eq!(owned.snapshot(client).await[1..], before[1..]);
}
