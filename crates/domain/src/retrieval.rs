//! Finding the chunks that answer a question.

use async_trait::async_trait;

use crate::knowledge::{Chunk, KnowledgeState};
use crate::language::Language;
use crate::messages::Utterance;
use crate::{BotId, Result, TenantId};

/// A question to a bot's knowledge.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose bot.
    pub tenant_id: TenantId,
    /// Whose knowledge.
    pub bot_id: BotId,
    /// What that knowledge is like.
    pub knowledge: KnowledgeState,
    /// The bot's language, for stems and stop words.
    pub language: Language,
    /// The question, word for word.
    pub text: String,
    /// What was said before it, oldest first.
    pub history: Vec<Utterance>,
    /// The most chunks to find.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// How sure it is, 0 to 1, that the hits answer the question. From [`ANSWERABLE`] on, they count as an answer.
    pub answerable: f32,
    /// Chunks, best first. A curated pair ([`crate::knowledge::QuestionAnswer`]) that asks the same as the visitor
    /// comes before all others, and then it answers.
    pub hits: Vec<Hit>,
    /// Whether what the question means counted as well, and not its words alone.
    pub embedded: bool,
}

/// Findings at least this sure are answered from; below it the answer is "I don't know".
pub const ANSWERABLE: f32 = 0.5;

/// A chunk that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The chunk.
    pub chunk: Chunk,
    /// The name of its source.
    pub source_name: String,
    /// How well it fits; comparable within one search only, higher is better.
    pub score: f32,
    /// The sentences of the chunk that fit the question best, in the order in which they stand, ready to
    /// be quoted: the first hit has at least one. Where a curated pair answers, it alone has one: its whole answer.
    pub quotes: Vec<Quote>,
}

/// A sentence (or a list item, or a row with its header) of a chunk, or the whole answer of a curated pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// The words, without markup.
    pub text: String,
    /// How well it fits the question; comparable within one search, across chunks.
    pub score: f32,
}

/// Finds chunks.
#[async_trait]
pub trait Retriever: Send + Sync {
    /// The chunks that answer a question, best first; none where nothing has a word in common with it, or where the
    /// knowledge is embedded, comes near to what it means.
    /// What a bot's owner added is found as soon as the call that added it has been answered.
    async fn search(&self, query: &Query) -> Result<Findings>;
}
