//! Ranking: among the chunks of the best scores by words, and those nearest to the meaning, how close together the terms
//! stand.

use std::collections::HashSet;

use crate::answerable::{self, Signals};
use crate::codes::narrow;
use crate::curated::{self, Winner};
use crate::doubles::Sketch;
use crate::index::{BotIndex, Located};
use crate::nearest::{Nearest, nearest};
use crate::neighbours;
use crate::postings::{Finder, List, Posting};
use crate::query::{QueryTerm, Question};
use crate::scoring::{self, Weights};
use crate::segment::{PieceEntry, Segment};
use crate::vectors::Meaning;

/// What the best sentence of a chunk counts: its share of the question's weight, in that weight.
const SENTENCE: f32 = 0.5;
/// What two of the question's words side by side count, in the weight of the lesser one.
const PAIR: f32 = 0.8;
/// What one standard deviation nearer to the meaning than chunks are on the average counts, against all words of the
/// question.
const NEARNESS: f32 = 0.2;
/// How many more chunks than asked for are looked at closely.
const SPARE: usize = 10;

/// A chunk that fits.
pub(crate) struct Ranked {
    /// Its number in the bot's index.
    pub(crate) chunk: usize,
    pub(crate) score: f32,
    /// How much nearer to what the question means it is than others; `None`: it is not embedded, or meaning does not
    /// count.
    pub(crate) nearness: Option<f32>,
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
    /// Its pieces.
    pub(crate) layout: Vec<PieceEntry>,
    /// The score of its words: how often they stand in it, in one sentence, and side by side.
    words: f32,
    /// The weight of the terms that stand side by side as they do in the question.
    pairs: f32,
}

/// What ranking found.
#[derive(Default)]
pub(crate) struct Ranking {
    /// Best first.
    pub(crate) best: Vec<Ranked>,
    pub(crate) answerable: f32,
    /// Whether meaning counted.
    pub(crate) embedded: bool,
    pub(crate) weights: Weights,
}

/// The chunks that fit best, at most `limit`: curated pairs that answer the question, then all others.
pub(crate) fn rank(
    index: &BotIndex,
    question: &Question,
    meaning: Option<&Meaning>,
    limit: usize,
) -> Ranking {
    if index.chunks == 0 || limit == 0 {
        return Ranking::default();
    }
    let count = limit.saturating_add(SPARE);
    let mut ranking = retrieve(index, question, meaning, count);
    let answers = curated::winners(index, question, &ranking.weights);
    if let Some(answer) = answers.first() {
        ranking.answerable = answer.fit;
        ranking.best = before(answers, ranking.best);
    }
    ranking.best = without_doubles(index, ranking.best);
    ranking.best.truncate(limit);
    neighbours::join(index, question, &mut ranking, limit);
    ranking
}

/// Without the chunks that say the same as a better one: the very same, or nearly so and with no word of the question
/// that the better one lacks.
fn without_doubles(index: &BotIndex, mut ranked: Vec<Ranked>) -> Vec<Ranked> {
    let mut kept: Vec<(Sketch, u64)> = Vec::with_capacity(ranked.len());
    ranked.retain(|ranked| {
        let found = index.locate(ranked.chunk);
        let (sketch, has) = (found.segment.sketch(found.chunk), ranked.evidence.anywhere);
        let is_double = kept.iter().any(|(better, of_better)| {
            sketch == *better || sketch.is_like(better) && has & !of_better == 0
        });
        if !is_double {
            kept.push((sketch, has));
        }
        !is_double
    });
    ranked
}

/// The chunks that have most of the terms or are nearest to the meaning, at most `count` of each.
fn retrieve(
    index: &BotIndex,
    question: &Question,
    meaning: Option<&Meaning>,
    count: usize,
) -> Ranking {
    let terms = &*question.terms;
    let (weights, mut chunks) = scoring::best(index, terms, count);
    let near = meaning.map(|meaning| nearest(index, meaning, count));
    let near = near.filter(|near| !near.chunks.is_empty());
    chunks.extend(near.iter().flat_map(|near| &near.chunks).map(|near| near.0));
    chunks.sort_unstable();
    chunks.dedup();
    // Chunks of one segment follow each other.
    let mut finders: Option<(&Segment, Vec<Finder<'_>>)> = None;
    let ranked = chunks.into_iter().map(|chunk| {
        let located = index.locate(chunk);
        let segment = located.segment;
        let (_, finders) = match finders.take() {
            Some(known) if std::ptr::eq(known.0, segment) => finders.insert(known),
            _ => {
                let lists = segment.lists(terms);
                finders.insert((segment, lists.iter().map(List::finder).collect()))
            }
        };
        let evidence = evidence(&located, index.norms[chunk], terms, finders, &weights);
        let ranked = Ranked {
            chunk,
            score: evidence.words,
            nearness: None,
            evidence,
            is_answer: false,
        };
        (located.order, ranked)
    });
    let mut ranked: Vec<_> = ranked.collect();
    if let (Some(meaning), Some(near)) = (meaning, &near) {
        let best = ranked.iter().map(|(_, ranked)| ranked.evidence.words);
        let best = best.fold(f32::MIN_POSITIVE, f32::max);
        for (_, ranked) in &mut ranked {
            let words = ranked.evidence.words;
            let cosine = index.cosine(ranked.chunk, meaning);
            ranked.nearness = cosine.map(|cosine| near.nearness(cosine));
            // What is not embedded yet does not lose by it: it is taken to be as near as its words are many.
            let nearness = ranked.nearness.unwrap_or(near.greatest() * words / best);
            let total = weights.total.max(f32::MIN_POSITIVE);
            ranked.score = fused(words / total, nearness);
        }
    }
    ranked.sort_by(|(a, one), (b, other)| other.score.total_cmp(&one.score).then(a.cmp(b)));
    let best: Vec<Ranked> = ranked.into_iter().map(|(_, ranked)| ranked).collect();
    let answerable = best.first().map_or(0.0, |first| {
        answerable::probability(&signals(index, question, &weights, first, near.as_ref()))
    });
    Ranking {
        best,
        answerable,
        embedded: near.is_some(),
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
        nearness: None,
        evidence: Evidence::default(),
        is_answer: true,
    });
    let others = others
        .into_iter()
        .filter(|other| !chunks.contains(&other.chunk));
    answers.chain(others).collect()
}

/// Words and meaning in one score. Both are on the scale of the question, and not of the best chunk that there is for it:
/// where none has its words, meaning decides, and where none comes near, words do.
fn fused(words: f32, nearness: f32) -> f32 {
    words + NEARNESS * nearness
}

/// What of these terms is in one chunk.
pub(crate) fn evidence_of(
    index: &BotIndex,
    chunk: usize,
    terms: &[QueryTerm],
    weights: &Weights,
) -> Evidence {
    let located = index.locate(chunk);
    let lists = located.segment.lists(terms);
    let mut finders: Vec<_> = lists.iter().map(List::finder).collect();
    evidence(&located, index.norms[chunk], terms, &mut finders, weights)
}

/// What of the question is in a chunk, whose length does `norm` to its score.
fn evidence(
    located: &Located<'_>,
    norm: f32,
    terms: &[QueryTerm],
    finders: &mut [Finder<'_>],
    weights: &Weights,
) -> Evidence {
    let Located { segment, chunk, .. } = *located;
    let pieces = segment.pieces(chunk);
    let mut found = Evidence {
        pieces: vec![0; pieces.len()],
        ..Evidence::default()
    };
    // Where the term before stands in the content.
    let (mut before, mut now): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    for (at, (term, finder)) in terms.iter().zip(finders).enumerate() {
        let bits = 1 << at | term.stands_for;
        let is_named = located.source.name_terms.binary_search(&term.term).is_ok();
        if is_named {
            found.above |= bits;
        }
        now.clear();
        let posting = finder.of(narrow(chunk));
        let frequency = posting.map_or(0, |posting| posting.frequency);
        found.words += weights.score(at, frequency, is_named, norm);
        for place in posting.iter().flat_map(Posting::places) {
            if place < segment.heading(chunk) {
                found.above |= bits;
                continue;
            }
            let after = pieces.partition_point(|piece| piece.place <= place);
            found.pieces[after.saturating_sub(1)] |= bits;
            now.push(place);
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
    found.layout = pieces;
    let sentence = found.pieces.iter().map(|piece| weights.of(*piece));
    found.words += SENTENCE * sentence.fold(0.0, f32::max);
    found.words += PAIR * found.pairs;
    found
}

/// Words of an earlier question find chunks, but they say nothing of whether this one is answered: its own words do, those
/// that no chunk has in full. Only a question that has none is as answered as the one before it.
fn signals(
    index: &BotIndex,
    question: &Question,
    weights: &Weights,
    best: &Ranked,
    near: Option<&Nearest>,
) -> Signals {
    let nearness = near.and_then(|near| near.beyond_chance(best.nearness?));
    let signals = |terms: &[QueryTerm], weights: &Weights, evidence: &Evidence| {
        let total = weights.total.max(f32::MIN_POSITIVE);
        Signals {
            strength: evidence.words / total,
            asked: terms.iter().filter(|t| t.stands_for == 0).count() as f32,
            searched: index.words,
            nearness,
        }
    };
    if question.own == 0 || question.own == question.terms.len() {
        return signals(&question.terms, weights, &best.evidence);
    }
    let own = &question.terms[..question.own];
    let weights = weights.first(question.own);
    let evidence = evidence_of(index, best.chunk, own, &weights);
    signals(own, &weights, &evidence)
}
