//! A bot's channels, and where they are kept.

use async_trait::async_trait;

use super::ChannelSettings;
use crate::bots::ChannelType;
use crate::events::Event;
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::{BotId, ChannelId, Result, TenantId, Timestamp};

/// The most channels of a bot.
pub const CHANNELS_MAX: u32 = 20;
/// What credentials are sealed for: [`crate::secrets::SecretContext::purpose`].
pub const CREDENTIALS: &str = "channel credentials";

named! {
    /// How a channel does.
    ChannelStatus {
        /// Messages are taken and answered.
        Connected = "connected",
        /// Its owner has not connected it, or has disconnected it, or its credential died; with a reason where it is not
        /// as its owner left it.
        Disconnected = "disconnected",
        /// It was to be connected and could not be; the reason says why.
        Error = "error",
    }
}

/// A bot's channel. Its credentials are sealed ([`crate::secrets`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot that talks there.
    pub bot_id: BotId,
    /// Its name.
    pub name: String,
    /// What may be shown, and the kind.
    pub settings: ChannelSettings,
    /// The credentials, sealed.
    pub credentials: Vec<u8>,
    /// How it does.
    pub status: ChannelStatus,
    /// Why, in a sentence for its owner.
    pub reason: Option<String>,
    /// The account, as the platform named it when it was last connected.
    pub account: Option<String>,
    /// Grows with every change: who changes it says which version was seen.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Channel {
    /// Which kind it is.
    pub const fn kind(&self) -> ChannelType {
        self.settings.kind()
    }

    /// Whether messages are taken and answered.
    pub fn is_connected(&self) -> bool {
        self.status == ChannelStatus::Connected
    }
}

/// Where channels are kept.
#[async_trait]
pub trait Channels: Send + Sync {
    /// Keeps a channel. However many are created at once, a bot never has more than [`CHANNELS_MAX`].
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] (`Bot`); [`crate::Error::Invalid`] (`bot_id`) at the most; [`crate::Error::Conflict`]
    /// (`AlreadyExists`) for an id that is taken.
    async fn create(&self, channel: &Channel) -> Result<()>;

    /// One of the tenant's.
    async fn find(&self, tenant: TenantId, id: ChannelId) -> Result<Option<Channel>>;

    /// One by its id alone, for what comes to its hook.
    async fn find_for_hook(&self, id: ChannelId) -> Result<Option<Channel>>;

    /// A page of a bot's, newest first.
    async fn of_bot(
        &self,
        tenant: TenantId,
        bot: BotId,
        page: PageRequest,
    ) -> Result<Page<Channel>>;

    /// Writes a channel of the version that was read, and answers it with the next; the event, if there is one, is kept
    /// in the same transaction ([`crate::events::Outbox::publish`]). `None`: it is gone, or somebody has changed it
    /// meanwhile, and nothing is written.
    async fn update(&self, channel: &Channel, event: Option<&Event>) -> Result<Option<Channel>>;

    /// Deletes one with what waits in it. `false`: there is no such channel.
    async fn delete(&self, tenant: TenantId, id: ChannelId) -> Result<bool>;
}
