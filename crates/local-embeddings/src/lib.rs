//! Embeddings by a model in this process: a folder of the BERT family (`config.json`, `tokenizer.json`,
//! `model.safetensors`) as sentence-transformers writes it, with no network and no other program.
//!
//! The [`folder`] is read and checked once, the [`model`] turns texts into vectors, and [`worker`]s run it: one for
//! questions, for which visitors wait, and one behind it for passages.

mod folder;
mod model;
mod worker;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::Result;
use domain::answers::ProviderError;
use domain::embeddings::{Embedder, Embedding, Purpose, prefix};

pub use folder::OpenError;

use folder::Folder;
use model::Model;
use worker::Worker;

/// A model that embeds in this process.
pub struct LocalEmbedder {
    name: String,
    questions: Worker,
    passages: Worker,
}

impl LocalEmbedder {
    /// Reads a model's folder; its weights stay in memory.
    ///
    /// # Errors
    /// [`OpenError`]: the folder, a file of it, or a kind of model that is not known here.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let folder = Folder::read(folder)?;
        let name = format!("local:{}", folder.name);
        let model = Arc::new(Model::load(folder)?);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            name,
            questions: Worker::start("embed-questions", processors, false, Arc::clone(&model))?,
            // Whoever answers visitors needs the other processors.
            passages: Worker::start("embed-passages", 1, true, model)?,
        })
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn model(&self) -> &str {
        &self.name
    }

    async fn embed(
        &self,
        purpose: Purpose,
        texts: &[String],
    ) -> Result<Vec<Embedding>, ProviderError> {
        let prefix = prefix(&self.name, purpose);
        let texts = texts.iter().map(|text| format!("{prefix}{text}")).collect();
        let worker = match purpose {
            Purpose::Query => &self.questions,
            Purpose::Passage => &self.passages,
        };
        worker.embed(texts).await
    }
}
