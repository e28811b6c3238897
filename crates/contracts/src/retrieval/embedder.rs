//! A fake of models that embed: it knows just the synonyms that it is taught.

use std::collections::HashMap;
use std::future;

use async_trait::async_trait;
use domain::answers::ProviderError;
use domain::embeddings::{Embedder, Embedding, Purpose};

const DIMENSIONS: usize = 512;
/// Shorter words mean nothing to it.
const WORD_MIN: usize = 4;

/// Embeds texts by their words, each hashed to a dimension; words that mean the same have the same one.
pub struct Synonyms {
    model: String,
    /// What a word stands for.
    taught: HashMap<String, String>,
    fault: Option<Fault>,
}

/// What can go wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Every call fails.
    Fails,
    /// No call ends.
    Hangs,
}

impl Synonyms {
    /// Knows none, under the name of a model.
    pub fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            taught: HashMap::new(),
            fault: None,
        }
    }

    /// Words that mean the same.
    pub fn teach(mut self, words: &[&str]) -> Self {
        for word in words {
            self.taught.insert((*word).to_owned(), words[0].to_owned());
        }
        self
    }

    /// With this going wrong.
    pub fn with(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    fn embedding(&self, text: &str) -> Option<Embedding> {
        // What every text has in common, as with real models.
        let mut vector = vec![0.1; DIMENSIONS];
        let text = text.to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| word.len() >= WORD_MIN) {
            let meant = self.taught.get(word).map_or(word, String::as_str);
            let hash = meant.bytes().fold(7_usize, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(byte.into())
            });
            vector[hash % DIMENSIONS] += 1.0;
        }
        Embedding::of(&vector)
    }
}

#[async_trait]
impl Embedder for Synonyms {
    fn model(&self) -> &str {
        &self.model
    }

    async fn embed(
        &self,
        _purpose: Purpose,
        texts: &[String],
    ) -> Result<Vec<Embedding>, ProviderError> {
        match self.fault {
            Some(Fault::Fails) => return Err(ProviderError::TimedOut),
            Some(Fault::Hangs) => future::pending().await,
            None => {}
        }
        let embeddings = texts.iter().map(|text| self.embedding(text));
        let embeddings: Option<Vec<_>> = embeddings.collect();
        embeddings.ok_or_else(|| ProviderError::BadAnswer("no direction".to_owned()))
    }
}
