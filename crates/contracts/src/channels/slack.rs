//! Slack's Events API and Web API, as documented at <https://docs.slack.dev>.

use domain::bots::ChannelType;
use domain::channels::{Connection, Inbound};
use serde_json::{Value, json};

use super::api::{Account, Call, Dialect, FakeApi, connection, posted, reply, signature};
use super::{Delivered, Fault, Limit, NOW, Said};
use crate::fakes::website::Reply;

/// An app in a workspace.
pub type FakeSlack = FakeApi<Slack>;

const TOKEN: &str = "xoxb-17653672481-19874698323";
const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// See [`FakeSlack`].
#[derive(Debug, Default)]
pub struct Slack;

impl FakeSlack {
    /// A signed request of any form, sent at the time of [`NOW`].
    pub fn signed(&self, body: &Value) -> Inbound {
        signed(body)
    }

    /// A signed request with an event.
    pub fn event(&self, event: &Value) -> Inbound {
        signed(&callback(event))
    }
}

fn signed(body: &Value) -> Inbound {
    let (body, stamp) = (body.to_string(), NOW.unix_timestamp().to_string());
    let proof = format!(
        "v0={}",
        signature(SECRET, format!("v0:{stamp}:{body}").as_bytes())
    );
    let headers = [
        ("X-Slack-Request-Timestamp", &*stamp),
        ("X-Slack-Signature", &proof),
    ];
    posted(&headers, body.into_bytes())
}

fn callback(event: &Value) -> Value {
    json!({
        "token": "XXYYZZ", "team_id": "T123ABC456", "api_app_id": "A123ABC456",
        "event": event,
        "type": "event_callback", "event_id": "Ev123ABC456", "event_time": 1_700_000_000,
        "authorizations": [{"team_id": "T123ABC456", "user_id": "U0BOT", "is_bot": true}],
    })
}

/// A message between a person and the bot.
fn direct(said: &Said<'_>) -> Value {
    let text = said
        .text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    json!({
        "type": "message", "channel_type": "im", "channel": format!("D{}", said.person),
        "user": format!("U{}", said.person), "text": text, "ts": format!("1700000000.{:06}", said.id),
    })
}

impl Dialect for Slack {
    const ACCOUNT: &'static str = "shopbot in The Shop";
    /// What Slack recommends.
    const LIMIT: Limit = Limit {
        max: 4000,
        size: |text| text.chars().count(),
    };

    fn connection(&self) -> Connection {
        let credentials = json!({"bot_token": TOKEN, "signing_secret": SECRET});
        connection(ChannelType::Slack, &json!({}), &credentials)
    }

    fn answer(&self, call: &Call, account: &mut Account) -> Reply {
        if call.token.as_deref() != Some(TOKEN) {
            return self.fault(Fault::DeadToken);
        }
        match &*call.path {
            "/auth.test" => reply(
                200,
                &json!({
                    "ok": true, "url": "https://shop.slack.com/", "team": "The Shop", "user": "shopbot",
                    "team_id": "T123ABC456", "user_id": "U0BOT", "bot_id": "B0BOT",
                }),
            ),
            "/chat.postMessage" => {
                let text = call.text("/text");
                if text.is_empty() {
                    return reply(200, &json!({"ok": false, "error": "no_text"}));
                }
                let seen = text
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&amp;", "&");
                let to = call.text("/channel");
                let number = account.deliver(Delivered {
                    to: to.clone(),
                    text: seen,
                });
                let ts = format!("1700000001.{number:06}");
                reply(200, &json!({"ok": true, "channel": to, "ts": ts}))
            }
            _ => reply(200, &json!({"ok": false, "error": "unknown_method"})),
        }
    }

    fn fault(&self, fault: Fault) -> Reply {
        let error = |word: &str| reply(200, &json!({"ok": false, "error": word}));
        match fault {
            Fault::DeadToken => error("invalid_auth"),
            Fault::Blocked => error("channel_not_found"),
            Fault::TooMany(wait) => {
                let body = json!({"ok": false, "error": "ratelimited"});
                reply(429, &body).header("retry-after", &wait.to_string())
            }
            _ => error("invalid_arguments"),
        }
    }

    fn post(&self, said: &Said<'_>, _: &Account) -> Inbound {
        signed(&callback(&direct(said)))
    }

    fn noise(&self, _: &Account) -> Vec<Inbound> {
        let with = |name: &str, value: Value| {
            let mut event = direct(&Said {
                id: 9,
                person: 3,
                text: "not for us",
            });
            event[name] = value;
            signed(&callback(&event))
        };
        vec![
            with("bot_id", json!("B0BOT")),
            with("subtype", json!("message_changed")),
            with("subtype", json!("bot_message")),
            with("channel_type", json!("channel")),
            with("type", json!("reaction_added")),
        ]
    }

    fn address(&self, person: u64) -> String {
        format!("D{person}")
    }

    fn is_typing(&self, _: &Call) -> bool {
        false
    }
}
