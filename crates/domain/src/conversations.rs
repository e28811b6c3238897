//! Conversations, and what happens in them.

use async_trait::async_trait;
use serde_json::Value;
use validator::Validate;

use crate::bots::{Bot, ChannelType};
use crate::knowledge::KnowledgeState;
use crate::leads::Contact;
use crate::messages::{Feedback, Message, Utterance};
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::plans::PlanLimits;
use crate::text::{self, no_nul};
use crate::{BotId, ConversationId, EndUserId, MessageId, Result, TenantId, Timestamp};

named! {
    /// Where a conversation stands.
    ConversationStatus {
        /// Going on.
        Active = "active",
        /// Ended by somebody. A further message makes it active again.
        Ended = "ended",
        /// The visitor said nothing more after the bot spoke. A further message makes it active again.
        Abandoned = "abandoned",
    }
}

named! {
    /// How the person in a conversation felt.
    Sentiment {
        /// Well.
        Positive = "positive",
        /// Badly.
        Negative = "negative",
        /// Neither.
        Neutral = "neutral",
    }
}

/// A conversation, with the names that go with it wherever it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// The client's name for it, unique within the tenant.
    pub session_id: String,
    /// The bot that talks in it.
    pub bot_id: BotId,
    /// That bot's name now.
    pub bot_name: String,
    /// The person in it.
    pub end_user: EndUser,
    /// Where it takes place.
    pub channel: ChannelType,
    /// Where it stands.
    pub status: ConversationStatus,
    /// Labels, `name -> string`. An object.
    pub tags: Value,
    /// How the person felt; `None`: nobody has looked yet.
    pub sentiment: Option<Sentiment>,
    /// Whether an order is attributed to it.
    pub purchased: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended or was abandoned, while it is not active.
    pub ended_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A person who talks to a bot on a channel. Those who give the same identifier are the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUser {
    /// Its id.
    pub id: EndUserId,
    /// The client's name for the person.
    pub identifier: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// What a client says about the person in a new conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Validate)]
pub struct EndUserDetails {
    /// See [`EndUser::identifier`].
    #[validate(length(max = text::END_USER_FIELD_MAX, message = "must be at most 320 characters long"), custom(function = no_nul))]
    pub user_identifier: Option<String>,
    /// See [`EndUser::name`].
    #[validate(length(max = text::END_USER_FIELD_MAX, message = "must be at most 320 characters long"), custom(function = no_nul))]
    pub user_name: Option<String>,
    /// See [`EndUser::email`].
    #[validate(length(max = text::END_USER_FIELD_MAX, message = "must be at most 320 characters long"), custom(function = no_nul))]
    pub user_email: Option<String>,
}

/// A visitor's message on its way into the store.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The conversation, by the client's name for it.
    pub session_id: String,
    /// The bot; `None`: the conversation's, or for a new one the tenant's default.
    pub bot_id: Option<BotId>,
    /// The channel of a new conversation; `None`: the bot's.
    pub channel: Option<ChannelType>,
    /// The person in a new conversation.
    pub end_user: EndUserDetails,
    /// The address that the person gives with it.
    pub contact: Option<Contact>,
    /// The words.
    pub text: String,
    /// The id for the message.
    pub message_id: MessageId,
    /// Ids for what a new conversation needs: itself, its end user, its welcome message.
    pub new_ids: NewConversationIds,
    /// How many earlier messages to answer with, newest kept.
    pub history: u32,
    /// The plan's limits, checked in the same transaction. The bot's answer is reserved with the message,
    /// so that a turn that is let in can be finished.
    pub limits: PlanLimits,
    /// Now.
    pub at: Timestamp,
}

/// Ids for a conversation that may have to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewConversationIds {
    /// For the conversation.
    pub conversation: ConversationId,
    /// For its end user, unless one with the same identifier is there.
    pub end_user: EndUserId,
    /// For the welcome message, if the bot has one.
    pub welcome: MessageId,
}

/// A visitor's message as it was stored, and what answering it needs.
#[derive(Debug, Clone)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// The bot that is to answer.
    pub bot: Bot,
    /// The state of the bot's knowledge.
    pub knowledge: KnowledgeState,
    /// Earlier messages, oldest first, this one left out.
    pub history: Vec<Utterance>,
    /// Whether endpoints are to be told of the message ([`crate::events`]).
    pub has_events: bool,
    /// Whether agent loops begin because of it.
    pub starts_loops: bool,
}

/// A bot's answer on its way into the store.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Where it goes.
    pub conversation_id: ConversationId,
    /// Its id.
    pub message_id: MessageId,
    /// What it answers.
    pub reply_to: MessageId,
    /// The words, not empty.
    pub text: String,
    /// See [`Message::metadata`].
    pub metadata: Value,
    /// When the message that it answers was received: the month that the answer was reserved in.
    pub received_at: Timestamp,
    /// Now.
    pub at: Timestamp,
}

/// A bot's message that answers none, on its way into the store.
#[derive(Debug, Clone)]
pub struct Post {
    /// Where it goes.
    pub conversation_id: ConversationId,
    /// Its id.
    pub message_id: MessageId,
    /// The words, not empty.
    pub text: String,
    /// See [`Message::metadata`].
    pub metadata: Value,
    /// What the tenant's plan allows.
    pub limits: PlanLimits,
    /// Now.
    pub at: Timestamp,
}

/// A bot's answer, what it answers, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Where it was said.
    pub conversation: Conversation,
    /// The visitor's message.
    pub question: Message,
    /// The bot's.
    pub answer: Message,
}

/// Which conversations to list.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// Only with this bot.
    pub bot_id: Option<BotId>,
    /// Only of this status.
    pub status: Option<ConversationStatus>,
    /// Only on this channel.
    pub channel: Option<ChannelType>,
    /// Only begun at this moment or later.
    pub from: Option<Timestamp>,
    /// Only begun before this moment.
    pub until: Option<Timestamp>,
    /// Only where the person felt like this.
    pub sentiment: Option<Sentiment>,
    /// Only about this product, in whatever case it is written.
    pub product: Option<String>,
    /// Only with an order, or only without one.
    pub purchased: Option<bool>,
    /// Only with this person.
    pub end_user: Option<EndUserId>,
}

/// What was learned from a conversation's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// How the person felt.
    pub sentiment: Option<Sentiment>,
    /// The products that it is about, as they are written.
    pub products: Vec<String>,
}

/// See [`Conversations::recent`].
pub const RECENT_MESSAGES: u32 = 40;

/// Where conversations and their messages are kept.
///
/// One order per conversation: `seq` is given under the store's own lock, and messages are read in it.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Stores a visitor's message in one transaction: the conversation made if new (once, however many
    /// first messages come at once, with the bot's welcome message before the first of them), an ended or
    /// abandoned one made active again, usage and statistics counted, room for the answer reserved, the
    /// event for the tenant's endpoints kept ([`crate::events::Event::message_received`]), the bot's agent loops
    /// that listen for it begun. A
    /// reservation that neither `reply` nor `give_up` ended (its process died) lapses once the tenant has
    /// reserved nothing for ten minutes.
    ///
    /// # Errors
    /// All leave nothing behind. [`crate::Error::NotFound`] (`Bot`): the named bot is not the tenant's, or
    /// there is none at all. [`crate::Error::BotInactive`]. [`crate::Error::Invalid`] (`bot_id`): the
    /// conversation belongs to another bot. [`crate::Error::LimitReached`]: conversations or messages.
    /// [`crate::Error::Conflict`] (`AlreadyExists`): a message with this id is stored already.
    async fn receive(&self, tenant: TenantId, incoming: &Incoming) -> Result<Received>;

    /// Stores the bot's answer in one transaction: statistics counted, its reservation spent.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] where the conversation has been deleted meanwhile.
    async fn reply(&self, tenant: TenantId, reply: &Reply) -> Result<Message>;

    /// Stores a message that the bot sends on its own in one transaction: usage and statistics counted, and where the
    /// conversation is held in a channel, kept to be sent there ([`crate::channels::inbox`]). `None`: the conversation is
    /// not there.
    ///
    /// # Errors
    /// All leave nothing behind. [`crate::Error::LimitReached`] (messages). [`crate::Error::Invalid`] (`conversation_id`):
    /// its channel can't be written to. [`crate::Error::Conflict`]
    /// (`AlreadyExists`): a message with this id is stored already.
    async fn post(&self, tenant: TenantId, post: &Post) -> Result<Option<Message>>;

    /// Gives back the reservation of an answer that will not come. `received_at` as in [`Reply`].
    async fn give_up(&self, tenant: TenantId, received_at: Timestamp) -> Result<()>;

    /// One conversation by the client's name for it.
    async fn find(&self, tenant: TenantId, session_id: &str) -> Result<Option<Conversation>>;

    /// One conversation by its id.
    async fn find_by_id(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Option<Conversation>>;

    /// Deletes a conversation with all its messages, which leave the statistics, not the month's usage; and what holds its
    /// words elsewhere: events with their deliveries, executions of agent loops that it began or that wrote into it,
    /// recorded answers, what waits in a channel. `false`: there is no such conversation.
    async fn delete(&self, tenant: TenantId, id: ConversationId) -> Result<bool>;

    /// A page of a conversation's messages, oldest first.
    async fn message_page(
        &self,
        tenant: TenantId,
        id: ConversationId,
        page: PageRequest,
    ) -> Result<Page<Message>>;

    /// All messages of a conversation, oldest first.
    async fn messages(&self, tenant: TenantId, id: ConversationId) -> Result<Vec<Message>>;

    /// A stored message and the bot's answer to it, if there is one.
    async fn find_turn(
        &self,
        tenant: TenantId,
        id: MessageId,
    ) -> Result<Option<(Message, Option<Message>)>>;

    /// A bot's answer by its id, with what it answers. `None` for a message that answers none, too.
    async fn find_exchange(&self, tenant: TenantId, answer: MessageId) -> Result<Option<Exchange>>;

    /// The newest conversations of a bot, at most `limit`, each with its first [`RECENT_MESSAGES`] messages, oldest
    /// first.
    async fn recent(&self, tenant: TenantId, bot: BotId, limit: u32) -> Result<Vec<Vec<Message>>>;

    /// A page of the tenant's conversations, newest first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: &ConversationFilter,
        page: PageRequest,
    ) -> Result<Page<Conversation>>;

    /// Ends a conversation, whatever its status; one that has ended keeps its time. Answers it as it is
    /// then; `None`: there is no such conversation.
    async fn end(
        &self,
        tenant: TenantId,
        session_id: &str,
        at: Timestamp,
    ) -> Result<Option<Conversation>>;

    /// Keeps what the person thought of a bot's message, or that they take it back, and answers the message as it is
    /// then. `None`: the conversation has no such message of its bot.
    async fn set_feedback(
        &self,
        tenant: TenantId,
        conversation: ConversationId,
        message: MessageId,
        feedback: Option<Feedback>,
    ) -> Result<Option<Message>>;

    /// Keeps what was learned from a conversation, in the place of what was learned before. `false`: there is no such
    /// conversation.
    async fn learn(&self, tenant: TenantId, id: ConversationId, learned: &Learned) -> Result<bool>;

    /// Marks active conversations as abandoned, of any tenant, whose newest message is a bot's from before
    /// `silent_since`; at most `batch` of them. Answers how many.
    async fn abandon(&self, silent_since: Timestamp, batch: u32, at: Timestamp) -> Result<u32>;
}
