//! Typed ids. All are UUID version 7, opaque outside; the type keeps a bot's id from standing where a
//! tenant's belongs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the hyphenated form; anything else (braces, URNs, other words) is `None`.
            pub fn parse(text: &str) -> Option<Self> {
                (text.len() == 36).then(|| Uuid::parse_str(text).ok().map(Self)).flatten()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// A customer of the operator.
    TenantId,
    /// A credential of a tenant.
    ApiKeyId,
    /// A bot.
    BotId,
    /// A person who talks to a bot.
    EndUserId,
    /// A conversation.
    ConversationId,
    /// A message.
    MessageId,
    /// A knowledge source.
    SourceId,
    /// A piece of a knowledge source.
    ChunkId,
    /// A measurement of a bot.
    EvaluationId,
    /// A bot's connection to a model.
    ConnectionId,
    /// A platform that a bot talks on.
    ChannelId,
    /// Work to be done later.
    JobId,
    /// An address of the tenant's that events are sent to.
    WebhookId,
    /// Something that happened.
    EventId,
    /// An address that a person gave.
    LeadId,
    /// An order in a shop.
    OrderId,
    /// A person being erased.
    ErasureId,
    /// Questions that ask the same.
    QuestionGroupId,
    /// A named workflow of a model with tools.
    AgentLoopId,
    /// One run of an agent loop.
    ExecutionId,
    /// A step of an execution.
    StepId,
}
