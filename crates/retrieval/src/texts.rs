//! The words of chunks that were found of late, in memory, bounded by bytes. A chunk never changes, and one
//! that is gone is in no newer index, so what is remembered can't be wrong.

use std::collections::HashMap;
use std::sync::Arc;

use domain::knowledge::{Chunk, KnowledgeIndex};
use domain::{ChunkId, Result, TenantId};
use moka::sync::Cache;

pub(crate) struct Texts {
    store: Arc<dyn KnowledgeIndex>,
    /// The tenant is in the key: no id, however it came about, leads from one to another.
    remembered: Cache<(TenantId, ChunkId), Arc<Chunk>>,
}

impl Texts {
    pub(crate) fn new(store: Arc<dyn KnowledgeIndex>, max_bytes: usize) -> Self {
        let remembered = Cache::builder()
            .max_capacity(max_bytes as u64)
            .weigher(|_, chunk: &Arc<Chunk>| bytes(chunk))
            .build();
        Self { store, remembered }
    }

    /// These chunks; the store is asked, once, for those that are not remembered.
    pub(crate) async fn get(
        &self,
        tenant: TenantId,
        ids: &[ChunkId],
    ) -> Result<HashMap<ChunkId, Arc<Chunk>>> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for &id in ids {
            match self.remembered.get(&(tenant, id)) {
                Some(chunk) => drop(found.insert(id, chunk)),
                None => missing.push(id),
            }
        }
        if !missing.is_empty() {
            for chunk in self.store.chunks(tenant, &missing).await? {
                let chunk = Arc::new(chunk);
                self.remembered
                    .insert((tenant, chunk.id), Arc::clone(&chunk));
                found.insert(chunk.id, chunk);
            }
        }
        Ok(found)
    }
}

/// What a remembered chunk takes, about.
fn bytes(chunk: &Chunk) -> u32 {
    let draft = &chunk.draft;
    let texts = [
        Some(&draft.content),
        draft.heading.as_ref(),
        draft.url.as_ref(),
    ];
    let text: usize = texts.into_iter().flatten().map(String::len).sum();
    u32::try_from(text + size_of::<Chunk>() + 100).unwrap_or(u32::MAX)
}
