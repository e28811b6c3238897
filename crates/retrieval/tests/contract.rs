//! The lexical retriever keeps the contract of the port.

use std::sync::Arc;

use domain::knowledge::KnowledgeIndex;
use retrieval::{LexicalRetriever, Options};

fn open(store: Arc<dyn KnowledgeIndex>) -> LexicalRetriever {
    LexicalRetriever::new(store, Options::default())
}

contracts::retriever_contract!(open);
