//! WhatsApp: Meta's Cloud API (<https://developers.facebook.com/docs/whatsapp/cloud-api>).

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use domain::bots::ChannelType;
use domain::channels::{
    ChannelAdapter, ChannelCredentials, ChannelError, ChannelSettings, Connected, Connection,
    HookError, Inbound, InboundMessage, OutboundMessage, Rate, Received, ReplyPath, SendFailure,
    SendLimits, Sender, Sent, WhatsappCredentials,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::graph::{self, Hook};
use crate::http::{Api, SetupError};
use crate::parts::{Parts, characters};
use crate::wrong_kind;

/// Of a message's text, in characters.
const TEXT_MAX: usize = 4096;

/// Numbers of the WhatsApp Business Platform.
pub struct Whatsapp {
    api: Api,
}

impl Whatsapp {
    /// At this address of the Graph API, with its version.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(base_url: &str) -> Result<Self, SetupError> {
        let api = Api::new("WhatsApp", base_url)?;
        Ok(Self { api })
    }

    async fn post(&self, connection: &Connection, body: Value) -> Result<Value, ChannelError> {
        let (number, keys) = own(connection)?;
        let path = format!("/{number}/messages");
        graph::call(
            &self.api,
            Method::POST,
            &path,
            &keys.access_token,
            Some(&body),
        )
        .await
    }
}

#[async_trait]
impl ChannelAdapter for Whatsapp {
    fn kind(&self) -> ChannelType {
        ChannelType::Whatsapp
    }

    /// The Cloud API's throughput, and its pair rate limit: one message every six seconds to the same person, with
    /// some ahead of their time.
    fn limits(&self) -> SendLimits {
        SendLimits {
            overall: Some(Rate {
                count: 80,
                per: Duration::from_secs(1),
            }),
            each: Some(Rate {
                count: 10,
                per: Duration::from_secs(60),
            }),
        }
    }

    /// The hook is set up by the tenant in Meta's pages, where it belongs to the app.
    async fn connect(&self, connection: &Connection, _: &str) -> Result<Connected, ChannelError> {
        let (number, keys) = own(connection)?;
        let path = format!("/{number}?fields=display_phone_number,verified_name");
        let found = graph::call(&self.api, Method::GET, &path, &keys.access_token, None).await?;
        let account = found["display_phone_number"].as_str().unwrap_or(number);
        Ok(Connected {
            account: account.to_owned(),
        })
    }

    async fn disconnect(&self, connection: &Connection) -> Result<(), ChannelError> {
        own(connection).map(drop)
    }

    fn receive(&self, connection: &Connection, inbound: &Inbound) -> Result<Received, HookError> {
        let (number, keys) = own(connection).map_err(|_| HookError::Unsigned)?;
        let post: Post = match graph::hook(inbound, &keys.app_secret, &keys.verify_token)? {
            Hook::Challenge(answer) => return Ok(answer),
            Hook::Events(post) => post,
        };
        let changes = post.entry.into_iter().flat_map(|entry| entry.changes);
        let values = changes.map(|change| change.value);
        // An app is told of all its numbers.
        let ours = values.filter(|value| value.metadata.phone_number_id == number);
        Ok(Received {
            messages: ours.flat_map(Events::read).collect(),
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
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": message.reply.to,
                "type": "text",
                "text": {"preview_url": false, "body": text},
            });
            let sent = self.post(connection, body).await;
            parts.note(sent.map(|sent| {
                let id = sent["messages"][0]["id"].as_str();
                id.unwrap_or_default().to_owned()
            }))?;
        }
        Ok(parts.end())
    }

    /// The sign is a part of marking the visitor's message as read, so it needs that message.
    async fn typing(&self, connection: &Connection, to: &ReplyPath) -> Result<(), ChannelError> {
        let Some(message) = &to.message else {
            return Ok(());
        };
        let body = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message,
            "typing_indicator": {"type": "text"},
        });
        self.post(connection, body).await.map(drop)
    }
}

fn own(connection: &Connection) -> Result<(&str, &WhatsappCredentials), ChannelError> {
    match (connection.settings(), connection.credentials()) {
        (ChannelSettings::Whatsapp(own), ChannelCredentials::Whatsapp(keys)) => {
            Ok((&own.phone_number_id, keys))
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
    #[serde(default)]
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    value: Events,
}

/// Statuses (sent, delivered, read) come in the same form, and are not asked for here.
#[derive(Default, Deserialize)]
struct Events {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    contacts: Vec<Contact>,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    phone_number_id: String,
}

#[derive(Deserialize)]
struct Contact {
    wa_id: Option<String>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    from: String,
    id: String,
    timestamp: Option<String>,
    text: Option<Text>,
    /// A quick reply to a template.
    button: Option<Button>,
    /// A choice from a list or buttons.
    interactive: Option<Interactive>,
}

#[derive(Deserialize)]
struct Text {
    body: String,
}

#[derive(Deserialize)]
struct Button {
    text: String,
}

#[derive(Deserialize)]
struct Interactive {
    button_reply: Option<Choice>,
    list_reply: Option<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    title: String,
}

impl Events {
    fn read(self) -> Vec<InboundMessage> {
        let Self {
            contacts, messages, ..
        } = self;
        let name = |from: &str| {
            let mut contacts = contacts.iter();
            let contact = contacts.find(|contact| contact.wa_id.as_deref() == Some(from))?;
            contact.profile.as_ref()?.name.clone()
        };
        let read = |message: Message| {
            let name = name(&message.from);
            message.read(name)
        };
        messages.into_iter().filter_map(read).collect()
    }
}

impl Message {
    /// `None`: a picture, a place, a reaction: no words.
    fn read(self, name: Option<String>) -> Option<InboundMessage> {
        let choice = self
            .interactive
            .and_then(|it| it.button_reply.or(it.list_reply));
        let words = [
            self.text.map(|text| text.body),
            self.button.map(|button| button.text),
            choice.map(|choice| choice.title),
        ];
        let text = words
            .into_iter()
            .flatten()
            .find(|text| !text.trim().is_empty())?;
        let seconds = self.timestamp.and_then(|seconds| seconds.parse().ok());
        Some(InboundMessage {
            id: self.id.clone(),
            conversation: self.from.clone(),
            from: Sender {
                id: self.from.clone(),
                name,
                email: None,
            },
            text,
            opening: false,
            sent_at: seconds.and_then(|seconds| Timestamp::from_unix_timestamp(seconds).ok()),
            reply: ReplyPath {
                to: self.from,
                message: Some(self.id),
                ..ReplyPath::default()
            },
        })
    }
}
