//! Input that means harm.

use domain::knowledge::ChunkDraft;
use domain::language::Language;
use domain::retrieval::ANSWERABLE;

use super::Open;
use super::bench::{Bench, ask, contents, draft, shop};
use crate::poisoned;

/// Whatever stands in questions and chunks, there is an answer.
pub async fn survives_hostile_input(open: Open<'_>) {
    let texts = [
        "\0",
        "|",
        "| |",
        "#",
        "######",
        "```",
        "Q:",
        "Q: ? A:",
        "| a |\n|---|",
        "-",
        "1.",
        "[](",
        "&#0;",
        "\u{202e}right to left\u{202c}",
        "e\u{301}\u{301}\u{301}",
        "İ",
        "ﬃ",
        "\u{1f468}\u{200d}\u{1f469}",
        "كتاب",
        "日本語の文章です。",
        "a\u{0}b",
        "'",
        "''''",
        "l'",
        "-1,.5",
        "1.1.1.1",
        "….…",
        "\r\n\r\r",
    ];
    let long = "word ".repeat(20_000);
    let unbroken = "x".repeat(100_000);
    let deep = "> ".repeat(5_000) + "*[".repeat(5_000).as_str();
    let texts: Vec<&str> = texts
        .into_iter()
        .chain([&*long, &*unbroken, &*deep])
        .collect();
    let drafts = texts.iter().map(|text| ChunkDraft {
        heading: Some((*text).to_owned()),
        ..draft(text)
    });
    let bench = Bench::with(open, drafts.collect());
    for language in Language::ALL {
        for text in &texts {
            let mut query = ask(&bench.shelf, text).await;
            query.language = *language;
            let findings = bench.retriever.search(&query).await.unwrap();
            assert!((0.0..=1.0).contains(&findings.answerable));
            assert!(findings.hits.iter().all(|hit| hit.score.is_finite()));
            let first = findings.hits.first();
            assert!(first.is_none_or(|hit| !hit.quotes.is_empty()));
        }
    }
}

/// Knowledge that gives orders changes nothing of what is found beside it, and is quoted without its pictures.
pub async fn poisoned_knowledge_is_text(open: Open<'_>) {
    let mut drafts = shop();
    drafts.extend(poisoned::TEXTS.iter().copied().map(draft));
    let bench = Bench::with(open, drafts);
    for (question, word) in [
        ("When are you open?", "Monday"),
        ("Do gift cards expire?", "never expire"),
        ("How long is the warranty of the RX-200?", "two years"),
    ] {
        let findings = bench.search(question).await;
        assert!(contents(&findings)[0].contains(word), "{question}");
        assert!(findings.answerable >= ANSWERABLE, "{question}");
    }
    for text in poisoned::TEXTS {
        let findings = bench.search(text).await;
        let quotes = findings.hits.iter().flat_map(|hit| &hit.quotes);
        for quote in quotes {
            assert!(!quote.text.contains("!["), "{}", quote.text);
        }
    }
    let findings = bench.search("Who is the president of the moon?").await;
    assert!(findings.answerable < ANSWERABLE);
}
