//! Curated pairs of a question and an answer, which win over retrieved text.

use domain::language::Language;
use domain::messages::{Author, Utterance};
use domain::retrieval::{ANSWERABLE, Findings};

use super::bench::{Bench, ask, ask_of, contents, draft, owner, shop};
use super::{Open, Shelf};

const SHIPPING: &str = "Do you ship to Switzerland?";
const SWISS: &str = "Yes, we do. It takes a week.";
const PARCEL: &str = "How do I send a parcel back?";
const LABEL: &str = "Print the label in your account.";

fn put(shelf: &Shelf, pairs: &[(&str, &str)]) {
    shelf.put_pairs(owner(1), "Answers", pairs);
}

/// A shop whose text has all the words of the pairs, and more often.
fn bench(open: Open<'_>) -> Bench {
    let mut drafts = shop();
    drafts.push(draft(
        "Shipping to Switzerland: what we ship to Switzerland is shipped by post. Switzerland has customs duties.",
    ));
    drafts.push(draft(
        "Parcels that are sent back: sending back a parcel is free, parcels sent back are parcels we check.",
    ));
    let bench = Bench::with(open, drafts);
    put(&bench.shelf, &[(SHIPPING, SWISS), (PARCEL, LABEL)]);
    bench
}

/// The answer that won: its hit is the first one, is surely an answer, and alone is quoted.
fn won(findings: &Findings) -> Option<&str> {
    let (first, others) = findings.hits.split_first()?;
    let [quote] = &*first.quotes else {
        return None;
    };
    let alone = others.iter().all(|hit| hit.quotes.is_empty());
    let ahead = others.iter().all(|hit| hit.score < first.score);
    let answers = alone && ahead && (ANSWERABLE..=1.0).contains(&findings.answerable);
    answers.then_some(&*quote.text)
}

/// The visitor's words need not be the pair's: other forms of them, in another order, with little ones between.
pub async fn a_pair_wins_however_it_is_asked_for(open: Open<'_>) {
    let bench = bench(open);
    for (question, answer) in [
        (SHIPPING, SWISS),
        ("do you ship to switzerland", SWISS),
        ("Hello, can you please ship it to Switzerland?", SWISS),
        ("Is Switzerland a country that you ship to?", SWISS),
        ("Switzerland shipping", SWISS),
        ("Are things shipped to Switzerland?", SWISS),
        ("How can I send my parcel back?", LABEL),
        ("I would like to send back the parcels", LABEL),
        ("parcel: sending it back", LABEL),
    ] {
        let findings = bench.search(question).await;
        assert_eq!(won(&findings), Some(answer), "{question}");
        assert!(findings.hits.len() > 1, "the rest follows: {question}");
    }
}

/// Stems and stop words are those of the bot's language.
pub async fn a_pair_wins_in_every_language(open: Open<'_>) {
    for (language, question, asked) in [
        (
            Language::En,
            "Are dogs allowed in the shop?",
            "Can I take my dog to your shop, is it allowed?",
        ),
        (
            Language::Es,
            "¿Cuánto cuesta una devolución?",
            "¿cuanto cuestan las devoluciones?",
        ),
        (
            Language::Fr,
            "Peut-on réserver une table ?",
            "Puis-je reserver des tables ?",
        ),
        (
            Language::De,
            "Wie sind die Öffnungszeiten am Feiertag?",
            "An Feiertagen: welche Oeffnungszeiten?",
        ),
        (
            Language::It,
            "Come si annulla una prenotazione?",
            "vorrei annullare le mie prenotazioni",
        ),
        (
            Language::Pt,
            "Qual é o prazo de devolução?",
            "qual o prazo para devoluções?",
        ),
    ] {
        let bench = Bench::new(open);
        put(&bench.shelf, &[(question, "42."), ("Xylophon?", "Ja.")]);
        let mut query = ask(&bench.shelf, asked).await;
        query.language = language;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(won(&findings), Some("42."), "{asked}");
    }
}

/// All of the answer, in one quote, without markup, on its own lines; and nothing beside it.
pub async fn a_pair_is_quoted_whole_and_alone(open: Open<'_>) {
    let bench = bench(open);
    let sentences = "First sentence here. Q: is no label! A third one? ".repeat(60);
    for (answer, quoted) in [
        (&*sentences, sentences.trim()),
        (
            "Three steps:\n\n1. Open **the** box.\n2. Take it out:\n   - gently\n\nThat is all.",
            "Three steps:\n\n1. Open the box.\n2. Take it out:\n   - gently\n\nThat is all.",
        ),
        (
            "| Size | Price |\n|---|---|\n| S | 10 |",
            "| Size | Price |\n|---|---|\n| S | 10 |",
        ),
        (
            "See [here](https://shop.example/unboxing).",
            "See here (https://shop.example/unboxing).",
        ),
        ("???", "???"),
    ] {
        let question = "How do I unbox the xylophone?";
        let id = bench
            .shelf
            .put_pairs(owner(1), "More", &[(question, answer)]);
        let findings = bench.search("unboxing the xylophone").await;
        assert_eq!(won(&findings), Some(quoted));
        bench.shelf.remove(owner(1), id);
    }
}

/// Of pairs with much in common, the one that has most in common with the question.
pub async fn the_best_of_near_pairs_wins(open: Open<'_>) {
    let bench = Bench::new(open);
    let pairs = [
        ("Where do I pay?", "At the desk."),
        ("How do I pay?", "With a card."),
        ("When do I pay?", "At once."),
        ("How do I pay for a parking lot?", "With coins."),
        ("How do I pay for a lost parking ticket?", "At the gate."),
    ];
    put(&bench.shelf, &pairs);
    for (question, answer) in pairs {
        assert_eq!(won(&bench.search(question).await), Some(answer));
    }
    let findings = bench
        .search("I have lost my parking ticket, how to pay?")
        .await;
    assert_eq!(won(&findings), Some("At the gate."));
}

/// "Who are you?" has no word to look for.
pub async fn a_pair_of_stop_words_wins(open: Open<'_>) {
    let bench = bench(open);
    let pairs = [
        ("Who are you?", "I am Ada."),
        ("What can you do?", "I answer questions."),
    ];
    put(&bench.shelf, &pairs);
    for (question, answer) in [
        ("who are you", Some("I am Ada.")),
        ("And what can you do?", Some("I answer questions.")),
        ("Why?", None),
        ("you", None),
        ("hi", None),
        ("", None),
    ] {
        let mut query = ask(&bench.shelf, question).await;
        query.history = vec![Utterance {
            author: Author::User,
            text: SHIPPING.to_owned(),
        }];
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(won(&findings), answer, "{question}");
    }
}

/// What a question leaves out because it was just said, it has in common with a pair. But it does not ask again
/// for what was asked before.
pub async fn a_pair_wins_a_follow_up(open: Open<'_>) {
    let bench = bench(open);
    let said = Utterance {
        author: Author::User,
        text: "Do you ship?".to_owned(),
    };
    let mut query = ask(&bench.shelf, "And to Switzerland?").await;
    query.history = vec![said];
    let findings = bench.retriever.search(&query).await.unwrap();
    assert_eq!(won(&findings), Some(SWISS));
    query.history[0].text = SHIPPING.to_owned();
    for text in ["And how much is it?", "And the white lamp?"] {
        query.text = text.to_owned();
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_ne!(won(&findings), Some(SWISS), "{text}");
    }
}

/// A word in common is chance: what fits better wins.
pub async fn a_pair_that_shares_a_word_wins_nothing(open: Open<'_>) {
    let bench = bench(open);
    put(
        &bench.shelf,
        &[
            ("Is there a warranty on cables?", "No warranty on those."),
            ("Which gift shall I buy for my mother?", "Flowers."),
            ("Shipping?", "By post."),
            ("Town?", "Ulm."),
        ],
    );
    for (question, first) in [
        ("How long is the warranty of the RX-200 lamp?", "RX-200"),
        ("Do gift cards expire?", "never expire"),
        ("How much does express shipping cost?", "$12.50"),
        ("Is your store next to the town hall?", "12 Market Street"),
        (
            "In which currency are refunds paid to me?",
            "Refunds are paid",
        ),
    ] {
        let findings = bench.search(question).await;
        let best = contents(&findings)[0];
        assert!(best.contains(first), "{question}: {best}");
        assert!(!findings.hits[0].quotes.is_empty());
    }
}

/// It competes as the text that it is, by the words of its answer as well.
pub async fn a_pair_that_does_not_win_is_found_by_its_words(open: Open<'_>) {
    let bench = bench(open);
    for question in [
        "Where is the label that I print?",
        "Which account has labels?",
    ] {
        let findings = bench.search(question).await;
        let first = &findings.hits[0];
        assert!(first.chunk.draft.content.ends_with(LABEL), "{question}");
        assert_eq!(first.quotes[0].text, LABEL);
        assert!(findings.answerable >= ANSWERABLE);
    }
}

/// Pairs about other things change nothing of the order, nor what is quoted.
pub async fn other_knowledge_is_found_as_without_pairs(open: Open<'_>) {
    let plain = Bench::with(open, shop());
    let with_pairs = bench(open);
    for question in [
        "When are you open?",
        "Can I return an item?",
        "How long is the warranty of the RX-200?",
        "Do gift cards expire?",
        "How do I reach customer support?",
    ] {
        let (one, other) = (
            plain.search(question).await,
            with_pairs.search(question).await,
        );
        assert_eq!(contents(&one)[0], contents(&other)[0], "{question}");
        let quoted = |findings: &Findings| -> Vec<String> {
            let quotes = findings.hits[0].quotes.iter();
            quotes.map(|quote| quote.text.clone()).collect()
        };
        assert_eq!(quoted(&one), quoted(&other), "{question}");
        assert!(other.answerable >= ANSWERABLE, "{question}");
    }
    for question in [
        "Who won the world cup 1998?",
        "What is the capital of Australia?",
    ] {
        let findings = with_pairs.search(question).await;
        assert!(findings.answerable < ANSWERABLE, "{question}");
    }
}

/// Only what the bot's owner curated wins; a text with the same words is a text.
pub async fn text_that_looks_like_a_pair_is_none(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    let pair = domain::knowledge::QuestionAnswer {
        question: SHIPPING.to_owned(),
        answer: SWISS.to_owned(),
    };
    bench.shelf.put(owner(1), "crawled", vec![pair.chunk()]);
    let findings = bench.search(SHIPPING).await;
    assert_eq!(findings.hits[0].quotes[0].text, "Yes, we do.");
}

/// Nobody is answered by another tenant's or another bot's pair, and none that was deleted.
pub async fn pairs_are_the_bots_own(open: Open<'_>) {
    let bench = Bench::with(open, shop());
    let ((tenant, bot), (stranger, other_bot)) = (owner(1), owner(2));
    let put = |owner, answer| bench.shelf.put_pairs(owner, "pairs", &[(SHIPPING, answer)]);
    put((tenant, other_bot), "Other bot.");
    put((stranger, bot), "Stranger.");
    assert_eq!(won(&bench.search(SHIPPING).await), None);
    let own = put((tenant, bot), "Own.");
    for (owner, answer) in [
        ((tenant, bot), Some("Own.")),
        ((tenant, other_bot), Some("Other bot.")),
        ((stranger, bot), Some("Stranger.")),
        ((stranger, other_bot), None),
    ] {
        let query = ask_of(&bench.shelf, owner, SHIPPING).await;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert_eq!(won(&findings), answer);
    }
    bench.shelf.remove((tenant, bot), own);
    assert_eq!(won(&bench.search(SHIPPING).await), None);
    let again = put((tenant, bot), "Again.");
    assert_eq!(won(&bench.search(SHIPPING).await), Some("Again."));
    bench.shelf.remove((tenant, bot), again);
}
