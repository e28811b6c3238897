//! What a tenant has used in a month.

use async_trait::async_trait;

use crate::plans::PlanLimits;
use crate::{Result, TenantId, Timestamp};

/// A calendar month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// Year times 100 plus month, as in 202611.
    pub number: i32,
}

impl Month {
    /// The month that a moment lies in.
    pub const fn of(at: Timestamp) -> Self {
        Self {
            number: at.year() * 100 + at.month() as i32,
        }
    }
}

/// What a tenant uses. Counters, kept in the transactions that they count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bots now, inactive ones included.
    pub bots: u64,
    /// Conversations begun in the month, deleted ones included.
    pub conversations: u64,
    /// Messages stored in the month, users' and bots', deleted ones included.
    pub messages: u64,
}

/// Where usage is kept.
#[async_trait]
pub trait Usages: Send + Sync {
    /// A tenant's usage in a month; costs the same however much there is.
    async fn usage(&self, tenant: TenantId, month: Month) -> Result<Usage>;

    /// Counts a message of the month that is in no conversation.
    ///
    /// # Errors
    /// [`crate::Error::LimitReached`] (messages): there is no room, and nothing is counted.
    async fn count_message(
        &self,
        tenant: TenantId,
        limits: &PlanLimits,
        at: Timestamp,
    ) -> Result<()>;
}
