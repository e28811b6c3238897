//! Whether a visitor asks what a curated pair answers. Such a pair wins over all that is found by its words.
//!
//! Two questions are compared both ways: how much of the visitor's stands in the pair's, and how much of the
//! pair's in the visitor's. Only where both are high they ask the same: a pair that has one word of the visitor's
//! many fails the first, a visitor who names one of the pair's many words the second.

use std::collections::HashMap;
use std::ops::Range;

use crate::index::{BotIndex, SegmentEntry, SourceEntry};
use crate::query::{QueryTerm, Question};
use crate::scoring::{Weights, idf};

/// From here on two questions ask the same. Where visitors of three shops win a pair, of which there is one for each
/// thing that they ask for, it is the right one 85 times in 100 at 0.6, and 90 times at 0.65; at 0.7 no more often,
/// and a third fewer win theirs. Of 700 questions on other matters none wins a pair (`examples/curated.rs`).
const SAME: f32 = 0.65;
/// What a word that says little counts; a rare word counts about 4. Such words tell "where do I pay?" from "how do
/// I pay?", and "who are you?" has no others.
const STOP_WORD: f32 = 0.5;

/// A source of pairs, and what the terms of their questions tell in the knowledge of their bot.
pub(crate) struct Curated {
    /// Its place among the bot's sources.
    source: usize,
    /// By question.
    weights: Box<[Weights]>,
}

/// A pair that answers the question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Winner {
    /// Its number in the bot's index.
    pub(crate) chunk: usize,
    /// How much it asks the same, [`SAME`] to 1.
    pub(crate) fit: f32,
}

impl Curated {
    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.weights.iter().map(Weights::bytes).sum()
    }
}

/// Weighs the questions of the sources of pairs.
pub(crate) fn weigh(index: &BotIndex) -> Box<[Curated]> {
    let mut known = HashMap::new();
    let mut idf = |term| {
        *known
            .entry(term)
            .or_insert_with(|| idf(index.chunks, index.having(term)))
    };
    let sources = index.sources.iter().enumerate();
    let curated = sources.filter_map(|(source, entry)| {
        let questions = entry.questions.as_ref()?.iter();
        let weights = questions.map(|question| Weights::new(&question.terms, &mut idf));
        Some(Curated {
            source,
            weights: weights.collect(),
        })
    });
    curated.collect()
}

/// A question and what its terms tell.
struct Weighed<'q> {
    terms: &'q [QueryTerm],
    stop_words: &'q [u64],
    weights: &'q Weights,
}

impl Weighed<'_> {
    /// The share that these terms and so many stop words are of it.
    fn share(&self, terms: u64, stop_words: usize) -> f32 {
        let weight = |terms: f32, stop_words: usize| terms + STOP_WORD * stop_words as f32;
        let all = weight(self.weights.total, self.stop_words.len());
        weight(self.weights.of(terms), stop_words) / all.max(f32::MIN_POSITIVE)
    }

    /// Those of its terms that the other one has, a bit for each.
    fn found_in(&self, other: &Self) -> u64 {
        let has = |term: &QueryTerm| other.terms.iter().any(|o| o.term == term.term);
        let terms = self.terms.iter().enumerate().filter(|(_, term)| has(term));
        terms.fold(0, |bits, (at, term)| bits | 1 << at | term.stands_for)
    }
}

/// The pairs that answer the question, best first. `weights` are those of the question's terms.
pub(crate) fn winners(index: &BotIndex, asked: &Question, weights: &Weights) -> Vec<Winner> {
    // What has no words of its own does not ask again for what the question before it was about.
    let nothing = Weights::default();
    let (terms, weights) = match asked.own {
        0 => (&[][..], &nothing),
        _ => (&*asked.terms, weights),
    };
    let visitor = Weighed {
        terms,
        stop_words: &asked.stop_words,
        weights,
    };
    let mut winners = Vec::new();
    for curated in &index.curated {
        let source = &index.sources[curated.source];
        let questions = source.questions.as_deref().unwrap_or_default();
        for at in candidates(index, source, &visitor, asked.own) {
            let pair = Weighed {
                terms: &questions[at].terms,
                stop_words: &questions[at].stop_words,
                weights: &curated.weights[at],
            };
            let fit = fit(&visitor, &pair);
            if fit >= SAME {
                let chunk = index.number(source) + at;
                winners.push(Winner { chunk, fit });
            }
        }
    }
    winners.sort_by(|a, b| b.fit.total_cmp(&a.fit).then(a.chunk.cmp(&b.chunk)));
    winners
}

/// The pairs of a source that can win, by their place in it: those that share one of the visitor's `own` words and
/// have enough of all; where the visitor has none, those that have none either.
fn candidates(
    index: &BotIndex,
    source: &SourceEntry,
    visitor: &Weighed<'_>,
    own: usize,
) -> Vec<usize> {
    let questions = source.questions.as_deref().unwrap_or_default();
    if own == 0 {
        let wordless = questions.iter().enumerate();
        let wordless = wordless.filter(|(_, question)| question.terms.is_empty());
        return wordless.map(|(at, _)| at).collect();
    }
    let Some(SegmentEntry { segment, .. }) = index.segments.get(source.segment) else {
        return Vec::new();
    };
    let mut shared = vec![0_u64; questions.len()];
    for (at, term) in visitor.terms.iter().enumerate() {
        let Range { start, end } = source.chunks;
        let list = segment.postings(term.term);
        for posting in list.from(start as u32) {
            let chunk = posting.chunk as usize;
            if chunk >= end {
                break;
            }
            // The heading of a pair is its question.
            if posting.places().any(|place| place < segment.heading(chunk)) {
                shared[chunk - start] |= 1 << at | term.stands_for;
            }
        }
    }
    // A harmonic mean of two shares is at most that of one of them and of 1.
    let least = SAME / (2.0 - SAME);
    let can_win = |shared: u64| {
        shared.trailing_zeros() < own as u32
            && visitor.share(shared, visitor.stop_words.len()) >= least
    };
    let shared = shared.into_iter().enumerate();
    let able = shared.filter(|(_, shared)| can_win(*shared));
    able.map(|(at, _)| at).collect()
}

/// How much two questions ask the same, 0 to 1: the harmonic mean of the shares of each that the other one has.
fn fit(one: &Weighed<'_>, other: &Weighed<'_>) -> f32 {
    let in_both = one
        .stop_words
        .iter()
        .filter(|w| other.stop_words.contains(w));
    let stop_words = in_both.count();
    let of_one = one.share(one.found_in(other), stop_words);
    let of_other = other.share(other.found_in(one), stop_words);
    2.0 * of_one * of_other / (of_one + of_other).max(f32::MIN_POSITIVE)
}
