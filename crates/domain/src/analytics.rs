//! Figures about conversations, from counters written with the messages themselves, so that reading them
//! costs the same at ten messages as at ten million.

use async_trait::async_trait;
use time::Date;

use crate::bots::ChannelType;
use crate::conversations::ConversationStatus;
use crate::{BotId, Result, TenantId};

/// Days in UTC, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

/// Totals of a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Conversations begun in the days asked for.
    pub conversations: u64,
    /// Messages stored in the days asked for.
    pub messages: u64,
    /// Conversations that are active now, whenever they began.
    pub active_conversations: u64,
}

/// Conversations begun on a day, of one channel and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationCount {
    /// The day they began.
    pub day: Date,
    /// Their channel.
    pub channel: ChannelType,
    /// Their status now.
    pub status: ConversationStatus,
    /// How many.
    pub count: u64,
}

/// What happened around a bot in some days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// Conversations begun.
    pub conversations: u64,
    /// Messages stored.
    pub messages: u64,
    /// People who began a conversation.
    pub people: u64,
    /// Chats opened.
    pub chat_opens: u64,
    /// Things put into carts.
    pub cart_adds: u64,
    /// Payments begun.
    pub checkout_starts: u64,
    /// Messages that helped, of those stored in the days.
    pub positive_feedback: u64,
    /// Messages that did not.
    pub negative_feedback: u64,
}

/// Where the figures are kept. Deleted conversations are not in them.
#[async_trait]
pub trait Analytics: Send + Sync {
    /// Totals over all bots.
    async fn totals(&self, tenant: TenantId, days: Days) -> Result<Totals>;
    /// Conversations begun in the days, of one bot or of all, in any order, without zeros.
    async fn conversations(
        &self,
        tenant: TenantId,
        bot: Option<BotId>,
        days: Days,
    ) -> Result<Vec<ConversationCount>>;
    /// What happened around a bot.
    async fn activity(&self, tenant: TenantId, bot: BotId, days: Days) -> Result<Activity>;
}
