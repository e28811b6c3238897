//! Connections of a bot to a model of its owner's: an AI backend, or the owner's own HTTP endpoint. The Platform API
//! calls them integrations.

use std::sync::Arc;

use async_trait::async_trait;
use validator::Validate;

use crate::answers::AnswerModel;
use crate::named::named;
use crate::text::{self, no_nul};
use crate::{BotId, ConnectionId, Error, Result, TenantId, Timestamp};

/// The most connections of a bot.
pub const CONNECTIONS_MAX: usize = 10;
/// Failures in a row after which a connection counts as failed.
pub const FAILURES_MAX: u32 = 3;
/// The longest credential, in characters.
pub const CREDENTIAL_MAX: u64 = 4_000;
/// What credentials are sealed for: [`crate::secrets::SecretContext::purpose`].
pub const CREDENTIAL: &str = "connection credential";

named! {
    /// What a connection leads to.
    ConnectionKind {
        /// Anything that speaks OpenAI's chat completions.
        OpenAi = "openai",
        /// Anthropic's Messages API.
        Anthropic = "anthropic",
        /// Ollama, by its OpenAI-compatible side.
        Ollama = "ollama",
        /// The owner's own endpoint, which answers itself.
        Webhook = "webhook",
    }
}

named! {
    /// How a connection does.
    ConnectionStatus {
        /// The bot answers by it.
        Active = "active",
        /// It failed [`FAILURES_MAX`] times in a row: others answer, and it is tried now and then.
        Failed = "failed",
        /// Its owner has switched it off.
        Disabled = "disabled",
    }
}

/// A connection, without its credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot that answers by it.
    pub bot_id: BotId,
    /// Its name.
    pub name: String,
    /// What it leads to.
    pub kind: ConnectionKind,
    /// Where that is; `None`: the provider's own address.
    pub base_url: Option<String>,
    /// The model; `None`: the provider's own choice.
    pub model: Option<String>,
    /// The credential, sealed. `None`: there is none.
    pub credential: Option<Vec<u8>>,
    /// Whether its owner wants it used.
    pub enabled: bool,
    /// Failures in a row.
    pub failures: u32,
    /// What went wrong last: a sentence for its owner.
    pub error: Option<String>,
    /// When it failed last, while `failures` is not 0.
    pub failed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed by its owner.
    pub updated_at: Timestamp,
}

impl Connection {
    /// How it does.
    pub const fn status(&self) -> ConnectionStatus {
        if !self.enabled {
            ConnectionStatus::Disabled
        } else if self.failures >= FAILURES_MAX {
            ConnectionStatus::Failed
        } else {
            ConnectionStatus::Active
        }
    }
}

/// A connection to be made, checked by `validate`.
#[derive(Debug, Clone, Validate)]
pub struct NewConnection {
    /// See [`Connection::name`].
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: String,
    /// See [`Connection::kind`].
    pub kind: ConnectionKind,
    /// See [`Connection::base_url`].
    #[validate(length(min = 1, max = text::URL_MAX, message = "must be 1 to 2048 characters long"), custom(function = no_nul))]
    pub base_url: Option<String>,
    /// See [`Connection::model`].
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub model: Option<String>,
    /// The key, in clear.
    pub credential: Option<Credential>,
    /// See [`Connection::enabled`].
    pub enabled: bool,
}

/// A change of a connection: `None` keeps; for optional fields `Some(None)` clears.
#[derive(Debug, Clone, Default, Validate)]
pub struct ConnectionChanges {
    /// See [`Connection::name`].
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: Option<String>,
    /// See [`Connection::base_url`].
    #[validate(length(min = 1, max = text::URL_MAX, message = "must be 1 to 2048 characters long"), custom(function = no_nul))]
    pub base_url: Option<Option<String>>,
    /// See [`Connection::model`].
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub model: Option<Option<String>>,
    /// See [`NewConnection::credential`].
    pub credential: Option<Option<Credential>>,
    /// See [`Connection::enabled`].
    pub enabled: Option<bool>,
}

/// A credential in clear. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl Credential {
    /// Reads what an owner gave.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`api_key`).
    pub fn read(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let length = trimmed.chars().count() as u64;
        if !(1..=CREDENTIAL_MAX).contains(&length) || !trimmed.chars().all(|c| c.is_ascii_graphic())
        {
            return Err(Error::invalid(
                "api_key",
                "The 'api_key' field must be 1 to 4000 printable ASCII characters without blanks.",
            ));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// As it was kept.
    ///
    /// # Errors
    /// [`Error::Internal`] for what is no text.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        String::from_utf8(bytes).map(Self).map_err(Error::internal)
    }

    /// In clear, for the provider.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Where connections are kept.
#[async_trait]
pub trait Connections: Send + Sync {
    /// Keeps a connection. However many are created at once, a bot never has more than [`CONNECTIONS_MAX`].
    ///
    /// # Errors
    /// [`Error::NotFound`] (`Bot`); [`Error::Invalid`] (`bot_id`) at the most; [`Error::Conflict`] (`AlreadyExists`) for
    /// an id that is taken.
    async fn create(&self, connection: &Connection) -> Result<()>;

    /// One of the tenant's.
    async fn find(&self, tenant: TenantId, id: ConnectionId) -> Result<Option<Connection>>;

    /// A bot's, oldest first.
    async fn of_bot(&self, tenant: TenantId, bot: BotId) -> Result<Vec<Connection>>;

    /// Writes a connection as its owner has changed it, and answers it as kept; it counts as new, without failures.
    /// `None`: it is gone.
    async fn update(&self, connection: &Connection) -> Result<Option<Connection>>;

    /// Deletes one. `false`: there is no such connection.
    async fn delete(&self, tenant: TenantId, id: ConnectionId) -> Result<bool>;

    /// Counts a failure (`error`: a sentence for its owner), or forgets those before. Answers the failures in a row;
    /// `None`: it is gone.
    async fn record(
        &self,
        tenant: TenantId,
        id: ConnectionId,
        error: Option<&str>,
        at: Timestamp,
    ) -> Result<Option<u32>>;
}

/// Makes models of connections.
pub trait ModelFactory: Send + Sync {
    /// The model that a connection leads to. Nothing is asked of it yet. Of the same connection, unchanged, it may be
    /// the same model as before.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`base_url`, `api_key`, `model`) for what can't be used, with the reason: an address that
    /// tenants may not reach, too.
    fn model(
        &self,
        connection: &Connection,
        credential: Option<&Credential>,
    ) -> Result<Arc<dyn AnswerModel>>;
}
