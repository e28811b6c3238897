//! Words as they are compared: folded, hashed, stemmed.

use std::collections::HashSet;
use std::sync::LazyLock;

use domain::language::Language;
use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Longer words are no words of a language; stemming them only costs time.
const STEM_MAX: usize = 40;

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'t> {
    /// Where it begins in the text.
    pub(crate) start: usize,
    /// As it is written.
    pub(crate) text: &'t str,
}

impl Word<'_> {
    /// Where it ends in the text.
    pub(crate) const fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The words of a text in order. An elision is two words (`l'`, `ordine`), where a language has elisions; in the others
/// an apostrophe is within a word (`don't`).
pub(crate) fn words(language: Language, text: &str) -> impl Iterator<Item = Word<'_>> {
    text.unicode_word_indices().flat_map(move |(start, word)| {
        let cut = if elides(language) {
            word.rfind(['\'', '’'])
        } else {
            None
        };
        let after = cut.and_then(|at| {
            let len = word[at..].chars().next()?.len_utf8();
            Some(at + len)
        });
        let (first, second) = word.split_at(after.unwrap_or(word.len()));
        [
            Word { start, text: first },
            Word {
                start: start + first.len(),
                text: second,
            },
        ]
        .into_iter()
        .filter(|word| !word.text.is_empty())
    })
}

const fn elides(language: Language) -> bool {
    matches!(language, Language::Fr | Language::It)
}

/// Lower case, without diacritics, apostrophes and compatibility forms: `Très` is `tres`, `don't` is `dont`, `süß` is
/// `suss`, as visitors who are in a hurry write them.
pub(crate) fn fold(language: Language, word: &str, into: &mut String) {
    into.clear();
    if word.is_ascii() {
        into.extend(word.chars().filter(|c| *c != '\''));
        into.make_ascii_lowercase();
    } else {
        for c in word.nfkd().filter(|c| !is_combining_mark(*c)) {
            for c in c.to_lowercase() {
                match c {
                    'ß' => into.push_str("ss"),
                    'æ' => into.push_str("ae"),
                    'œ' => into.push_str("oe"),
                    '\'' | '’' => {}
                    _ => into.push(c),
                }
            }
        }
    }
    if language == Language::De {
        // Verspätet is also written verspaetet.
        for (written, plain) in [("ae", "a"), ("oe", "o"), ("ue", "u")] {
            if into.contains(written) {
                *into = into.replace(written, plain);
            }
        }
    }
}

/// The stemmer of a language.
pub(crate) fn stemmer(language: Language) -> Stemmer {
    Stemmer::create(match language {
        Language::En => Algorithm::English,
        Language::Es => Algorithm::Spanish,
        Language::Fr => Algorithm::French,
        Language::De => Algorithm::German,
        Language::It => Algorithm::Italian,
        Language::Pt => Algorithm::Portuguese,
    })
}

/// The hash of a folded word's stem; of a word with digits in it, or a very long one, that of the word.
pub(crate) fn stem(stemmer: &Stemmer, folded: &str) -> u64 {
    if folded.len() > STEM_MAX || !folded.chars().all(char::is_alphabetic) {
        return hash(folded);
    }
    hash(&stemmer.stem(folded))
}

/// FNV-1a: the same in every process.
pub(crate) fn hash(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |h, byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Words that are polite or that ask and say nothing of what is asked for; the stop words of NLTK lack them.
const fn asking_words(language: Language) -> &'static str {
    match language {
        Language::En => {
            "please tell could would like want need know help hi hello hey thanks thank ok okay im ive dont cant get \
             got whats hows wheres may might possible"
        }
        Language::Es => {
            "por favor hola gracias buenos buenas dias tardes noches quiero quisiera necesito saber puedo puede pueden \
             podria ayuda ayudar decirme como cuando donde"
        }
        Language::Fr => {
            "bonjour bonsoir salut merci svp plait veux voudrais aimerais besoin savoir puis peux peut pouvez pourriez \
             aider aide dire comment quand ou est ce"
        }
        Language::De => {
            "bitte hallo guten tag danke möchte will brauche wissen kann können könnte könnten könnt hilfe helfen sagen \
             gerne gibt wie wann wo"
        }
        Language::It => {
            "per favore ciao salve buongiorno grazie vorrei voglio bisogno sapere posso può potete potrei aiuto aiutare \
             dirmi come quando dove"
        }
        Language::Pt => {
            "por favor olá oi bom boa dia tarde obrigado obrigada quero queria gostaria preciso saber posso pode podem \
             poderia ajuda ajudar dizer como quando onde"
        }
    }
}

/// The hashes of a language's stop words, folded.
pub(crate) fn stop_words(language: Language) -> &'static HashSet<u64> {
    static LISTS: LazyLock<Vec<HashSet<u64>>> = LazyLock::new(|| {
        let list = |language: &Language| {
            let mut folded = String::new();
            stop_words::lookup(language.as_str())
                .unwrap_or_default()
                .iter()
                .copied()
                .chain(asking_words(*language).split_whitespace())
                .map(|word| {
                    fold(*language, word, &mut folded);
                    hash(&folded)
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

    #[test]
    fn words_are_folded_as_they_are_typed_in_a_hurry() {
        for (language, written, plain) in [
            (Language::En, "Don’t", "dont"),
            (Language::Es, "ESTÁ", "esta"),
            (Language::Fr, "cœur", "coeur"),
            (Language::De, "süß", "suss"),
            (Language::De, "verspaetet", "verspatet"),
            (Language::Pt, "péssimo", "pessimo"),
        ] {
            let mut folded = String::new();
            fold(language, written, &mut folded);
            assert_eq!(folded, plain);
        }
    }

    #[test]
    fn elisions_are_two_words() {
        let all = |language, text| words(language, text).map(|w| w.text).collect::<Vec<_>>();
        assert_eq!(
            all(Language::It, "c'è l’ordine?"),
            ["c'", "è", "l’", "ordine"]
        );
        assert_eq!(all(Language::En, "I don't"), ["I", "don't"]);
        let last = words(Language::Fr, "où est l'été").last().unwrap();
        assert_eq!((last.text, last.end()), ("été", "où est l'été".len()));
    }
}
