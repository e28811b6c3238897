//! Every route of every API, how it is called, and what an owner has that it can be called with.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::support::{
    Denied, Told, agent_get, agent_of, agent_post, bot_that_knows, eventually, get, post, put, text,
};

/// What a stranger who knows the ids sees.
#[derive(Clone, Copy)]
pub enum Sees {
    /// 404, as for what does not exist.
    NotFound,
    /// A list or figures, and nothing of the owner's in them.
    OwnOnly,
}

/// How a route is called: `BOT`, `SESSION` and `SOURCE` stand for the owner's ids.
pub struct Route {
    pub prefix: &'static str,
    pub method: Method,
    pub path: &'static str,
    pub query: &'static str,
    pub body: Option<Value>,
    pub sees: Sees,
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
pub const AGENT_API: &str = "/v1";

/// Every route of every API. A route of the document that is not here fails the tests.
pub fn routes() -> Vec<Route> {
    let mut all = tenant_routes();
    all.extend(agent_routes());
    all
}

/// The Agent API: called with a key of a bot that has none of the owner's things.
pub fn agent_routes() -> Vec<Route> {
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

pub fn tenant_routes() -> Vec<Route> {
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
pub struct Owned {
    pub bot: String,
    pub source: String,
    pub message: String,
    pub evaluation: String,
    pub integration: String,
    pub agent_loop: String,
    pub execution: String,
    pub channel: String,
    pub webhook: String,
    pub delivery: String,
    pub key: String,
    pub talk: String,
    pub person: String,
    pub agent: Client,
}

pub const OWNED_SESSION: &str = "owners-session";

impl Owned {
    pub async fn make(url: &str, client: &Client) -> Self {
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

    pub fn fill(&self, text: &str) -> String {
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

    pub async fn call(&self, client: &Client, route: &Route) -> Answer {
        let path = format!("{}{}?{}", route.prefix, route.path, route.query);
        static CALLS: AtomicU16 = AtomicU16::new(0);
        let [high, low] = CALLS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let request = client.request_outside(route.method.clone(), &self.fill(&path));
        // Each from an address of its own, where the server believes it: a bot has a rate for each.
        let request = request.header("x-forwarded-for", format!("198.18.{high}.{low}"));
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
    pub async fn snapshot(&self, client: &Client) -> Vec<String> {
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
pub const TENANTS: usize = 14;
