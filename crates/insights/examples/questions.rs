//! Measures how questions are grouped:
//! `BOTWRIGHT_INTENT_DATA=folder cargo run --release -p botwright-insights --example questions [set.jsonl ...]`.
//!
//! A set has `text` and `intent`; two questions of one intent belong together. Printed are: questions, labels, groups,
//! precision, recall and F1 over all pairs of questions, the share of questions whose group has mostly their label
//! (purity), beside the F1 of putting all into one group; and microseconds a question.
//! With `BOTWRIGHT_EVAL_VECTORS=folder`, a set `NAME.jsonl` that has `NAME.bin` there is grouped by meaning as well: the
//! number of dimensions (four bytes, little-endian), then for each line its vector (four bytes a dimension).

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use domain::embeddings::Embedding;
use domain::insights::{AskedQuestion, MessageReader, by_urgency};
use domain::language::Language;
use insights::WordReader;
use serde::Deserialize;

#[derive(Deserialize)]
struct Labelled {
    text: String,
    intent: String,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let folder = std::env::var("BOTWRIGHT_INTENT_DATA")?;
    let mut sets: Vec<String> = std::env::args().skip(1).collect();
    if sets.is_empty() {
        sets = vec![
            "banking77_test.jsonl".into(),
            "banking77_train.jsonl".into(),
        ];
    }
    println!(
        "{:24} {:>6} {:>6} {:>6} {:>9} {:>6} {:>6} {:>6} {:>7} {:>6}",
        "set", "asked", "labels", "groups", "precision", "recall", "F1", "purity", "all-one", "us"
    );
    for set in sets {
        let lines = std::fs::read_to_string(Path::new(&folder).join(&set))?;
        let mut asked: Vec<Labelled> = lines
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        let vectors = vectors(&set)?;
        let mut meanings: Vec<Option<Embedding>> = vectors.unwrap_or_default();
        meanings.resize(asked.len(), None);
        let mut all: Vec<_> = asked.drain(..).zip(meanings).collect();
        // Sets are in order of their labels; visitors are not.
        all.sort_by_cached_key(|(q, _)| {
            q.text.bytes().fold(7_u64, |h, b| {
                (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
            })
        });
        measure(&set, &all);
    }
    Ok(())
}

fn measure(set: &str, asked: &[(Labelled, Option<Embedding>)]) {
    let mut grouping = WordReader.grouping(Language::En, Vec::new());
    let start = Instant::now();
    let places: Vec<usize> = asked
        .iter()
        .map(|(question, meaning)| {
            grouping.place(AskedQuestion {
                text: question.text.clone(),
                answered: true,
                meaning: meaning.clone(),
            })
        })
        .collect();
    let micros = start.elapsed().as_secs_f64() * 1e6 / asked.len().max(1) as f64;

    let (mut labels, mut groups, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
    for ((question, _), place) in asked.iter().zip(&places) {
        let label = question.intent.as_str();
        *labels.entry(label).or_insert(0_u64) += 1;
        *groups.entry(*place).or_insert(0_u64) += 1;
        *both.entry((*place, label)).or_insert(0_u64) += 1;
    }
    let pairs = |n: &u64| n * (n - 1) / 2;
    let together: u64 = both.values().map(pairs).sum();
    let (is, told): (u64, u64) = (
        labels.values().map(pairs).sum(),
        groups.values().map(pairs).sum(),
    );
    let f1 = |together: u64, told: u64| 2.0 * together as f64 / (is + told).max(1) as f64;
    let mut most: HashMap<usize, u64> = HashMap::new();
    for ((place, _), n) in &both {
        let most = most.entry(*place).or_default();
        *most = (*most).max(*n);
    }
    println!(
        "{set:24} {:>6} {:>6} {:>6} {:>9.3} {:>6.3} {:>6.3} {:>6.3} {:>7.3} {micros:>6.1}",
        asked.len(),
        labels.len(),
        groups.len(),
        together as f64 / told.max(1) as f64,
        together as f64 / is.max(1) as f64,
        f1(together, told),
        most.values().sum::<u64>() as f64 / asked.len().max(1) as f64,
        f1(is, pairs(&(asked.len() as u64)))
    );
    if std::env::var("BOTWRIGHT_SHOW_GROUPS").is_ok() {
        let mut groups = grouping.groups().to_vec();
        by_urgency(&mut groups);
        for group in groups.iter().take(15) {
            println!("  {:>4} {}", group.count, group.representative());
        }
    }
}

fn vectors(set: &str) -> Result<Option<Vec<Option<Embedding>>>, Box<dyn std::error::Error>> {
    let Ok(folder) = std::env::var("BOTWRIGHT_EVAL_VECTORS") else {
        return Ok(None);
    };
    let path = Path::new(&folder).join(set).with_extension("bin");
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(path)?;
    let numbers: Vec<[u8; 4]> = bytes.as_chunks().0.to_vec();
    let (dimensions, values) = numbers.split_first().ok_or("an empty file")?;
    let values: Vec<f32> = values.iter().map(|v| f32::from_le_bytes(*v)).collect();
    let dimensions = u32::from_le_bytes(*dimensions).max(1) as usize;
    Ok(Some(values.chunks(dimensions).map(Embedding::of).collect()))
}
