//! Names in a message that may be products', where there is no catalogue: what stands in quotation marks, codes, and
//! words with a capital where the language has none.

use std::collections::HashSet;

use domain::insights::ProductCandidate;
use domain::language::Language;

use crate::products::for_pieces;
use crate::words::{Word, fold, hash, stop_words, words};

/// The longest name, in words and in bytes.
const WORDS_MAX: usize = 5;
const BYTES_MAX: usize = 60;
/// More names in one message are a list of something.
const PER_MESSAGE_MAX: usize = 10;
const QUOTES: [(char, char); 5] = [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»'), ('‘', '’')];

/// The names in a text, each once.
pub(crate) fn candidates(language: Language, text: &str) -> Vec<ProductCandidate> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let names = quoted(text).chain(capitalised(language, text));
    for name in names.filter(|name| name.len() <= BYTES_MAX) {
        let mut key = String::new();
        let mut pieces = 0;
        for_pieces(language, name, |piece, _, _| {
            if pieces > 0 {
                key.push(' ');
            }
            key.push_str(piece);
            pieces += 1;
        });
        let worded = key.chars().any(char::is_alphabetic);
        if worded && pieces <= WORDS_MAX && seen.insert(key.clone()) {
            found.push(ProductCandidate {
                key,
                name: name.to_owned(),
            });
        }
        if found.len() == PER_MESSAGE_MAX {
            break;
        }
    }
    found
}

/// What stands between quotation marks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (at, open) = rest
                .char_indices()
                .find(|(_, c)| QUOTES.iter().any(|(open, _)| open == c))?;
            let inner = &rest[at + open.len_utf8()..];
            let close = |c: char| QUOTES.iter().any(|(o, close)| *o == open && *close == c);
            match inner[..inner.floor_char_boundary(BYTES_MAX)].find(close) {
                Some(end) => {
                    let (name, after) = inner.split_at(end);
                    let mut after = after.chars();
                    after.next();
                    rest = after.as_str();
                    return Some(name.trim());
                }
                None => rest = inner,
            }
        }
    })
}

/// Runs of words with capitals, and codes of letters and digits. A single word with a capital at the beginning of a
/// sentence says nothing, and in German no single one does; nor does a capital where all is in capitals.
fn capitalised(language: Language, text: &str) -> impl Iterator<Item = &str> {
    let shouted = !text.contains(char::is_lowercase);
    let mut runs: Vec<&str> = Vec::new();
    let mut run: Vec<Word<'_>> = Vec::new();
    let mut end = 0;
    let mut begins_sentence = true;
    let mut finish = |run: &mut Vec<Word<'_>>, begins: bool| {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            let is_name = match run.as_slice() {
                [one] if is_code(one.text) => true,
                [one] => {
                    // Alone, capitals are mostly an abbreviation, and a short word is.
                    let spelled = one.text.chars().filter(|c| c.is_lowercase()).count() >= 3;
                    spelled && !begins && language != Language::De
                }
                [_, second] if begins => is_code(second.text) || language != Language::De,
                _ => true,
            };
            if is_name {
                runs.extend(text.get(first.start..last.end()));
            }
        }
        run.clear();
    };
    let mut run_begins = false;
    for word in words(language, text) {
        let gap = text.get(end..word.start).unwrap_or_default();
        let ended = gap.contains(['.', '!', '?', '\n', ':', '…']) && gap != ".";
        begins_sentence = begins_sentence || ended;
        if !matches!(gap, " " | "-" | "") {
            finish(&mut run, run_begins);
        }
        if (!shouted || is_code(word.text)) && is_named(language, word.text) {
            if run.is_empty() {
                run_begins = begins_sentence;
            }
            run.push(word);
        } else {
            finish(&mut run, run_begins);
        }
        end = word.end();
        begins_sentence = false;
    }
    finish(&mut run, run_begins);
    runs.into_iter()
}

/// Whether a word may be of a name: by its capital, or as a number in it.
fn is_named(language: Language, word: &str) -> bool {
    if word.chars().all(char::is_numeric) {
        return true;
    }
    if !word.starts_with(char::is_uppercase) && !is_code(word) {
        return false;
    }
    let mut folded = String::new();
    fold(language, word, &mut folded);
    word.chars().nth(1).is_some() && !stop_words(language).contains(&hash(&folded))
}

/// Letters and digits together: `RX200`.
fn is_code(word: &str) -> bool {
    word.chars().any(char::is_numeric)
        && word.chars().any(char::is_uppercase)
        && word.chars().all(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_capitalised_and_coded_names_are_candidates() {
        for (language, text, expected) in [
            (
                Language::En,
                "Is the “night light” dimmable?",
                &["night light"][..],
            ),
            (Language::En, "Where is my Aurora Lamp?", &["Aurora Lamp"]),
            (
                Language::En,
                "do you have the Aurora Lamps in red",
                &["Aurora Lamps"],
            ),
            (Language::En, "Does the RX200 work? Thanks", &["RX200"]),
            (Language::En, "Hello. Thanks", &[]),
            (Language::En, "order 12345 is late", &[]),
            (Language::En, "I like it. The Lamp", &["Lamp"]),
            (Language::En, "what is the PIN of my ATM card", &[]),
            (Language::De, "Wo ist die Lampe?", &[]),
            (Language::De, "Ist die „Nachtlampe“ da?", &["Nachtlampe"]),
            (
                Language::De,
                "Passt der Thule Pack zu mir?",
                &["Thule Pack"],
            ),
            (
                Language::Fr,
                "avez-vous la Lampe Aurore ?",
                &["Lampe Aurore"],
            ),
            (Language::En, "a \" alone", &[]),
            (Language::En, "GIVE BACK MONEY FOR RX200", &["RX200"]),
        ] {
            let found = candidates(language, text);
            let names: Vec<_> = found.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(names, expected, "{text}");
        }
        let key = |text| candidates(Language::En, text)[0].key.clone();
        assert_eq!(
            key("the Aurora Lamps"),
            key("an AURORA lamp, \"aurora lamp\"")
        );
    }
}
