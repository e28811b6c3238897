//! What every embedder promises: one clause, one function, named after its promise.

use std::sync::Arc;
use std::time::Duration;

use domain::embeddings::{Embedder, Embedding, MODEL_MAX, Purpose};
use tokio::time::timeout;

/// Runs the clauses on an embedder that `$open` makes, an async function of (the embedder, what it lives on).
#[macro_export]
macro_rules! embedder_contract {
    ($open:path) => {
        $crate::embedder_contract!(@each $open,
            each_text_has_its_embedding_in_order
            the_same_text_has_the_same_embedding
            any_text_is_embedded
            calls_at_once_do_not_mix
            dropping_the_future_stops_the_work
            the_model_has_a_short_name
        );
    };
    (@each $open:path, $($promise:ident)+) => {$(
        #[tokio::test]
        async fn $promise() {
            let (embedder, _alive) = $open().await;
            $crate::embeddings::$promise(std::sync::Arc::new(embedder)).await;
        }
    )+};
}

async fn embed(embedder: &impl Embedder, texts: &[&str]) -> Vec<Embedding> {
    let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
    embedder.embed(Purpose::Passage, &texts).await.unwrap()
}

/// How near two are, -1 to 1.
pub fn cosine(a: &Embedding, b: &Embedding) -> f32 {
    let pairs = a.values().iter().zip(b.values());
    let sum: i32 = pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    sum as f32 * a.scale() * b.scale()
}

/// One embedding for each text, in their order, however many there are.
pub async fn each_text_has_its_embedding_in_order(embedder: Arc<impl Embedder>) {
    assert!(embed(&*embedder, &[]).await.is_empty());
    let texts: Vec<String> = (0..70)
        .map(|number| format!("Number {number} of all words{number}"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let all = embed(&*embedder, &texts).await;
    assert_eq!(all.len(), texts.len());
    for at in [0, 31, 32, 69] {
        let alone = embed(&*embedder, &[texts[at]]).await.remove(0);
        assert_eq!(alone.dimensions(), all[0].dimensions());
        assert!(cosine(&alone, &all[at]) > 0.99, "{at}");
    }
}

/// What is asked again is answered alike.
pub async fn the_same_text_has_the_same_embedding(embedder: Arc<impl Embedder>) {
    let [one, again] = &embed(&*embedder, &["We are open.", "We are open."]).await[..] else {
        panic!("two texts")
    };
    assert!(cosine(one, again) > 0.99);
}

/// Blank, odd and very long texts are embedded as well.
pub async fn any_text_is_embedded(embedder: Arc<impl Embedder>) {
    let long = "word ".repeat(100_000);
    let odd = [
        "",
        " \n\t",
        "a\0b",
        "\u{1f600}\u{1f600}",
        "\u{e9}".repeat(20_000).leak(),
        &long,
    ];
    assert_eq!(embed(&*embedder, &odd).await.len(), odd.len());
}

/// Calls that run side by side get their own embeddings.
pub async fn calls_at_once_do_not_mix(embedder: Arc<impl Embedder + 'static>) {
    let calls: Vec<_> = (0..8)
        .map(|number| {
            let embedder = embedder.clone();
            tokio::spawn(async move {
                let text = format!("apples{number} pears{number} plums{number}");
                (number, embed(&*embedder, &[&text]).await.remove(0), text)
            })
        })
        .collect();
    for call in calls {
        let (number, embedding, text) = call.await.unwrap();
        let alone = embed(&*embedder, &[&text]).await.remove(0);
        assert!(cosine(&embedding, &alone) > 0.99, "{number}");
    }
}

/// A caller that goes away harms none that comes later.
pub async fn dropping_the_future_stops_the_work(embedder: Arc<impl Embedder>) {
    let texts = vec!["Many words.".to_owned(); 200];
    let begun = embedder.embed(Purpose::Passage, &texts);
    let _ = timeout(Duration::from_micros(50), begun).await;
    assert_eq!(embed(&*embedder, &["Few."]).await.len(), 1);
}

/// The model's name says its provider, and fits where it is kept.
pub async fn the_model_has_a_short_name(embedder: Arc<impl Embedder>) {
    let name = embedder.model();
    assert!(name.len() <= MODEL_MAX);
    assert!(
        name.split_once(':')
            .is_some_and(|(provider, model)| !provider.is_empty() && !model.is_empty()),
        "{name}"
    );
}
