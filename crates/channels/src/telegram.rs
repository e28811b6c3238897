//! Telegram: the Bot API (<https://core.telegram.org/bots/api>).

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use domain::bots::ChannelType;
use domain::channels::{
    ChannelAdapter, ChannelCredentials, ChannelError, Connected, Connection, HookError, Inbound,
    InboundMessage, OutboundMessage, Rate, Received, ReplyPath, Secret, SendFailure, SendLimits,
    Sender, Sent,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Api, Reply, SetupError};
use crate::parts::{Parts, utf16};
use crate::{proof, wrong_kind};

/// Of a message's text, in UTF-16 code units.
const TEXT_MAX: usize = 4096;

/// Telegram bots.
pub struct Telegram {
    api: Api,
}

impl Telegram {
    /// At this address of the Bot API.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(base_url: &str) -> Result<Self, SetupError> {
        let api = Api::new("Telegram", base_url)?;
        Ok(Self { api })
    }

    async fn call(&self, token: &Secret, method: &str, body: Value) -> Result<Value, ChannelError> {
        let path = format!("/bot{}/{method}", token.expose());
        let reply = self.api.call(Method::POST, &path, None, Some(&body));
        let mut reply = reply.await?;
        match reply.body["ok"] == true {
            true => Ok(reply.body["result"].take()),
            false => Err(self.failure(&reply)),
        }
    }

    fn failure(&self, reply: &Reply) -> ChannelError {
        let told = reply.body["description"].as_str().unwrap_or_default();
        let wait = reply.body["parameters"]["retry_after"].as_u64();
        match reply.status {
            // 404 is for tokens that were never given out.
            401 | 404 => self.api.dead("does not accept the bot's token"),
            403 => self
                .api
                .refused("says that the person or group does not want messages from the bot"),
            400 if told.contains("chat not found") || told.contains("group chat was upgraded") => {
                self.api.refused("does not know this chat")
            }
            429 => self
                .api
                .busy(wait.map(Duration::from_secs).or(reply.retry_after)),
            _ => self.api.by_status(reply),
        }
    }
}

#[async_trait]
impl ChannelAdapter for Telegram {
    fn kind(&self) -> ChannelType {
        ChannelType::Telegram
    }

    /// <https://core.telegram.org/bots/faq>, "My bot is hitting limits".
    fn limits(&self) -> SendLimits {
        let second = Duration::from_secs(1);
        SendLimits {
            overall: Some(Rate {
                count: 30,
                per: second,
            }),
            each: Some(Rate {
                count: 1,
                per: second,
            }),
        }
    }

    async fn connect(
        &self,
        connection: &Connection,
        hook_url: &str,
    ) -> Result<Connected, ChannelError> {
        let token = token(connection)?;
        let bot = self.call(token, "getMe", json!({})).await?;
        let hook = json!({
            "url": hook_url,
            "secret_token": hook_secret(token),
            "allowed_updates": ["message"],
        });
        self.call(token, "setWebhook", hook).await?;
        let name = bot["username"].as_str().unwrap_or_default();
        Ok(Connected {
            account: format!("@{name}"),
        })
    }

    async fn disconnect(&self, connection: &Connection) -> Result<(), ChannelError> {
        let token = token(connection)?;
        self.call(token, "deleteWebhook", json!({})).await.map(drop)
    }

    fn receive(&self, connection: &Connection, inbound: &Inbound) -> Result<Received, HookError> {
        let token = token(connection).map_err(|_| HookError::Unsigned)?;
        let given = inbound
            .header("X-Telegram-Bot-Api-Secret-Token")
            .unwrap_or_default();
        if !proof::is_same(&hook_secret(token), given) {
            return Err(HookError::Unsigned);
        }
        let update: Update =
            serde_json::from_slice(&inbound.body).map_err(|_| HookError::Malformed("no update"))?;
        Ok(Received {
            messages: update.message.and_then(Message::read).into_iter().collect(),
            ..Received::default()
        })
    }

    async fn send(
        &self,
        connection: &Connection,
        message: &OutboundMessage,
    ) -> Result<Sent, SendFailure> {
        let token = token(connection)?;
        let mut parts = Parts::of(message, TEXT_MAX, utf16)?;
        while let Some(text) = parts.next() {
            // Without a `parse_mode`, the words are taken as they are.
            let mut body = json!({
                "text": text,
                "link_preview_options": {"is_disabled": true},
            });
            address(&mut body, &message.reply);
            if let Some(answered) = message.reply.message.as_deref().and_then(number) {
                body["reply_parameters"] =
                    json!({"message_id": answered, "allow_sending_without_reply": true});
            }
            let sent = self.call(token, "sendMessage", body).await;
            parts.note(sent.map(|sent| id(&message.reply.to, &sent["message_id"])))?;
        }
        Ok(parts.end())
    }

    async fn typing(&self, connection: &Connection, to: &ReplyPath) -> Result<(), ChannelError> {
        let mut body = json!({"action": "typing"});
        address(&mut body, to);
        let token = token(connection)?;
        self.call(token, "sendChatAction", body).await.map(drop)
    }
}

fn token(connection: &Connection) -> Result<&Secret, ChannelError> {
    match connection.credentials() {
        ChannelCredentials::Telegram(own) => Ok(&own.bot_token),
        _ => Err(wrong_kind()),
    }
}

/// What Telegram is told to show with every update. It is made from the token, so that nothing more has to be kept.
fn hook_secret(token: &Secret) -> String {
    proof::derived(token, "webhook")
}

fn address(body: &mut Value, to: &ReplyPath) {
    body["chat_id"] = json!(to.to);
    if let Some(topic) = to.thread.as_deref().and_then(number) {
        body["message_thread_id"] = json!(topic);
    }
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Telegram counts messages for each chat anew.
fn id(chat: &str, message: &Value) -> String {
    format!("{chat}:{message}")
}

#[derive(Deserialize)]
struct Update {
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
    message_thread_id: Option<i64>,
    #[serde(default)]
    is_topic_message: bool,
    from: Option<User>,
    chat: Chat,
    date: i64,
    text: Option<String>,
    /// The words with a picture or file.
    caption: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    is_bot: bool,
    first_name: String,
    last_name: Option<String>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
}

impl Message {
    /// `None`: nobody's words.
    fn read(self) -> Option<InboundMessage> {
        let from = self.from.filter(|user| !user.is_bot)?;
        let text = self.text.or(self.caption)?;
        if text.trim().is_empty() {
            return None;
        }
        let chat = self.chat.id.to_string();
        let topic = self.message_thread_id.filter(|_| self.is_topic_message);
        // Between two, the chat is the conversation. In a group all have their own: what one says is not another's.
        let is_private = self.chat.kind == "private";
        let parts = [
            Some(chat.clone()),
            topic.map(|topic| topic.to_string()),
            (!is_private).then(|| from.id.to_string()),
        ];
        let conversation = parts.into_iter().flatten().collect::<Vec<_>>().join(":");
        let name = [Some(from.first_name), from.last_name];
        let name: Vec<_> = name.into_iter().flatten().collect();
        Some(InboundMessage {
            id: id(&chat, &json!(self.message_id)),
            conversation,
            from: Sender {
                id: from.id.to_string(),
                name: Some(name.join(" ")).filter(|name| !name.trim().is_empty()),
                email: None,
            },
            // `/start` may carry a word of the link that was followed.
            opening: text == "/start" || text.starts_with("/start "),
            text,
            sent_at: Timestamp::from_unix_timestamp(self.date).ok(),
            reply: ReplyPath {
                to: chat,
                thread: topic.map(|topic| topic.to_string()),
                // In a group, it shows who is answered; between two, it would only be in the way.
                message: (!is_private).then(|| self.message_id.to_string()),
                ..ReplyPath::default()
            },
        })
    }
}
