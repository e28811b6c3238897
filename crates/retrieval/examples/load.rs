//! Measures searches on bases of growing size, made of words by Zipf's law:
//! `cargo run --release -p botwright-retrieval --example load [chunks ...]`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::retrieval::{Shelf, draft, owner};
use domain::knowledge::{ChunkDraft, KnowledgeIndex};
use domain::language::Language;
use domain::retrieval::{Query, Retriever};
use retrieval::{LexicalRetriever, Options};

/// Of a source, where there are that many.
const CHUNKS: usize = 100;
const WORDS: usize = 160;
/// Ranks by frequency: those below are the stop words, of which an index has none.
const COMMONEST: f64 = 50.0;
const VOCABULARY: f64 = 50_000.0;
const SEARCHES: usize = 300;

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

#[tokio::main]
async fn main() -> domain::Result<()> {
    let sizes: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|n| n.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![10, 1_000, 100_000]
    } else {
        sizes
    };
    for chunks in sizes {
        let mut dice = Dice(42);
        let shelf = Arc::new(Shelf::default());
        for source in 0..chunks.div_ceil(CHUNKS) {
            let drafts: Vec<ChunkDraft> = (0..CHUNKS.min(chunks))
                .map(|_| draft(&dice.words(WORDS)))
                .collect();
            shelf.put(owner(1), &format!("source {source}"), drafts);
        }
        let (tenant_id, bot_id) = owner(1);
        let store = Arc::clone(&shelf) as Arc<dyn KnowledgeIndex>;
        let retriever = LexicalRetriever::new(store, Options::default());
        let mut query = Query {
            tenant_id,
            bot_id,
            knowledge_version: shelf.version(tenant_id, bot_id).await?.unwrap_or_default(),
            language: Language::En,
            text: dice.words(8),
            history: Vec::new(),
            limit: 10,
        };
        let begun = Instant::now();
        retriever.search(&query).await?;
        let load = begun.elapsed();
        let mut times: Vec<Duration> = Vec::with_capacity(SEARCHES);
        for _ in 0..SEARCHES {
            query.text = dice.words(8);
            let begun = Instant::now();
            retriever.search(&query).await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        println!(
            "{chunks} chunks: first search {load:.1?}, then p50 {:.1?}, p99 {:.1?}; {} bytes",
            times[SEARCHES / 2],
            times[SEARCHES * 99 / 100],
            retriever.gauges().cached_bytes
        );
    }
    Ok(())
}
