//! What a bot can find: the indexes of its sources, put together.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use domain::knowledge::{Chunk, KnowledgeIndex, KnowledgeState, QuestionAnswer};
use domain::language::Language;
use domain::{BotId, Error, Result, SourceId, TenantId};

use crate::curated::{self, Curated};
use crate::nearest::COMPARED_MAX;
use crate::parts::{self, FULL, Part, Placed};
use crate::query::Question;
use crate::scoring::norm;
use crate::segment::{Segment, terms_of};
use crate::signs::{Middle, Signs};
use crate::vectors::{Meaning, Vectors};
use crate::words::Analyzer;

/// In bytes of content: indexing less takes less than a millisecond and needs no thread of its own.
const BUILT_AT_ONCE: usize = 32 * 1024;
/// In chunks: putting together less takes less than a millisecond.
const ASSEMBLED_AT_ONCE: usize = 1_000;

/// Whose knowledge, and by which language's stems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) tenant: TenantId,
    pub(crate) bot: BotId,
    pub(crate) language: Language,
}

/// The index of a bot's knowledge, at some version of it. Chunks are counted through from segment to segment.
pub(crate) struct BotIndex {
    /// It holds at least what the knowledge held at this version.
    pub(crate) version: i64,
    /// The model whose embeddings it has.
    pub(crate) model: Option<String>,
    /// Of more embeddings than are all compared in full, the middle.
    pub(crate) middle: Option<Arc<Middle>>,
    pub(crate) analyzer: Arc<Analyzer>,
    /// By id: whatever order the store has, the same knowledge is ranked in the same order.
    pub(crate) sources: Vec<SourceEntry>,
    pub(crate) segments: Vec<SegmentEntry>,
    /// How many chunks there are.
    pub(crate) chunks: usize,
    /// How many words they have together, stop words aside.
    pub(crate) words: f32,
    /// What the length of each chunk does to its score.
    pub(crate) norms: Box<[f32]>,
    /// Where each source that has chunks begins, and which one it is, by chunk.
    begins: Box<[(usize, usize)]>,
    /// The terms of the names of sources, and whose they are; ascending.
    names: Box<[(u64, usize)]>,
    /// Of its sources those of curated pairs.
    pub(crate) curated: Box<[Curated]>,
}

/// A segment in the index of a bot.
pub(crate) struct SegmentEntry {
    /// The number of its first chunk.
    pub(crate) base: usize,
    pub(crate) segment: Arc<Segment>,
}

/// A source in the index of its bot.
pub(crate) struct SourceEntry {
    id: SourceId,
    revision: i64,
    embedded: i64,
    /// What its chunks mean by the model of the index, as far as they are embedded.
    pub(crate) vectors: Option<Arc<Vectors>>,
    /// For a first look at them, around the middle of the index, where it has one.
    pub(crate) signs: Option<Arc<Signs>>,
    pub(crate) name: String,
    /// Ascending.
    pub(crate) name_terms: Box<[u64]>,
    /// Which segment has its chunks.
    pub(crate) segment: usize,
    /// Its chunks in the segment.
    pub(crate) chunks: Range<usize>,
    /// For a source of curated pairs, their questions by chunk.
    pub(crate) questions: Option<Arc<[Question]>>,
}

/// A chunk in the index of its bot.
pub(crate) struct Located<'a> {
    pub(crate) source: &'a SourceEntry,
    pub(crate) segment: &'a Segment,
    /// Its place in the segment.
    pub(crate) chunk: usize,
    /// Its place in the order of the knowledge, which is the same however segments were merged.
    pub(crate) order: (usize, usize),
}

/// The sources of an index by id and revision.
type Known<'a> = HashMap<(SourceId, i64), &'a SourceEntry>;

impl BotIndex {
    /// Reads what the store has now, taking over from `previous` the sources that have not changed.
    pub(crate) async fn load(
        store: &dyn KnowledgeIndex,
        key: Key,
        state: KnowledgeState,
        previous: Option<&Self>,
    ) -> Result<Self> {
        let analyzer = previous.map_or_else(
            || Arc::new(Analyzer::new(key.language)),
            |previous| Arc::clone(&previous.analyzer),
        );
        let known: Known<'_> = previous
            .iter()
            .flat_map(|previous| &previous.sources)
            .map(|source| ((source.id, source.revision), source))
            .collect();
        let mut listed = store.sources(key.tenant, key.bot).await?;
        listed.sort_unstable_by_key(|source| source.id);
        let mut sources = Vec::with_capacity(listed.len());
        let mut parts: Vec<Part> = previous.map(BotIndex::unused).unwrap_or_default();
        // Many sources that are read at once are not all held unmerged.
        let (mut fresh, mut unmerged): (Vec<Part>, _) = (Vec::new(), 0);
        for (at, source) in listed.into_iter().enumerate() {
            let questions = match known.get(&(source.id, source.revision)) {
                Some(known) => {
                    if !known.chunks.is_empty() {
                        parts[known.segment].sources.push(Placed {
                            source: at,
                            chunks: known.chunks.clone(),
                        });
                    }
                    known.questions.clone()
                }
                None => {
                    let chunks = store.chunks_of(key.tenant, source.id).await?;
                    let (segment, questions) =
                        build(Arc::clone(&analyzer), chunks, source.is_curated).await?;
                    unmerged += segment.len();
                    fresh.push(Part {
                        sources: vec![Placed {
                            source: at,
                            chunks: 0..segment.len(),
                        }],
                        segment,
                    });
                    questions
                }
            };
            sources.push(SourceEntry {
                id: source.id,
                revision: source.revision,
                embedded: source.embedded,
                vectors: None,
                signs: None,
                name_terms: terms_of(&analyzer, &source.name),
                name: source.name,
                segment: 0,
                chunks: 0..0,
                questions,
            });
            if unmerged >= FULL {
                unmerged = 0;
                let merged = std::mem::take(&mut fresh);
                parts.append(&mut offload(true, move || parts::tidy(merged)).await?);
            }
        }
        parts.append(&mut fresh);
        for part in &mut parts {
            part.sources.sort_unstable_by_key(|p| p.chunks.start);
        }
        let is_long = parts::are_untidy(&parts)
            || parts.iter().map(Part::len).sum::<usize>() > ASSEMBLED_AT_ONCE
            || sources.iter().any(|source| source.questions.is_some());
        let mut index = offload(is_long, move || {
            Self::assemble(state, analyzer, sources, parts::tidy(parts))
        })
        .await?;
        let of_model = previous.filter(|previous| previous.model == index.model);
        let known = of_model.map(|_| known).unwrap_or_default();
        index.embed(store, key.tenant, &known).await?;
        if index.chunks <= COMPARED_MAX {
            index.sources.iter_mut().for_each(|s| s.signs = None);
            return Ok(index);
        }
        let middle = of_model.and_then(|previous| previous.middle.clone());
        offload(true, move || index.with_signs(middle)).await
    }

    fn assemble(
        state: KnowledgeState,
        analyzer: Arc<Analyzer>,
        mut sources: Vec<SourceEntry>,
        parts: Vec<Part>,
    ) -> Self {
        let mut segments = Vec::with_capacity(parts.len());
        let mut begins = Vec::with_capacity(sources.len());
        let mut base = 0;
        for (at, part) in parts.into_iter().enumerate() {
            for placed in part.sources {
                begins.push((base + placed.chunks.start, placed.source));
                let source = &mut sources[placed.source];
                (source.segment, source.chunks) = (at, placed.chunks);
            }
            let chunks = part.segment.len();
            segments.push(SegmentEntry {
                base,
                segment: part.segment,
            });
            base += chunks;
        }
        let names = sources.iter().enumerate().flat_map(|(at, source)| {
            let terms = source.name_terms.iter();
            terms.map(move |term| (*term, at))
        });
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        let lengths = segments.iter().flat_map(|entry: &SegmentEntry| {
            let segment = &entry.segment;
            (0..segment.len()).map(|chunk| segment.words(chunk))
        });
        let words: f64 = lengths.clone().map(f64::from).sum();
        let average = (words / base.max(1) as f64).max(1.0) as f32;
        let norms = lengths.map(|words| norm(words as f32 / average)).collect();
        let mut index = Self {
            version: state.version,
            model: state.embedding_model,
            middle: None,
            analyzer,
            sources,
            chunks: base,
            words: words as f32,
            norms,
            segments,
            begins: begins.into(),
            names: names.into(),
            curated: Box::default(),
        };
        index.curated = curated::weigh(&index);
        index
    }

    /// Adds the embeddings of its sources' chunks, those that have not changed from `known`, an index by the same
    /// model.
    async fn embed(
        &mut self,
        store: &dyn KnowledgeIndex,
        tenant: TenantId,
        known: &Known<'_>,
    ) -> Result<()> {
        let Some(model) = &self.model else {
            return Ok(());
        };
        for source in &mut self.sources {
            if source.chunks.is_empty() {
                continue;
            }
            source.vectors = match known.get(&(source.id, source.revision)) {
                Some(known) if known.embedded == source.embedded => {
                    source.signs = known.signs.clone();
                    known.vectors.clone()
                }
                _ => {
                    let embeddings = store.embeddings_of(tenant, source.id, model).await?;
                    let segment = &self.segments[source.segment].segment;
                    let chunks = source.chunks.clone();
                    let hashes: Vec<_> = chunks.map(|chunk| segment.passage(chunk)).collect();
                    let is_long = hashes.len() > ASSEMBLED_AT_ONCE;
                    offload(is_long, move || Vectors::new(&hashes, &embeddings))
                        .await?
                        .map(Arc::new)
                }
            };
        }
        Ok(())
    }

    /// Adds the signs of its embeddings, around the middle that they had before: it moves little.
    fn with_signs(mut self, middle: Option<Arc<Middle>>) -> Self {
        let vectors = self.sources.iter().filter_map(|s| s.vectors.as_deref());
        self.middle = middle.or_else(|| Middle::of(vectors, self.chunks).map(Arc::new));
        if let Some(middle) = &self.middle {
            for source in self.sources.iter_mut().filter(|s| s.signs.is_none()) {
                let vectors = source.vectors.as_ref();
                let signs = vectors.and_then(|vectors| Signs::new(vectors, middle));
                source.signs = signs.map(Arc::new);
            }
        }
        self
    }

    /// Its segments, none of whose chunks are used so far.
    fn unused(&self) -> Vec<Part> {
        let segments = self.segments.iter().map(|entry| Part {
            segment: Arc::clone(&entry.segment),
            sources: Vec::new(),
        });
        segments.collect()
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let of = |source: &SourceEntry| {
            let questions = source.questions.iter().flat_map(|all| all.iter());
            size_of::<SourceEntry>()
                + source.name.len()
                + size_of_val(&*source.name_terms)
                + source.vectors.as_ref().map_or(0, |vectors| vectors.bytes())
                + source.signs.as_ref().map_or(0, |signs| signs.bytes())
                + questions.map(Question::bytes).sum::<usize>()
        };
        let segments = self.segments.iter();
        size_of::<Self>()
            + self.middle.as_ref().map_or(0, |middle| middle.bytes())
            + size_of_val(&*self.norms)
            + size_of_val(&*self.begins)
            + size_of_val(&*self.names)
            + self.sources.iter().map(of).sum::<usize>()
            + segments
                .map(|s| size_of::<SegmentEntry>() + s.segment.bytes())
                .sum::<usize>()
            + self.curated.iter().map(Curated::bytes).sum::<usize>()
    }

    /// The sources whose name has a term.
    pub(crate) fn named(&self, term: u64) -> impl Iterator<Item = &SourceEntry> {
        let from = self.names.partition_point(|(name, _)| *name < term);
        let named = self.names.get(from..).unwrap_or_default().iter();
        let named = named.take_while(move |(name, _)| *name == term);
        named.map(|(_, source)| &self.sources[*source])
    }

    /// How many chunks have a term, or the name of their source has it.
    pub(crate) fn having(&self, term: u64) -> usize {
        let lists = self.segments.iter().map(|s| s.segment.postings(term).len());
        let by_name = self.named(term).filter(|source| !source.chunks.is_empty());
        let by_name = by_name.map(|source| {
            let end = source.chunks.end;
            let list = self.segments[source.segment].segment.postings(term);
            let having = list.from(source.chunks.start as u32);
            source.chunks.len() - having.take_while(|p| (p.chunk as usize) < end).count()
        });
        lists.sum::<usize>() + by_name.sum::<usize>()
    }

    /// The number of a source's first chunk.
    pub(crate) fn number(&self, source: &SourceEntry) -> usize {
        self.segments[source.segment].base + source.chunks.start
    }

    /// How near a chunk is to what a question means. `None`: it has no embedding.
    pub(crate) fn cosine(&self, chunk: usize, question: &Meaning) -> Option<f32> {
        let located = self.locate(chunk);
        let vectors = located.source.vectors.as_ref()?;
        vectors.cosine(located.order.1, question)
    }

    /// Where a chunk is.
    pub(crate) fn locate(&self, chunk: usize) -> Located<'_> {
        let (begin, at) = self.begins[self.begins.partition_point(|(at, _)| *at <= chunk) - 1];
        let source = &self.sources[at];
        let entry = &self.segments[source.segment];
        Located {
            source,
            segment: &entry.segment,
            chunk: chunk - entry.base,
            order: (at, chunk - begin),
        }
    }
}

async fn build(
    analyzer: Arc<Analyzer>,
    chunks: Vec<Chunk>,
    is_curated: bool,
) -> Result<(Arc<Segment>, Option<Arc<[Question]>>)> {
    let bytes: usize = chunks.iter().map(|chunk| chunk.draft.content.len()).sum();
    offload(bytes >= BUILT_AT_ONCE, move || {
        let question = |chunk: &Chunk| {
            let pair = QuestionAnswer::of_chunk(&chunk.draft);
            pair.map(|pair| Question::of(&analyzer, &pair.question))
                .unwrap_or_default()
        };
        let questions = is_curated.then(|| chunks.iter().map(question).collect());
        (Arc::new(Segment::build(&analyzer, &chunks)), questions)
    })
    .await
}

/// Runs what takes long where it keeps no other request waiting.
pub(crate) async fn offload<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if is_long {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)
    } else {
        Ok(work())
    }
}
