//! What happens that a tenant's other systems may want to hear of.

use async_trait::async_trait;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::messages::Message;
use crate::named::named;
use crate::{BotId, Error, EventId, Result, TenantId, Timestamp};

named! {
    /// What happened.
    EventKind {
        /// A visitor said something to a bot.
        MessageReceived = "message.received",
        /// A bot's own connection to a provider failed again and again.
        IntegrationFailed = "integration.failed",
        /// An execution of an agent loop ended.
        AgentLoopCompleted = "agent_loop.completed",
        /// A channel's credential is no good any more.
        ChannelDisconnected = "channel.disconnected",
        /// Nothing: an endpoint is tried.
        Test = "webhook.test",
    }
}

impl EventKind {
    /// Reads a kind that an endpoint is to get: a trial comes unchosen.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field and the accepted words.
    pub fn chosen(field: &'static str, word: &str) -> Result<Self> {
        let kinds = Self::ALL.iter().filter(|kind| **kind != Self::Test);
        let mut found = kinds.clone().filter(|kind| kind.as_str() == word);
        found.next().copied().ok_or_else(|| {
            let all: Vec<_> = kinds.map(|kind| kind.as_str()).collect();
            let problem = format!("The '{field}' field must be one of: {}.", all.join(", "));
            Error::invalid(field, problem)
        })
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id. Whoever gets an event twice knows it by that.
    pub id: EventId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot that it is about, if it is about one. It goes with that bot.
    pub bot_id: Option<BotId>,
    /// What happened.
    pub kind: EventKind,
    /// The conversation, integration or other thing that it is about: events of one subject are delivered in order.
    pub subject: Uuid,
    /// What there is to say. An object.
    pub data: Value,
    /// When it happened.
    pub created_at: Timestamp,
}

impl Event {
    /// That a visitor's message was stored. The event has the message's id: it happens once.
    pub fn message_received(
        tenant_id: TenantId,
        bot_id: BotId,
        session_id: &str,
        message: &Message,
    ) -> Self {
        Self {
            id: message.id.0.into(),
            tenant_id,
            bot_id: Some(bot_id),
            kind: EventKind::MessageReceived,
            subject: message.conversation_id.into(),
            data: json!({
                "bot_id": bot_id.0,
                "conversation_id": message.conversation_id.0,
                "session_id": session_id,
                "message": {
                    "id": message.id.0,
                    "type": message.message_type.as_str(),
                    "text": message.text,
                    "created_at": rfc3339(message.created_at),
                },
            }),
            created_at: message.created_at,
        }
    }

    /// The event as it is sent: `type`, `timestamp` and `data` (Standard Webhooks, "Payload structure").
    pub fn body(&self) -> Value {
        json!({
            "type": self.kind.as_str(),
            "timestamp": rfc3339(self.created_at),
            "data": self.data,
        })
    }
}

/// Years that can't be written so are beyond the store's.
fn rfc3339(at: Timestamp) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// Where events wait to be delivered.
///
/// `message.received` is written by [`crate::conversations::Conversations::receive`] in its own transaction.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Keeps an event with one delivery to each of the tenant's enabled endpoints that chose its kind, all or nothing;
    /// where there is no such endpoint, nothing. An event that is kept already is not kept again. The agent loops of its
    /// bot that listen for it begin, once. Answers whether there
    /// is anything to deliver.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] (`Bot`).
    async fn publish(&self, event: &Event) -> Result<bool>;
}
