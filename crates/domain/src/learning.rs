//! Learning from what visitors write, in the background, as [`crate::insights`] tells it.
//!
//! A message marks its conversation as one to learn from, in the transaction that stores it; a reader takes the
//! marked ones, a bot at a time, and keeps what it learned with how far it read. What a reader that died had not kept is
//! still marked, and what it had kept is not read again.

use async_trait::async_trait;
use time::Duration;

use crate::insights::{Insight, Product, ProductMention};
use crate::language::Language;
use crate::{BotId, ConversationId, QuestionGroupId, Result, TenantId, Timestamp};

/// As much of a question that stands for its group is compared with, in characters: more is not kept at hand.
pub const EXEMPLAR_MAX: i32 = 500;
/// For how long an answer to a message is waited for until the message counts as unanswered.
pub const ANSWER_WITHIN: Duration = Duration::minutes(10);

/// Conversations of a bot that hold something to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The bot.
    pub bot_id: BotId,
    /// The conversations, those that spoke last first.
    pub conversations: Vec<ConversationId>,
}

/// What a bot's visitors wrote that was not learned from yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    /// See [`Memory::version`].
    pub version: i64,
    /// The bot's language.
    pub language: Language,
    /// The conversations.
    pub conversations: Vec<UnreadConversation>,
}

/// A conversation that holds something to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadConversation {
    /// Its id.
    pub id: ConversationId,
    /// The place up to which it was read.
    pub read_to: i64,
    /// The place of its newest message.
    pub last_seq: i64,
    /// The visitor's next messages, oldest first.
    pub messages: Vec<UnreadMessage>,
    /// Whether there are more than these.
    pub has_more: bool,
}

/// A visitor's message to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadMessage {
    /// Its place.
    pub seq: i64,
    /// The words.
    pub text: String,
    /// When it was stored.
    pub said_at: Timestamp,
    /// Whether it was learned from before: only the products of a new catalogue are looked for then.
    pub is_known: bool,
    /// Whether the knowledge had the answer; `None`: nothing has been answered yet.
    pub answered: Option<bool>,
}

/// The place of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Where in it.
    pub seq: i64,
}

/// What a bot's messages are read with.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// Grows with every change to it, also when conversations are deleted.
    pub version: i64,
    /// The bot's language.
    pub language: Language,
    /// The catalogue; empty: there is none.
    pub products: Vec<Product>,
    /// The groups of questions that new ones are compared with, in the order in which they were opened.
    pub groups: Vec<KeptGroup>,
}

/// A group of questions.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptGroup {
    /// Its id.
    pub id: QuestionGroupId,
    /// The questions that stand for it, oldest first.
    pub exemplars: Vec<KeptExemplar>,
}

/// A question that stands for its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptExemplar {
    /// Where it was asked.
    pub place: Place,
    /// Word for word.
    pub text: String,
    /// See [`crate::insights::Exemplar::count`].
    pub count: u64,
}

/// What was learned from some conversations of a bot.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The bot.
    pub bot_id: BotId,
    /// The version of the [`Memory`] that it was learned with.
    pub version: i64,
    /// The conversations.
    pub conversations: Vec<ReadConversation>,
    /// Questions that stand for a group, and were nearest to more than they had been: their new counts.
    pub exemplars: Vec<(Place, u64)>,
}

/// How far a conversation was read, and what was learned from it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadConversation {
    /// Its id.
    pub id: ConversationId,
    /// As in [`UnreadConversation`].
    pub was_read_to: i64,
    /// As in [`UnreadConversation`].
    pub last_seq: i64,
    /// The place up to which it is read now.
    pub read_to: i64,
    /// When to look at it again, unless somebody speaks in it before; `None`: there is nothing left.
    pub due: Option<Timestamp>,
    /// The messages, oldest first.
    pub messages: Vec<ReadMessage>,
}

/// What was learned from a message.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadMessage {
    /// Its place.
    pub seq: i64,
    /// When it was stored.
    pub said_at: Timestamp,
    /// As in [`UnreadMessage`]: of the rest only the mentions count then, in the place of those from before.
    pub is_known: bool,
    /// What it says.
    pub insight: Insight,
    /// For each product of the insight, what is the same for all spellings of it.
    pub keys: Vec<String>,
    /// Where it belongs, if it asks something.
    pub question: Option<GroupedQuestion>,
}

impl ReadMessage {
    /// The products that it speaks of, by their keys.
    pub fn mentions(&self) -> impl Iterator<Item = (&str, &ProductMention)> {
        let keys = self.keys.iter().map(String::as_str);
        keys.zip(&self.insight.products)
    }
}

/// A question in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupedQuestion {
    /// The group.
    pub group: QuestionGroupId,
    /// Whether the knowledge had the answer.
    pub answered: bool,
    /// Whether it stands for the group from now on.
    pub is_exemplar: bool,
}

/// Where what was learned is kept. It goes with the messages that it was learned from.
#[async_trait]
pub trait Learning: Send + Sync {
    /// Conversations of one bot, of any tenant, that are to be learned from: at most `most`.
    async fn due(&self, now: Timestamp, most: u32) -> Result<Option<Due>>;

    /// What visitors wrote in these conversations and was not learned from: at most `most` messages, and conversations
    /// that still have room in that. `None`: the bot is gone.
    async fn unread(&self, due: &Due, most: u32) -> Result<Option<Unread>>;

    /// What a bot's messages are read with, with at most `most` questions to compare with, the newest. `None`: the bot
    /// is gone.
    async fn memory(&self, tenant: TenantId, bot: BotId, most: u32) -> Result<Option<Memory>>;

    /// Keeps what was learned in one transaction, with what it makes of the conversations
    /// ([`crate::conversations::Learned`]). `false`: the memory or one of the conversations has changed since they were
    /// read, and nothing is kept. Messages that came since do not count as a change.
    async fn keep(&self, lesson: &Lesson) -> Result<bool>;

    /// A bot's catalogue. `None`: there is no such bot.
    async fn products(&self, tenant: TenantId, bot: BotId) -> Result<Option<Vec<Product>>>;

    /// Replaces a bot's catalogue, and has all its conversations read again for its products. `false`: there is no such
    /// bot.
    async fn set_products(
        &self,
        tenant: TenantId,
        bot: BotId,
        products: &[Product],
    ) -> Result<bool>;

    /// Marks the next `most` conversations of a bot, of any tenant, whose catalogue was replaced. `false`: there are
    /// none.
    async fn mark_again(&self, most: u32) -> Result<bool>;
}
