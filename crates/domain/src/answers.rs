//! Answering: the models, built-in or elsewhere, that turn a question and findings into words.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::messages::Utterance;
use crate::retrieval::Findings;

/// What a model is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// The bot's system prompt, without the knowledge.
    pub system_prompt: String,
    /// The bot's language.
    pub language: Language,
    /// The bot's welcome message, which answers a greeting.
    pub welcome_message: Option<String>,
    /// What was said before, oldest first.
    pub history: Vec<Utterance>,
    /// The visitor's words.
    pub text: String,
    /// What the knowledge has to say.
    pub findings: Findings,
}

/// Takes an answer while it is made.
#[async_trait]
pub trait AnswerSink: Send {
    /// A further piece of the answer; the pieces joined are the answer's text.
    async fn piece(&mut self, text: &str);
}

/// A sink for those who want only the whole.
#[derive(Debug, Default)]
pub struct Discard;

#[async_trait]
impl AnswerSink for Discard {
    async fn piece(&mut self, _text: &str) {}
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The words, never empty.
    pub text: String,
    /// What kind of answer it is.
    pub kind: AnswerKind,
    /// The provider's name, as in the settings.
    pub provider: &'static str,
    /// The model that was used, where there is one.
    pub model: Option<String>,
    /// Tokens of the question and of the answer, where the provider counts them.
    pub tokens: Option<Tokens>,
    /// Indexes into the question's hits of those that the answer was made from.
    pub used_hits: Vec<usize>,
}

/// What kind of answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// It answers the question.
    Answer,
    /// It answers a greeting or a thank-you.
    Courtesy,
    /// It says that the knowledge has no answer. From a fallback this counts as no answer.
    DoesNotKnow,
}

/// Tokens, as the provider counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// In the question with all that went with it.
    pub input: u64,
    /// In the answer.
    pub output: u64,
}

/// Why a provider gave no answer. `Display` is for logs and holds none of the visitor's words, no key,
/// and nothing of the provider's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It asked to be left alone for a while.
    #[error("rate limited")]
    RateLimited {
        /// How long, where it said.
        retry_after: Option<Duration>,
    },
    /// It could not be reached, broke off, or answered 5xx.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// It took too long.
    #[error("timed out")]
    TimedOut,
    /// It refused the request: a wrong key, an unknown model, a prompt it does not take.
    #[error("refused: {0}")]
    Refused(String),
    /// What it sent can't be understood, or was empty or too large.
    #[error("bad answer: {0}")]
    BadAnswer(String),
}

/// Something that answers questions.
#[async_trait]
pub trait AnswerModel: Send + Sync {
    /// The provider's name, as in the settings (`extractive`, `openai`, ...).
    fn provider(&self) -> &'static str;

    /// The name of the model that the provider is asked for; `None`: it has none.
    fn model(&self) -> Option<&str> {
        None
    }

    /// Answers, giving the pieces to `sink` as they come. The answer's text is the pieces joined, and never
    /// empty. Retries and time-outs are the model's own matter; once a piece was given, it does not retry.
    /// Dropping the future stops the work.
    ///
    /// # Errors
    /// [`ProviderError`] where there is no whole answer, also if pieces were given before.
    async fn answer(
        &self,
        question: &Question,
        sink: &mut dyn AnswerSink,
    ) -> Result<Answer, ProviderError>;
}
