//! By which words chunks are found.

use domain::knowledge::ChunkDraft;
use domain::language::Language;

use super::Open;
use super::bench::{Bench, ask, contents, draft, owner, shop};

/// Another form of a word finds it.
pub async fn finds_by_stem_in_every_language(open: Open<'_>) {
    for (language, content, question) in [
        (
            Language::En,
            "Shipping takes two days.",
            "Has my parcel shipped?",
        ),
        (
            Language::Es,
            "Las devoluciones son gratuitas.",
            "¿Puedo hacer una devolucion?",
        ),
        (
            Language::Fr,
            "L'adresse de la boutique : Paris.",
            "Quelles adresses ?",
        ),
        (
            Language::De,
            "Die Öffnungszeiten sind neun bis achtzehn Uhr.",
            "Welche Öffnungszeit gilt?",
        ),
        (
            Language::It,
            "Le prenotazioni si fanno online.",
            "Come faccio la prenotazione?",
        ),
        (
            Language::Pt,
            "As entregas são grátis.",
            "Quanto custa a entrega?",
        ),
    ] {
        let bench = Bench::with(open, vec![draft(content), draft("Xylophon 42.")]);
        let mut query = ask(&bench.shelf, question).await;
        query.language = language;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(contents(&findings), [content], "{language}");
    }
}

/// Codes, prices and addresses are words too.
pub async fn finds_codes_prices_and_addresses(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    for (question, word) in [
        ("rx200", "RX-200"),
        ("RX 200", "RX-200"),
        ("what costs 12,50", "12.50"),
        ("help@shop.example", "help@shop.example"),
        ("who has 555-0134", "555-0134"),
    ] {
        let findings = bench.search(question).await;
        let first = findings.hits.first().expect(question);
        assert!(first.chunk.draft.content.contains(word), "{question}");
    }
}

/// The headings above a chunk and the name of its source count.
pub async fn finds_by_heading_and_by_the_name_of_the_source(open: Open<'_>) {
    let bench = Bench::new(open);
    let headed = ChunkDraft {
        heading: Some("Handbook > Parking".to_owned()),
        ..draft("Behind the house, free of charge.")
    };
    bench.shelf.put(
        owner(1),
        "visitors",
        vec![headed, draft("By train, then on foot.")],
    );
    bench
        .shelf
        .put(owner(1), "kitchen.md", vec![draft("Open at noon.")]);
    let parking = bench.search("Is there parking?").await;
    assert_eq!(contents(&parking), ["Behind the house, free of charge."]);
    assert!(!parking.hits[0].quotes.is_empty());
    let kitchen = bench.search("kitchen").await;
    assert_eq!(contents(&kitchen), ["Open at noon."]);
    assert_eq!(kitchen.hits[0].source_name, "kitchen.md");
    assert!(!kitchen.hits[0].quotes.is_empty());
}

/// Without a word in common, or without a word to look for, nothing is found, and it says so.
pub async fn finds_nothing_where_nothing_is_in_common(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    for text in [
        "quantum chromodynamics",
        "hi",
        "?",
        "",
        "what is the",
        "\u{1f600}",
    ] {
        let findings = bench.search(text).await;
        assert!(findings.hits.is_empty(), "{text}");
        assert!(findings.answerable.abs() < f32::EPSILON, "{text}");
    }
    let empty = Bench::new(open).search("anything").await;
    assert!(empty.hits.is_empty() && empty.answerable.abs() < f32::EPSILON);
}
