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

use crate::support::{
    Denied, Told, agent, agent_get, agent_of, agent_post, bot_that_knows, eventually, get,
    make_bot, on_both, post, put, say, text,
};

on_both!(
    a_stranger_finds_nothing_on_any_route,
    a_child_is_found_below_its_parent_alone,
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
    prefix: &'static str,
    method: Method,
    path: &'static str,
    query: &'static str,
    body: Option<Value>,
    sees: Sees,
}

const BOT: &str = "<bot>";
const SESSION: &str = "<session>";
const SOURCE: &str = "<source>";
const TALK: &str = "<talk>";
const PERSON: &str = "<person>";
const INTEGRATION: &str = "<integration>";
const LOOP: &str = "/agent-loops/{agent_loop_id}";
const EXECUTION: &str = "/agent-loops/{agent_loop_id}/executions/{execution_id}";

const TENANT_API: &str = "/api/v1";
const AGENT_API: &str = "/v1";

/// Every route of every API. A route of the document that is not here fails the tests.
fn routes() -> Vec<Route> {
    let mut all = tenant_routes();
    all.extend(agent_routes());
    all
}

/// The Agent API: called with a key of a bot that has none of the owner's things.
fn agent_routes() -> Vec<Route> {
    let route = |method: Method, path, query, body: Option<Value>, sees| Route {
        prefix: AGENT_API,
        method,
        path,
        query,
        body,
        sees,
    };
    let listed = |path, query| route(Method::GET, path, query, None, Sees::OwnOnly);
    let within = |path| route(Method::GET, path, "", None, Sees::NotFound);
    let told = |path, body, sees| route(Method::POST, path, "", Some(body), sees);
    let event = |fields: Value| {
        let mut event = json!({ "id": "1", "type": "chat_open" });
        let fields = fields.as_object().unwrap().clone();
        event.as_object_mut().unwrap().extend(fields);
        json!({ "events": [event] })
    };
    let order = |fields: Value| {
        let mut order = json!({ "externalId": "1", "amount": 1, "currency": "EUR" });
        let fields = fields.as_object().unwrap().clone();
        order.as_object_mut().unwrap().extend(fields);
        order
    };
    vec![
        listed("/agent", ""),
        told(
            "/chat",
            json!({ "message": "What is the secret?" }),
            Sees::OwnOnly,
        ),
        told(
            "/chat",
            json!({ "message": "What is the secret?", "conversationId": TALK }),
            Sees::NotFound,
        ),
        listed("/conversations", "customerId=<person>"),
        within("/conversations/{conversation_id}"),
        within("/conversations/{conversation_id}/messages"),
        route(
            Method::PATCH,
            "/conversations/{conversation_id}/messages/{message_id}/feedback",
            "",
            Some(json!({ "feedback": "NEGATIVE" })),
            Sees::NotFound,
        ),
        told("/events", event(json!({})), Sees::OwnOnly),
        told(
            "/events",
            event(json!({ "conversationId": TALK })),
            Sees::NotFound,
        ),
        listed("/analytics", ""),
        listed("/analytics/revenue", ""),
        told(
            "/orders",
            order(json!({ "customer": { "id": "owner" } })),
            Sees::OwnOnly,
        ),
        told(
            "/orders",
            order(json!({ "externalId": "2", "conversationId": TALK })),
            Sees::NotFound,
        ),
        listed("/orders", ""),
        listed("/insights/sentiment", ""),
        listed("/insights/intents", ""),
        listed("/insights/products", ""),
        listed("/insights/questions", ""),
        listed("/customers", ""),
        listed("/leads", ""),
        told(
            "/leads",
            json!({ "conversationId": TALK, "email": "taken@example.com" }),
            Sees::NotFound,
        ),
        listed("/emails", ""),
        listed("/knowledge", ""),
        listed("/integrations", ""),
    ]
}

fn tenant_routes() -> Vec<Route> {
    let route = |method: Method, path, body: Option<Value>, sees| Route {
        prefix: TENANT_API,
        method,
        path,
        query: "",
        body,
        sees,
    };
    let listed = |path, query| Route {
        prefix: TENANT_API,
        method: Method::GET,
        path,
        query,
        body: None,
        sees: Sees::OwnOnly,
    };
    let within = |method, path, body| route(method, path, Some(body), Sees::NotFound);
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
        route(Method::GET, "/bots/{bot_id}/products", None, Sees::NotFound),
        route(
            Method::GET,
            "/bots/{bot_id}/customers/{customer_id}/export",
            None,
            Sees::NotFound,
        ),
        route(
            Method::DELETE,
            "/bots/{bot_id}/customers/{customer_id}",
            None,
            Sees::NotFound,
        ),
        route(
            Method::PUT,
            "/bots/{bot_id}/products",
            Some(json!({ "products": [] })),
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
        listed("/agent-loops", ""),
        within(
            Method::POST,
            "/agent-loops",
            json!({ "name": "Mine", "instructions": "Mine.", "bot_id": BOT }),
        ),
        route(Method::GET, LOOP, None, Sees::NotFound),
        within(Method::PATCH, LOOP, json!({ "name": "Mine" })),
        route(Method::DELETE, LOOP, None, Sees::NotFound),
        route(
            Method::POST,
            "/agent-loops/{agent_loop_id}/run",
            None,
            Sees::NotFound,
        ),
        route(
            Method::GET,
            "/agent-loops/{agent_loop_id}/executions",
            None,
            Sees::NotFound,
        ),
        route(Method::GET, EXECUTION, None, Sees::NotFound),
        route(
            Method::POST,
            "/agent-loops/{agent_loop_id}/executions/{execution_id}/cancel",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/agent-loops/{agent_loop_id}/executions/{execution_id}/approve",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/agent-loops/{agent_loop_id}/executions/{execution_id}/reject",
            None,
            Sees::NotFound,
        ),
        within(
            Method::POST,
            "/agent-loops",
            json!({ "name": "Mine", "instructions": "Mine.", "integration_id": INTEGRATION }),
        ),
        route(Method::GET, "/bots/{bot_id}/channels", None, Sees::NotFound),
        route(
            Method::POST,
            "/bots/{bot_id}/channels",
            Some(json!({ "name": "Mine", "type": "webchat" })),
            Sees::NotFound,
        ),
        route(Method::GET, "/channels/{channel_id}", None, Sees::NotFound),
        route(
            Method::PATCH,
            "/channels/{channel_id}",
            Some(json!({ "name": "Mine" })),
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/channels/{channel_id}/connect",
            None,
            Sees::NotFound,
        ),
        route(
            Method::POST,
            "/channels/{channel_id}/disconnect",
            None,
            Sees::NotFound,
        ),
        route(
            Method::DELETE,
            "/channels/{channel_id}",
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
    agent_loop: String,
    execution: String,
    channel: String,
    webhook: String,
    delivery: String,
    key: String,
    talk: String,
    person: String,
    agent: Client,
}

const OWNED_SESSION: &str = "owners-session";

impl Owned {
    async fn make(url: &str, client: &Client) -> Self {
        let bot = bot_that_knows(client, "The secret of the owner is the number 4711.").await;
        let webhook = json!({ "url": "https://webhooks.invalid/", "events": ["message.received"] });
        let webhook = post(client, "/webhooks", webhook).await;
        let catalogue = json!({ "products": [{ "id": "olgas-product", "name": "Secret" }] });
        let path = format!("/bots/{bot}/products");
        put(client, &path, catalogue).await.gives(200);
        let path = format!("/conversations/{OWNED_SESSION}/messages");
        let words = json!({ "message": "What is the secret of the owner?", "user_identifier": "owner",
            "user_name": "Olga Owner", "user_email": "olga@example.com" });
        let turn = post(client, &path, words).await.gives(200).clone();
        let agent = agent_of(url, client, &bot).await;
        let order = json!({ "externalId": "olgas-order", "amount": 4711, "currency": "EUR",
            "customer": { "id": "owner" } });
        agent_post(&agent, "/orders", order).await.grants();
        let talks = agent_get(&agent, "/conversations").await;
        let talk = talks.grants()["data"][0].clone();
        let list = get(client, "/knowledge/sources").await;
        let cases =
            json!({ "cases": [{ "question": "The secret?", "expected_phrases": ["4711"] }] });
        let evaluation = post(client, &format!("/bots/{bot}/evaluations"), cases).await;
        let integration =
            json!({ "name": "Owners", "kind": "openai", "api_key": "sk", "enabled": false });
        let integration = post(client, &format!("/bots/{bot}/integrations"), integration).await;
        let models = json!({ "name": "Loops", "kind": "openai", "base_url": "https://models.invalid/v1",
            "enabled": false });
        let models = post(client, &format!("/bots/{bot}/integrations"), models).await;
        let agent_loop = json!({ "name": "Olgas loop", "instructions": "4711",
            "integration_id": models.gives(201)["id"] });
        let agent_loop = post(client, "/agent-loops", agent_loop).await;
        let agent_loop = text(agent_loop.gives(201), "id").to_owned();
        let execution = post(client, &format!("/agent-loops/{agent_loop}/run"), json!({})).await;
        let channel = json!({ "name": "Owners", "type": "webchat" });
        let channel = post(client, &format!("/bots/{bot}/channels"), channel).await;
        let channel = text(channel.gives(201), "id").to_owned();
        post(client, &format!("/channels/{channel}/connect"), json!({}))
            .await
            .gives(200);
        let path = format!("/bots/{bot}/api-keys");
        let key = post(client, &path, json!({ "name": "key" })).await;
        let within = Duration::from_secs(30);
        eventually(within, "the message is learned from", async || {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let told = agent_get(&agent, "/insights/products").await;
            told.grants()["meta"]["total"] == 1
        })
        .await;
        Self {
            bot,
            integration: text(integration.gives(201), "id").to_owned(),
            execution: text(execution.gives(201), "id").to_owned(),
            agent_loop,
            channel,
            talk: text(&talk, "id").to_owned(),
            person: text(&talk["customer"], "id").to_owned(),
            agent,
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
            ("{conversation_id}", &self.talk),
            (TALK, &self.talk),
            (PERSON, &self.person),
            ("{customer_id}", &self.person),
            ("{source_id}", &self.source),
            (SOURCE, &self.source),
            ("{message_id}", &self.message),
            ("{evaluation_id}", &self.evaluation),
            ("{integration_id}", &self.integration),
            (INTEGRATION, &self.integration),
            ("{agent_loop_id}", &self.agent_loop),
            ("{execution_id}", &self.execution),
            ("{channel_id}", &self.channel),
            ("{webhook_id}", &self.webhook),
            ("{delivery_id}", &self.delivery),
            ("{key_id}", &self.key),
        ];
        names
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    async fn call(&self, client: &Client, route: &Route) -> Answer {
        let path = format!("{}{}?{}", route.prefix, route.path, route.query);
        let request = client.request_outside(route.method.clone(), &self.fill(&path));
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

    /// All that the owner sees of it: of the tenant first, then of the bot.
    async fn snapshot(&self, client: &Client) -> Vec<String> {
        let mut seen = Vec::new();
        for path in [
            "/tenant/info",
            "/tenant/usage",
            "/bots",
            "/bots/{bot_id}",
            "/bots/{bot_id}/products",
            "/conversations",
            "/conversations/{session_id}",
            "/knowledge/sources",
            "/knowledge/sources/{source_id}",
            "/bots/{bot_id}/channels",
            "/channels/{channel_id}",
            "/analytics/overview",
            "/analytics/conversations",
            LOOP,
        ] {
            let answer = get(client, &self.fill(path)).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text);
            seen.push(answer.text);
        }
        assert_eq!(seen.len(), TENANTS);
        for path in [
            "/conversations/{conversation_id}",
            "/insights/products",
            "/insights/questions",
            "/analytics",
            "/orders",
            "/customers",
            "/leads",
        ] {
            let answer = agent_get(&self.agent, &self.fill(path)).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text);
            seen.push(answer.text);
        }
        seen
    }
}

/// How many parts of a snapshot are of the whole tenant.
const TENANTS: usize = 14;

/// The document's routes as (method, path).
async fn documented(server: &TestServer) -> BTreeSet<(String, String)> {
    let request = server.client.request_outside(Method::GET, "/openapi.json");
    let document = server.client.answer(request).await.unwrap().body;
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
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
        .map(|route| {
            (
                route.method.to_string(),
                format!("{}{}", route.prefix, route.path),
            )
        })
        .collect();
    assert_eq!(
        documented(server).await,
        known,
        "every route of the document, and no other, is in the table"
    );

    let owned = Owned::make(&server.url(), &server.client).await;
    // A second bot of the owner's knows nothing of the first.
    let second = make_bot(&server.client, json!({ "name": "Second" })).await;
    let second = agent(server, text(&second, "id")).await;
    let before = owned.snapshot(&server.client).await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let bot = make_bot(&stranger, json!({ "name": "Strangers bot" })).await;
    let strangers = agent_of(&server.url(), &stranger, text(&bot, "id")).await;
    for route in &routes {
        let client = match route.prefix {
            AGENT_API => &strangers,
            _ => &stranger,
        };
        finds_nothing(server, &owned, client, route).await;
    }
    assert_eq!(
        owned.snapshot(&server.client).await,
        before,
        "the owner's data is as it was"
    );
    for route in &agent_routes() {
        finds_nothing(server, &owned, &second, route).await;
    }
    let after = owned.snapshot(&server.client).await;
    assert_eq!(after[TENANTS..], before[TENANTS..], "and the first bot's");
}

/// Below a parent of one's own, there is no child of another's.
async fn a_child_is_found_below_its_parent_alone(server: &TestServer) {
    let owned = Owned::make(&server.url(), &server.client).await;
    let before = owned.snapshot(&server.client).await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let theirs = Owned::make(&server.url(), &stranger).await;
    let own_bot = owned.bot.clone();
    let (own_loop, own_webhook) = (owned.agent_loop.clone(), owned.webhook.clone());
    let mixed = Owned {
        bot: theirs.bot,
        agent_loop: theirs.agent_loop,
        webhook: theirs.webhook,
        ..owned
    };
    let mut nested = 0;
    for route in &tenant_routes() {
        let children = [
            "/executions/{",
            "/deliveries/{",
            "/evaluations/{",
            "/customers/{",
            "/api-keys/{",
        ];
        if !children.iter().any(|child| route.path.contains(child)) {
            continue;
        }
        nested += 1;
        let answer = mixed.call(&stranger, route).await;
        assert_eq!(
            answer.status, 404,
            "{} {}: {}",
            route.method, route.path, answer.text
        );
    }
    assert!(nested >= 8, "{nested}");
    let whole = Owned {
        bot: own_bot,
        agent_loop: own_loop,
        webhook: own_webhook,
        ..mixed
    };
    let after = whole.snapshot(&server.client).await;
    assert_eq!(after, before, "the owner's data is as it was");
}

async fn finds_nothing(server: &TestServer, owned: &Owned, client: &Client, route: &Route) {
    let answer = owned.call(client, route).await;
    let called = format!("{} {}: {}", route.method, route.path, answer.text);
    match route.sees {
        Sees::NotFound if route.prefix == AGENT_API => {
            answer.denies(404);
        }
        Sees::NotFound => assert_eq!(
            (answer.status, &answer.body["success"]),
            (404, &json!(false)),
            "{called}"
        ),
        Sees::OwnOnly => assert!((200..300).contains(&answer.status), "{called}"),
    }
    for secret in [
        "Olga",
        "olga",
        &owned.talk,
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
        let data = answer.body["data"].as_array().unwrap();
        assert!(data.is_empty(), "{called}");
    }
}

async fn one_name_in_two_tenants_is_two_conversations(server: &TestServer) {
    let owned = Owned::make(&server.url(), &server.client).await;
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
    let owned = Owned::make(&server.url(), &server.client).await;
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
            refused(&owned.call(&client, &route).await, &route, error);
        }
    }
    assert_eq!(owned.snapshot(&server.client).await, before);
}

#[track_caller]
fn refused(answer: &Answer, route: &Route, error: &str) {
    if route.prefix == AGENT_API {
        let told = text(answer.denies(401), "message");
        assert!(told.starts_with(error), "{told}");
    } else {
        answer.refuses(401, error);
    }
}

const SOON: Duration = Duration::from_secs(5);

async fn refused_on_every_route(client: &Client, owned: &Owned) {
    eventually(SOON, "the key is refused", async || {
        get(client, "/tenant/info").await.status == 401
    })
    .await;
    for route in routes() {
        refused(&owned.call(client, &route).await, &route, "Invalid API key");
    }
}

async fn a_revoked_key_is_refused_within_five_seconds(server: &TestServer) {
    let app = server.app();
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    let (key, secret) = tenants::create_key(app, tenant, None, "second")
        .await
        .unwrap();
    let second = Client::new(&server.url(), secret.reveal());
    let owned = Owned::make(&server.url(), &second).await;
    tenants::revoke_key(app, tenant, key.id).await.unwrap();
    refused_on_every_route(&second, &owned).await;
    get(&server.client, "/tenant/info").await.gives(200);
    assert_eq!(get(&server.client, "/bots").await.lists().len(), 1);
}

async fn a_suspended_tenant_is_refused_within_five_seconds(server: &TestServer) {
    let app = server.app();
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    let client = &server.client;
    let owned = Owned::make(&server.url(), client).await;
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
    agent_get(&owned.agent, "/agent").await.grants();
    // All but the tenant's own time of change.
    assert_eq!(owned.snapshot(client).await[1..], before[1..]);
}
