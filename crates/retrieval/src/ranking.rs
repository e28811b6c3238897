//! Ranking: BM25 over the weighted fields of all chunks of a bot (Robertson and Zaragoza, "The Probabilistic
//! Relevance Framework: BM25 and Beyond", 2009), then, among the best, how close together the terms stand.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use crate::answerable::{self, Signals};
use crate::curated::{self, Winner};
use crate::index::{BotIndex, SourceEntry};
use crate::query::{QueryTerm, Question};
use crate::segment::Place;

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// What a word in the headings above a chunk counts, against one in the chunk.
const HEADING: f32 = 1.0;
/// What a word in the name of the source counts, against one in the chunk.
const NAME: f32 = 0.5;
/// In a base of a few chunks every word looks common. Reckoning with this many further chunks that hold none of
/// the words makes the weights of words in small bases those of larger ones.
const FURTHER_CHUNKS: f32 = 100.0;
/// What the best sentence of a chunk counts: its share of the question's weight, in that weight.
const SENTENCE: f32 = 0.5;
/// What two of the question's words side by side count, in the weight of the lesser one.
const PAIR: f32 = 0.3;
/// How many more chunks than asked for are looked at closely.
const SPARE: usize = 10;

/// A chunk that fits.
pub(crate) struct Ranked {
    /// Its number in the bot's index.
    pub(crate) chunk: usize,
    pub(crate) score: f32,
    pub(crate) evidence: Evidence,
    /// Whether it is a curated pair that asks the same, and so is the answer.
    pub(crate) is_answer: bool,
}

/// What of the question stands where in a chunk. Masks have a bit for each term of the question.
#[derive(Default)]
pub(crate) struct Evidence {
    /// In its content, its headings or the name of its source.
    pub(crate) anywhere: u64,
    /// In the headings above it or the name of its source.
    pub(crate) above: u64,
    /// In each of its pieces.
    pub(crate) pieces: Vec<u64>,
    /// The weight of the terms that stand side by side as they do in the question.
    pairs: f32,
}

/// What ranking found.
#[derive(Default)]
pub(crate) struct Ranking {
    /// Best first.
    pub(crate) best: Vec<Ranked>,
    pub(crate) answerable: f32,
    pub(crate) weights: Weights,
}

/// How much each term of the question tells: rare words tell more.
#[derive(Default)]
pub(crate) struct Weights {
    each: Vec<f32>,
    /// Of the question as a whole.
    pub(crate) total: f32,
}

impl Weights {
    /// The weights of the terms of a question; `idf` says what a term tells.
    pub(crate) fn new(terms: &[QueryTerm], mut idf: impl FnMut(u64) -> f32) -> Self {
        let mut weight = |term: &QueryTerm| match term.stands_for {
            0 => term.weight * idf(term.term),
            _ => 0.0,
        };
        let each: Vec<f32> = terms.iter().map(&mut weight).collect();
        Self {
            total: each.iter().sum(),
            each,
        }
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.each)
    }

    /// The weight of the terms in a mask.
    pub(crate) fn of(&self, mut mask: u64) -> f32 {
        let mut sum = 0.0;
        while mask != 0 {
            sum += self.each[mask.trailing_zeros() as usize];
            mask &= mask - 1;
        }
        sum
    }
}

/// The chunks that fit best, at most `limit`: curated pairs that answer the question, then all others.
pub(crate) fn rank(index: &BotIndex, question: &Question, limit: usize) -> Ranking {
    if index.chunks == 0 || limit == 0 {
        return Ranking::default();
    }
    let mut ranking = retrieve(index, &question.terms, limit.saturating_add(SPARE));
    let answers = curated::winners(index, question, &ranking.weights);
    if let Some(answer) = answers.first() {
        ranking.answerable = answer.fit;
        ranking.best = before(answers, ranking.best);
    }
    let mut seen = HashSet::new();
    ranking.best.retain(|ranked| {
        let (source, chunk) = index.locate(ranked.chunk);
        seen.insert(source.segment.fingerprint(chunk))
    });
    ranking.best.truncate(limit);
    ranking
}

/// The chunks that have most of the terms, at most `count`.
fn retrieve(index: &BotIndex, terms: &[QueryTerm], count: usize) -> Ranking {
    if terms.is_empty() {
        return Ranking::default();
    }
    let mut scores = vec![0.0; index.chunks];
    let weights = score(index, terms, &mut scores);
    let mut best: Vec<Ranked> = top(&scores, count)
        .into_iter()
        .map(|chunk| {
            let evidence = evidence(index, terms, &weights, chunk);
            let sentence = evidence.pieces.iter().map(|piece| weights.of(*piece));
            Ranked {
                chunk,
                score: scores[chunk]
                    + SENTENCE * sentence.fold(0.0, f32::max)
                    + PAIR * evidence.pairs,
                evidence,
                is_answer: false,
            }
        })
        .collect();
    best.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
    let answerable = best.first().map_or(0.0, |first| {
        answerable::probability(&signals(index, terms, &weights, first))
    });
    Ranking {
        best,
        answerable,
        weights,
    }
}

/// The curated pairs that answer the question, with scores above all others', and then the others.
fn before(answers: Vec<Winner>, others: Vec<Ranked>) -> Vec<Ranked> {
    let top = others.first().map_or(0.0, |first| first.score);
    let chunks: HashSet<usize> = answers.iter().map(|answer| answer.chunk).collect();
    let answers = answers.into_iter().map(|answer| Ranked {
        chunk: answer.chunk,
        score: top + answer.fit,
        evidence: Evidence::default(),
        is_answer: true,
    });
    let others = others
        .into_iter()
        .filter(|other| !chunks.contains(&other.chunk));
    answers.chain(others).collect()
}

/// Adds up BM25 for every chunk, and answers the weights of the terms.
fn score(index: &BotIndex, terms: &[QueryTerm], scores: &mut [f32]) -> Weights {
    // Source by source, so that each one's memory is fetched once and not once for every term.
    let places: Vec<&[u32]> = index
        .sources
        .iter()
        .flat_map(|source| terms.iter().map(|term| source.segment.places(term.term)))
        .collect();
    let names: Vec<u64> = index
        .sources
        .iter()
        .map(|source| named(source, terms))
        .collect();
    let mut weights = Weights::default();
    let mut found: Vec<(usize, f32)> = Vec::new();
    for (at, term) in terms.iter().enumerate() {
        found.clear();
        let of_term = places.iter().skip(at).step_by(terms.len());
        for ((source, places), names) in index.sources.iter().zip(of_term).zip(&names) {
            let first = found.len();
            let named = names & (1 << at) != 0;
            if named {
                found.extend((0..source.segment.len()).map(|chunk| (source.base + chunk, NAME)));
            }
            source.segment.matches(places, |m| {
                let frequency = HEADING * m.in_heading as f32 + m.in_content as f32;
                let chunk = m.chunk as usize;
                if named {
                    found[first + chunk].1 += frequency;
                } else {
                    found.push((source.base + chunk, frequency));
                }
            });
        }
        let weight = term.weight * idf(index.chunks, found.len());
        weights
            .each
            .push(if term.stands_for == 0 { weight } else { 0.0 });
        for &(chunk, frequency) in &found {
            let norm = K1 * (1.0 - B + B * index.lengths[chunk]);
            scores[chunk] += weight * frequency * (K1 + 1.0) / (frequency + norm);
        }
    }
    weights.total = weights.each.iter().sum();
    weights
}

/// How much a term tells that so many of the chunks have.
pub(crate) fn idf(chunks: usize, having: usize) -> f32 {
    let (all, having) = (chunks as f32 + FURTHER_CHUNKS, having as f32);
    (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
}

/// The terms that stand in the name of a source, a bit for each.
fn named(source: &SourceEntry, terms: &[QueryTerm]) -> u64 {
    let bits = terms.iter().enumerate().map(|(at, term)| {
        let named = source.name_terms.binary_search(&term.term).is_ok();
        u64::from(named) << at
    });
    bits.fold(0, |all, bit| all | bit)
}

/// The chunks of the highest scores above zero, in no order; of equal ones the first.
fn top(scores: &[f32], count: usize) -> Vec<usize> {
    // Scores above zero are ordered as their bits are.
    let mut heap: BinaryHeap<Reverse<(u32, Reverse<usize>)>> = BinaryHeap::new();
    let mut least = 0;
    for (chunk, score) in scores.iter().enumerate() {
        let bits = score.to_bits();
        if bits <= least || *score <= 0.0 {
            continue;
        }
        heap.push(Reverse((bits, Reverse(chunk))));
        if heap.len() > count {
            heap.pop();
            least = heap.peek().map_or(0, |lowest| lowest.0.0);
        }
    }
    heap.into_iter()
        .map(|Reverse((_, Reverse(chunk)))| chunk)
        .collect()
}

fn evidence(index: &BotIndex, terms: &[QueryTerm], weights: &Weights, chunk: usize) -> Evidence {
    let (source, chunk) = index.locate(chunk);
    let segment = &source.segment;
    let mut found = Evidence {
        pieces: vec![0; segment.pieces(chunk).len()],
        ..Evidence::default()
    };
    // Where the term before stands in the content.
    let (mut before, mut now): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for (at, term) in terms.iter().enumerate() {
        let bits = 1 << at | term.stands_for;
        if source.name_terms.binary_search(&term.term).is_ok() {
            found.above |= bits;
        }
        now.clear();
        for place in segment.places_in(chunk, segment.places(term.term)) {
            match place {
                Place::Heading => found.above |= bits,
                Place::Content { piece, word } => {
                    found.pieces[piece] |= bits;
                    now.push(word);
                }
            }
        }
        if term.stands_for != 0 {
            continue;
        }
        let beside = |word: &u32| before.contains(&(word.wrapping_sub(1)));
        if at > 0 && now.iter().any(beside) {
            found.pairs += weights.of(1 << (at - 1)).min(weights.of(1 << at));
        }
        std::mem::swap(&mut before, &mut now);
    }
    found.anywhere = found
        .pieces
        .iter()
        .fold(found.above, |all, piece| all | piece);
    found
}

fn signals(index: &BotIndex, terms: &[QueryTerm], weights: &Weights, best: &Ranked) -> Signals {
    Signals {
        coverage: weights.of(best.evidence.anywhere) / weights.total,
        strength: best.score / weights.total,
        asked: terms.iter().filter(|t| t.stands_for == 0).count() as f32,
        searched: index.words,
    }
}
