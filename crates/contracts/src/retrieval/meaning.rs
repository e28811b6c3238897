//! What is found by what it means.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::embeddings::Embedder;
use domain::messages::{Author, Utterance};
use domain::retrieval::ANSWERABLE;

use super::Open;
use super::bench::{Bench, ask, ask_of, contents, draft, owner, shop};
use super::embedder::{Fault, Synonyms};

const MODEL: &str = "test:synonyms";

/// Knows what visitors of a shop call things.
fn synonyms() -> Synonyms {
    Synonyms::new(MODEL)
        .teach(&["vouchers", "gift", "cards"])
        .teach(&["parcels", "shipping", "ship"])
        .teach(&["opening", "hours", "open", "monday", "friday"])
}

/// A bench whose shop is embedded, and searched by that, with these embedders of questions.
async fn embedded(open: Open<'_>, embedders: Vec<Arc<dyn Embedder>>) -> Bench {
    let bench = Bench::embedding(open, embedders);
    let source = bench.shelf.put(owner(1), "notes", shop());
    bench.shelf.embed(owner(1), source, &synonyms()).await;
    bench.shelf.search_by(owner(1), Some(MODEL));
    bench
}

/// What says the same in other words is found, which by words alone it is not.
pub async fn finds_what_says_the_same_in_other_words(open: Open<'_>) {
    let bench = embedded(open, vec![Arc::new(synonyms())]).await;
    let findings = bench.search("Vouchers?").await;
    assert!(findings.embedded);
    assert!(findings.hits[0].chunk.draft.content.contains("Gift cards"));
    assert!(!findings.hits[0].quotes.is_empty());
    bench.shelf.search_by(owner(1), None);
    let findings = bench.search("Vouchers?").await;
    assert!(!findings.embedded && findings.hits.is_empty());
}

/// "And on Sundays?" means what was asked before as well.
pub async fn a_follow_up_means_what_was_asked_before(open: Open<'_>) {
    let bench = embedded(open, vec![Arc::new(synonyms())]).await;
    let mut query = ask(&bench.shelf, "And for France?").await;
    query.history = vec![Utterance {
        author: Author::User,
        text: "Where do parcels go?".to_owned(),
    }];
    let findings = bench.retriever.search(&query).await.unwrap();
    let first = &findings.hits[0].chunk.draft.content;
    assert!(first.to_lowercase().contains("ship"), "{first}");
}

/// Without a question's embedding the words answer, as if there were no embedder.
pub async fn an_embedder_that_fails_costs_meaning_alone(open: Open<'_>) {
    let text = "When are you open on Saturdays?";
    let bench = Bench::with(open, shop());
    let words = bench.search(text).await;
    let broken: [Vec<Arc<dyn Embedder>>; 3] = [
        vec![],
        vec![Arc::new(synonyms().with(Fault::Fails))],
        vec![Arc::new(synonyms().with(Fault::Hangs))],
    ];
    for embedders in broken {
        let bench = embedded(open, embedders).await;
        let findings = bench.search(text).await;
        assert!(!findings.embedded);
        assert_eq!(contents(&findings), contents(&words));
        assert_eq!(findings.answerable.to_bits(), words.answerable.to_bits());
    }
}

/// A source that has no embeddings yet is found beside one that has, by its words; once it has them, by its meaning as
/// well, and its chunks are not read again for that.
pub async fn what_is_not_embedded_is_found(open: Open<'_>) {
    let bench = embedded(open, vec![Arc::new(synonyms())]).await;
    let new = "Parcels of books are repacked on Tuesdays.";
    let source = bench.shelf.put(owner(1), "new", vec![draft(new)]);
    let findings = bench.search("Who repacks books?").await;
    assert_eq!(contents(&findings)[0], new);
    assert!(findings.answerable >= ANSWERABLE);
    // Its word for that is another one.
    let is_found = async || contents(&bench.search("Shipping?").await).contains(&new);
    assert!(!is_found().await);
    let read = bench.shelf.chunks_of_calls.load(Ordering::Relaxed);
    bench.shelf.embed(owner(1), source, &synonyms()).await;
    assert!(is_found().await);
    assert_eq!(bench.shelf.chunks_of_calls.load(Ordering::Relaxed), read);
}

/// Embeddings by another model than the bot is searched with count for nothing.
pub async fn vectors_of_another_model_are_not_used(open: Open<'_>) {
    let other = "test:other";
    let bench = embedded(open, vec![Arc::new(Synonyms::new(other))]).await;
    bench.shelf.search_by(owner(1), Some(other));
    let findings = bench.search("Vouchers?").await;
    assert!(!findings.embedded && findings.hits.is_empty());
}

/// Nobody finds by its meaning what is another tenant's or another bot's.
pub async fn embeddings_are_the_bots_own(open: Open<'_>) {
    let bench = Bench::embedding(open, vec![Arc::new(synonyms())]);
    let (tenant, bot) = owner(1);
    let (stranger, other_bot) = owner(2);
    let owners = [(tenant, bot), (tenant, other_bot), (stranger, bot)];
    for (number, owner) in owners.into_iter().enumerate() {
        let content = format!("Gift cards: number {number}.");
        let source = bench.shelf.put(owner, "notes", vec![draft(&content)]);
        bench.shelf.embed(owner, source, &synonyms()).await;
        bench.shelf.search_by(owner, Some(MODEL));
    }
    for (number, owner) in owners.into_iter().enumerate() {
        let query = ask_of(&bench.shelf, owner, "Vouchers?").await;
        let findings = bench.retriever.search(&query).await.unwrap();
        assert!(findings.embedded);
        assert_eq!(
            contents(&findings),
            [format!("Gift cards: number {number}.")]
        );
    }
}

/// A switch of the model changes what is found by meaning at once; chunks are not read again for that.
pub async fn another_model_finds_other_chunks_and_words_stay(open: Open<'_>) {
    let newer = || Synonyms::new("test:newer").teach(&["vouchers", "canada", "europe"]);
    let embedders: Vec<Arc<dyn Embedder>> = vec![Arc::new(synonyms()), Arc::new(newer())];
    let bench = Bench::embedding(open, embedders);
    let source = bench.shelf.put(owner(1), "notes", shop());
    bench.shelf.embed(owner(1), source, &synonyms()).await;
    bench.shelf.embed(owner(1), source, &newer()).await;
    for (model, word) in [(MODEL, "Gift"), ("test:newer", "Canada"), (MODEL, "Gift")] {
        bench.shelf.search_by(owner(1), Some(model));
        let findings = bench.search("Vouchers?").await;
        let first = &findings.hits[0].chunk.draft.content;
        assert!(first.contains(word), "{model}: {first}");
    }
    assert_eq!(bench.shelf.chunks_of_calls.load(Ordering::Relaxed), 1);
    let asked = bench.shelf.embeddings_of_calls.load(Ordering::Relaxed);
    bench.search("Vouchers?").await;
    bench
        .shelf
        .put(owner(1), "more", vec![draft("Something else.")]);
    bench.search("Vouchers?").await;
    // Of the source that is new, and of no other.
    let now = bench.shelf.embeddings_of_calls.load(Ordering::Relaxed);
    assert_eq!(now, asked + 1);
}
