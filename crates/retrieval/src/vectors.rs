//! What the chunks of a source mean: their embeddings by one model, one byte a dimension.

use std::collections::HashMap;

use domain::embeddings::{Embedding, PassageHash};

/// The embeddings of the chunks of a source.
pub(crate) struct Vectors {
    dimensions: usize,
    /// By chunk; 0: it has none.
    scales: Box<[f32]>,
    values: Box<[i8]>,
}

/// What a question means.
pub(crate) struct Meaning {
    scale: f32,
    /// Twice as wide as needed, as the processor multiplies them.
    values: Box<[i16]>,
}

impl Meaning {
    /// `None`: the embedding has no dimensions.
    pub(crate) fn of(question: &Embedding) -> Option<Self> {
        (question.dimensions() > 0).then(|| Self {
            scale: question.scale(),
            values: question.values().iter().map(|v| i16::from(*v)).collect(),
        })
    }

    pub(crate) const fn scale(&self) -> f32 {
        self.scale
    }

    pub(crate) fn values(&self) -> &[i16] {
        &self.values
    }
}

impl Vectors {
    /// Those of the chunks of these hashes, in their order. `None`: not one of them has an embedding.
    pub(crate) fn new(
        hashes: &[PassageHash],
        embeddings: &[(PassageHash, Embedding)],
    ) -> Option<Self> {
        let dimensions = embeddings.first()?.1.dimensions();
        let known = embeddings.iter();
        let known: HashMap<_, _> = known
            .filter(|(_, embedding)| embedding.dimensions() == dimensions && dimensions > 0)
            .map(|(hash, embedding)| (*hash, embedding))
            .collect();
        let mut scales = Vec::with_capacity(hashes.len());
        let mut values = Vec::with_capacity(hashes.len() * dimensions);
        for hash in hashes {
            let embedding = known.get(hash);
            scales.push(embedding.map_or(0.0, |e| e.scale()));
            values.extend(embedding.map_or(&[][..], |e| e.values()));
            values.resize(scales.len() * dimensions, 0);
        }
        scales.iter().any(|scale| *scale > 0.0).then(|| Self {
            dimensions,
            scales: scales.into(),
            values: values.into(),
        })
    }

    /// The memory it takes.
    pub(crate) const fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.scales) + size_of_val(&*self.values)
    }

    /// How near a chunk is to a question, -1 to 1. `None`: it has no embedding that can be compared.
    pub(crate) fn cosine(&self, chunk: usize, question: &Meaning) -> Option<f32> {
        if self.dimensions != question.values.len() {
            return None;
        }
        let scale = *self.scales.get(chunk).filter(|scale| **scale > 0.0)?;
        let values = self.values.get(chunk * self.dimensions..)?;
        let products = values.iter().zip(&question.values);
        let sum: i32 = products
            .map(|(a, b)| i32::from(i16::from(*a)) * i32::from(*b))
            .sum();
        Some(sum as f32 * scale * question.scale)
    }

    pub(crate) const fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The scale and the values of each chunk, all 0 where it has no embedding.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = (f32, &[i8])> {
        let values = self.values.chunks_exact(self.dimensions);
        self.scales.iter().copied().zip(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(number: usize) -> Embedding {
        let value = |at: usize| ((number * 31 + at * 7) as f32).sin();
        Embedding::of(&(0..100).map(value).collect::<Vec<_>>()).unwrap()
    }

    fn hash(number: usize) -> PassageHash {
        PassageHash::of(&number.to_string())
    }

    /// Of 21 chunks all but every fifth have an embedding.
    fn vectors() -> (Vec<PassageHash>, Vectors) {
        let hashes: Vec<_> = (0..21).map(hash).collect();
        let kept = (0..40).rev().filter(|number| number % 5 != 0);
        let kept: Vec<_> = kept
            .map(|number| (hash(number), embedding(number)))
            .collect();
        let vectors = Vectors::new(&hashes, &kept).unwrap();
        (hashes, vectors)
    }

    #[test]
    fn chunks_have_the_embeddings_of_their_passages() {
        let (hashes, vectors) = vectors();
        for chunk in 0..hashes.len() {
            let same = Meaning::of(&embedding(chunk)).unwrap();
            match vectors.cosine(chunk, &same) {
                Some(cosine) => assert!((cosine - 1.0).abs() < 0.01 && chunk % 5 != 0),
                None => assert_eq!(chunk % 5, 0),
            }
        }
        let other = Embedding::of(&[1.0, 2.0]).and_then(|e| Meaning::of(&e));
        assert_eq!(vectors.cosine(1, &other.unwrap()), None);
        assert!(Vectors::new(&hashes, &[]).is_none());
        assert!(Vectors::new(&hashes, &[(hash(99), embedding(99))]).is_none());
    }
}
