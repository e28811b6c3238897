//! The hybrid retriever keeps the contract of the port.

use std::sync::Arc;
use std::time::Duration;

use domain::embeddings::Embedder;
use domain::knowledge::KnowledgeIndex;
use retrieval::{HybridRetriever, Options};

fn open(store: Arc<dyn KnowledgeIndex>, embedders: Vec<Arc<dyn Embedder>>) -> HybridRetriever {
    let options = Options {
        // An embedder that hangs is waited for.
        embedding_wait: Duration::from_millis(200),
        ..Options::default()
    };
    HybridRetriever::new(store, embedders, options)
}

contracts::retriever_contract!(open);
