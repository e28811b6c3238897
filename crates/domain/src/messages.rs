//! Messages.

use serde_json::Value;

use crate::named::named;
use crate::{ConversationId, MessageId, Timestamp};

named! {
    /// Who wrote a message. A bot is an author like any other.
    Author {
        /// The person the bot talks with.
        User = "user",
        /// The bot.
        Bot = "bot",
    }
}

named! {
    /// What a message's payload holds.
    MessageType {
        /// Words: payload `{"text": ...}`.
        Text = "text",
    }
}

named! {
    /// What the person thought of a bot's message.
    Feedback {
        /// It helped.
        Positive = "positive",
        /// It did not.
        Negative = "negative",
    }
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it was said.
    pub conversation_id: ConversationId,
    /// Its place in the conversation, from 1; the store gives it, and it alone orders messages.
    pub seq: i64,
    /// Who wrote it.
    pub author: Author,
    /// What the payload holds.
    pub message_type: MessageType,
    /// The content, as its type says.
    pub payload: Value,
    /// The content in plain words, kept word for word.
    pub text: String,
    /// What is known about how it came to be: for a bot's answer its [`crate::receipts::Receipt`]. An object.
    pub metadata: Value,
    /// For a bot's message, what it answers.
    pub reply_to: Option<MessageId>,
    /// What the person thought of it, if they said so.
    pub feedback: Option<Feedback>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// Something said earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// Who said it.
    pub author: Author,
    /// The words.
    pub text: String,
}

impl From<&Message> for Utterance {
    fn from(message: &Message) -> Self {
        Self {
            author: message.author,
            text: message.text.clone(),
        }
    }
}
