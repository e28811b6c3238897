//! What a message is after, by patterns of words that visitors of shops and services commonly use.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use async_trait::async_trait;
use domain::answers::ProviderError;
use domain::insights::{Intent, IntentModel, IntentScore};
use domain::language::Language;

use crate::words::{fold, words};

/// Scores below this are of no intent.
pub(crate) const NONE_BELOW: f32 = 0.5;

/// A row of a file: what must stand in a message, and what must not.
struct Pattern {
    intent: Intent,
    weight: f32,
    terms: Vec<Term>,
}

struct Term {
    wanted: bool,
    /// Words and phrases, by their places in the automaton.
    alternatives: Vec<usize>,
}

/// The patterns of one language. The format is that of `data/intents/README.md`.
struct Patterns {
    /// Finds all words and phrases of all patterns at once.
    automaton: AhoCorasick,
    patterns: Vec<Pattern>,
}

impl Patterns {
    fn of(language: Language) -> Option<&'static Self> {
        static ALL: [LazyLock<Option<Patterns>>; 6] = [
            LazyLock::new(|| Patterns::read(Language::En, include_str!("../data/intents/en.txt"))),
            LazyLock::new(|| Patterns::read(Language::Es, include_str!("../data/intents/es.txt"))),
            LazyLock::new(|| Patterns::read(Language::Fr, include_str!("../data/intents/fr.txt"))),
            LazyLock::new(|| Patterns::read(Language::De, include_str!("../data/intents/de.txt"))),
            LazyLock::new(|| Patterns::read(Language::It, include_str!("../data/intents/it.txt"))),
            LazyLock::new(|| Patterns::read(Language::Pt, include_str!("../data/intents/pt.txt"))),
        ];
        ALL[language as usize].as_ref()
    }

    /// `None`: a row is not of the format.
    fn read(language: Language, file: &str) -> Option<Self> {
        let mut found: Vec<String> = Vec::new();
        let mut folded = String::new();
        let mut patterns = Vec::new();
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split(' ');
            let weight = fields.next()?.parse().ok()?;
            let intent = Intent::parse(fields.next()?)?;
            let terms = fields.map(|term| Term {
                wanted: !term.starts_with('!'),
                alternatives: term
                    .trim_start_matches('!')
                    .split('|')
                    .map(|word| {
                        let beginning = word.strip_suffix('*');
                        fold(language, beginning.unwrap_or(word), &mut folded);
                        let end = if beginning.is_some() { "" } else { " " };
                        let word = format!(" {}{end}", folded.replace('_', " "));
                        found.iter().position(|w| *w == word).unwrap_or_else(|| {
                            found.push(word);
                            found.len() - 1
                        })
                    })
                    .collect(),
            });
            patterns.push(Pattern {
                intent,
                weight,
                terms: terms.collect(),
            });
        }
        Some(Self {
            automaton: AhoCorasick::new(&found).ok()?,
            patterns,
        })
    }

    /// The most likely intent, whatever its score.
    fn best(&self, language: Language, text: &str) -> (Intent, f32) {
        let mut plain = String::from(" ");
        let mut folded = String::new();
        for word in words(language, text) {
            fold(language, word.text, &mut folded);
            plain.push_str(&folded);
            plain.push(' ');
        }
        let mut stands = vec![false; self.automaton.patterns_len()];
        for found in self.automaton.find_overlapping_iter(&plain) {
            stands[found.pattern()] = true;
        }
        let holds = |term: &Term| term.alternatives.iter().any(|i| stands[*i]) == term.wanted;
        // What is left of each intent's doubt.
        let mut doubts = [1.0_f32; Intent::ALL.len()];
        let mut order = Vec::new();
        for pattern in &self.patterns {
            if pattern.terms.iter().all(holds) {
                doubts[pattern.intent as usize] *= 1.0 - pattern.weight;
                order.push(pattern.intent);
            }
        }
        let mut best = (Intent::Greeting, 0.0);
        for intent in order {
            let score = 1.0 - doubts[intent as usize];
            if score > best.1 {
                best = (intent, score);
            }
        }
        best
    }
}

/// Tells the intents of [`Intent`] by patterns in six languages.
#[derive(Debug, Clone, Copy, Default)]
pub struct PatternIntents;

impl PatternIntents {
    /// The most likely intent of a text and how sure it is, 0 to 1, also where that is too little to count.
    pub fn best(language: Language, text: &str) -> (Intent, f32) {
        Patterns::of(language).map_or((Intent::Greeting, 0.0), |p| p.best(language, text))
    }

    /// The intent of one text.
    pub fn intent(language: Language, text: &str) -> Option<IntentScore> {
        let (intent, score) = Self::best(language, text);
        (score >= NONE_BELOW).then(|| IntentScore {
            intent: intent.as_str().to_owned(),
            score,
        })
    }
}

#[async_trait]
impl IntentModel for PatternIntents {
    async fn intents(
        &self,
        language: Language,
        texts: &[String],
    ) -> Result<Vec<Option<IntentScore>>, ProviderError> {
        let intent = |text: &String| Self::intent(language, text);
        Ok(texts.iter().map(intent).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::insights::Intent::*;

    #[test]
    fn every_file_is_read_and_knows_every_intent() {
        for language in Language::ALL {
            let patterns = Patterns::of(*language).unwrap();
            for intent in Intent::ALL {
                let rows = patterns.patterns.iter().filter(|p| p.intent == *intent);
                assert!(rows.count() > 0, "{language} {intent}");
            }
            for pattern in &patterns.patterns {
                assert!(pattern.weight > 0.0 && pattern.weight < 1.0);
                assert!(pattern.terms.iter().any(|t| t.wanted));
            }
        }
        assert!(Patterns::read(Language::En, ".5 nonsense word").is_none());
    }

    #[test]
    fn what_visitors_want_in_six_languages() {
        for (language, text, expected) in [
            (Language::En, "Where is my order?", OrderStatus),
            (Language::En, "my package hasn't arrived yet", OrderStatus),
            (Language::En, "I want to cancel my order", Cancel),
            (Language::En, "How do I return an item?", ReturnOrRefund),
            (Language::En, "Do you ship to Canada?", Shipping),
            (Language::En, "How much is the blue lamp", Price),
            (Language::En, "Is it back in stock?", Availability),
            (Language::En, "are you open on Sunday", OpeningHours),
            (Language::En, "What's your phone number?", Contact),
            (Language::En, "let me talk to a human", Human),
            (Language::En, "I forgot my password", Account),
            (Language::En, "Can I pay with PayPal?", Payment),
            (Language::En, "the lamp arrived broken", Complaint),
            (Language::En, "hello", Greeting),
            (Language::En, "thanks!", Thanks),
            (Language::Es, "¿Dónde está mi pedido?", OrderStatus),
            (
                Language::Es,
                "quiero devolver estos zapatos",
                ReturnOrRefund,
            ),
            (Language::Es, "¿Cuánto cuesta la lámpara?", Price),
            (Language::Es, "¿A qué hora abren?", OpeningHours),
            (Language::Es, "quiero hablar con una persona", Human),
            (Language::Fr, "Où est ma commande ?", OrderStatus),
            (
                Language::Fr,
                "je voudrais me faire rembourser",
                ReturnOrRefund,
            ),
            (Language::Fr, "Livrez-vous en Belgique ?", Shipping),
            (Language::Fr, "Quels sont vos horaires ?", OpeningHours),
            (Language::De, "Wo ist mein Paket?", OrderStatus),
            (
                Language::De,
                "Ich möchte meine Bestellung stornieren",
                Cancel,
            ),
            (Language::De, "Was kostet die Lampe?", Price),
            (Language::De, "Wie sind die Öffnungszeiten?", OpeningHours),
            (Language::De, "Kann ich auf Rechnung zahlen?", Payment),
            (
                Language::It,
                "Dov'è il mio ordine? non è ancora arrivato",
                OrderStatus,
            ),
            (Language::It, "Vorrei un rimborso", ReturnOrRefund),
            (Language::It, "Quanto costa?", Price),
            (Language::Pt, "Cadê meu pedido?", OrderStatus),
            (Language::Pt, "quero cancelar a compra", Cancel),
            (Language::Pt, "qual o valor do frete para Lisboa?", Shipping),
        ] {
            let (intent, score) = PatternIntents::best(language, text);
            assert_eq!(intent, expected, "{language} {text} {score}");
            assert!(score >= NONE_BELOW, "{language} {text} {score}");
        }
    }

    #[test]
    fn what_is_no_known_intent_has_none() {
        for language in Language::ALL {
            for text in [
                "",
                "?",
                "7021645199",
                "xyzzy qwert",
                "你好",
                &"😀".repeat(8_000),
            ] {
                assert_eq!(
                    PatternIntents::intent(*language, text),
                    None,
                    "{language} {text}"
                );
            }
        }
        assert_eq!(
            PatternIntents::intent(Language::En, "The weather in Rome"),
            None
        );
    }
}
