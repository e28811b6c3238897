//! A first look at many embeddings: on which side of the middle of all each dimension is, a bit for each.
//!
//! Some models put all texts into one corner, so that most of their dimensions have the same sign whatever a text
//! means: of a small multilingual E5, one nearest chunk in six was lost by plain signs, and one in a hundred by those
//! around the middle.

use crate::vectors::{Meaning, Vectors};

/// So many chunks are compared at once.
const ROW: usize = 8;
/// In chunks: the middle of so many is near enough to that of all.
const SAMPLE: usize = 50_000;

/// The middle of a bot's embeddings.
pub(crate) struct Middle(Box<[f32]>);

/// The signs of the embeddings of a source.
pub(crate) struct Signs {
    chunks: usize,
    /// 64 dimensions to a word. Those words of a row of chunks stand side by side, so that the processor takes them
    /// at once.
    words: Box<[[u64; ROW]]>,
}

impl Middle {
    /// The middle of the embeddings of `chunks` chunks. `None`: there are none.
    pub(crate) fn of<'a>(
        sources: impl Iterator<Item = &'a Vectors> + Clone,
        chunks: usize,
    ) -> Option<Self> {
        let dimensions = sources.clone().next()?.dimensions();
        let mut sums = vec![0.0; dimensions];
        let mut count = 0.0;
        let rows = sources
            .filter(|vectors| vectors.dimensions() == dimensions)
            .flat_map(Vectors::rows);
        for (scale, values) in rows.step_by(chunks / SAMPLE + 1) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += scale * f32::from(*value);
            }
            count += 1.0;
        }
        Some(Self(sums.into_iter().map(|sum| sum / count).collect()))
    }

    /// The memory it takes.
    pub(crate) const fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// The signs of a question; `None`: it can't be compared.
    pub(crate) fn signs_of(&self, question: &Meaning) -> Option<Vec<u64>> {
        let values = question.values();
        (values.len() == self.0.len()).then(|| self.signs(question.scale(), values).collect())
    }

    fn signs<T: Copy + Into<f32>>(&self, scale: f32, values: &[T]) -> impl Iterator<Item = u64> {
        let bits = u64::BITS as usize;
        let words = values.chunks(bits).zip(self.0.chunks(bits));
        words.map(move |(values, middle)| {
            let bits = values.iter().zip(middle).enumerate();
            bits.fold(0, |all, (at, (value, middle))| {
                all | u64::from(scale * (*value).into() > *middle) << at
            })
        })
    }
}

impl Signs {
    /// `None`: the embeddings can't be compared with those of the middle.
    pub(crate) fn new(vectors: &Vectors, middle: &Middle) -> Option<Self> {
        if vectors.dimensions() != middle.0.len() {
            return None;
        }
        let in_row = middle.0.len().div_ceil(u64::BITS as usize);
        let chunks = vectors.rows().len();
        let mut words = vec![[0; ROW]; chunks.div_ceil(ROW) * in_row];
        for (chunk, (scale, values)) in vectors.rows().enumerate() {
            let row = &mut words[chunk / ROW * in_row..][..in_row];
            for (word, signs) in row.iter_mut().zip(middle.signs(scale, values)) {
                word[chunk % ROW] = signs;
            }
        }
        Some(Self {
            chunks,
            words: words.into(),
        })
    }

    /// The memory it takes.
    pub(crate) const fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.words)
    }

    /// Appends in how many dimensions each chunk is on the other side than the question of these signs.
    pub(crate) fn distances(&self, question: &[u64], out: &mut Vec<u16>) {
        let end = out.len() + self.chunks;
        for row in self.words.chunks_exact(question.len()) {
            let mut differing = [0_u64; ROW];
            for (words, asked) in row.iter().zip(question) {
                for (differing, word) in differing.iter_mut().zip(words) {
                    *differing += u64::from((word ^ asked).count_ones());
                }
            }
            out.extend(differing.map(|count| count as u16));
        }
        out.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use domain::embeddings::{Embedding, PassageHash};

    use super::*;

    /// All in one corner: no dimension is ever below zero.
    fn vector(number: usize) -> Vec<f32> {
        let value = |at: usize| 3.0 + ((number * 31 + at * 7) as f32).sin();
        (0..100).map(value).collect()
    }

    #[test]
    fn distances_count_the_dimensions_on_the_other_side_of_the_middle() {
        let vectors: Vec<_> = (0..21).map(vector).collect();
        let embeddings = vectors.iter().enumerate().map(|(number, vector)| {
            let hash = PassageHash::of(&number.to_string());
            (hash, Embedding::of(vector).unwrap())
        });
        let embeddings: Vec<_> = embeddings.collect();
        let hashes: Vec<_> = embeddings.iter().map(|(hash, _)| *hash).collect();
        let kept = Vectors::new(&hashes, &embeddings).unwrap();
        let middle = Middle::of([&kept].into_iter(), 21).unwrap();
        let signs = Signs::new(&kept, &middle).unwrap();
        let question = Meaning::of(&embeddings[3].1).unwrap();
        let mut distances = vec![7];
        signs.distances(&middle.signs_of(&question).unwrap(), &mut distances);
        assert_eq!((distances.len(), distances[0]), (22, 7));
        let above = |number: usize, at: usize| {
            let (_, embedding) = &embeddings[number];
            embedding.scale() * f32::from(embedding.values()[at]) > middle.0[at]
        };
        for (chunk, distance) in distances[1..].iter().enumerate() {
            let differing = (0..100).filter(|at| above(chunk, *at) != above(3, *at));
            assert_eq!(usize::from(*distance), differing.count(), "{chunk}");
        }
        assert!(distances[1..].iter().any(|distance| *distance > 20));
        let other = Embedding::of(&[1.0, 2.0]).and_then(|e| Meaning::of(&e));
        assert!(middle.signs_of(&other.unwrap()).is_none());
    }
}
