//! Reads every file of a folder and prints what came of it: `cargo run --release --example documents FOLDER [--text]`.
//!
//! `expected.jsonl` in the folder, if there is one, names for each file its class and the phrases that must be in
//! its text. With `--text`, the texts are printed as well.

use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs, process};

use documents::Reader;
use domain::documents::{DocumentReader, FileKind};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: documents FOLDER [--text]");
        process::exit(2);
    };
    let shows_text = arguments.next().is_some_and(|flag| flag == "--text");
    let expected = expected(&folder)?;
    println!("| File | Class | Phrases | Chunks | Pages | ms | Result |");
    println!("|---|---|--:|--:|--:|--:|---|");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(kind) = FileKind::of_name(&name) else {
            continue;
        };
        let bytes = fs::read(&path)?;
        let started = Instant::now();
        let read = Reader::new().read(kind, bytes).await;
        let ms = started.elapsed().as_millis();
        let entry = expected.get(&name);
        let class = entry
            .and_then(|entry| entry["class"].as_str())
            .unwrap_or("-");
        let phrases = entry.map(phrases).unwrap_or_default();
        match read {
            Ok(document) => {
                let text = normal(&document.text);
                let missing: Vec<&String> = phrases
                    .iter()
                    .filter(|phrase| !text.contains(&normal(phrase)))
                    .collect();
                let found = phrases.len() - missing.len();
                let chunks = document.chunks.len();
                let pages = document
                    .chunks
                    .iter()
                    .filter_map(|chunk| chunk.page)
                    .max()
                    .unwrap_or(0);
                let result = if missing.is_empty() {
                    "read".to_owned()
                } else {
                    format!("missing: {missing:?}")
                };
                println!(
                    "| {name} | {class} | {found}/{} | {chunks} | {pages} | {ms} | {result} |",
                    phrases.len()
                );
                if shows_text {
                    println!("\n{}\n", document.text);
                }
            }
            Err(error) => println!(
                "| {name} | {class} | 0/{} | 0 | 0 | {ms} | {error} |",
                phrases.len()
            ),
        }
    }
    Ok(())
}

/// What is said of each file of the folder, by its name.
fn expected(folder: &Path) -> Result<HashMap<String, Value>, Box<dyn Error>> {
    let Ok(lines) = fs::read_to_string(folder.join("expected.jsonl")) else {
        return Ok(HashMap::new());
    };
    let entries = lines.lines().map(|line| {
        let entry: Value = serde_json::from_str(line)?;
        let name = entry["file"].as_str().unwrap_or_default().to_owned();
        Ok((name, entry))
    });
    entries.collect()
}

fn phrases(entry: &Value) -> Vec<String> {
    let phrases = entry["must_contain"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    phrases
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// White space and capitals don't count.
fn normal(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
