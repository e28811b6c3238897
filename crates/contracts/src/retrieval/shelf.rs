//! A store of knowledge in memory.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::embeddings::{Embedder, Embedding, PassageHash, Purpose, passage};
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
    /// Calls of `embeddings_of`.
    pub embeddings_of_calls: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    bots: HashMap<(TenantId, BotId), Bot>,
    chunks: HashMap<(TenantId, ChunkId), Chunk>,
    /// By source and model.
    embeddings: HashMap<(TenantId, SourceId, String), Vec<(PassageHash, Embedding)>>,
}

#[derive(Default)]
struct Bot {
    state: KnowledgeState,
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
        bot.state.version += 1;
        bot.sources.push(IndexedSource {
            id,
            name: name.to_owned(),
            is_curated,
            revision: bot.state.version,
            embedded: 0,
        });
        id
    }

    /// Embeds the chunks of a source and raises the version of the bot's knowledge. A chunk that the embedder has
    /// nothing for stays without.
    pub async fn embed(&self, owner: (TenantId, BotId), source: SourceId, embedder: &dyn Embedder) {
        let chunks = self.chunks_of_source(owner.0, source);
        let mut embedded = Vec::new();
        for chunk in chunks {
            let text = passage(&chunk.draft);
            let embeddings = embedder
                .embed(Purpose::Passage, std::slice::from_ref(&text))
                .await;
            let embedding = embeddings.into_iter().flatten().next();
            embedded.extend(embedding.map(|embedding| (PassageHash::of(&text), embedding)));
        }
        let mut kept = self.kept.lock().unwrap();
        let key = (owner.0, source, embedder.model().to_owned());
        kept.embeddings.insert(key, embedded);
        let bot = kept.bots.entry(owner).or_default();
        bot.state.version += 1;
        let version = bot.state.version;
        let of = bot.sources.iter_mut().filter(|of| of.id == source);
        of.for_each(|of| of.embedded = version);
    }

    /// Lets a bot be searched with the embeddings of a model, or by words alone, and raises the version of its
    /// knowledge.
    pub fn search_by(&self, owner: (TenantId, BotId), model: Option<&str>) {
        let mut kept = self.kept.lock().unwrap();
        let bot = kept.bots.entry(owner).or_default();
        bot.state.version += 1;
        bot.state.embedding_model = model.map(str::to_owned);
        for source in &mut bot.sources {
            source.embedded = bot.state.version;
        }
    }

    /// Deletes a source and raises the version of the bot's knowledge.
    pub fn remove(&self, owner: (TenantId, BotId), id: SourceId) {
        let mut kept = self.kept.lock().unwrap();
        kept.chunks.retain(|_, chunk| chunk.source_id != id);
        let bot = kept.bots.entry(owner).or_default();
        bot.state.version += 1;
        bot.sources.retain(|source| source.id != id);
    }

    fn chunks_of_source(&self, tenant: TenantId, source: SourceId) -> Vec<Chunk> {
        let kept = self.kept.lock().unwrap();
        // Chunks are given their ids just after their source, and in order.
        let ids = (source.0.as_u128() + 1..).map(|id| ChunkId(Uuid::from_u128(id)));
        let chunks = ids.map_while(|id| kept.chunks.get(&(tenant, id)));
        chunks
            .take_while(|c| c.source_id == source)
            .cloned()
            .collect()
    }

    fn next_id(&self) -> Uuid {
        Uuid::from_u128(1 + self.made.fetch_add(1, Ordering::Relaxed) as u128)
    }
}

#[async_trait]
impl KnowledgeIndex for Shelf {
    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<KnowledgeState>> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.bots.get(&(tenant, bot)).map(|bot| bot.state.clone()))
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
        Ok(self.chunks_of_source(tenant, source))
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

    async fn embeddings_of(
        &self,
        tenant: TenantId,
        source: SourceId,
        model: &str,
    ) -> Result<Vec<(PassageHash, Embedding)>> {
        self.embeddings_of_calls.fetch_add(1, Ordering::Relaxed);
        let kept = self.kept.lock().unwrap();
        let key = (tenant, source, model.to_owned());
        Ok(kept.embeddings.get(&key).cloned().unwrap_or_default())
    }
}
