//! Measures sentiment on labelled texts:
//! `BOTWRIGHT_SENTIMENT_DATA=folder cargo run --release -p botwright-insights --example sentiment`.
//!
//! The folder has `LANGUAGE.jsonl` for each language (`en`, `es`, ...), with `text` and `label` (`POSITIVE`, `NEGATIVE` or
//! `NEUTRAL`). Printed are, for each: texts, accuracy, macro-averaged F1 and the F1 of each label, beside the accuracy of
//! always saying the most frequent label; accuracy among the texts that are not neutral in either; and microseconds a
//! text.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use domain::insights::Sentiment;
use domain::language::Language;
use insights::LexiconSentiment;
use serde::Deserialize;

#[derive(Deserialize)]
struct Labelled {
    text: String,
    label: Sentiment,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let folder = std::env::var("BOTWRIGHT_SENTIMENT_DATA")?;
    println!(
        "{:4} {:>6} {:>8} {:>8} {:>8} {:>6} {:>6} {:>6} {:>6} {:>6}",
        "", "texts", "majority", "accuracy", "macro-F1", "F1 +", "F1 -", "F1 0", "+ or -", "us"
    );
    for language in Language::ALL {
        let path = Path::new(&folder).join(format!("{language}.jsonl"));
        if let Ok(file) = std::fs::read_to_string(path) {
            let texts: Vec<Labelled> = file
                .lines()
                .map(serde_json::from_str)
                .collect::<Result<_, _>>()?;
            measure(*language, &texts);
        }
    }
    Ok(())
}

fn measure(language: Language, texts: &[Labelled]) {
    let start = Instant::now();
    let told: Vec<_> = texts
        .iter()
        .map(|t| LexiconSentiment::score(language, &t.text).label())
        .collect();
    let micros = start.elapsed().as_secs_f64() * 1e6 / texts.len().max(1) as f64;

    let mut counts = BTreeMap::new();
    for (text, told) in texts.iter().zip(&told) {
        *counts
            .entry((text.label.as_str(), told.as_str()))
            .or_insert(0.0) += 1.0;
    }
    let count = |wanted: &dyn Fn(&str, &str) -> bool| -> f64 {
        counts
            .iter()
            .filter(|((is, told), _)| wanted(is, told))
            .map(|(_, n)| n)
            .sum()
    };
    let all = texts.len().max(1) as f64;
    let f1 = |label: Sentiment| {
        let label = label.as_str();
        let right = count(&|is, told| is == label && told == label);
        2.0 * right / (count(&|is, _| is == label) + count(&|_, told| told == label)).max(1.0)
    };
    let each = [Sentiment::Positive, Sentiment::Negative, Sentiment::Neutral].map(f1);
    let majority = Sentiment::ALL
        .iter()
        .map(|label| count(&|is, _| is == label.as_str()))
        .fold(0.0, f64::max);
    let felt = |label: &str| label != Sentiment::Neutral.as_str();
    println!(
        "{:4} {:>6} {:>8.3} {:>8.3} {:>8.3} {:>6.3} {:>6.3} {:>6.3} {:>6.3} {:>6.1}",
        language.as_str(),
        texts.len(),
        majority / all,
        count(&|is, told| is == told) / all,
        each.iter().sum::<f64>() / 3.0,
        each[0],
        each[1],
        each[2],
        count(&|is, told| is == told && felt(is))
            / count(&|is, told| felt(is) && felt(told)).max(1.0),
        micros
    );
}
