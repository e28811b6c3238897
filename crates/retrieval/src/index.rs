//! What a bot can find: the indexes of its sources, put together.

use std::collections::HashMap;
use std::sync::Arc;

use domain::knowledge::{Chunk, KnowledgeIndex, QuestionAnswer};
use domain::language::Language;
use domain::{BotId, Error, Result, SourceId, TenantId};

use crate::curated::{self, Curated};
use crate::query::Question;
use crate::segment::{Segment, terms_of};
use crate::words::Analyzer;

/// In bytes of content: indexing less takes less than a millisecond and needs no thread of its own.
const BLOCKING_FROM: usize = 32 * 1024;

/// Whose knowledge, and by which language's stems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) tenant: TenantId,
    pub(crate) bot: BotId,
    pub(crate) language: Language,
}

/// The index of a bot's knowledge, at some version of it. Chunks of all sources are counted through.
pub(crate) struct BotIndex {
    /// It holds at least what the knowledge held at this version.
    pub(crate) version: i64,
    pub(crate) analyzer: Arc<Analyzer>,
    pub(crate) sources: Vec<SourceEntry>,
    /// How many chunks there are.
    pub(crate) chunks: usize,
    /// How many words they have together, stop words aside.
    pub(crate) words: f32,
    /// How many words each chunk has, as a share of the average.
    pub(crate) lengths: Box<[f32]>,
    /// Of its sources those of curated pairs.
    pub(crate) curated: Box<[Curated]>,
}

/// A source in the index of its bot.
pub(crate) struct SourceEntry {
    id: SourceId,
    revision: i64,
    pub(crate) name: String,
    /// Ascending.
    pub(crate) name_terms: Box<[u64]>,
    /// The number of its first chunk.
    pub(crate) base: usize,
    pub(crate) segment: Arc<Segment>,
    /// For a source of curated pairs, their questions by chunk.
    pub(crate) questions: Option<Arc<[Question]>>,
}

impl BotIndex {
    /// Reads what the store has now, taking over from `previous` the sources that have not changed.
    pub(crate) async fn load(
        store: &dyn KnowledgeIndex,
        key: Key,
        version: i64,
        previous: Option<&Self>,
    ) -> Result<Self> {
        let analyzer = previous.map_or_else(
            || Arc::new(Analyzer::new(key.language)),
            |previous| Arc::clone(&previous.analyzer),
        );
        let known: HashMap<_, _> = previous
            .iter()
            .flat_map(|previous| &previous.sources)
            .map(|source| ((source.id, source.revision), source))
            .collect();
        let mut listed = store.sources(key.tenant, key.bot).await?;
        // Whatever order the store has, the same knowledge is ranked in the same order.
        listed.sort_unstable_by_key(|source| source.id);
        let mut sources = Vec::with_capacity(listed.len());
        let mut base = 0;
        for source in listed {
            let (segment, questions) = match known.get(&(source.id, source.revision)) {
                Some(known) => (Arc::clone(&known.segment), known.questions.clone()),
                None => {
                    let chunks = store.chunks_of(key.tenant, source.id).await?;
                    build(Arc::clone(&analyzer), chunks, source.is_curated).await?
                }
            };
            let chunks = segment.len();
            sources.push(SourceEntry {
                id: source.id,
                revision: source.revision,
                name_terms: terms_of(&analyzer, &source.name),
                name: source.name,
                base,
                segment,
                questions,
            });
            base += chunks;
        }
        let words: f64 = sources.iter().map(|s| f64::from(s.segment.words())).sum();
        let average = (words / base.max(1) as f64).max(1.0) as f32;
        let lengths = sources
            .iter()
            .map(|source| &source.segment)
            .flat_map(|segment| {
                (0..segment.len()).map(move |chunk| segment.length(chunk) as f32 / average)
            });
        let mut index = Self {
            version,
            analyzer,
            lengths: lengths.collect(),
            words: words as f32,
            sources,
            chunks: base,
            curated: Box::default(),
        };
        if index.sources.iter().all(|s| s.questions.is_none()) {
            return Ok(index);
        }
        // Each word of the questions is looked up in each source.
        let weigh = move || {
            index.curated = curated::weigh(&index);
            index
        };
        tokio::task::spawn_blocking(weigh)
            .await
            .map_err(Error::internal)
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let of = |source: &SourceEntry| {
            let questions = source.questions.iter().flat_map(|all| all.iter());
            size_of::<SourceEntry>()
                + source.name.len()
                + size_of_val(&*source.name_terms)
                + source.segment.bytes()
                + questions.map(Question::bytes).sum::<usize>()
        };
        size_of::<Self>()
            + size_of_val(&*self.lengths)
            + self.sources.iter().map(of).sum::<usize>()
            + self.curated.iter().map(Curated::bytes).sum::<usize>()
    }

    /// How many chunks have a term, or the name of their source has it.
    pub(crate) fn having(&self, term: u64) -> usize {
        let of = |source: &SourceEntry| {
            if source.name_terms.binary_search(&term).is_ok() {
                return source.segment.len();
            }
            let mut chunks = 0;
            let places = source.segment.places(term);
            source.segment.matches(places, |_| chunks += 1);
            chunks
        };
        self.sources.iter().map(of).sum()
    }

    /// The source of a chunk, and the chunk's place in it.
    pub(crate) fn locate(&self, chunk: usize) -> (&SourceEntry, usize) {
        let after = self.sources.partition_point(|source| source.base <= chunk);
        let source = &self.sources[after - 1];
        (source, chunk - source.base)
    }
}

async fn build(
    analyzer: Arc<Analyzer>,
    chunks: Vec<Chunk>,
    is_curated: bool,
) -> Result<(Arc<Segment>, Option<Arc<[Question]>>)> {
    let bytes: usize = chunks.iter().map(|chunk| chunk.draft.content.len()).sum();
    let build = move || {
        let question = |chunk: &Chunk| {
            let pair = QuestionAnswer::of_chunk(&chunk.draft);
            pair.map(|pair| Question::of(&analyzer, &pair.question))
                .unwrap_or_default()
        };
        let questions = is_curated.then(|| chunks.iter().map(question).collect());
        (Arc::new(Segment::build(&analyzer, &chunks)), questions)
    };
    if bytes < BLOCKING_FROM {
        return Ok(build());
    }
    tokio::task::spawn_blocking(build)
        .await
        .map_err(Error::internal)
}
