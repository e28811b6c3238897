//! What a question means: its embedding, by the model that the bot's knowledge is embedded with.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::embeddings::{Embedder, PassageHash, Purpose};

use crate::vectors::Meaning;

/// How many questions are remembered. Visitors ask the same ones, word for word, more often than not when they press
/// a button.
const REMEMBERED: usize = 512;

/// Embeds questions.
pub(crate) struct Meanings {
    embedders: Vec<Arc<dyn Embedder>>,
    /// No question waits longer.
    wait: Duration,
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    questions: HashMap<PassageHash, Arc<Meaning>>,
    /// The oldest first.
    order: VecDeque<PassageHash>,
}

impl Meanings {
    pub(crate) fn new(embedders: Vec<Arc<dyn Embedder>>, wait: Duration) -> Self {
        Self {
            embedders,
            wait,
            remembered: Mutex::default(),
        }
    }

    /// What a text means by a model. `None`: it can't be told in time, for whatever reason.
    pub(crate) async fn of(&self, model: &str, text: String) -> Option<Arc<Meaning>> {
        let Some(embedder) = self.embedders.iter().find(|e| e.model() == model) else {
            tracing::debug!(model, "no embedder for the model, words alone answer");
            return None;
        };
        let key = PassageHash::of(&format!("{model}\n{text}"));
        if let Some(known) = self.remembered(|remembered| remembered.questions.get(&key).cloned()) {
            return Some(known);
        }
        let texts = [text];
        let embedded = tokio::time::timeout(self.wait, embedder.embed(Purpose::Query, &texts));
        let embedding = match embedded.await {
            Ok(Ok(embeddings)) => embeddings.into_iter().next(),
            Ok(Err(error)) => {
                tracing::debug!(model, %error, "the question was not embedded, words alone answer");
                None
            }
            Err(_) => {
                tracing::debug!(model, "the embedder is slow, words alone answer");
                None
            }
        };
        let meaning = Arc::new(Meaning::of(&embedding?)?);
        self.remembered(|remembered| remembered.keep(key, Arc::clone(&meaning)));
        Some(meaning)
    }

    fn remembered<T>(&self, work: impl FnOnce(&mut Remembered) -> T) -> T {
        let lock = self.remembered.lock();
        work(&mut lock.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Remembered {
    fn keep(&mut self, key: PassageHash, meaning: Arc<Meaning>) {
        if self.questions.insert(key, meaning).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.questions.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use domain::answers::ProviderError;
    use domain::embeddings::Embedding;

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Embedder for Counting {
        fn model(&self) -> &str {
            "test:counting"
        }

        async fn embed(
            &self,
            _purpose: Purpose,
            texts: &[String],
        ) -> Result<Vec<Embedding>, ProviderError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let embed = |text: &String| Embedding::of(&[1.0, text.len() as f32]);
            Ok(texts.iter().filter_map(embed).collect())
        }
    }

    #[tokio::test]
    async fn a_question_is_embedded_once_and_forgotten_in_the_end() {
        let embedder = Arc::new(Counting::default());
        let embedders = vec![Arc::clone(&embedder) as Arc<dyn Embedder>];
        let meanings = Meanings::new(embedders, Duration::from_secs(60));
        let ask = |text: String| meanings.of("test:counting", text);
        for _ in 0..3 {
            assert!(ask("the same".to_owned()).await.is_some());
        }
        assert_eq!(embedder.0.load(Ordering::Relaxed), 1);
        for number in 0..REMEMBERED {
            ask(number.to_string()).await;
        }
        ask("the same".to_owned()).await;
        assert_eq!(embedder.0.load(Ordering::Relaxed), REMEMBERED + 2);
        assert!(meanings.of("test:other", String::new()).await.is_none());
    }
}
