//! Models that are given tools, and say which of them to call.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;
use crate::answers::{ProviderError, Tokens};

/// What a model is told of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDescription {
    /// Its name, of letters, digits, `_` and `-`.
    pub name: String,
    /// What it does, and when to call it.
    pub description: String,
    /// Its arguments: a JSON Schema of an object.
    pub parameters: Value,
}

/// A call that a model wants made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's name for the call, by which it knows the result.
    pub id: String,
    /// The tool. There may be none of this name.
    pub name: String,
    /// An object, as models are asked for. What can't be read as JSON is here as the words that came.
    pub arguments: Value,
}

/// Something that was said in a chat with tools.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// By who wants something done.
    User(String),
    /// By the model.
    Model {
        /// Its words; there may be none beside calls.
        text: String,
        /// What it wants called, in order.
        calls: Vec<ToolCall>,
    },
    /// By a tool. All results of a turn's calls follow it.
    Tool {
        /// [`ToolCall::id`].
        call_id: String,
        /// The result, or what went wrong.
        result: String,
        /// Whether something went wrong.
        failed: bool,
    },
}

/// A chat with tools, as far as it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolChat {
    /// What the model is to do.
    pub instructions: String,
    /// What was said, oldest first. The last is not the model's.
    pub said: Vec<Said>,
    /// What it may call.
    pub tools: Vec<ToolDescription>,
}

/// A model's turn.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolTurn {
    /// Its words.
    pub text: String,
    /// What it wants called. Without any, it is done.
    pub calls: Vec<ToolCall>,
    /// The model that was used, as the provider calls it.
    pub model: Option<String>,
    /// What it cost, where the provider counts.
    pub tokens: Option<Tokens>,
}

/// A model that can be given tools.
#[async_trait]
pub trait ToolModel: Send + Sync {
    /// The provider's name, as [`crate::answers::AnswerModel::provider`].
    fn provider(&self) -> &'static str;

    /// The model's next turn, with words or calls in it. Retries are the model's own matter, all `within` this time.
    /// Nothing is called.
    ///
    /// # Errors
    /// [`ProviderError`].
    async fn next(&self, chat: &ToolChat, within: Duration) -> Result<ToolTurn, ProviderError>;
}
