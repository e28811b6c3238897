//! What the clauses work with: a retriever over a shelf, knowledge and questions.

use std::sync::Arc;

use domain::embeddings::Embedder;
use domain::knowledge::{ChunkDraft, KnowledgeIndex};
use domain::language::Language;
use domain::retrieval::{Findings, Query, Retriever};
use domain::{BotId, TenantId};
use uuid::Uuid;

use super::{Open, Shelf};

/// An owner of knowledge.
pub fn owner(number: u128) -> (TenantId, BotId) {
    (
        TenantId(Uuid::from_u128(number << 64)),
        BotId(Uuid::from_u128((number << 64) + 1)),
    )
}

/// A chunk of these words.
pub fn draft(content: &str) -> ChunkDraft {
    ChunkDraft {
        content: content.to_owned(),
        ..ChunkDraft::default()
    }
}

/// A question in English to the bot of [`owner`]`(1)`, at the newest version of its knowledge.
pub async fn ask(shelf: &Shelf, text: &str) -> Query {
    ask_of(shelf, owner(1), text).await
}

/// As [`ask`], to another bot.
pub(super) async fn ask_of(
    shelf: &Shelf,
    (tenant_id, bot_id): (TenantId, BotId),
    text: &str,
) -> Query {
    let knowledge = shelf.state(tenant_id, bot_id).await.unwrap();
    Query {
        tenant_id,
        bot_id,
        knowledge: knowledge.unwrap_or_default(),
        language: Language::En,
        text: text.to_owned(),
        history: Vec::new(),
        limit: 10,
    }
}

/// A small shop's knowledge, as the tests of answerability and quotes need it.
pub fn shop() -> Vec<ChunkDraft> {
    [
        "We are open Monday to Friday, 9 am to 6 pm. On Saturdays we close at noon.",
        "You can return any item within 30 days of delivery. Refunds are paid to the original card.",
        "Standard shipping costs $4.99 and takes three to five days. Express shipping costs $12.50.",
        "Write to help@shop.example or call 555-0134 to reach our customer support.",
        "The RX-200 lamp comes in black and white and has a warranty of two years.",
        "Gift cards are sold for $25, $50 and $100 and never expire.",
        "We ship to all countries of Europe and to Canada.",
        "Our store is at 12 Market Street, next to the town hall.",
    ]
    .map(draft)
    .into()
}

/// The retriever under test over an empty shelf.
pub(super) struct Bench {
    pub(super) shelf: Arc<Shelf>,
    pub(super) retriever: Box<dyn Retriever>,
}

impl Bench {
    pub(super) fn new(open: Open<'_>) -> Self {
        Self::embedding(open, Vec::new())
    }

    /// With embedders.
    pub(super) fn embedding(open: Open<'_>, embedders: Vec<Arc<dyn Embedder>>) -> Self {
        let shelf = Arc::new(Shelf::default());
        Self {
            retriever: open(Arc::clone(&shelf) as Arc<dyn KnowledgeIndex>, embedders),
            shelf,
        }
    }

    /// With a source of these chunks for [`owner`]`(1)`.
    pub(super) fn with(open: Open<'_>, drafts: Vec<ChunkDraft>) -> Self {
        let bench = Self::new(open);
        bench.shelf.put(owner(1), "notes", drafts);
        bench
    }

    /// What the bot of [`owner`]`(1)` finds.
    pub(super) async fn search(&self, text: &str) -> Findings {
        let query = ask(&self.shelf, text).await;
        self.retriever.search(&query).await.unwrap()
    }
}

/// The words of what was found.
pub(super) fn contents(findings: &Findings) -> Vec<&str> {
    let contents = findings.hits.iter();
    contents.map(|h| h.chunk.draft.content.as_str()).collect()
}
