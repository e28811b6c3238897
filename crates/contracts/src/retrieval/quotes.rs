//! What is quoted.

use domain::retrieval::Findings;

use super::Open;
use super::bench::{Bench, draft, shop};

/// Quotes are words of the chunk in its order, without markup, and the best one fits the question.
pub async fn quotes_the_chunk(open: Open<'_>) {
    let mut drafts = shop();
    drafts.push(draft(
        "## Care\n\nWipe the **glass** with a _soft_ [cloth](https://x.example). Never use acid.",
    ));
    let bench = Bench::with(open, drafts);
    let findings = bench.search("With what do I wipe the glass?").await;
    let quotes = &findings.hits[0].quotes;
    assert_eq!(quotes[0].text, "Wipe the glass with a soft cloth.");
    let findings = bench.search("When do you close on Saturdays?").await;
    let best = findings.hits.iter().flat_map(|hit| &hit.quotes);
    let best = best.max_by(|a, b| a.score.total_cmp(&b.score)).unwrap();
    assert_eq!(best.text, "On Saturdays we close at noon.");
    for hit in &findings.hits {
        let mut rest = hit.chunk.draft.content.as_str();
        for quote in &hit.quotes {
            let at = rest
                .find(&quote.text)
                .expect("a quote stands in its chunk, after the one before");
            rest = &rest[at + quote.text.len()..];
        }
    }
}

/// A question's answer is quoted rather than the question, a row with its header.
pub async fn quotes_answers_and_rows_with_what_they_are_about(open: Open<'_>) {
    let bench = Bench::with(
        open,
        vec![
            draft(
                "Q: Can I pay by invoice?\nA: Yes, within fourteen days.\n\nQ: Do you wrap presents?\nA: We do, for two dollars.",
            ),
            draft("| Plan | Price |\n|---|---|\n| Basic | $5 |\n| Team | $20 |"),
        ],
    );
    let best = |findings: Findings| {
        let quotes = findings.hits.into_iter().flat_map(|hit| hit.quotes);
        quotes
            .max_by(|a, b| a.score.total_cmp(&b.score))
            .unwrap()
            .text
    };
    let invoice = best(bench.search("Is it possible to pay by invoice?").await);
    assert_eq!(invoice, "Yes, within fourteen days.");
    let price = best(bench.search("What is the price of the Team plan?").await);
    assert_eq!(price, "Plan: Team, Price: $20");
}
