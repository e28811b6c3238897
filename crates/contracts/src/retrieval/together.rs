//! What belongs together, and what says the same again.

use domain::knowledge::ChunkDraft;
use domain::retrieval::passages;

use super::Open;
use super::bench::{Bench, ask, contents, draft, owner, shop};

const RETURNS: &str = "You can return any item within 30 days of delivery if it is unused and in its original box. \
    Print the label in your account, put it on the parcel, and leave the parcel at any post office. Refunds are paid \
    to the card that you paid with, at the latest a week after the parcel has reached our warehouse.";

fn headed(heading: &str, content: &str) -> ChunkDraft {
    ChunkDraft {
        heading: Some(heading.to_owned()),
        ..draft(content)
    }
}

/// A list that was cut is found as a whole, its beginning first where that fits best, chunk by chunk; and told as one
/// passage.
pub async fn a_list_that_goes_on_is_found_together(open: Open<'_>) {
    let list = [
        headed(
            "Visa",
            "For a visa you bring:\n\n- a passport\n- two photos",
        ),
        headed("Visa", "- a letter from your bank\n- a ticket home"),
        headed("Visa", "- proof of a vaccination"),
    ];
    let other = headed("Desk", "- pens\n- paper");
    let mut drafts = shop();
    drafts.extend(list.iter().cloned());
    drafts.push(other);
    drafts.push(draft(
        "A visa is granted by the consul. Visa matters take time.",
    ));
    let bench = Bench::with(open, drafts);
    for (question, first) in [
        ("What do I bring for a visa?", 0),
        ("Is a ticket home needed?", 1),
    ] {
        let findings = bench.search(question).await;
        let found = contents(&findings);
        assert_eq!(found[0], list[first].content, "{question}");
        let together = &found[..list.len()];
        for part in &list {
            assert!(together.contains(&&*part.content), "{question} {found:?}");
        }
        let scores: Vec<f32> = findings.hits.iter().map(|hit| hit.score).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        let passage = &passages(&findings.hits)[0];
        let texts: Vec<&str> = list.iter().map(|part| &*part.content).collect();
        assert_eq!(
            (passage.hits, &*passage.text),
            (list.len(), &*texts.join("\n"))
        );
    }
    let mut query = ask(&bench.shelf, "What do I bring for a visa?").await;
    for limit in 1..4 {
        query.limit = limit;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(findings.hits.len(), limit);
    }
}

/// Paragraphs that end are found for what they say, and those beside them are not.
pub async fn what_has_ended_brings_no_neighbours(open: Open<'_>) {
    let drafts = vec![
        headed("House", "The garden opens in May."),
        headed("House", "Dogs stay outside."),
    ];
    let bench = Bench::with(open, drafts);
    let findings = bench.search("When does the garden open?").await;
    assert_eq!(contents(&findings), ["The garden opens in May."]);
}

/// Of a passage that stands on two pages there is one, whatever date or menu stands beside it.
pub async fn near_doubles_are_left_out(open: Open<'_>) {
    for (one, other) in [
        (
            RETURNS.to_owned(),
            format!("Home | Shop | Contact us\n\n{RETURNS}"),
        ),
        (
            format!("{RETURNS} Updated: 12 March 2023"),
            format!("{RETURNS} Updated: 4 May 2024"),
        ),
    ] {
        let bench = Bench::with(open, shop());
        bench.shelf.put(owner(1), "page", vec![draft(&one)]);
        bench.shelf.put(owner(1), "page", vec![draft(&other)]);
        let findings = bench
            .search("Where do I leave a parcel that I return?")
            .await;
        let found = contents(&findings);
        let returns = found.iter().filter(|c| c.contains("post office"));
        assert_eq!(returns.count(), 1, "{found:?}");
    }
}

/// What differs in a figure, or in a word of the question, says something else.
pub async fn what_says_something_else_is_no_double(open: Open<'_>) {
    for (other, question) in [
        (
            RETURNS.replace("30 days", "14 days"),
            "Within how many days can I return an item?",
        ),
        (
            format!("In Norway: {RETURNS}"),
            "Can I return an item in Norway within days of the delivery of the parcel?",
        ),
    ] {
        let bench = Bench::new(open);
        bench.shelf.put(owner(1), "page", vec![draft(RETURNS)]);
        bench.shelf.put(owner(1), "page", vec![draft(&other)]);
        let findings = bench.search(question).await;
        assert!(contents(&findings).contains(&&*other), "{question}");
    }
}
