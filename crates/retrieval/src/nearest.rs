//! The chunks that come nearest to what a question means.

use crate::index::BotIndex;
use crate::vectors::Meaning;

/// In chunks: of fewer, all are compared in full.
pub(crate) const COMPARED_MAX: usize = 100_000;
/// Of more, about these, which by a first look are the nearest.
const CLOSER_LOOK: usize = 20_000;
/// In chunks: the average of so many is near enough to that of all.
const SAMPLE: usize = 10_000;
/// Cosines of a few chunks may lie closer together by chance.
const DEVIATION_MIN: f32 = 0.01;
/// In a base of one chunk, that one is no nearer than the average, and yet the nearest.
const NEARNESS_MIN: f32 = 0.01;
/// In chunks: of fewer, the nearest one says nothing.
const TELLING_MIN: usize = 8;

/// The nearest chunks.
pub(crate) struct Nearest {
    /// With their cosines, nearest first; of equal ones those that stand first in the knowledge.
    pub(crate) chunks: Vec<(usize, f32)>,
    /// How near chunks are on the average, which is far, as the most have nothing to do with the question.
    mean: f32,
    deviation: f32,
    /// How many chunks the knowledge has.
    among: usize,
}

impl Nearest {
    /// How much nearer a cosine is than the average one, in standard deviations. Cosines of models can't be compared,
    /// but this can.
    pub(crate) fn nearness(&self, cosine: f32) -> f32 {
        ((cosine - self.mean) / self.deviation.max(DEVIATION_MIN)).max(NEARNESS_MIN)
    }

    /// That of the nearest chunk.
    pub(crate) fn greatest(&self) -> f32 {
        let nearest = self.chunks.first();
        nearest.map_or(0.0, |(_, cosine)| self.nearness(*cosine))
    }

    /// A nearness as a share of what the greatest of so many would be by chance, if they were spread normally. `None`:
    /// there are too few chunks to tell.
    pub(crate) fn beyond_chance(&self, nearness: f32) -> Option<f32> {
        let by_chance = (2.0 * (self.among as f32).ln()).sqrt();
        (self.among >= TELLING_MIN).then(|| nearness / by_chance)
    }
}

/// The nearest chunks, at most `count`.
pub(crate) fn nearest(index: &BotIndex, question: &Meaning, count: usize) -> Nearest {
    // One in so many is compared in full however far it seems, for the average of all.
    let distances = distances(index, question);
    let every = if distances.is_empty() {
        1
    } else {
        index.chunks / SAMPLE
    };
    let within = within(&distances);
    let mut distances = distances.iter();
    let mut near: Vec<(usize, f32)> = Vec::new();
    let mut passed = 0;
    // Cosines of some models differ little, and so do these sums.
    let (mut compared, mut sum, mut squares) = (0.0_f64, 0.0, 0.0);
    for source in &index.sources {
        let Some(vectors) = &source.vectors else {
            continue;
        };
        let first = index.number(source);
        for (at, chunk) in (first..).zip(0..source.chunks.len()) {
            let is_near = distances.next().is_none_or(|distance| *distance <= within);
            passed += 1;
            let is_sample = passed % every == 0;
            if !is_near && !is_sample {
                continue;
            }
            let Some(cosine) = vectors.cosine(chunk, question) else {
                continue;
            };
            if is_near {
                near.push((at, cosine));
            }
            if is_sample {
                compared += 1.0;
                sum += f64::from(cosine);
                squares += f64::from(cosine).powi(2);
            }
        }
    }
    let nearer = |a: &(usize, f32), b: &(usize, f32)| {
        let order = |chunk| index.locate(chunk).order;
        let cosines = b.1.total_cmp(&a.1);
        cosines.then_with(|| order(a.0).cmp(&order(b.0)))
    };
    if near.len() > count {
        near.select_nth_unstable_by(count, nearer);
        near.truncate(count);
    }
    near.sort_unstable_by(nearer);
    let mean = sum / compared.max(1.0);
    let variance = squares / compared.max(1.0) - mean * mean;
    Nearest {
        chunks: near,
        among: index.chunks,
        mean: mean as f32,
        deviation: variance.max(0.0).sqrt() as f32,
    }
}

/// How far from the question a first look puts all chunks that are in sources with embeddings, source by source; none
/// where it is not needed.
fn distances(index: &BotIndex, question: &Meaning) -> Vec<u16> {
    let signs = index.middle.as_ref();
    let Some(asked) = signs.and_then(|middle| middle.signs_of(question)) else {
        return Vec::new();
    };
    let mut distances = Vec::with_capacity(index.chunks);
    for source in index.sources.iter().filter(|s| s.vectors.is_some()) {
        match &source.signs {
            Some(signs) => signs.distances(&asked, &mut distances),
            None => distances.resize(distances.len() + source.chunks.len(), u16::MAX),
        }
    }
    distances
}

/// Within which distance about [`CLOSER_LOOK`] chunks are.
fn within(distances: &[u16]) -> u16 {
    let greatest = distances.iter().copied().filter(|d| *d < u16::MAX).max();
    let greatest = greatest.unwrap_or_default();
    let mut chunks_at = vec![0_usize; usize::from(greatest) + 1];
    for distance in distances {
        if let Some(chunks) = chunks_at.get_mut(usize::from(*distance)) {
            *chunks += 1;
        }
    }
    let mut chunks = 0;
    let within = chunks_at.iter().position(|here| {
        chunks += here;
        chunks >= CLOSER_LOOK
    });
    within.map_or(greatest, |within| within as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closer_look_is_taken_at_the_closest_and_enough_of_them() {
        let unlike = [u16::MAX; 5].into_iter();
        let mut distances: Vec<u16> = unlike.chain((0..50_000).map(|n| n % 100)).collect();
        assert_eq!(within(&distances), CLOSER_LOOK as u16 / 500 - 1);
        distances.truncate(105);
        assert_eq!(within(&distances), 99);
    }
}
