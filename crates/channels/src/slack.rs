//! Slack: the Events API and `chat.postMessage` (<https://docs.slack.dev/apis/events-api>).

mod markup;

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use domain::bots::ChannelType;
use domain::channels::{
    ChannelAdapter, ChannelCredentials, ChannelError, Connected, Connection, HookError, Inbound,
    InboundMessage, OutboundMessage, Rate, Received, ReplyPath, SendFailure, SendLimits, Sender,
    Sent, SlackCredentials,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{self, Api, Reply, SetupError};
use crate::parts::{Parts, characters};
use crate::{proof, wrong_kind};

/// Of a message's text, in characters: what Slack recommends. What it cuts off is beyond 40,000, which even a part
/// of nothing but characters that are escaped stays within.
const TEXT_MAX: usize = 4000;
/// How old a request may be (<https://docs.slack.dev/authentication/verifying-requests-from-slack>).
const FRESH: time::Duration = time::Duration::minutes(5);

/// Apps in a Slack workspace.
pub struct Slack {
    api: Api,
}

impl Slack {
    /// At this address of the Web API.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(base_url: &str) -> Result<Self, SetupError> {
        let api = Api::new("Slack", base_url)?;
        Ok(Self { api })
    }

    async fn call(
        &self,
        connection: &Connection,
        method: &str,
        body: &Value,
    ) -> Result<Value, ChannelError> {
        let token = &keys(connection)?.bot_token;
        let path = format!("/{method}");
        let reply = self.api.call(Method::POST, &path, Some(token), Some(body));
        let reply = reply.await?;
        match reply.body["ok"] == true {
            true => Ok(reply.body),
            false => Err(self.failure(&reply)),
        }
    }

    /// Slack says with status 200 what is wrong.
    fn failure(&self, reply: &Reply) -> ChannelError {
        let Some(code) = http::code(&reply.body["error"]) else {
            return self.api.by_status(reply);
        };
        match code {
            "invalid_auth"
            | "not_authed"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "no_permission"
            | "missing_scope"
            | "not_allowed_token_type"
            | "org_login_required"
            | "team_access_not_granted"
            | "access_denied" => self
                .api
                .dead(&format!("does not accept the bot's token ({code})")),
            "channel_not_found"
            | "not_in_channel"
            | "is_archived"
            | "is_inactive"
            | "user_not_found"
            | "user_disabled"
            | "cannot_dm_bot"
            | "restricted_action"
            | "restricted_action_read_only_channel"
            | "restricted_action_thread_only_channel"
            | "restricted_action_non_threadable_channel"
            | "messages_tab_disabled"
            | "ekm_access_denied" => self
                .api
                .refused(&format!("does not let the bot write there ({code})")),
            "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
                self.api.busy(reply.retry_after)
            }
            "fatal_error"
            | "internal_error"
            | "service_unavailable"
            | "request_timeout"
            | "team_added_to_org" => self.api.later("has a fault of its own"),
            _ => self.api.invalid(&format!("refused the request ({code})")),
        }
    }
}

#[async_trait]
impl ChannelAdapter for Slack {
    fn kind(&self) -> ChannelType {
        ChannelType::Slack
    }

    /// <https://docs.slack.dev/apis/web-api/rate-limits>: one message a second to a channel.
    fn limits(&self) -> SendLimits {
        SendLimits {
            overall: None,
            each: Some(Rate {
                count: 1,
                per: Duration::from_secs(1),
            }),
        }
    }

    /// The hook is set up by the tenant in the app's pages.
    async fn connect(&self, connection: &Connection, _: &str) -> Result<Connected, ChannelError> {
        let found = self.call(connection, "auth.test", &json!({})).await?;
        let word = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
        Ok(Connected {
            account: format!("{} in {}", word("user"), word("team")),
        })
    }

    /// The app stays in the workspace: removing it is its owner's business.
    async fn disconnect(&self, connection: &Connection) -> Result<(), ChannelError> {
        keys(connection).map(drop)
    }

    fn receive(&self, connection: &Connection, inbound: &Inbound) -> Result<Received, HookError> {
        let keys = keys(connection).map_err(|_| HookError::Unsigned)?;
        if !is_genuine(keys, inbound) {
            return Err(HookError::Unsigned);
        }
        let post: Post =
            serde_json::from_slice(&inbound.body).map_err(|_| HookError::Malformed("no event"))?;
        let event = post.event.unwrap_or_default();
        let revoked = event
            .tokens
            .as_ref()
            .is_some_and(|tokens| !tokens.bot.is_empty());
        Ok(Received {
            disconnected: event.kind == "app_uninstalled" || revoked,
            answer: post.challenge.filter(|_| post.kind == "url_verification"),
            messages: event.read(&post.authorizations).into_iter().collect(),
        })
    }

    async fn send(
        &self,
        connection: &Connection,
        message: &OutboundMessage,
    ) -> Result<Sent, SendFailure> {
        let mut parts = Parts::of(message, TEXT_MAX, characters)?;
        while let Some(text) = parts.next() {
            let mut body = json!({
                "channel": message.reply.to,
                "text": markup::escape(text),
                "mrkdwn": false,
                "unfurl_links": false,
            });
            if let Some(thread) = &message.reply.thread {
                body["thread_ts"] = json!(thread);
            }
            let sent = self.call(connection, "chat.postMessage", &body).await;
            parts.note(
                sent.map(|sent| id(&message.reply.to, sent["ts"].as_str().unwrap_or_default())),
            )?;
        }
        Ok(parts.end())
    }

    /// Slack shows no such sign for apps.
    async fn typing(&self, _: &Connection, _: &ReplyPath) -> Result<(), ChannelError> {
        Ok(())
    }
}

fn keys(connection: &Connection) -> Result<&SlackCredentials, ChannelError> {
    match connection.credentials() {
        ChannelCredentials::Slack(keys) => Ok(keys),
        _ => Err(wrong_kind()),
    }
}

fn is_genuine(keys: &SlackCredentials, inbound: &Inbound) -> bool {
    let stamp = inbound
        .header("X-Slack-Request-Timestamp")
        .unwrap_or_default();
    let sent_at = stamp
        .parse()
        .ok()
        .and_then(|at| Timestamp::from_unix_timestamp(at).ok());
    let is_old = |sent_at: Timestamp| (inbound.received_at - sent_at).abs() > FRESH;
    if sent_at.is_none_or(is_old) {
        return false;
    }
    let signature = inbound.header("X-Slack-Signature").unwrap_or_default();
    let signature = signature.strip_prefix("v0=").unwrap_or_default();
    let signed: [&[u8]; 4] = [b"v0:", stamp.as_bytes(), b":", &inbound.body];
    proof::is_signed(&keys.signing_secret, &signed, signature)
}

/// Times of messages are unique within a channel.
fn id(channel: &str, ts: &str) -> String {
    format!("{channel}:{ts}")
}

#[derive(Deserialize)]
struct Post {
    #[serde(rename = "type")]
    kind: String,
    challenge: Option<String>,
    event: Option<Event>,
    #[serde(default)]
    authorizations: Vec<Authorization>,
}

/// As whom the app was told.
#[derive(Deserialize)]
struct Authorization {
    user_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    /// Edits, joins, files and what else is no plain message.
    subtype: Option<String>,
    bot_id: Option<String>,
    user: Option<String>,
    text: Option<String>,
    channel: Option<String>,
    channel_type: Option<String>,
    ts: Option<String>,
    thread_ts: Option<String>,
    tokens: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    bot: Vec<String>,
}

impl Event {
    /// `None`: nobody's words to the bot. In channels, it is spoken to where it is mentioned, and nowhere else: it
    /// does not break into others' talk. A mention comes as two events where the app asked for both, with the same
    /// time, so the event's own id would not tell that it is one.
    fn read(self, authorizations: &[Authorization]) -> Option<InboundMessage> {
        let direct = self.kind == "message" && self.channel_type.as_deref() == Some("im");
        let mentioned = self.kind == "app_mention";
        if !(direct || mentioned) || self.subtype.is_some() || self.bot_id.is_some() {
            return None;
        }
        let (user, channel, ts) = (self.user?, self.channel?, self.ts?);
        let mut own = authorizations.iter().filter_map(|it| it.user_id.as_deref());
        let text = markup::plain(&self.text?, own.next());
        if text.trim().is_empty() {
            return None;
        }
        // Between two, the channel is the conversation; elsewhere each thread is, of each who speaks there: what one says
        // is not another's. An answer begins a thread.
        let thread = self.thread_ts.or_else(|| mentioned.then(|| ts.clone()));
        let seconds = ts
            .split('.')
            .next()
            .and_then(|seconds| seconds.parse().ok());
        Some(InboundMessage {
            id: id(&channel, &ts),
            conversation: match &thread {
                Some(thread) if direct => id(&channel, thread),
                Some(thread) => format!("{}:{user}", id(&channel, thread)),
                None => channel.clone(),
            },
            from: Sender {
                id: user,
                ..Sender::default()
            },
            text,
            opening: false,
            sent_at: seconds.and_then(|at| Timestamp::from_unix_timestamp(at).ok()),
            reply: ReplyPath {
                to: channel,
                thread,
                ..ReplyPath::default()
            },
        })
    }
}
