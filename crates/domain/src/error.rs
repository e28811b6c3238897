//! The one error of the domain. It knows no status code: the server renders it, once per dialect.

use std::borrow::Cow;
use std::time::Duration;

/// What every use case and every port answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was refused or failed.
///
/// `Display` is for logs and never holds a visitor's words or a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or belongs to somebody else: the two are told apart nowhere.
    #[error("{0} not found")]
    NotFound(Resource),
    /// A required field is absent, null or blank.
    #[error("missing required field: {field}")]
    Missing {
        /// The field's name as the client writes it.
        field: Cow<'static, str>,
    },
    /// A field or parameter has a value that can't be taken.
    #[error("invalid {field}: {problem}")]
    Invalid {
        /// The field's name as the client writes it.
        field: Cow<'static, str>,
        /// A sentence for the client: what is accepted.
        problem: String,
    },
    /// It clashes with something that is there or under way.
    #[error("conflict: {0:?}")]
    Conflict(Clash),
    /// The tenant's plan allows no more.
    #[error("plan limit reached: {0:?}")]
    LimitReached(Limit),
    /// The bot has been switched off by its owner.
    #[error("the bot is inactive")]
    BotInactive,
    /// It has been switched off, by its owner or by what went wrong with it.
    #[error("{0} is disabled")]
    Disabled(Resource),
    /// No credential, or one that is unknown, revoked, or of a suspended tenant.
    #[error("not authenticated")]
    Unauthenticated,
    /// More requests than the plan's rate.
    #[error("rate limited")]
    RateLimited {
        /// When the next request will be taken.
        retry_after: Duration,
    },
    /// Too much to do at the moment; nothing was done.
    #[error("unavailable")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// No provider, its fallbacks included, had an answer. The text is for logs.
    #[error("no answer from any provider: {0}")]
    ProviderFailed(String),
    /// A fault of ours or of what we stand on. The source is for logs, never for clients.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A tenant.
    Tenant,
    /// An API key.
    ApiKey,
    /// A bot.
    Bot,
    /// A conversation.
    Conversation,
    /// A message.
    Message,
    /// A person who talked to a bot.
    Customer,
    /// A knowledge source.
    KnowledgeSource,
    /// An evaluation.
    Evaluation,
    /// A bot's connection to a model; clients know it as an integration.
    Connection,
    /// A platform that a bot talks on.
    Channel,
    /// An endpoint that events are sent to.
    Webhook,
    /// An event on its way to an endpoint.
    Delivery,
    /// An agent loop.
    AgentLoop,
    /// A run of an agent loop.
    Execution,
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tenant => "Tenant",
            Self::ApiKey => "API key",
            Self::Bot => "Bot",
            Self::Conversation => "Conversation",
            Self::Message => "Message",
            Self::Customer => "Customer",
            Self::KnowledgeSource => "Knowledge source",
            Self::Evaluation => "Evaluation",
            Self::Connection => "Integration",
            Self::Channel => "Channel",
            Self::Webhook => "Webhook",
            Self::Delivery => "Delivery",
            Self::AgentLoop => "Agent loop",
            Self::Execution => "Execution",
        })
    }
}

/// What something clashed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// The same idempotency key came with another request.
    IdempotencyKeyReused,
    /// The first request with this idempotency key is still under way.
    RequestUnderWay,
    /// Something with this id is there already.
    AlreadyExists,
    /// The execution does not wait for its owner's word, or not any more.
    NotWaiting,
}

/// Which of the plan's limits was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Bots of the tenant.
    Bots,
    /// Conversations in this calendar month (UTC).
    Conversations,
    /// Messages in this calendar month (UTC).
    Messages,
}

impl Error {
    /// A field with a value that can't be taken, and the sentence that says what can.
    pub fn invalid(field: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// A required field that is absent, null or blank.
    pub fn missing(field: impl Into<Cow<'static, str>>) -> Self {
        Self::Missing {
            field: field.into(),
        }
    }

    /// A fault that no client can mend.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl From<validator::ValidationErrors> for Error {
    /// The first broken rule, by field name, so that the answer to one input is always the same.
    fn from(errors: validator::ValidationErrors) -> Self {
        let fields = errors.field_errors();
        let first = fields.iter().min_by(|(a, _), (b, _)| a.cmp(b));
        let Some((field, problems)) = first else {
            return Self::invalid("body", "The body has a value that can't be taken.");
        };
        let problem = problems
            .iter()
            .find_map(|p| p.message.as_deref())
            .unwrap_or("has a value that can't be taken");
        Self::Invalid {
            problem: format!("The '{field}' field {problem}."),
            field: Cow::Owned(field.to_string()),
        }
    }
}
