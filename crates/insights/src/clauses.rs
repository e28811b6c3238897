//! The part of a message that speaks of one thing.

use domain::insights::SentimentScore;
use domain::language::Language;

use crate::LexiconSentiment;
use crate::words::{fold, words};

/// What ends a sentence, and what ends a clause in it.
const SENTENCE_ENDS: &[char] = &['.', '!', '?', '…', ';', '\n'];
const CLAUSE_ENDS: &[char] = &[',', ':', '(', ')', '–', '—'];

/// How the text between two of its places is spoken of: by its clause, and where that tells nothing, by its sentence.
pub(crate) fn sentiment_around(
    language: Language,
    text: &str,
    start: usize,
    end: usize,
) -> SentimentScore {
    let (from, to) = around(text, start, end, |c| SENTENCE_ENDS.contains(&c));
    let sentence = text.get(from..to).unwrap_or_default();
    let (start, end) = (start - from, end - from);
    let (mut from, mut to) = around(sentence, start, end, |c| CLAUSE_ENDS.contains(&c));
    for word in words(language, sentence) {
        if word.end() <= start && word.start >= from && joins(language, word.text) {
            from = word.end();
        }
        if word.start >= end && word.start < to && joins(language, word.text) {
            to = word.start;
        }
    }
    let clause = LexiconSentiment::score(language, sentence.get(from..to).unwrap_or_default());
    if clause == SentimentScore::default() {
        LexiconSentiment::score(language, sentence)
    } else {
        clause
    }
}

/// From after the last such sign before a place to behind the next one after another place.
fn around(text: &str, start: usize, end: usize, ends: impl Fn(char) -> bool) -> (usize, usize) {
    // A sign within a word is none: 19.99, RX.200.
    let is_end = |(at, c): &(usize, char)| {
        ends(*c)
            && text
                .get(at + c.len_utf8()..)
                .and_then(|after| after.chars().next())
                .is_none_or(|next| !next.is_alphanumeric())
    };
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let from = before
        .char_indices()
        .rev()
        .find(is_end)
        .map_or(0, |(at, c)| at + c.len_utf8());
    let to = after
        .char_indices()
        .map(|(at, c)| (end + at, c))
        .find(is_end)
        .map_or(text.len(), |(at, c)| at + c.len_utf8());
    (from, to)
}

/// Whether a word joins two clauses that may be meant differently.
fn joins(language: Language, word: &str) -> bool {
    let joining = match language {
        Language::En => ["and", "but", "while", "however"],
        Language::Es => ["y", "pero", "aunque", "mientras"],
        Language::Fr => ["et", "mais", "tandis", "cependant"],
        Language::De => ["und", "aber", "doch", "wahrend"],
        Language::It => ["e", "ma", "pero", "mentre"],
        Language::Pt => ["e", "mas", "porem", "enquanto"],
    };
    let mut folded = String::new();
    fold(language, word, &mut folded);
    joining.contains(&folded.as_str())
}
