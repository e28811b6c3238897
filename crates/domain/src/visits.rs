//! What visitors do beside writing, as a widget or a shop tells it.

use async_trait::async_trait;

use crate::named::named;
use crate::{BotId, ConversationId, Result, TenantId, Timestamp};

/// The most events that are told at once.
pub const EVENTS_MAX: usize = 100;
/// The longest name that a teller may give an event.
pub const EVENT_ID_MAX: u64 = 128;

named! {
    /// What a visitor did.
    VisitKind {
        /// Opened the chat.
        ChatOpen = "chat_open",
        /// Put something into the cart.
        CartAdd = "cart_add",
        /// Began to pay.
        CheckoutStart = "checkout_start",
    }
}

/// Something that a visitor did, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The teller's name for it: the same one is counted once.
    pub event_id: String,
    /// What was done.
    pub kind: VisitKind,
    /// When.
    pub occurred_at: Timestamp,
    /// The conversation that it belongs to, if it does.
    pub conversation_id: Option<ConversationId>,
    /// The teller's name for the person.
    pub customer: Option<String>,
    /// What it was done with.
    pub product: Option<String>,
}

/// Where visits are kept.
#[async_trait]
pub trait Visits: Send + Sync {
    /// Keeps visits, all or nothing, and answers how many are new.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] where there is no such bot.
    async fn record(&self, tenant: TenantId, bot: BotId, visits: &[Visit]) -> Result<u64>;
}
