//! Messenger: Meta's platform for pages (<https://developers.facebook.com/docs/messenger-platform>).

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use domain::bots::ChannelType;
use domain::channels::{
    ChannelAdapter, ChannelCredentials, ChannelError, ChannelSettings, Connected, Connection,
    HookError, Inbound, InboundMessage, MessengerCredentials, OutboundMessage, Rate, Received,
    ReplyPath, SendFailure, SendLimits, Sender, Sent,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::graph::{self, Hook};
use crate::http::{Api, SetupError};
use crate::parts::{Parts, characters};
use crate::wrong_kind;

/// Of a message's text, in characters.
const TEXT_MAX: usize = 2000;

/// Pages on Facebook.
pub struct Messenger {
    api: Api,
}

impl Messenger {
    /// At this address of the Graph API, with its version.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(base_url: &str) -> Result<Self, SetupError> {
        let api = Api::new("Messenger", base_url)?;
        Ok(Self { api })
    }

    async fn post(&self, connection: &Connection, body: Value) -> Result<Value, ChannelError> {
        let (_, keys) = own(connection)?;
        let token = &keys.page_access_token;
        graph::call(&self.api, Method::POST, "/me/messages", token, Some(&body)).await
    }
}

#[async_trait]
impl ChannelAdapter for Messenger {
    fn kind(&self) -> ChannelType {
        ChannelType::Messenger
    }

    /// <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>, "Send API", of texts.
    fn limits(&self) -> SendLimits {
        SendLimits {
            overall: Some(Rate {
                count: 300,
                per: Duration::from_secs(1),
            }),
            each: None,
        }
    }

    /// The hook is set up by the tenant in Meta's pages, where it belongs to the app; the page is joined to it here.
    async fn connect(&self, connection: &Connection, _: &str) -> Result<Connected, ChannelError> {
        let (page, keys) = own(connection)?;
        let token = &keys.page_access_token;
        let me = graph::call(&self.api, Method::GET, "/me?fields=id,name", token, None).await?;
        if me["id"] != page {
            return Err(self
                .api
                .dead("says that the access token is not this page's"));
        }
        let joined = json!({"subscribed_fields": ["messages", "messaging_postbacks"]});
        let path = format!("/{page}/subscribed_apps");
        graph::call(&self.api, Method::POST, &path, token, Some(&joined)).await?;
        let account = me["name"].as_str().unwrap_or(page);
        Ok(Connected {
            account: account.to_owned(),
        })
    }

    async fn disconnect(&self, connection: &Connection) -> Result<(), ChannelError> {
        let (page, keys) = own(connection)?;
        let (path, token) = (format!("/{page}/subscribed_apps"), &keys.page_access_token);
        graph::call(&self.api, Method::DELETE, &path, token, None)
            .await
            .map(drop)
    }

    fn receive(&self, connection: &Connection, inbound: &Inbound) -> Result<Received, HookError> {
        let (page, keys) = own(connection).map_err(|_| HookError::Unsigned)?;
        let post: Post = match graph::hook(inbound, &keys.app_secret, &keys.verify_token)? {
            Hook::Challenge(answer) => return Ok(answer),
            Hook::Events(post) => post,
        };
        // An app is told of all its pages.
        let ours = post.entry.into_iter().filter(|entry| entry.id == page);
        let events = ours.flat_map(|entry| entry.messaging);
        Ok(Received {
            messages: events.filter_map(Event::read).collect(),
            ..Received::default()
        })
    }

    async fn send(
        &self,
        connection: &Connection,
        message: &OutboundMessage,
    ) -> Result<Sent, SendFailure> {
        let mut parts = Parts::of(message, TEXT_MAX, characters)?;
        while let Some(text) = parts.next() {
            let body = json!({
                "recipient": {"id": message.reply.to},
                "messaging_type": "RESPONSE",
                "message": {"text": text},
            });
            let sent = self.post(connection, body).await;
            parts.note(sent.map(|sent| {
                let id = sent["message_id"].as_str();
                id.unwrap_or_default().to_owned()
            }))?;
        }
        Ok(parts.end())
    }

    async fn typing(&self, connection: &Connection, to: &ReplyPath) -> Result<(), ChannelError> {
        let body = json!({"recipient": {"id": to.to}, "sender_action": "typing_on"});
        self.post(connection, body).await.map(drop)
    }
}

fn own(connection: &Connection) -> Result<(&str, &MessengerCredentials), ChannelError> {
    match (connection.settings(), connection.credentials()) {
        (ChannelSettings::Messenger(own), ChannelCredentials::Messenger(keys)) => {
            Ok((&own.page_id, keys))
        }
        _ => Err(wrong_kind()),
    }
}

#[derive(Deserialize)]
struct Post {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    messaging: Vec<Event>,
}

/// Deliveries and reads come in the same form, and are not asked for here.
#[derive(Deserialize)]
struct Event {
    sender: Option<Person>,
    /// In milliseconds.
    timestamp: Option<i64>,
    message: Option<Message>,
    postback: Option<Postback>,
}

#[derive(Deserialize)]
struct Person {
    id: String,
}

#[derive(Deserialize)]
struct Message {
    mid: String,
    text: Option<String>,
    /// The page's own message.
    #[serde(default)]
    is_echo: bool,
}

/// A button that was pressed.
#[derive(Deserialize)]
struct Postback {
    mid: Option<String>,
    title: Option<String>,
    payload: Option<String>,
}

impl Event {
    /// `None`: nobody's words.
    fn read(self) -> Option<InboundMessage> {
        let sender = self.sender?.id;
        let (id, text, opening) = match (self.message, self.postback) {
            (Some(message), _) if !message.is_echo => (message.mid, message.text?, false),
            (None, Some(button)) => {
                // The name that Meta's documentation gives to the button that opens a chat.
                let opening = button.payload.as_deref() == Some("GET_STARTED");
                // Older versions give no id: a person presses no two buttons within a millisecond.
                let id = button
                    .mid
                    .or_else(|| Some(format!("{sender}:{}", self.timestamp?)));
                (id?, button.title?, opening)
            }
            _ => return None,
        };
        if text.trim().is_empty() {
            return None;
        }
        let nanoseconds = self.timestamp.map(|millis| i128::from(millis) * 1_000_000);
        Some(InboundMessage {
            conversation: sender.clone(),
            from: Sender {
                id: sender.clone(),
                ..Sender::default()
            },
            sent_at: nanoseconds.and_then(|at| Timestamp::from_unix_timestamp_nanos(at).ok()),
            reply: ReplyPath {
                to: sender,
                ..ReplyPath::default()
            },
            id,
            text,
            opening,
        })
    }
}
