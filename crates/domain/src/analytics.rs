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
}
