//! A store of knowledge in memory.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::embeddings::{Embedding, PassageHash};
use domain::knowledge::{
    Chunk, ChunkDraft, IndexedSource, KnowledgeIndex, KnowledgeState, QuestionAnswer,
};
use domain::{BotId, ChunkId, Result, SourceId, TenantId, Timestamp};
use uuid::Uuid;

/// A store of knowledge in memory, which counts how often it is asked.
#[derive(Default)]
pub struct Shelf {
    kept: Mutex<Kept>,
    made: AtomicUsize,
    /// Calls of `sources`.
    pub sources_calls: AtomicUsize,
    /// Calls of `chunks_of`.
    pub chunks_of_calls: AtomicUsize,
    /// Calls of `chunks`.
    pub chunks_calls: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    bots: HashMap<(TenantId, BotId), Bot>,
    chunks: HashMap<(TenantId, ChunkId), Chunk>,
}

#[derive(Default)]
struct Bot {
    version: i64,
    sources: Vec<IndexedSource>,
}

impl Shelf {
    /// Keeps a source and raises the version of the bot's knowledge.
    pub fn put(&self, owner: (TenantId, BotId), name: &str, drafts: Vec<ChunkDraft>) -> SourceId {
        self.keep(owner, name, false, drafts)
    }

    /// As [`Shelf::put`], of pairs of a question and its answer.
    pub fn put_pairs(
        &self,
        owner: (TenantId, BotId),
        name: &str,
        pairs: &[(&str, &str)],
    ) -> SourceId {
        let drafts = pairs.iter().map(|&(question, answer)| {
            let pair = QuestionAnswer {
                question: question.to_owned(),
                answer: answer.to_owned(),
            };
            pair.chunk()
        });
        self.keep(owner, name, true, drafts.collect())
    }

    fn keep(
        &self,
        owner: (TenantId, BotId),
        name: &str,
        is_curated: bool,
        drafts: Vec<ChunkDraft>,
    ) -> SourceId {
        let mut kept = self.kept.lock().unwrap();
        let id = SourceId(self.next_id());
        for (draft, index) in drafts.into_iter().zip(0..) {
            let chunk = Chunk {
                id: ChunkId(self.next_id()),
                source_id: id,
                index,
                draft,
                created_at: Timestamp::UNIX_EPOCH,
            };
            kept.chunks.insert((owner.0, chunk.id), chunk);
        }
        let bot = kept.bots.entry(owner).or_default();
        bot.version += 1;
        bot.sources.push(IndexedSource {
            id,
            name: name.to_owned(),
            is_curated,
            revision: bot.version,
            embedded: 0,
        });
        id
    }

    /// Deletes a source and raises the version of the bot's knowledge.
    pub fn remove(&self, owner: (TenantId, BotId), id: SourceId) {
        let mut kept = self.kept.lock().unwrap();
        kept.chunks.retain(|_, chunk| chunk.source_id != id);
        let bot = kept.bots.entry(owner).or_default();
        bot.version += 1;
        bot.sources.retain(|source| source.id != id);
    }

    fn next_id(&self) -> Uuid {
        Uuid::from_u128(1 + self.made.fetch_add(1, Ordering::Relaxed) as u128)
    }
}

#[async_trait]
impl KnowledgeIndex for Shelf {
    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<KnowledgeState>> {
        let kept = self.kept.lock().unwrap();
        let bot = kept.bots.get(&(tenant, bot));
        Ok(bot.map(|bot| KnowledgeState {
            version: bot.version,
            embedding_model: None,
        }))
    }

    async fn embeddings_of(
        &self,
        _tenant: TenantId,
        _source: SourceId,
        _model: &str,
    ) -> Result<Vec<(PassageHash, Embedding)>> {
        Ok(Vec::new())
    }

    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>> {
        self.sources_calls.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let kept = self.kept.lock().unwrap();
        let bot = kept.bots.get(&(tenant, bot));
        Ok(bot.map(|bot| bot.sources.clone()).unwrap_or_default())
    }

    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>> {
        self.chunks_of_calls.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let kept = self.kept.lock().unwrap();
        // Chunks are given their ids just after their source, and in order.
        let ids = (source.0.as_u128() + 1..).map(|id| ChunkId(Uuid::from_u128(id)));
        let chunks = ids.map_while(|id| kept.chunks.get(&(tenant, id)));
        Ok(chunks
            .take_while(|c| c.source_id == source)
            .cloned()
            .collect())
    }

    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>> {
        self.chunks_calls.fetch_add(1, Ordering::Relaxed);
        let kept = self.kept.lock().unwrap();
        // The port promises no order.
        let found = ids
            .iter()
            .rev()
            .filter_map(|id| kept.chunks.get(&(tenant, *id)));
        Ok(found.cloned().collect())
    }
}
