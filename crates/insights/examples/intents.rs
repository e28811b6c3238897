//! Measures intents on labelled messages:
//! `BOTWRIGHT_INTENT_DATA=folder cargo run --release -p botwright-insights --example intents`.
//!
//! The folder has `SET_train.jsonl` and `SET_test.jsonl`, with `text` and `intent` (`__none__`: none fits). For the built-in
//! patterns the labels that mean the same as one of theirs are mapped onto it by `examples/intents.txt`; printed are how
//! many messages have such a label, the share told right among them and the share told any other intent, beside the share
//! of the most frequent one, and the AUROC of the score against `__none__`. For the classifier, trained on the first
//! file: accuracy over messages with a label, and the AUROC.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;

use domain::language::Language;
use insights::{IntentClassifier, PatternIntents};
use serde::Deserialize;

#[derive(Deserialize)]
struct Labelled {
    text: String,
    intent: String,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The label of messages that no intent fits.
const NONE: &str = "__none__";
/// Scores from here on count as told.
const TOLD: f32 = 0.5;

fn main() -> Outcome {
    let folder = std::env::var("BOTWRIGHT_INTENT_DATA")?;
    let mapping: HashMap<(&str, &str), &str> = include_str!("intents.txt")
        .lines()
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(key, labels)| {
            let (set, intent) = key.split_once(' ').unwrap_or_default();
            labels.split(' ').map(move |label| ((set, label), intent))
        })
        .collect();
    println!(
        "{:20} {:>6} {:>8} {:>6} {:>6} {:>6} {:>6} | {:>8} {:>6} {:>9} {:>6}",
        "set",
        "mapped",
        "majority",
        "right",
        "wrong",
        "AUROC",
        "us",
        "accuracy",
        "AUROC",
        "train s",
        "us"
    );
    for set in [
        "hint3_curekart",
        "hint3_powerplay11",
        "hint3_sofmattress",
        "banking77",
    ] {
        let read = |part: &str| read(&Path::new(&folder).join(format!("{set}_{part}.jsonl")));
        let (train, test) = (read("train")?, read("test")?);
        print!("{set:20}");
        patterns(&test, |label| mapping.get(&(set, label)).copied());
        print!(" |");
        classifier(&train, &test);
    }
    Ok(())
}

fn patterns<'m>(test: &[Labelled], mapped: impl Fn(&str) -> Option<&'m str>) {
    let (mut right, mut wrong, mut all) = (0.0, 0.0, 0.0_f64);
    let mut classes: BTreeMap<&str, f64> = BTreeMap::new();
    let (mut known, mut none) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for message in test {
        let (intent, score) = PatternIntents::best(Language::En, &message.text);
        if message.intent == NONE {
            none.push(score);
        } else if let Some(expected) = mapped(&message.intent) {
            known.push(score);
            all += 1.0;
            *classes.entry(expected).or_default() += 1.0;
            if score >= TOLD {
                if intent.as_str() == expected {
                    right += 1.0;
                } else {
                    wrong += 1.0;
                    if std::env::var("BOTWRIGHT_INTENT_ERRORS").is_ok() {
                        eprintln!("{expected}, not {intent} ({score:.2}): {}", message.text);
                    }
                }
            }
        }
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / test.len().max(1) as f64;
    let all = all.max(1.0);
    let most = classes.values().copied().fold(0.0, f64::max);
    print!(
        " {:>6} {:>8.3} {:>6.3} {:>6.3} {} {micros:>6.1}",
        all,
        most / all,
        right / all,
        wrong / all,
        auroc(&known, &none)
    );
}

fn classifier(train: &[Labelled], test: &[Labelled]) {
    let start = Instant::now();
    let examples = train.iter().filter(|m| m.intent != NONE);
    let model = IntentClassifier::train(
        Language::En,
        examples.map(|m| (m.text.as_str(), m.intent.as_str())),
    );
    let seconds = start.elapsed().as_secs_f64();
    let (mut right, mut known, mut none) = (0.0, Vec::new(), Vec::new());
    let start = Instant::now();
    for message in test {
        let told = model.classify(&message.text);
        let score = told.as_ref().map_or(0.0, |told| told.score);
        if message.intent == NONE {
            none.push(score);
        } else {
            known.push(score);
            if told.is_some_and(|told| told.intent == message.intent) {
                right += 1.0;
            }
        }
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / test.len().max(1) as f64;
    println!(
        " {:>8.3} {} {seconds:>9.2} {micros:>6.1}",
        right / known.len().max(1) as f64,
        auroc(&known, &none)
    );
}

/// How likely one of the first scores more than one of the second.
fn auroc(known: &[f32], none: &[f32]) -> String {
    if none.is_empty() {
        return format!("{:>6}", "");
    }
    let mut above = 0.0;
    for one in known {
        for other in none {
            above += match one.total_cmp(other) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    format!("{:>6.3}", above / (known.len() * none.len()) as f64)
}

fn read(path: &Path) -> Result<Vec<Labelled>, Box<dyn std::error::Error>> {
    let lines = std::fs::read_to_string(path)?;
    Ok(lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}
