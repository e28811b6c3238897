//! Measures a model's folder:
//! `cargo run --release -p botwright-local-embeddings --example speed FOLDER`.

use std::time::Instant;

use domain::embeddings::{Embedder, Purpose};
use local_embeddings::LocalEmbedder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name the model's folder")?;
    let begun = Instant::now();
    let embedder = LocalEmbedder::open(folder.as_ref())?;
    println!("{}: opened in {:?}", embedder.model(), begun.elapsed());
    for words in [100, 200] {
        let text = "shop ".repeat(words);
        let texts = vec![text; 32];
        let begun = Instant::now();
        embedder.embed(Purpose::Passage, &texts).await?;
        let rate = texts.len() as f64 / begun.elapsed().as_secs_f64();
        println!("passages of {words} words: {rate:.1}/s");
    }
    let question = ["When are you open on public holidays?".to_owned()];
    let mut times = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        embedder.embed(Purpose::Query, &question).await?;
        times.push(begun.elapsed());
    }
    times.sort();
    println!("a question: {:?} (median)", times[times.len() / 2]);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let memory = status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    memory.for_each(|line| println!("{line}"));
    Ok(())
}
