//! Scores by words: BM25 over the weighted fields of all chunks of a bot (Robertson and Zaragoza, "The
//! Probabilistic Relevance Framework: BM25 and Beyond", 2009).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::index::{BotIndex, SegmentEntry};
use crate::query::QueryTerm;

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// What a word in the name of the source counts, against one in the chunk or in the headings above it.
const NAME: f32 = 0.5;
/// In a base of a few chunks every word looks common. Reckoning with this many further chunks that hold none of
/// the words makes the weights of words in small bases those of larger ones.
const FURTHER_CHUNKS: f32 = 100.0;
/// So many scores are compared at once with the least one that counts.
const ROW: usize = 32;

/// How much each term of the question tells: rare words tell more.
#[derive(Default)]
pub(crate) struct Weights {
    each: Vec<f32>,
    /// What finding each term adds to a score. A compound's own weight is none, that of the terms that it stands
    /// for is, but finding it raises the score.
    in_scores: Vec<f32>,
    /// Of the question as a whole.
    pub(crate) total: f32,
}

impl Weights {
    /// The weights of the terms of a question; `idf` says what a term tells.
    pub(crate) fn new(terms: &[QueryTerm], mut idf: impl FnMut(u64) -> f32) -> Self {
        let in_scores = terms.iter().map(|term| term.weight * idf(term.term));
        let in_scores: Vec<f32> = in_scores.collect();
        let each = terms.iter().zip(&in_scores);
        let each = each.map(|(term, weight)| if term.stands_for == 0 { *weight } else { 0.0 });
        let each: Vec<f32> = each.collect();
        Self {
            total: each.iter().sum(),
            each,
            in_scores,
        }
    }

    /// Those of the first `count` terms alone.
    pub(crate) fn first(&self, count: usize) -> Self {
        let each = self.each[..count].to_vec();
        Self {
            total: each.iter().sum(),
            each,
            in_scores: self.in_scores[..count].to_vec(),
        }
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.each) + size_of_val(&*self.in_scores)
    }

    /// What a term adds to the score of a chunk in which it stands so often, and of whose source it names.
    pub(crate) fn score(&self, term: usize, frequency: u32, is_named: bool, norm: f32) -> f32 {
        let frequency = frequency as f32 + if is_named { NAME } else { 0.0 };
        if frequency > 0.0 {
            bm25(self.in_scores[term], frequency, norm)
        } else {
            0.0
        }
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

/// How much a term tells that so many of the chunks have.
pub(crate) fn idf(chunks: usize, having: usize) -> f32 {
    let (all, having) = (chunks as f32 + FURTHER_CHUNKS, having as f32);
    (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
}

/// What a chunk's length, as a share of the average, does to its score.
pub(crate) fn norm(length: f32) -> f32 {
    K1 * (1.0 - B + B * length)
}

fn bm25(weight: f32, frequency: f32, norm: f32) -> f32 {
    weight * frequency * (K1 + 1.0) / (frequency + norm)
}

/// The weights of the terms, and the chunks of the highest scores above zero, at most `count`, in no order. Of
/// equal ones those that stand first in the knowledge.
pub(crate) fn best(index: &BotIndex, terms: &[QueryTerm], count: usize) -> (Weights, Vec<usize>) {
    let weights = Weights::new(terms, |term| idf(index.chunks, index.having(term)));
    let mut top = Top::new(index, count);
    let mut scores = Vec::new();
    for (at, entry) in index.segments.iter().enumerate() {
        let lists = entry.segment.lists(terms);
        scores.clear();
        scores.resize(entry.segment.len(), 0.0);
        let norms = &index.norms[entry.base..][..scores.len()];
        for ((term, list), weight) in terms.iter().zip(&lists).zip(&weights.in_scores) {
            let mut named = index
                .named(term.term)
                .filter(|source| source.segment == at)
                .peekable();
            if named.peek().is_none() {
                for posting in list.postings() {
                    let chunk = posting.chunk as usize;
                    scores[chunk] += bm25(*weight, posting.frequency as f32, norms[chunk]);
                }
                continue;
            }
            let mut frequencies = vec![0.0; scores.len()];
            for source in named {
                frequencies[source.chunks.clone()].fill(NAME);
            }
            for posting in list.postings() {
                frequencies[posting.chunk as usize] += posting.frequency as f32;
            }
            for ((score, frequency), norm) in scores.iter_mut().zip(&frequencies).zip(norms) {
                if *frequency > 0.0 {
                    *score += bm25(*weight, *frequency, *norm);
                }
            }
        }
        top.add(entry, &scores);
    }
    let best = top.heap.into_iter().map(|scored| scored.0.chunk);
    (weights, best.collect())
}

/// The chunks of the highest scores so far.
struct Top<'a> {
    index: &'a BotIndex,
    count: usize,
    /// The least one first.
    heap: BinaryHeap<Reverse<Scored>>,
}

/// A chunk with its score: the greater one is the better one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Scored {
    /// Scores above zero are ordered as their bits are.
    bits: u32,
    order: Reverse<(usize, usize)>,
    chunk: usize,
}

impl<'a> Top<'a> {
    fn new(index: &'a BotIndex, count: usize) -> Self {
        Self {
            index,
            count,
            heap: BinaryHeap::new(),
        }
    }

    /// Adds the scores of a segment's chunks.
    fn add(&mut self, entry: &SegmentEntry, scores: &[f32]) {
        for (row, scores) in scores.chunks(ROW).enumerate() {
            let highest = scores.iter().fold(0.0_f32, |most, score| most.max(*score));
            if highest <= 0.0 || highest < self.least() {
                continue;
            }
            for (at, score) in scores.iter().enumerate() {
                if *score > 0.0 && *score >= self.least() {
                    self.push(entry.base + row * ROW + at, *score);
                }
            }
        }
    }

    fn least(&self) -> f32 {
        let least = self.heap.peek().filter(|_| self.heap.len() >= self.count);
        least.map_or(0.0, |least| f32::from_bits(least.0.bits))
    }

    fn push(&mut self, chunk: usize, score: f32) {
        self.heap.push(Reverse(Scored {
            bits: score.to_bits(),
            order: Reverse(self.index.locate(chunk).order),
            chunk,
        }));
        if self.heap.len() > self.count {
            self.heap.pop();
        }
    }
}
