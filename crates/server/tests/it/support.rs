//! What the tests share: servers on both engines, and what every answer must be like.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, TestServer};

/// Makes a test per engine of each `async fn name(server: &TestServer)`; `name: |builder| …` sets the server up.
macro_rules! on_both {
    ($($name:ident $(: $configure:expr)?),+ $(,)?) => {$(
        mod $name {
            #[allow(unused_imports, reason = "only those that set the server up need it")]
            use super::*;

            crate::support::engines!(check);

            async fn check(builder: testkit::Builder) {
                $(let configure: fn(testkit::Builder) -> testkit::Builder = $configure;
                let builder = configure(builder);)?
                let server = builder.start().await;
                super::$name(&server).await;
                server.stop().await;
            }
        }
    )+};
}
pub(crate) use on_both;

/// The same of each `async fn name(builder: Builder)`, for tests that start the server themselves.
macro_rules! started_on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use super::$name as check;
            crate::support::engines!(check);
        }
    )+};
}
pub(crate) use started_on_both;

macro_rules! engines {
    ($check:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn sqlite() {
            $check(testkit::TestServer::builder()).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() {
            $check(testkit::TestServer::builder().postgres()).await;
        }
    };
}
pub(crate) use engines;

pub async fn get(client: &Client, path: &str) -> Answer {
    client.get(path).await.unwrap()
}

pub async fn post(client: &Client, path: &str, body: Value) -> Answer {
    client.post(path, &body).await.unwrap()
}

pub async fn put(client: &Client, path: &str, body: Value) -> Answer {
    client.put(path, &body).await.unwrap()
}

pub async fn patch(client: &Client, path: &str, body: Value) -> Answer {
    client.patch(path, &body).await.unwrap()
}

pub async fn delete(client: &Client, path: &str) -> Answer {
    client.delete(path).await.unwrap()
}

/// A client with a new key of a bot.
pub async fn agent(server: &TestServer, bot: &str) -> Client {
    agent_of(&server.url(), &server.client, bot).await
}

/// A client with a new key of a bot of the tenant whose client this is.
pub async fn agent_of(url: &str, client: &Client, bot: &str) -> Client {
    let made = post(
        client,
        &format!("/bots/{bot}/api-keys"),
        json!({ "name": "key" }),
    )
    .await;
    Client::new(url, text(made.gives(201), "api_key"))
}

/// GET below `/v1`, whatever comes.
pub async fn agent_get(agent: &Client, path: &str) -> Answer {
    let request = agent.request_outside(Method::GET, &format!("/v1{path}"));
    agent.answer(request).await.unwrap()
}

/// POST of JSON below `/v1`, whatever comes.
pub async fn agent_post(agent: &Client, path: &str, body: Value) -> Answer {
    let request = agent.request_outside(Method::POST, &format!("/v1{path}"));
    agent.answer(request.json(&body)).await.unwrap()
}

/// What every answer of the Agent API must be like.
pub trait Denied {
    /// The body of a success.
    fn grants(&self) -> &Value;
    /// Asserts an error with this status; answers its body.
    fn denies(&self, status: u16) -> &Value;
}

impl Denied for Answer {
    #[track_caller]
    fn grants(&self) -> &Value {
        assert!((200..300).contains(&self.status), "{}", self.text);
        enveloped(self);
        &self.body
    }

    #[track_caller]
    fn denies(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(keys(&self.body), ["error", "message", "statusCode"]);
        assert_eq!(self.body["statusCode"], status);
        assert!(text(&self.body, "message").len() > 10, "{}", self.text);
        enveloped(self);
        &self.body
    }
}

/// What every answer must be like.
pub trait Told {
    /// The data of a success with this status.
    fn gives(&self, status: u16) -> &Value;
    /// A list's items, with the envelope checked.
    fn lists(&self) -> &[Value];
    /// Asserts an error with this status and phrase; answers the sentence.
    fn refuses(&self, status: u16, error: &str) -> &str;
}

impl Told for Answer {
    #[track_caller]
    fn gives(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(keys(&self.body), ["data", "success"], "{}", self.text);
        assert_eq!(self.body["success"], true);
        enveloped(self);
        &self.body["data"]
    }

    #[track_caller]
    fn lists(&self) -> &[Value] {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(keys(&self.body), ["data", "pagination", "success"]);
        assert_eq!(self.body["success"], true);
        assert_eq!(
            keys(&self.body["pagination"]),
            ["has_next", "has_prev", "page", "pages", "per_page", "total"]
        );
        enveloped(self);
        self.body["data"].as_array().unwrap()
    }

    #[track_caller]
    fn refuses(&self, status: u16, error: &str) -> &str {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(
            keys(&self.body),
            ["error", "message", "success"],
            "{}",
            self.text
        );
        assert_eq!(self.body["success"], false);
        assert_eq!(self.body["error"], error, "{}", self.text);
        enveloped(self);
        let message = self.body["message"].as_str().unwrap();
        assert!(
            message.len() > 10,
            "a sentence that says what to do: {message}"
        );
        message
    }
}

#[track_caller]
fn enveloped(answer: &Answer) {
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json")
    );
    assert!(!answer.header("x-request-id").is_empty());
}

/// An object's keys, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    keys.sort_unstable();
    keys
}

/// The words of a field of each item.
pub fn column<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items
        .iter()
        .map(|item| item[field].as_str().unwrap_or("null"))
        .collect()
}

#[track_caller]
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no words in '{field}' of {value}"))
}

/// A UUID of version 7 in lower case.
#[track_caller]
pub fn assert_id(value: &Value) {
    let id = value.as_str().unwrap_or_else(|| panic!("{value} is no id"));
    let parsed = uuid::Uuid::parse_str(id).unwrap();
    assert_eq!(parsed.get_version_num(), 7, "{id}");
    assert_eq!(parsed.to_string(), id);
}

/// RFC 3339 in UTC, ending in `Z`.
#[track_caller]
pub fn time(value: &Value) -> time::OffsetDateTime {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no time"));
    assert!(text.ends_with('Z'), "{text}");
    time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
}

/// Makes a web chat bot with these fields beside its name and channel; answers its data.
pub async fn make_bot(client: &Client, fields: Value) -> Value {
    let mut body = json!({ "name": "Support", "channel_type": "webchat" });
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    post(client, "/bots", body).await.gives(201).clone()
}

/// A bot and what it knows.
pub async fn bot_that_knows(client: &Client, content: &str) -> String {
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    client.create_text(&bot, "Handbook", content).await.unwrap();
    bot
}

pub const HOURS: &str = "# Opening hours\n\nOur opening hours are Monday to Friday, 9 AM to 6 PM.\n\n\
    # Returns\n\nYou can return any product within 30 days of the purchase for a full refund.\n";
pub const ASK_HOURS: &str = "What are your opening hours?";

/// Sends a message; answers the turn's data.
pub async fn say(client: &Client, session: &str, message: &str) -> Value {
    let path = format!("/conversations/{session}/messages");
    post(client, &path, json!({ "message": message }))
        .await
        .gives(200)
        .clone()
}

/// A conversation's messages as (sender, message).
pub async fn messages(client: &Client, session: &str) -> Vec<(String, String)> {
    let details = client.conversation(session).await.unwrap();
    details
        .messages
        .into_iter()
        .map(|message| (message.sender, message.message))
        .collect()
}

/// The month's usage: bots, conversations, messages.
pub async fn usage(client: &Client) -> [u64; 3] {
    let answer = get(client, "/tenant/usage").await;
    let usage = &answer.gives(200)["usage"];
    ["bot_count", "conversation_count", "message_count"].map(|name| usage[name].as_u64().unwrap())
}

/// Waits until a source has been read, well or badly; answers it.
pub async fn read_source(client: &Client, id: &str) -> Value {
    let path = format!("/knowledge/sources/{id}");
    let mut source = Value::Null;
    eventually(Duration::from_secs(30), "the file is read", async || {
        source = get(client, &path).await.gives(200)["source"].clone();
        source["status"] != "processing"
    })
    .await;
    source
}

/// Asks again and again until it is so; in the time named it must be.
pub async fn eventually(within: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
