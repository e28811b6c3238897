//! However a bot's knowledge grew and shrank, the same is found in the same order: how sources were merged in memory
//! does not show.

use std::sync::Arc;

use contracts::retrieval::embedder::Synonyms;
use contracts::retrieval::{Shelf, ask, draft, owner};
use domain::embeddings::Embedder;
use domain::knowledge::KnowledgeIndex;
use domain::retrieval::{Findings, Retriever};
use proptest::prelude::*;
use retrieval::{HybridRetriever, Options};

const MODEL: &str = "test:synonyms";

#[derive(Debug, Clone)]
enum Change {
    /// A source of that many chunks, embedded or not.
    Put(usize, bool),
    /// The source at that share of all.
    Remove(f32),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (0_usize..30, any::<bool>()).prop_map(|(chunks, is_embedded)| Change::Put(chunks, is_embedded)),
        1 => (0.0_f32..1.0).prop_map(Change::Remove),
    ];
    prop::collection::vec(change, 1..40)
}

/// Few words, so that many chunks are as good as others.
fn content(number: usize) -> String {
    const WORDS: [&str; 5] = ["lamp", "glass", "table", "garden", "window"];
    let word = |step: usize| WORDS[(number / step) % WORDS.len()];
    format!("A {} and a {}. The {}", word(1), word(3), word(7))
}

fn seen(findings: &Findings) -> Vec<(String, u32, u32)> {
    let hits = findings.hits.iter();
    hits.map(|hit| {
        let chunk = hit.chunk.id.0.to_string();
        (chunk, hit.score.to_bits(), findings.answerable.to_bits())
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn an_index_that_grew_finds_what_a_new_one_finds(changes in changes(), by_meaning in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let shelf = Arc::new(Shelf::default());
            let embedder = Arc::new(Synonyms::new(MODEL));
            let open = || {
                let store = Arc::clone(&shelf) as Arc<dyn KnowledgeIndex>;
                let embedders = vec![Arc::clone(&embedder) as Arc<dyn Embedder>];
                HybridRetriever::new(store, embedders, Options::default())
            };
            shelf.search_by(owner(1), by_meaning.then_some(MODEL));
            let grown = open();
            let (mut sources, mut chunks) = (Vec::new(), 0);
            for change in changes {
                match change {
                    Change::Put(count, is_embedded) => {
                        let drafts = (chunks..chunks + count).map(|number| draft(&content(number)));
                        chunks += count;
                        let source = shelf.put(owner(1), &content(count), drafts.collect());
                        sources.push(source);
                        if is_embedded {
                            shelf.embed(owner(1), source, &*embedder).await;
                        }
                    }
                    Change::Remove(share) if !sources.is_empty() => {
                        let at = (share * sources.len() as f32) as usize;
                        shelf.remove(owner(1), sources.swap_remove(at));
                    }
                    Change::Remove(_) => {}
                }
                for question in ["A lamp in the garden?", "window glass"] {
                    let query = ask(&shelf, question).await;
                    let one = grown.search(&query).await.unwrap();
                    let other = open().search(&query).await.unwrap();
                    prop_assert_eq!(seen(&one), seen(&other));
                    prop_assert_eq!(one.embedded, other.embedded);
                }
            }
            Ok(())
        })?;
    }
}
