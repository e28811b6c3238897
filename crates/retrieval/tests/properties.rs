//! What holds for any knowledge and any question.

use std::collections::HashSet;
use std::sync::Arc;

use contracts::retrieval::embedder::Synonyms;
use contracts::retrieval::{Shelf, ask, draft, owner};
use domain::embeddings::Embedder;
use domain::knowledge::{ChunkDraft, KnowledgeIndex};
use domain::language::Language;
use domain::messages::Author;
use domain::messages::Utterance;
use domain::retrieval::Retriever;
use proptest::prelude::*;
use retrieval::{HybridRetriever, Options};

/// Anything at all, and what looks like the texts that are cut, weighed and quoted specially.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,120}",
        "(?s).{0,120}",
        "([a-e]{1,3}[ .?\n]|# |- |Q: |A: |\\| |\n\n|\\|---\\|\n|:\n|\\*\\*|RX-[0-9]|[0-9]{1,3}[.,]){0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn findings_are_sound(
        chunks in prop::collection::vec((text(), prop::option::of(text())), 0..12),
        pairs in prop::collection::vec((text(), text()), 0..6),
        name in text(),
        question in text(),
        before in text(),
        language in prop::sample::select(Language::ALL),
        limit in 0_usize..15,
        by_meaning in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let findings = runtime.block_on(async {
            let shelf = Arc::new(Shelf::default());
            let drafts = chunks.iter().map(|(content, heading)| ChunkDraft {
                heading: heading.clone(),
                ..draft(content)
            });
            let source = shelf.put(owner(1), &name, drafts.collect());
            let embedder = Arc::new(Synonyms::new("test:synonyms"));
            if by_meaning {
                shelf.embed(owner(1), source, &*embedder).await;
                shelf.search_by(owner(1), Some(embedder.model()));
            }
            let pairs: Vec<_> = pairs.iter().map(|(q, a)| (q.as_str(), a.as_str())).collect();
            shelf.put_pairs(owner(1), &name, &pairs);
            let mut query = ask(&shelf, &question).await;
            query.history.push(Utterance { author: Author::User, text: before });
            query.language = language;
            query.limit = limit;
            let store = shelf as Arc<dyn KnowledgeIndex>;
            HybridRetriever::new(store, vec![embedder], Options::default()).search(&query).await.unwrap()
        });
        prop_assert!((0.0..=1.0).contains(&findings.answerable));
        prop_assert!(findings.hits.len() <= limit);
        prop_assert!(!findings.hits.is_empty() || findings.answerable.abs() < f32::EPSILON);
        prop_assert!(findings.hits.is_sorted_by(|a, b| a.score >= b.score));
        prop_assert!(findings.hits.iter().all(|hit| hit.score.is_finite() && hit.score > 0.0));
        prop_assert!(findings.hits.first().is_none_or(|hit| !hit.quotes.is_empty()));
        let ids: HashSet<_> = findings.hits.iter().map(|hit| hit.chunk.id).collect();
        prop_assert_eq!(ids.len(), findings.hits.len());
    }
}
