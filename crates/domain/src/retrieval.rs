//! Finding the chunks that answer a question.

use std::borrow::Cow;

use async_trait::async_trait;

use crate::knowledge::{Chunk, ChunkDraft, KnowledgeState};
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
    /// Chunks, best first; right behind one of the best those in which a list, a table or a sentence of it goes on. Of
    /// chunks that say the same, or nearly so, there is one. A curated pair ([`crate::knowledge::QuestionAnswer`]) that
    /// asks the same as the visitor comes before all others, and then it answers.
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

/// What hits are told as: one hit, or neighbours that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage<'a> {
    /// The name of the source.
    pub source_name: &'a str,
    /// The headings above it.
    pub heading: Option<&'a str>,
    /// Its words, each once.
    pub text: Cow<'a, str>,
    /// How many of the hits it is made of.
    pub hits: usize,
}

/// Hits as passages, best first. Hits that follow each other here, and stand side by side in one section, are one
/// passage with their words in the order in which they stand.
pub fn passages(hits: &[Hit]) -> Vec<Passage<'_>> {
    let mut groups: Vec<Vec<&Hit>> = Vec::new();
    for hit in hits {
        match groups.last_mut() {
            Some(group) if group.iter().any(|other| are_side_by_side(other, hit)) => {
                group.push(hit)
            }
            _ => groups.push(vec![hit]),
        }
    }
    let passages = groups.into_iter().filter_map(|mut group| {
        group.sort_unstable_by_key(|hit| hit.chunk.index);
        let (first, others) = group.split_first()?;
        let mut text = Cow::Borrowed(first.chunk.draft.content.as_str());
        for hit in others {
            let next = &hit.chunk.draft.content;
            let rest = &next[shared(&text, next)..];
            let text = text.to_mut();
            if rest.len() == next.len() {
                text.push('\n');
            }
            text.push_str(rest);
        }
        Some(Passage {
            source_name: &first.source_name,
            heading: first.chunk.draft.heading.as_deref(),
            text,
            hits: group.len(),
        })
    });
    passages.collect()
}

fn are_side_by_side(one: &Hit, other: &Hit) -> bool {
    one.chunk.source_id == other.chunk.source_id
        && one.chunk.index.abs_diff(other.chunk.index) == 1
        && are_of_one_section(&one.chunk.draft, &other.chunk.draft)
}

/// Whether two chunks of a source stand on one page under the same headings, the names of the columns where a table
/// goes on aside.
pub fn are_of_one_section(one: &ChunkDraft, other: &ChunkDraft) -> bool {
    let section = |draft: &ChunkDraft| -> Option<String> {
        let heading = draft.heading.as_deref()?;
        let parts = heading
            .split(" > ")
            .filter(|part| !part.starts_with("Columns: "));
        Some(parts.collect::<Vec<_>>().join(" > ")).filter(|heading| !heading.is_empty())
    };
    one.url == other.url && section(one) == section(other)
}

/// In bytes: how much of the end of a text the next one begins with.
fn shared(text: &str, next: &str) -> usize {
    // Less is chance: "the ", or a bullet.
    const LEAST: usize = 20;
    let most = text.len().min(next.len());
    let ends = (LEAST..=most)
        .rev()
        .filter(|end| next.is_char_boundary(*end));
    ends.into_iter()
        .find(|end| text.ends_with(&next[..*end]))
        .unwrap_or(0)
}

/// Finds chunks.
#[async_trait]
pub trait Retriever: Send + Sync {
    /// The chunks that answer a question, best first; none where nothing has a word in common with it, or where the
    /// knowledge is embedded, comes near to what it means.
    /// What a bot's owner added is found as soon as the call that added it has been answered.
    async fn search(&self, query: &Query) -> Result<Findings>;
}
