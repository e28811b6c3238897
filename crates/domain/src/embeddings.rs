//! Embeddings: what a text means as a vector, so that a question finds what says the same in other words.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::answers::ProviderError;
use crate::knowledge::ChunkDraft;
use crate::{BotId, Result, SourceId, TenantId, Timestamp};

/// The longest name of a model, in bytes.
pub const MODEL_MAX: usize = 200;

/// What a text is embedded for. Some models are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is to be found.
    Passage,
    /// It is to find.
    Query,
}

/// A vector of length 1, kept in one byte a dimension: what that loses is far below what models disagree by.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// What the greatest value stands for.
    scale: f32,
    values: Box<[i8]>,
}

impl Embedding {
    /// A vector of any length but zero. `None`: it has no direction, or a value that is no number.
    pub fn of(vector: &[f32]) -> Option<Self> {
        let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        if !norm.is_finite() || norm <= f32::MIN_POSITIVE {
            return None;
        }
        let greatest = vector.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        let values = vector.iter().map(|v| (v / greatest * 127.0).round() as i8);
        Some(Self {
            scale: greatest / norm / 127.0,
            values: values.collect(),
        })
    }

    /// How many dimensions it has.
    pub fn dimensions(&self) -> usize {
        self.values.len()
    }

    /// What one unit of [`Embedding::values`] stands for.
    pub const fn scale(&self) -> f32 {
        self.scale
    }

    /// The dimensions, -127 to 127.
    pub fn values(&self) -> &[i8] {
        &self.values
    }

    /// As it is kept: the scale (little-endian), then the values.
    pub fn to_bytes(&self) -> Vec<u8> {
        let values = self.values.iter().map(|v| v.cast_unsigned());
        self.scale.to_le_bytes().into_iter().chain(values).collect()
    }

    /// Reads what [`Embedding::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (scale, values) = bytes.split_first_chunk()?;
        Some(Self {
            scale: f32::from_le_bytes(*scale),
            values: values.iter().map(|v| v.cast_signed()).collect(),
        })
    }
}

/// Which words were embedded: the same words have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassageHash(pub [u8; 16]);

/// A chunk as it is embedded: below its headings, which say what it is about.
pub fn passage(chunk: &ChunkDraft) -> String {
    match &chunk.heading {
        Some(heading) if !chunk.content.starts_with("Q: ") => {
            format!("{heading}\n{}", chunk.content)
        }
        _ => chunk.content.clone(),
    }
}

impl PassageHash {
    /// The hash of a [`passage`].
    pub fn of(passage: &str) -> Self {
        let digest = Sha256::digest(passage.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self(hash)
    }
}

/// What some models want to be told before a text, by their name: E5 and Nomic Embed were trained with it (see the
/// cards of `intfloat/multilingual-e5-small` and `nomic-ai/nomic-embed-text-v1.5`).
pub fn prefix(model: &str, purpose: Purpose) -> &'static str {
    let name = model.to_ascii_lowercase();
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let (query, passage) = if words.any(|word| word == "e5") {
        ("query: ", "passage: ")
    } else if name.contains("nomic-embed") {
        ("search_query: ", "search_document: ")
    } else {
        ("", "")
    };
    match purpose {
        Purpose::Query => query,
        Purpose::Passage => passage,
    }
}

/// Makes embeddings.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The provider and its model, as `openai:text-embedding-3-small`, at most [`MODEL_MAX`] bytes. Embeddings of
    /// different models can't be compared.
    fn model(&self) -> &str;

    /// Embeds texts: one embedding for each, in their order, all of the same number of dimensions. A text longer than
    /// the model takes is embedded by its beginning. Batches, retries and time-outs are the embedder's own matter.
    /// Dropping the future stops the work.
    ///
    /// # Errors
    /// [`ProviderError`] where not all of them can be had.
    async fn embed(
        &self,
        purpose: Purpose,
        texts: &[String],
    ) -> Result<Vec<Embedding>, ProviderError>;
}

/// A source that is being embedded by a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingRun {
    /// Whose source.
    pub tenant_id: TenantId,
    /// Which source.
    pub source_id: SourceId,
    /// The model, as [`Embedder::model`].
    pub model: String,
    /// The reading of the source that is embedded. Once it is answered from another one, the run is over.
    pub generation: i64,
}

/// How far a model has come with the knowledge of a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingProgress {
    /// The model.
    pub model: String,
    /// Sources that are ready, and those of them that are embedded as they are now.
    pub sources: u64,
    /// See `sources`.
    pub sources_done: u64,
    /// The chunks of these sources, and those of them that are embedded.
    pub chunks: u64,
    /// See `chunks`.
    pub chunks_done: u64,
    /// Why it goes no further for now, where it doesn't.
    pub error: Option<String>,
}

/// With which embeddings the knowledge of a bot is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingState {
    /// The model; `None`: words alone.
    pub active: Option<String>,
    /// The one before, whose embeddings are kept so that the switch can be undone.
    pub previous: Option<String>,
    /// The bot's owner chose, and nothing is switched but by its owner.
    pub is_held: bool,
    /// Every model that has begun with the bot's knowledge, by name.
    pub models: Vec<EmbeddingProgress>,
}

/// Where embeddings are kept, by source, model and the words that were embedded. A bot is searched by one model at a
/// time; what another one makes stands beside it until the bot is switched over.
#[async_trait]
pub trait Embeddings: Send + Sync {
    /// Has every source embedded ([`crate::jobs::JobKind::EmbedSource`]) that a model has not embedded as it is now,
    /// of all tenants, and switches the bots over that lack nothing of it, unless their owners chose another.
    async fn want(&self, model: &str, at: Timestamp) -> Result<()>;

    /// Begins with a source, as it is answered from now. `None`: it is gone, or not ready.
    async fn begin(
        &self,
        tenant: TenantId,
        source: SourceId,
        model: &str,
    ) -> Result<Option<EmbeddingRun>>;

    /// Chunks of a run from a place on, in order, `limit` of them at most.
    async fn chunks_from(
        &self,
        run: &EmbeddingRun,
        index: u32,
        limit: u32,
    ) -> Result<Vec<ChunkDraft>>;

    /// Which of these need no embedding, since the model has embedded the same words for this source, or for another
    /// one of the tenant. They are kept for the run.
    async fn reuse(&self, run: &EmbeddingRun, hashes: &[PassageHash]) -> Result<Vec<PassageHash>>;

    /// Keeps embeddings; `done` chunks of the run have theirs by now. `false`: the run is over.
    async fn keep(
        &self,
        run: &EmbeddingRun,
        embeddings: &[(PassageHash, Embedding)],
        done: u32,
    ) -> Result<bool>;

    /// Says why a run goes no further for now: a sentence for the bot's owner.
    async fn hold_up(&self, run: &EmbeddingRun, error: &str) -> Result<()>;

    /// Ends a run: its source is found by meaning from now on where its bot is searched by the model, and what the
    /// model embedded of earlier readings is forgotten. With `switch_over`, where it was the last of the bot's sources
    /// that are ready, the bot is switched over to the model, unless its owner chose another; embeddings by models that
    /// are neither used nor were before are forgotten. `false`: the run is over already.
    async fn finish(&self, run: &EmbeddingRun, switch_over: bool) -> Result<bool>;

    /// See [`EmbeddingState`]. `None`: no such bot.
    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<EmbeddingState>>;

    /// Searches a bot by a model from now on (`None`: by words alone), and holds it there until the next call of
    /// this. `false`: no such bot.
    async fn switch(
        &self,
        tenant: TenantId,
        bot: BotId,
        model: Option<&str>,
        hold: bool,
    ) -> Result<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(a: &Embedding, b: &Embedding) -> f32 {
        let pairs = a.values().iter().zip(b.values());
        let sum: i32 = pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        sum as f32 * a.scale() * b.scale()
    }

    #[test]
    fn directions_are_kept_and_lengths_are_not() {
        let vector: Vec<f32> = (0..384).map(|n| (n as f32 * 0.37).sin()).collect();
        let longer: Vec<f32> = vector.iter().map(|v| v * 7.0).collect();
        let (a, b) = (
            Embedding::of(&vector).unwrap(),
            Embedding::of(&longer).unwrap(),
        );
        assert!((cosine(&a, &b) - 1.0).abs() < 0.01);
        assert_eq!(Embedding::from_bytes(&a.to_bytes()), Some(a));
    }

    #[test]
    fn what_has_no_direction_is_none() {
        for vector in [
            &[][..],
            &[0.0, 0.0],
            &[f32::NAN, 1.0],
            &[f32::INFINITY, 1.0],
        ] {
            assert_eq!(Embedding::of(vector), None, "{vector:?}");
        }
        assert_eq!(Embedding::from_bytes(&[1, 2]), None);
    }

    #[test]
    fn models_that_want_to_be_told_are() {
        for (model, expected) in [
            ("text-embedding-3-small", ""),
            ("intfloat/multilingual-e5-small", "query: "),
            ("multilingual-E5-large", "query: "),
            ("nomic-embed-text:latest", "search_query: "),
            ("e500", ""),
        ] {
            assert_eq!(prefix(model, Purpose::Query), expected, "{model}");
        }
        assert_eq!(prefix("e5-base", Purpose::Passage), "passage: ");
    }

    #[test]
    fn a_chunk_is_embedded_below_its_headings() {
        let chunk = ChunkDraft {
            content: "Nine to five.".into(),
            heading: Some("Shop > Hours".into()),
            ..ChunkDraft::default()
        };
        assert_eq!(passage(&chunk), "Shop > Hours\nNine to five.");
        assert_ne!(PassageHash::of("a"), PassageHash::of("b"));
    }
}
