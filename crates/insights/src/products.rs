//! Which products a message speaks of, by a catalogue.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use domain::insights::{Product, ProductFinder, ProductMention};
use domain::language::Language;

use crate::clauses::sentiment_around;
use crate::words::{fold, words};

/// Ends every word in what is searched, so that a name is found in whole words only.
const END: char = '\u{1}';
/// More products in one message are a list of them.
const PER_MESSAGE_MAX: usize = 20;

/// A catalogue, ready to be found in texts: one automaton for all names.
pub(crate) struct Catalogue {
    language: Language,
    products: Vec<(String, String)>,
    /// Which product a name of the automaton belongs to.
    named: Vec<usize>,
    /// `None`: there is no name to be found, or there are too many.
    automaton: Option<AhoCorasick>,
}

impl Catalogue {
    pub(crate) fn new(language: Language, products: &[Product]) -> Self {
        let (mut names, mut named) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for (i, product) in products.iter().enumerate() {
            for name in std::iter::once(&product.name).chain(&product.aliases) {
                let mut plain = String::from(END);
                for_pieces(language, name, |piece, _, _| {
                    plain.push_str(piece);
                    plain.push(END);
                });
                // Of two products with one name, the first is meant.
                if plain.len() > END.len_utf8() && seen.insert(plain.clone()) {
                    // The end of the word before is not part of the name: two names may stand beside each other.
                    names.push(plain.split_off(END.len_utf8()));
                    named.push(i);
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&names)
            .ok()
            .filter(|_| !names.is_empty());
        let products = products.iter().map(|p| (p.id.clone(), p.name.clone()));
        Self {
            language,
            products: products.collect(),
            named,
            automaton,
        }
    }
}

impl ProductFinder for Catalogue {
    fn mentions(&self, text: &str) -> Vec<ProductMention> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        let mut plain = String::new();
        // Where each piece begins in what is searched, and where it stands in the text.
        let mut places: Vec<(usize, usize, usize)> = Vec::new();
        for_pieces(self.language, text, |piece, start, end| {
            places.push((plain.len(), start, end));
            plain.push_str(piece);
            plain.push(END);
        });
        let mut mentions = Vec::new();
        let mut seen = HashSet::new();
        let mut from = 0;
        while mentions.len() < PER_MESSAGE_MAX
            && let Some(found) = automaton.find(Input::new(&plain).range(from..))
        {
            let first = places.partition_point(|place| place.0 < found.start());
            let Some(&(begins, start, _)) = places.get(first) else {
                break;
            };
            // It began within a word.
            if begins != found.start() {
                from = begins;
                continue;
            }
            from = found.end();
            let last = places.partition_point(|place| place.0 < found.end());
            let end = last.checked_sub(1).and_then(|i| places.get(i));
            let product = self.named.get(found.pattern().as_usize()).copied();
            let (Some((_, _, end)), Some(product)) = (end, product) else {
                continue;
            };
            if seen.insert(product)
                && let Some((id, name)) = self.products.get(product)
            {
                mentions.push(ProductMention {
                    product_id: Some(id.clone()),
                    name: name.clone(),
                    sentiment: sentiment_around(self.language, text, start, *end),
                });
            }
        }
        mentions
    }
}

/// Calls `each` with the pieces of a text as they are compared, and where they stand: words in the singular, and the
/// letters and digits of a code apart, for `RX-200`, `rx200` and `RX 200` are one.
pub(crate) fn for_pieces(language: Language, text: &str, mut each: impl FnMut(&str, usize, usize)) {
    let mut folded = String::new();
    for word in words(language, text) {
        let mut from = 0;
        let mut last: Option<bool> = None;
        for (at, c) in word.text.char_indices().chain([(word.text.len(), ' ')]) {
            let kind = c.is_alphanumeric().then(|| c.is_numeric());
            // Combining marks and apostrophes stay where they are.
            if kind == last || (kind.is_none() && at < word.text.len()) {
                continue;
            }
            if last.is_some() {
                fold(language, &word.text[from..at], &mut folded);
                each(
                    singular(language, &folded),
                    word.start + from,
                    word.start + at,
                );
            }
            from = at;
            last = kind;
        }
    }
}

/// A folded word without the ending of its plural, and without what the singular has in its place: `lampe` and `lampen`
/// are both `lamp`. Short words are left as they are.
fn singular(language: Language, folded: &str) -> &str {
    let endings: &[&str] = match language {
        Language::En => &["es", "s", "e"],
        Language::Es => &["es", "s", "e"],
        Language::Fr => &["es", "s", "x", "e"],
        Language::De => &["ern", "er", "en", "es", "e", "n", "s"],
        Language::It => &["hi", "he", "i", "e", "o", "a"],
        Language::Pt => &["oes", "aes", "ao", "ns", "m", "is", "l", "es", "s", "e"],
    };
    let kept = |ending: &&&str| folded.len() >= ending.len() + 3;
    let ending = endings.iter().find(|ending| folded.ends_with(**ending));
    match ending.filter(kept) {
        Some(ending) => &folded[..folded.len() - ending.len()],
        None => folded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::insights::Sentiment;

    fn product(id: &str, name: &str, aliases: &[&str]) -> Product {
        Product {
            id: id.to_owned(),
            name: name.to_owned(),
            aliases: aliases.iter().map(|a| (*a).to_owned()).collect(),
        }
    }

    fn found(catalogue: &Catalogue, text: &str) -> Vec<String> {
        let mentions = catalogue.mentions(text);
        mentions
            .into_iter()
            .map(|m| m.product_id.unwrap())
            .collect()
    }

    #[test]
    fn names_are_found_in_every_spelling_and_in_whole_words() {
        let shop = [
            product("lamp", "Aurora Lamp", &["desk lamp"]),
            product("aurora", "Aurora", &[]),
            product("rx", "RX-200", &[]),
            product("cafe", "Café Crème", &[]),
            product("again", "aurora", &[]),
            product("none", "...", &["", " "]),
        ];
        let catalogue = Catalogue::new(Language::En, &shop);
        for (text, expected) in [
            ("I like the AURORA LAMPS", &["lamp"][..]),
            ("the aurora and the desk lamp.", &["aurora", "lamp"]),
            ("rx200 or RX 200?", &["rx"]),
            ("an rx-2000", &[]),
            ("caffè, cafe creme", &["cafe"]),
            ("auroral lamps", &[]),
            ("aurora aurora lamp", &["aurora", "lamp"]),
            ("desk", &[]),
            ("", &[]),
        ] {
            assert_eq!(found(&catalogue, text), expected, "{text}");
        }
        assert!(found(&Catalogue::new(Language::En, &[]), "aurora").is_empty());
    }

    #[test]
    fn plurals_are_found_in_six_languages() {
        for (language, name, text) in [
            (Language::En, "box", "two boxes"),
            (Language::En, "Running shoe", "the running shoes"),
            (Language::Es, "Pantalón", "los pantalones"),
            (Language::Es, "coche", "dos coches"),
            (Language::Fr, "Gâteau", "deux gateaux"),
            (Language::De, "Lampe", "die Lampen"),
            (Language::De, "Stuhl", "vier Stühle"),
            (Language::De, "Bild", "die Bilder"),
            (Language::It, "Scarpa rossa", "le scarpe rosse"),
            (Language::It, "libro", "l'uso dei libri"),
            (Language::Pt, "Colchão", "os colchões"),
            (Language::Pt, "jornal", "os jornais"),
        ] {
            let catalogue = Catalogue::new(language, &[product("1", name, &[])]);
            assert_eq!(found(&catalogue, text), ["1"], "{language} {text}");
        }
    }

    #[test]
    fn a_mention_has_the_sentiment_of_its_clause() {
        let shop = [product("lamp", "lamp", &[]), product("chair", "chair", &[])];
        let catalogue = Catalogue::new(Language::En, &shop);
        for (text, lamp, chair) in [
            (
                "I love the lamp but the chair is awful",
                Sentiment::Positive,
                Sentiment::Negative,
            ),
            (
                "The lamp broke. The chair is great!",
                Sentiment::Negative,
                Sentiment::Positive,
            ),
            (
                "Great lamp, terrible chair",
                Sentiment::Positive,
                Sentiment::Negative,
            ),
            (
                "Where are the lamp and the chair?",
                Sentiment::Neutral,
                Sentiment::Neutral,
            ),
            (
                "The lamp, as I said, is awful. A chair?",
                Sentiment::Negative,
                Sentiment::Neutral,
            ),
        ] {
            let mentions = catalogue.mentions(text);
            let labels: Vec<_> = mentions.iter().map(|m| m.sentiment.label()).collect();
            assert_eq!(labels, [lamp, chair], "{text}");
        }
    }

    #[test]
    fn a_large_catalogue_and_a_long_text_are_no_matter() {
        let shop: Vec<_> = (0..20_000)
            .map(|i| product(&i.to_string(), &format!("Model {i} chair"), &[]))
            .collect();
        let catalogue = Catalogue::new(Language::De, &shop);
        let text = "model 7 chair, Modell 7, model 77 chair ".repeat(200);
        assert_eq!(found(&catalogue, &text), ["7", "77"]);
    }
}
