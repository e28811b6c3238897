//! Bots.

use async_trait::async_trait;
use validator::Validate;

use crate::language::Language;
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::prompts;
use crate::text::{self, no_nul};
use crate::{BotId, Result, TenantId, Timestamp};

named! {
    /// Where a bot talks, and where a conversation takes place.
    ChannelType {
        /// A page on the web.
        Webchat = "webchat",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// Telegram.
        Telegram = "telegram",
        /// Facebook Messenger.
        Messenger = "messenger",
        /// Instagram.
        Instagram = "instagram",
        /// Slack.
        Slack = "slack",
        /// Discord.
        Discord = "discord",
        /// E-mail.
        Email = "email",
        /// Text messages.
        Sms = "sms",
        /// A program of the tenant's.
        Api = "api",
    }
}

named! {
    /// How a bot comes across.
    Personality {
        /// Professional.
        Professional = "professional",
        /// Friendly.
        Friendly = "friendly",
        /// Helpful.
        Helpful = "helpful",
        /// Expert.
        Expert = "expert",
        /// Enthusiastic.
        Enthusiastic = "enthusiastic",
    }
}

named! {
    /// What a bot is for.
    BotRole {
        /// Customer support.
        CustomerSupport = "customer_support",
        /// Sales.
        Sales = "sales",
        /// Technical support.
        TechnicalSupport = "technical_support",
        /// Anything.
        GeneralAssistant = "general_assistant",
        /// Collecting leads.
        LeadGeneration = "lead_generation",
        /// Making appointments.
        AppointmentBooking = "appointment_booking",
    }
}

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Its id.
    pub id: BotId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
    /// Where it talks; fixed at creation.
    pub channel_type: ChannelType,
    /// What it is for, for its owner.
    pub description: Option<String>,
    /// What it says first in a new conversation.
    pub welcome_message: Option<String>,
    /// The prompt its owner gave; see [`Bot::prompt`].
    pub system_prompt: Option<String>,
    /// The language it speaks.
    pub language: Language,
    /// How it comes across.
    pub personality: Option<Personality>,
    /// What it does.
    pub bot_role: Option<BotRole>,
    /// Whether it answers.
    pub is_active: bool,
    /// Whether it answers where a client names no bot. A tenant with bots has exactly one default.
    pub is_default: bool,
    /// Whether changes of what it is told and of what it knows wait for an evaluation ([`crate::trials::Change`]).
    pub evaluation_gate: bool,
    /// How many connections to models it has ([`crate::connections`]).
    pub connections: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Bot {
    /// The prompt in force: the owner's, or one composed from what the bot is.
    pub fn prompt(&self) -> String {
        self.system_prompt.clone().unwrap_or_else(|| {
            prompts::compose(&self.name, self.bot_role, self.personality, self.language)
        })
    }
}

/// A bot to be made, checked by `validate`.
#[derive(Debug, Clone, Validate)]
pub struct NewBot {
    /// See [`Bot::name`].
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: String,
    /// See [`Bot::channel_type`].
    pub channel_type: ChannelType,
    /// See [`Bot::description`].
    #[validate(length(max = text::DESCRIPTION_MAX, message = "must be at most 2000 characters long"), custom(function = no_nul))]
    pub description: Option<String>,
    /// See [`Bot::welcome_message`].
    #[validate(length(max = text::WELCOME_MAX, message = "must be at most 2000 characters long"), custom(function = no_nul))]
    pub welcome_message: Option<String>,
    /// See [`Bot::system_prompt`].
    #[validate(length(max = text::SYSTEM_PROMPT_MAX, message = "must be at most 20000 characters long"), custom(function = no_nul))]
    pub system_prompt: Option<String>,
    /// See [`Bot::is_active`].
    pub is_active: bool,
    /// See [`Bot::language`].
    pub language: Language,
    /// See [`Bot::personality`].
    pub personality: Option<Personality>,
    /// See [`Bot::bot_role`].
    pub bot_role: Option<BotRole>,
}

/// A change to a bot: `None` keeps; for optional fields `Some(None)` clears.
#[derive(Debug, Clone, Default, Validate)]
pub struct BotChanges {
    /// See [`Bot::name`].
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: Option<String>,
    /// See [`Bot::description`].
    #[validate(length(max = text::DESCRIPTION_MAX, message = "must be at most 2000 characters long"), custom(function = no_nul))]
    pub description: Option<Option<String>>,
    /// See [`Bot::welcome_message`].
    #[validate(length(max = text::WELCOME_MAX, message = "must be at most 2000 characters long"), custom(function = no_nul))]
    pub welcome_message: Option<Option<String>>,
    /// See [`Bot::system_prompt`].
    #[validate(length(max = text::SYSTEM_PROMPT_MAX, message = "must be at most 20000 characters long"), custom(function = no_nul))]
    pub system_prompt: Option<Option<String>>,
    /// See [`Bot::is_active`].
    pub is_active: Option<bool>,
    /// See [`Bot::language`].
    pub language: Option<Language>,
    /// See [`Bot::personality`].
    pub personality: Option<Option<Personality>>,
    /// See [`Bot::bot_role`].
    pub bot_role: Option<Option<BotRole>>,
    /// See [`Bot::evaluation_gate`].
    pub evaluation_gate: Option<bool>,
}

/// Which bots to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct BotFilter {
    /// Only of this channel.
    pub channel_type: Option<ChannelType>,
    /// Only active, or only inactive ones.
    pub is_active: Option<bool>,
}

/// Where bots are kept.
#[async_trait]
pub trait Bots: Send + Sync {
    /// Keeps a new bot, as the tenant's default if it is the first, and answers it as kept. However many
    /// are created at once, the tenant never has more than `max`.
    ///
    /// # Errors
    /// [`crate::Error::LimitReached`] at `max`; [`crate::Error::Conflict`] (`AlreadyExists`) where the id
    /// is taken within the tenant.
    async fn create(&self, bot: &Bot, max: Option<u64>) -> Result<Bot>;
    /// One bot of the tenant.
    async fn find(&self, tenant: TenantId, id: BotId) -> Result<Option<Bot>>;
    /// A page of the tenant's bots, newest first.
    async fn list(
        &self,
        tenant: TenantId,
        filter: BotFilter,
        page: PageRequest,
    ) -> Result<Page<Bot>>;
    /// Every bot of the tenant, newest first, for the overview.
    async fn all(&self, tenant: TenantId) -> Result<Vec<Bot>>;
    /// Writes only the fields given, and answers the bot as it is then; `None`: no such bot.
    async fn update(
        &self,
        tenant: TenantId,
        id: BotId,
        changes: &BotChanges,
        at: Timestamp,
    ) -> Result<Option<Bot>>;
    /// Deletes the bot with its conversations, messages, end users, knowledge and statistics, but not the
    /// month's usage. The oldest remaining bot becomes the default if this one was. Answers the bot as it
    /// was; `None`: no such bot.
    async fn delete(&self, tenant: TenantId, id: BotId) -> Result<Option<Bot>>;
}
