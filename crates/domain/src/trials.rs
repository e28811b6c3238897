//! Changes of a bot that are measured before visitors meet them.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::bots::{Bot, BotChanges, BotRole, Personality};
use crate::knowledge::{Draft, Edition, KnowledgeIndex};
use crate::language::Language;
use crate::retrieval::Retriever;
use crate::{ConnectionId, SourceId, TenantId};

/// A change that waits for its evaluation. A bot with [`Bot::evaluation_gate`] takes it only if it answers no fewer of
/// its cases rightly with it than without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// Of what the bot is told.
    Settings(PromptChanges),
    /// A source is to be answered from that is not.
    EnableSource {
        /// Which source.
        source_id: SourceId,
    },
    /// A new reading of a source is to be answered from.
    PublishReading {
        /// Which source.
        source_id: SourceId,
        /// Which reading: [`Draft::generation`].
        generation: i64,
        /// What it holds.
        edition: Edition,
    },
    /// The bot is to answer by a connection that it does not answer by.
    EnableConnection {
        /// Which connection.
        connection_id: ConnectionId,
    },
    /// The bot is to be searched by another embedding model.
    SwitchEmbeddings {
        /// The model; `None`: words alone.
        model: Option<String>,
        /// Whether to stay there, whatever other model is ready later.
        hold: bool,
    },
}

/// Changes of what decides on a bot's answers, as in [`BotChanges`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "each field is documented where it is the bot's"
)]
pub struct PromptChanges {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub system_prompt: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub personality: Option<Option<Personality>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub bot_role: Option<Option<BotRole>>,
}

/// A field that is there, if only as null.
fn given<'de, D, T>(field: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(field).map(Some)
}

impl PromptChanges {
    /// Takes out of changes what decides on answers and is not so already.
    pub fn taken_from(changes: &mut BotChanges, bot: &Bot) -> Self {
        Self {
            system_prompt: changes
                .system_prompt
                .take()
                .filter(|prompt| *prompt != bot.system_prompt),
            language: changes
                .language
                .take()
                .filter(|language| *language != bot.language),
            personality: changes
                .personality
                .take()
                .filter(|personality| *personality != bot.personality),
            bot_role: changes.bot_role.take().filter(|role| *role != bot.bot_role),
        }
    }

    /// The bot as it would be.
    pub fn applied_to(&self, bot: &mut Bot) {
        let Self {
            system_prompt,
            language,
            personality,
            bot_role,
        } = self.clone();
        bot.system_prompt = system_prompt.unwrap_or_else(|| bot.system_prompt.take());
        bot.language = language.unwrap_or(bot.language);
        bot.personality = personality.unwrap_or(bot.personality);
        bot.bot_role = bot_role.unwrap_or(bot.bot_role);
    }
}

impl From<PromptChanges> for BotChanges {
    fn from(changes: PromptChanges) -> Self {
        Self {
            system_prompt: changes.system_prompt,
            language: changes.language,
            personality: changes.personality,
            bot_role: changes.bot_role,
            ..Self::default()
        }
    }
}

/// How a bot's knowledge would be found after a change that is not made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// As if this draft were published.
    pub draft: Option<Draft>,
    /// As if this source were enabled.
    pub enabled: Option<SourceId>,
    /// As if the bot were searched by this model, or by words alone (`Some(None)`).
    pub embedding_model: Option<Option<String>>,
}

impl Change {
    /// The word for its kind.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Settings(_) => "settings",
            Self::EnableSource { .. } => "enable_source",
            Self::EnableConnection { .. } => "enable_integration",
            Self::PublishReading { .. } => "publish_reading",
            Self::SwitchEmbeddings { .. } => "switch_embeddings",
        }
    }

    /// The connection that the bot answers by as if it were enabled.
    pub const fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::EnableConnection { connection_id } => Some(*connection_id),
            _ => None,
        }
    }

    /// The source that it is about.
    pub const fn source(&self) -> Option<SourceId> {
        match self {
            Self::EnableSource { source_id } | Self::PublishReading { source_id, .. } => {
                Some(*source_id)
            }
            _ => None,
        }
    }

    /// What it does to finding. `None`: nothing.
    pub fn trial(&self, tenant: TenantId) -> Option<Trial> {
        Some(match self {
            Self::Settings(_) | Self::EnableConnection { .. } => return None,
            Self::EnableSource { source_id } => Trial {
                enabled: Some(*source_id),
                ..Trial::default()
            },
            Self::PublishReading {
                source_id,
                generation,
                ..
            } => Trial {
                draft: Some(Draft {
                    tenant_id: tenant,
                    source_id: *source_id,
                    generation: *generation,
                }),
                ..Trial::default()
            },
            Self::SwitchEmbeddings { model, .. } => Trial {
                embedding_model: Some(model.clone()),
                ..Trial::default()
            },
        })
    }
}

/// Where knowledge is read as it would be.
pub trait TrialIndexes: Send + Sync {
    /// The store's knowledge as if. What it answers of other bots than the changed one is as it is.
    fn with(&self, trial: Trial) -> Arc<dyn KnowledgeIndex>;
}

/// Finds chunks as they would be found.
pub trait TrialRetrievers: Send + Sync {
    /// A retriever for as long as a trial takes. It reads the bot's knowledge anew, beside what is kept for visitors.
    fn with(&self, trial: Trial) -> Arc<dyn Retriever>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_read_as_it_was_written() {
        for change in [
            Change::Settings(PromptChanges {
                system_prompt: Some(None),
                personality: Some(Some(Personality::Friendly)),
                ..PromptChanges::default()
            }),
            Change::SwitchEmbeddings {
                model: None,
                hold: true,
            },
            Change::EnableSource {
                source_id: SourceId(uuid::Uuid::nil()),
            },
        ] {
            let written = serde_json::to_value(&change).unwrap();
            let read: Change = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(read, change, "{written}");
        }
    }
}
