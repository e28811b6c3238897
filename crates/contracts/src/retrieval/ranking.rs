//! What comes first, and how sure it is.

use std::sync::Arc;

use domain::knowledge::KnowledgeIndex;
use domain::retrieval::ANSWERABLE;

use super::Open;
use super::bench::{Bench, ask, contents, draft, shop};

/// No more hits than asked for, and as many where there are.
pub async fn keeps_to_the_limit(open: Open<'_>) {
    let drafts = (0..60).map(|n| draft(&format!("Lamp number {n} shines.")));
    let bench = Bench::with(open, drafts.collect());
    for limit in [0, 1, 7, 50, usize::MAX] {
        let mut query = ask(&bench.shelf, "lamps").await;
        query.limit = limit;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(findings.hits.len(), limit.min(60));
    }
}

/// The best is first, and a chunk that says the same again is left out.
pub async fn ranks_the_best_first(open: Open<'_>) {
    let mut drafts = shop();
    drafts.push(draft("**Standard shipping** costs $4.99 and takes three to five days. Express shipping costs $12.50."));
    let bench = Bench::with(open, drafts);
    let findings = bench.search("How much does express shipping cost?").await;
    assert!(findings.hits[0].chunk.draft.content.contains("$12.50"));
    let scores: Vec<f32> = findings.hits.iter().map(|hit| hit.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let same = contents(&findings);
    assert_eq!(same.iter().filter(|c| c.contains("$12.50")).count(), 1);
}

/// The same question to the same knowledge has the same answer, also from a retriever just opened.
pub async fn ranks_the_same_every_time(open: Open<'_>) {
    let first = Bench::with(open, shop());
    let again = open(
        Arc::clone(&first.shelf) as Arc<dyn KnowledgeIndex>,
        Vec::new(),
    );
    let query = ask(
        &first.shelf,
        "Do you ship the white lamp to Europe in 30 days?",
    )
    .await;
    let one = first.retriever.search(&query).await.unwrap();
    assert!(one.hits.len() > 2);
    for retriever in [&first.retriever, &again] {
        let other = retriever.search(&query).await.unwrap();
        assert_eq!(contents(&one), contents(&other));
        assert_eq!(one.answerable.to_bits(), other.answerable.to_bits());
        for (a, b) in one.hits.iter().zip(&other.hits) {
            assert_eq!(
                (a.score.to_bits(), &a.quotes),
                (b.score.to_bits(), &b.quotes)
            );
        }
    }
}

/// In a base of a few chunks, too, what is answered is told from what merely shares a word.
pub async fn tells_answers_from_chance(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    for question in [
        "When are you open?",
        "Can I return an item?",
        "How much is standard shipping?",
        "How long is the warranty of the RX-200?",
        "Do gift cards expire?",
        "How do I reach customer support?",
    ] {
        let sure = bench.search(question).await.answerable;
        assert!((ANSWERABLE..=1.0).contains(&sure), "{question} {sure}");
    }
    for question in [
        "Who won the world cup 1998?",
        "What is the capital of Australia?",
        "How do I bake bread with white flour?",
        "Write me a poem about the sea and the town of my youth",
    ] {
        let sure = bench.search(question).await.answerable;
        assert!((0.0..ANSWERABLE).contains(&sure), "{question} {sure}");
    }
}
