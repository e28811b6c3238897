//! From text to terms. A term is the hash of a folded, stemmed word: two spellings that should find each other
//! have the same term, whether they stand in a question or in a chunk.

use std::collections::HashSet;
use std::sync::LazyLock;

use domain::language::Language;
use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Longer words are no words of a language; stemming them only costs time.
const STEM_MAX: usize = 40;
/// A compound of more parts (an address of the web, say) is not asked for as a whole.
const COMPOUND_MAX: usize = 8;
/// What joins the parts of one name or number: `RX-200`, `a/b`, `info@shop.example`.
const CONNECTORS: &[char] = &['-', '‐', '‑', '_', '/', '@', '.', ':', '+', '&', '#'];

/// A term of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word that carries meaning. It takes a place of its own.
    Word(u64),
    /// The last `parts` words written as one (`rx200` for `RX-200`). It shares the place of the last of them.
    Whole { term: u64, parts: u32 },
    /// A word that says little: it takes no place, and is not looked for.
    StopWord(u64),
}

/// Turns text of one language into terms.
pub(crate) struct Analyzer {
    language: Language,
    stemmer: Stemmer,
    stop_words: &'static HashSet<String>,
}

impl Analyzer {
    pub(crate) fn new(language: Language) -> Self {
        let algorithm = match language {
            Language::En => Algorithm::English,
            Language::Es => Algorithm::Spanish,
            Language::Fr => Algorithm::French,
            Language::De => Algorithm::German,
            Language::It => Algorithm::Italian,
            Language::Pt => Algorithm::Portuguese,
        };
        Self {
            language,
            stemmer: Stemmer::create(algorithm),
            stop_words: stop_words(language),
        }
    }

    /// The language.
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// All words of `text` in order, those that say little too, folded.
    pub(crate) fn folded(&self, text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for word in text.unicode_words() {
            for_parts(word, |part| {
                let mut folded = String::new();
                self.fold(part, &mut folded);
                words.push(folded);
            });
        }
        words
    }

    /// Calls `each` with the terms of `text` in order.
    pub(crate) fn terms(&self, text: &str, mut each: impl FnMut(Token)) {
        let mut folded = String::new();
        let mut whole = String::new();
        let mut words = text.unicode_word_indices().peekable();
        while let Some((start, word)) = words.next() {
            if let Some(number) = numeral(word) {
                each(Token::Word(hash(&number)));
                continue;
            }
            whole.clear();
            let (mut parts, mut kept) = (0, 0);
            let (mut word, mut end) = (word, start + word.len());
            loop {
                for_parts(word, |part| {
                    parts += 1;
                    self.fold(part, &mut folded);
                    whole.push_str(&folded);
                    if self.stop_words.contains(folded.as_str()) {
                        each(Token::StopWord(hash(&folded)));
                    } else {
                        kept += 1;
                        each(Token::Word(self.stem(&folded)));
                    }
                });
                let Some(&(next, following)) = words.peek() else {
                    break;
                };
                if !is_connector(text.get(end..next).unwrap_or_default()) {
                    break;
                }
                word = following;
                end = next + following.len();
                words.next();
            }
            // An elision (l'adresse) is no compound, and for_parts tells it by its parts alone.
            if (2..=COMPOUND_MAX).contains(&parts) && !elided(text.get(start..end)) {
                each(if kept == 0 {
                    Token::Word(hash(&whole))
                } else {
                    Token::Whole {
                        term: hash(&whole),
                        parts: kept,
                    }
                });
            }
        }
    }

    /// Lower case, compatibility forms and diacritics gone: `Ａ` is `a`, `é` is `e`, `ß` is `ss`. Before the stem
    /// is taken, so that a visitor who types no accents still finds the words that have them.
    fn fold(&self, word: &str, into: &mut String) {
        into.clear();
        if word.is_ascii() {
            into.push_str(word);
            into.make_ascii_lowercase();
        } else {
            let letters = word
                .nfkd()
                .filter(|c| !is_combining_mark(*c))
                .flat_map(char::to_lowercase);
            for letter in letters {
                match letter {
                    'ß' => into.push_str("ss"),
                    'æ' => into.push_str("ae"),
                    'œ' => into.push_str("oe"),
                    'ø' => into.push('o'),
                    'ł' => into.push('l'),
                    'đ' => into.push('d'),
                    _ => into.push(letter),
                }
            }
        }
        if self.language == Language::De {
            // Öffnungszeiten is also written Oeffnungszeiten.
            for (written, plain) in [("ae", "a"), ("oe", "o"), ("ue", "u")] {
                if into.contains(written) {
                    *into = into.replace(written, plain);
                }
            }
        }
    }

    fn stem(&self, folded: &str) -> u64 {
        if folded.len() > STEM_MAX || !folded.chars().all(char::is_alphabetic) {
            return hash(folded);
        }
        let accented = self
            .accented_endings()
            .iter()
            .find_map(|(plain, accented)| Some([folded.strip_suffix(plain)?, accented].concat()));
        match accented {
            // What the stemmer left of the ending differs by accent: nação, nações.
            Some(word) => hash(&self.stemmer.stem(&word).replace(['ó', 'ã', 'õ'], "o")),
            None => hash(&self.stemmer.stem(folded)),
        }
    }

    /// Endings that the stemmer knows by their accent only, which folding took.
    const fn accented_endings(&self) -> &'static [(&'static str, &'static str)] {
        match self.language {
            Language::Es => &[("cion", "ción"), ("sion", "sión")],
            Language::Pt => &[("cao", "ção"), ("coes", "ções")],
            _ => &[],
        }
    }
}

/// Whether what stands between two words makes them one compound.
fn is_connector(gap: &str) -> bool {
    let mut chars = gap.chars();
    matches!((chars.next(), chars.next()), (Some(c), None) if CONNECTORS.contains(&c))
}

fn elided(word: Option<&str>) -> bool {
    word.is_some_and(|word| word.contains(['\'', '’']))
}

/// Calls `each` with the runs of letters and the runs of digits of a word.
fn for_parts<'t>(word: &'t str, mut each: impl FnMut(&'t str)) {
    let mut start = 0;
    let mut last: Option<bool> = None;
    for (at, c) in word.char_indices() {
        if is_combining_mark(c) {
            continue;
        }
        let kind = c.is_alphanumeric().then(|| c.is_numeric());
        if kind != last {
            if last.is_some() {
                each(&word[start..at]);
            }
            start = at;
            last = kind;
        }
    }
    if last.is_some() {
        each(&word[start..]);
    }
}

/// A number in one spelling: `1,299.00`, `1.299,00` and `1299` are the same, and so are `19,99` and `19.99`.
fn numeral(word: &str) -> Option<String> {
    let mut groups = word.split(['.', ',', '\'', '’']);
    let first = groups.next()?;
    let digits = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    if !digits(first) {
        return None;
    }
    let mut number = first.to_owned();
    let mut fraction = "";
    for group in groups {
        if !digits(group) {
            return None;
        }
        // Three digits are a group of thousands, anything else comes after the decimal sign.
        if !fraction.is_empty() {
            number.push('.');
            number.push_str(fraction);
            fraction = group;
        } else if group.len() == 3 {
            number.push_str(group);
        } else {
            fraction = group;
        }
    }
    if fraction.bytes().any(|b| b != b'0') {
        number.push('.');
        number.push_str(fraction);
    }
    Some(number)
}

/// FNV-1a with MurmurHash3's finaliser: the same in every process, and even in its high bits, by which
/// segments look terms up.
fn hash(word: &str) -> u64 {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in word.bytes() {
        h = (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// Words that ask or that are polite and say nothing of what is asked for; the stop words of NLTK lack them.
const fn asking_words(language: Language) -> &'static str {
    match language {
        Language::En => {
            "much many please tell could would like want know may might must shall hi hello hey thanks thank ok okay \
             yes us im ive dont whats whos hows wheres"
        }
        Language::Es => {
            "como cuando cuanto cuanta cuantos cuantas cual cuales donde quien quienes porque por favor puedo \
             puede pueden podria quiero quisiera hola gracias buenos buenas usted ustedes cada ser hace"
        }
        Language::Fr => {
            "quel quelle quels quelles quand comment pourquoi combien ou quoi lequel laquelle lesquels est ce \
             jusqu lorsqu puisqu si plus cette cet ces comme puis peux peut peuvent bonjour salut merci svp plait veux voudrais \
             dont donc alors elles y a t il"
        }
        Language::De => {
            "wer wen wem wessen wann wo wohin woher warum wieso weshalb wieviel wieviele viele worin wofur \
             womit bitte hallo danke mochte mochten gern gerne kannst konnt wurd wurden worden geworden"
        }
        Language::It => {
            "fino quando perche come dove chi cosa qual quali quanto quanta quanti quante per favore posso puo \
             possono potrei vorrei voglio ciao salve buongiorno grazie stata stato stati state essere fra"
        }
        Language::Pt => {
            "como quando quanto quanta quantos quantas qual quais onde quem porque por favor posso pode podem \
             poderia quero gostaria ola oi obrigado obrigada bom cada ser deve"
        }
    }
}

/// The stop words of a language, folded.
fn stop_words(language: Language) -> &'static HashSet<String> {
    static LISTS: LazyLock<Vec<HashSet<String>>> = LazyLock::new(|| {
        let list = |language: &Language| {
            // Only `fold` is used of this one, and folding needs no stop words.
            static NONE: LazyLock<HashSet<String>> = LazyLock::new(HashSet::new);
            let folder = Analyzer {
                language: *language,
                stemmer: Stemmer::create(Algorithm::English),
                stop_words: &NONE,
            };
            let mut folded = String::new();
            stop_words::lookup(language.as_str())
                .unwrap_or_default()
                .iter()
                .copied()
                .chain(asking_words(*language).split_whitespace())
                .map(|word| {
                    folder.fold(word, &mut folded);
                    folded.clone()
                })
                .collect()
        };
        Language::ALL.iter().map(list).collect()
    });
    &LISTS[language as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(language: Language, text: &str) -> Vec<u64> {
        let mut all = Vec::new();
        Analyzer::new(language).terms(text, |token| match token {
            Token::Word(term) | Token::Whole { term, .. } => all.push(term),
            Token::StopWord(_) => {}
        });
        all
    }

    fn shared(language: Language, one: &str, other: &str) -> usize {
        let other = terms(language, other);
        terms(language, one)
            .iter()
            .filter(|term| other.contains(term))
            .count()
    }

    #[test]
    fn words_of_one_stem_are_one_term() {
        for (language, one, other) in [
            (Language::En, "shipping", "shipped"),
            (Language::Es, "devoluciones", "devolucion"),
            (Language::Fr, "réservé", "reserver"),
            (Language::De, "Öffnungszeiten", "oeffnungszeit"),
            (Language::It, "prenotazioni", "prenotazione"),
            (Language::Pt, "devolução", "devolucao"),
        ] {
            assert_eq!(shared(language, one, other), 1, "{one} {other}");
        }
    }

    #[test]
    fn codes_numbers_and_addresses_are_found_in_every_spelling() {
        for (one, other) in [
            ("RX-200", "rx200"),
            ("RX-200", "rx 200"),
            ("e-mail", "email"),
            ("$1,299.00", "1299"),
            ("1.299,00 €", "1299"),
            ("19,99", "19.99"),
            ("9am", "9 am"),
            ("info@shop.example", "shop"),
            ("info@shop.example", "INFO@SHOP.EXAMPLE"),
            ("ＲＸ", "rx"),
        ] {
            assert!(shared(Language::En, one, other) > 0, "{one} {other}");
        }
        assert_eq!(shared(Language::En, "19.99", "19.95"), 0);
        assert_eq!(shared(Language::En, "3.5", "35"), 0);
    }

    #[test]
    fn elisions_are_cut_off() {
        assert_eq!(
            terms(Language::Fr, "l'adresse"),
            terms(Language::Fr, "adresse")
        );
        assert_eq!(
            terms(Language::It, "dell’ordine"),
            terms(Language::It, "ordine")
        );
    }

    #[test]
    fn stop_words_and_punctuation_have_no_terms() {
        for text in ["", "?", "hi", "what is the", "...", "\u{301}"] {
            assert!(terms(Language::En, text).is_empty(), "{text}");
        }
        assert!(terms(Language::De, "Wie viele sind über").is_empty());
    }
}
