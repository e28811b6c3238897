//! Knowledge as it would be after a change that is not made.

use std::sync::Arc;

use async_trait::async_trait;
use domain::embeddings::{Embedding, PassageHash};
use domain::knowledge::{Chunk, IndexedSource, KnowledgeIndex, KnowledgeState};
use domain::trials::{Trial, TrialIndexes};
use domain::{BotId, ChunkId, Result, SourceId, TenantId};

use super::engine::Store;
use super::{knowledge_index, run};

/// The store's knowledge, as if.
struct TrialIndex {
    store: Arc<Store>,
    trial: Trial,
}

/// Makes [`TrialIndex`]es of a store.
pub struct Trials(pub Arc<Store>);

impl TrialIndexes for Trials {
    fn with(&self, trial: Trial) -> Arc<dyn KnowledgeIndex> {
        Arc::new(TrialIndex {
            store: Arc::clone(&self.0),
            trial,
        })
    }
}

#[async_trait]
impl KnowledgeIndex for TrialIndex {
    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<KnowledgeState>> {
        let state = self.store.state(tenant, bot).await?;
        Ok(state.map(|state| KnowledgeState {
            embedding_model: match &self.trial.embedding_model {
                Some(model) => model.clone(),
                None => state.embedding_model,
            },
            ..state
        }))
    }

    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>> {
        let (store, trial) = (&self.store, &self.trial);
        run!(store.read("index.trial_sources", tenant), [trial], |conn| {
            knowledge_index::sources_of(conn, tenant, bot, &trial)
        })
    }

    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>> {
        match self.trial.draft {
            Some(draft) if (draft.tenant_id, draft.source_id) == (tenant, source) => {
                let store = &self.store;
                run!(store.read("index.trial_chunks_of", tenant), [], |conn| {
                    knowledge_index::chunks_of_draft(conn, draft)
                })
            }
            _ => self.store.chunks_of(tenant, source).await,
        }
    }

    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>> {
        let (store, trial) = (&self.store, &self.trial);
        run!(
            store.read("index.trial_chunks", tenant),
            [ids, trial],
            |conn| knowledge_index::chunks_as_if(conn, tenant, &ids, &trial)
        )
    }

    async fn embeddings_of(
        &self,
        tenant: TenantId,
        source: SourceId,
        model: &str,
    ) -> Result<Vec<(PassageHash, Embedding)>> {
        self.store.embeddings_of(tenant, source, model).await
    }
}
