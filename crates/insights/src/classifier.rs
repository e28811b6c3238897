//! What a message is after, learned from examples that a bot's owner gives.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use domain::answers::ProviderError;
use domain::insights::{IntentModel, IntentScore};
use domain::language::Language;
use domain::text::preview;

use crate::words::{fold, hash, words};

/// Only the beginning of a longer text is looked at, in characters.
const TEXT_MAX: usize = 1_000;
/// The lengths of the parts of words that count, in characters, the ends of the word counting as one each.
const PARTS: std::ops::RangeInclusive<usize> = 2..=5;
/// How much parts of words weigh beside whole words.
const PART_WEIGHT: f32 = 0.7;
/// How often the examples are gone through.
const ROUNDS: u32 = 30;
/// How far a first example that is told wrong moves what is learned. Less with each round.
const RATE: f32 = 4.0;
/// Messages below this are of no intent.
const NONE_BELOW: f32 = 0.3;

/// A text as weights of its words and their parts, of length 1.
type Features = Vec<(u32, f32)>;

/// Tells intents as examples were told: logistic regression over the words of a message and their parts, by TF-IDF,
/// begun at the average of each intent's examples.
#[derive(Debug, Clone)]
pub struct IntentClassifier {
    language: Language,
    intents: Vec<String>,
    /// The place of each word and part, and how rare it is.
    vocabulary: HashMap<u64, (u32, f32)>,
    /// For each word and part the weight that it has for each intent.
    weights: Vec<f32>,
}

impl IntentClassifier {
    /// Learns from texts and the names of their intents. The same examples in the same order teach the same. Takes
    /// memory in proportion to the different words, times the intents.
    pub fn train<'e>(
        language: Language,
        examples: impl IntoIterator<Item = (&'e str, &'e str)>,
    ) -> Self {
        let examples: Vec<_> = examples.into_iter().collect();
        let names: BTreeMap<&str, usize> =
            examples.iter().map(|(_, intent)| (*intent, 0)).collect();
        let names: BTreeMap<&str, usize> =
            names.into_keys().enumerate().map(|(i, n)| (n, i)).collect();
        let counted: Vec<_> = examples
            .iter()
            .map(|(text, _)| counts(language, text))
            .collect();

        let mut frequencies: BTreeMap<u64, u32> = BTreeMap::new();
        for key in counted.iter().flat_map(|counts| counts.keys()) {
            *frequencies.entry(*key).or_default() += 1;
        }
        let all = examples.len() as f32;
        let vocabulary = frequencies
            .into_iter()
            .enumerate()
            .map(|(i, (key, n))| (key, (i as u32, ((1.0 + all) / (1.0 + n as f32)).ln() + 1.0)))
            .collect();
        let mut model = Self {
            language,
            intents: names.keys().map(|name| (*name).to_owned()).collect(),
            vocabulary,
            weights: Vec::new(),
        };
        let told: Vec<(Features, usize)> = counted
            .into_iter()
            .zip(&examples)
            .filter_map(|(counts, (_, intent))| Some((model.features(counts), *names.get(intent)?)))
            .collect();
        model.learn(&told);
        model
    }

    fn learn(&mut self, told: &[(Features, usize)]) {
        let classes = self.intents.len();
        self.weights = vec![0.0; self.vocabulary.len() * classes];
        let mut sizes = vec![0.0_f32; classes];
        for (_, class) in told {
            sizes[*class] += 1.0;
        }
        for (features, class) in told {
            for (feature, weight) in features {
                self.weights[*feature as usize * classes + class] += weight / sizes[*class];
            }
        }
        for round in 0..ROUNDS {
            let rate = RATE / (1.0 + 0.2 * round as f32);
            for (features, class) in told {
                let mut likely = self.likelihoods(features);
                likely[*class] -= 1.0;
                for (feature, weight) in features {
                    let at = *feature as usize * classes;
                    let row = self.weights[at..at + classes].iter_mut();
                    for (learned, wrong) in row.zip(&likely) {
                        *learned -= rate * wrong * weight;
                    }
                }
            }
        }
    }

    /// How likely each intent is: together 1.
    fn likelihoods(&self, features: &Features) -> Vec<f32> {
        let classes = self.intents.len();
        let mut sums = vec![0.0_f32; classes];
        for (feature, weight) in features {
            let at = *feature as usize * classes;
            for (sum, learned) in sums.iter_mut().zip(&self.weights[at..at + classes]) {
                *sum += learned * weight;
            }
        }
        let greatest = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut total = 0.0;
        for sum in &mut sums {
            *sum = (*sum - greatest).exp();
            total += *sum;
        }
        sums.iter_mut().for_each(|sum| *sum /= total);
        sums
    }

    /// TF-IDF of what the vocabulary knows.
    fn features(&self, counts: BTreeMap<u64, f32>) -> Features {
        let mut features: Features = counts
            .into_iter()
            .filter_map(|(key, count)| {
                let (place, rare) = self.vocabulary.get(&key)?;
                Some((*place, count * rare))
            })
            .collect();
        let length = features.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
        features.iter_mut().for_each(|(_, w)| *w /= length);
        features
    }

    /// The most likely intent and how sure it is, 0 to 1, also where that is too little to count; `None` where the
    /// text shares nothing with the examples.
    pub fn classify(&self, text: &str) -> Option<IntentScore> {
        let features = self.features(counts(self.language, text));
        if features.is_empty() {
            return None;
        }
        let likely = self.likelihoods(&features);
        let (best, score) = likely
            .iter()
            .enumerate()
            .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
        Some(IntentScore {
            intent: self.intents.get(best)?.clone(),
            score: *score,
        })
    }
}

#[async_trait]
impl IntentModel for IntentClassifier {
    async fn intents(
        &self,
        _language: Language,
        texts: &[String],
    ) -> Result<Vec<Option<IntentScore>>, ProviderError> {
        let known = |text: &String| self.classify(text).filter(|told| told.score >= NONE_BELOW);
        Ok(texts.iter().map(known).collect())
    }
}

/// How much of each word, pair of words and part of a word is in a text: the more often, the less each time.
fn counts(language: Language, text: &str) -> BTreeMap<u64, f32> {
    let mut counts = BTreeMap::new();
    let (mut folded, mut last) = (String::new(), 0);
    for word in words(language, preview(text, TEXT_MAX)) {
        fold(language, word.text, &mut folded);
        let whole = hash(&folded);
        *counts.entry(whole).or_default() += 1.0;
        *counts.entry(last ^ whole.rotate_left(17)).or_default() += 1.0;
        last = whole;
        let part: Vec<char> = std::iter::once(' ')
            .chain(folded.chars())
            .chain(std::iter::once(' '))
            .collect();
        for length in PARTS {
            for chars in part.windows(length) {
                let key = hash(&chars.iter().collect::<String>()).rotate_left(length as u32);
                *counts.entry(key).or_default() += PART_WEIGHT;
            }
        }
    }
    counts.values_mut().for_each(|n: &mut f32| *n = n.sqrt());
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: [(&str, &str); 6] = [
        ("Where is my bike?", "where"),
        ("when does my bike arrive", "where"),
        ("track the bike that I ordered", "where"),
        ("Can you repair a flat tyre?", "repair"),
        ("my brakes need a repair", "repair"),
        ("how much is repairing a chain", "repair"),
    ];

    #[test]
    fn it_tells_as_it_was_told() {
        let model = IntentClassifier::train(Language::En, EXAMPLES);
        for (text, intent) in EXAMPLES {
            assert_eq!(model.classify(text).unwrap().intent, intent, "{text}");
        }
        let told = model.classify("could you repair tyres").unwrap();
        assert_eq!(told.intent, "repair");
        assert!(told.score > 0.5 && told.score <= 1.0);
        assert_eq!(model.classify("你好"), None);
        let again = IntentClassifier::train(Language::En, EXAMPLES);
        assert_eq!(again.classify("where"), model.classify("where"));
    }

    #[test]
    fn few_or_no_examples_are_no_fault() {
        assert_eq!(
            IntentClassifier::train(Language::En, []).classify("hi"),
            None
        );
        let empty = IntentClassifier::train(Language::En, [("", "nothing"), ("?!", "more")]);
        assert_eq!(empty.classify("hi"), None);
        let one = IntentClassifier::train(Language::En, [("hello", "greeting")]);
        assert_eq!(one.classify("hello").unwrap().score, 1.0);
        assert!(one.classify(&"hello ".repeat(5_000)).is_some());
    }
}
