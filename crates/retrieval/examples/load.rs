//! Measures searches on bases of growing size, made of words by Zipf's law:
//! `cargo run --release -p botwright-retrieval --example load [--vectors] [chunks ...]`.
//!
//! With `--vectors`, chunks and questions are embedded as well (sums of random directions, one for each word, in 384
//! dimensions). Printed are the time of the first search, which reads and indexes all, and of the
//! first after a source was added; of those between the median and
//! the 99th percentile of the processor's time and of the clock's; and the memory that the index takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use contracts::retrieval::{Shelf, draft, owner};
use domain::answers::ProviderError;
use domain::embeddings::{Embedder, Embedding, Purpose};
use domain::knowledge::KnowledgeIndex;
use domain::language::Language;
use domain::retrieval::{Query, Retriever};
use retrieval::{HybridRetriever, Options};

/// Of a source, where there are that many.
const CHUNKS: usize = 100;
const WORDS: usize = 160;
/// Ranks by frequency: those below are the stop words, of which an index has none.
const COMMONEST: f64 = 50.0;
const VOCABULARY: f64 = 50_000.0;
const SEARCHES: usize = 500;

/// A small generator (xorshift), so that every run has the same words.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Rank r comes up as often as 1/r.
    fn word(&mut self) -> String {
        const SYLLABLES: &[&str] = &[
            "ba", "ke", "lo", "mi", "nu", "pra", "sto", "ting", "ver", "zo",
        ];
        let mut rank = (COMMONEST * (VOCABULARY / COMMONEST).powf(self.roll())) as usize;
        let mut word = String::new();
        loop {
            word.push_str(SYLLABLES[rank % SYLLABLES.len()]);
            rank /= SYLLABLES.len();
            if rank == 0 {
                return word;
            }
        }
    }

    fn words(&mut self, count: usize) -> String {
        (0..count)
            .map(|at| self.word() + if at % 15 == 14 { ". " } else { " " })
            .collect()
    }
}

/// In dimensions.
const EMBEDDING: usize = 384;
/// Of a text, so many words are embedded.
const EMBEDDED_WORDS: usize = 20;

/// Embeds texts: those that share words come near each other.
struct Directions;

#[async_trait]
impl Embedder for Directions {
    fn model(&self) -> &str {
        "load:directions"
    }

    async fn embed(
        &self,
        _purpose: Purpose,
        texts: &[String],
    ) -> Result<Vec<Embedding>, ProviderError> {
        let embed = |text: &String| {
            let mut vector = [0.0_f32; EMBEDDING];
            for word in text.split_whitespace().take(EMBEDDED_WORDS) {
                let seed = word.bytes().fold(42, |seed: u64, byte| {
                    seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
                });
                let mut dice = Dice(seed | 1);
                vector
                    .iter_mut()
                    .for_each(|v| *v += dice.roll() as f32 - 0.5);
            }
            Embedding::of(&vector)
        };
        Ok(texts.iter().filter_map(embed).collect())
    }
}

/// What the processor has worked for this process.
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

#[tokio::main]
async fn main() -> domain::Result<()> {
    let with_vectors = std::env::args().any(|arg| arg == "--vectors");
    let sizes: Vec<usize> = std::env::args().filter_map(|n| n.parse().ok()).collect();
    let sizes = if sizes.is_empty() {
        vec![10, 1_000, 100_000]
    } else {
        sizes
    };
    for chunks in sizes {
        measure(chunks, with_vectors).await?;
    }
    Ok(())
}

async fn put(shelf: &Shelf, dice: &mut Dice, number: usize, chunks: usize, with_vectors: bool) {
    let drafts = (0..chunks).map(|_| draft(&dice.words(WORDS)));
    let source = shelf.put(owner(1), &format!("source {number}"), drafts.collect());
    if with_vectors {
        shelf.embed(owner(1), source, &Directions).await;
    }
}

async fn measure(chunks: usize, with_vectors: bool) -> domain::Result<()> {
    let mut dice = Dice(42);
    let shelf = Arc::new(Shelf::default());
    for number in 0..chunks.div_ceil(CHUNKS) {
        put(&shelf, &mut dice, number, CHUNKS.min(chunks), with_vectors).await;
    }
    if with_vectors {
        shelf.search_by(owner(1), Some(Directions.model()));
    }
    let (tenant_id, bot_id) = owner(1);
    let store = Arc::clone(&shelf) as Arc<dyn KnowledgeIndex>;
    let retriever = HybridRetriever::new(store, vec![Arc::new(Directions)], Options::default());
    let mut query = Query {
        tenant_id,
        bot_id,
        knowledge: shelf.state(tenant_id, bot_id).await?.unwrap_or_default(),
        language: Language::En,
        text: dice.words(8),
        history: Vec::new(),
        limit: 10,
    };
    let begun = Instant::now();
    retriever.search(&query).await?;
    let load = begun.elapsed();
    let (mut worked, mut waited) = (Vec::new(), Vec::new());
    for _ in 0..SEARCHES {
        query.text = dice.words(8);
        let (before, begun) = (processor_time(), Instant::now());
        retriever.search(&query).await?;
        waited.push(begun.elapsed());
        worked.push(processor_time().saturating_sub(before));
    }
    let gauges = retriever.gauges();
    put(&shelf, &mut dice, chunks, CHUNKS.min(chunks), with_vectors).await;
    query.knowledge = shelf.state(tenant_id, bot_id).await?.unwrap_or_default();
    let begun = Instant::now();
    retriever.search(&query).await?;
    let reload = begun.elapsed();
    worked.sort_unstable();
    waited.sort_unstable();
    let at = |times: &[Duration], percent: usize| times[SEARCHES * percent / 100];
    println!(
        "{chunks} chunks: first search {load:.1?}, after one source more {reload:.1?}; processor p50 {:.1?}, p99 {:.1?}; clock p50 {:.1?}, p99 {:.1?}; \
         {} bytes a chunk",
        at(&worked, 50),
        at(&worked, 99),
        at(&waited, 50),
        at(&waited, 99),
        gauges.cached_bytes / chunks,
    );
    Ok(())
}
