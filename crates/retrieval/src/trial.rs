//! Finding chunks as they would be found after a change.

use std::sync::Arc;

use domain::embeddings::Embedder;
use domain::retrieval::Retriever;
use domain::trials::{Trial, TrialIndexes, TrialRetrievers};

use crate::retriever::{HybridRetriever, Options};

/// Makes retrievers over knowledge as it would be, each with an index of its own.
pub struct Trials {
    indexes: Arc<dyn TrialIndexes>,
    embedders: Vec<Arc<dyn Embedder>>,
    options: Options,
}

impl Trials {
    /// Retrievers by the rules of those that visitors are answered with.
    pub fn new(
        indexes: Arc<dyn TrialIndexes>,
        embedders: Vec<Arc<dyn Embedder>>,
        options: Options,
    ) -> Self {
        Self {
            indexes,
            embedders,
            options,
        }
    }
}

impl TrialRetrievers for Trials {
    fn with(&self, trial: Trial) -> Arc<dyn Retriever> {
        let index = self.indexes.with(trial);
        Arc::new(HybridRetriever::new(
            index,
            self.embedders.clone(),
            self.options,
        ))
    }
}
