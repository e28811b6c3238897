//! The port: from a query to findings.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Result;
use domain::embeddings::Embedder;
use domain::knowledge::KnowledgeIndex;
use domain::retrieval::{Findings, Hit, Query, Retriever};

use crate::cache::{Cache, Gauges};
use crate::index::{BotIndex, Key, offload};
use crate::meaning::Meanings;
use crate::query::Question;
use crate::quotes;
use crate::ranking::{self, Ranking};
use crate::vectors::Meaning;
use crate::words::Analyzer;

/// From so many chunks on, ranking takes long enough to keep other requests of the thread waiting.
const BLOCKING_FROM: usize = 10_000;

/// Settings of the retriever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many bytes the indexes in memory may take together. One bot whose index alone is larger is kept while
    /// it is the last used one.
    pub cache_bytes: usize,
    /// How long a search waits for its question's embedding; then words alone answer.
    pub embedding_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            embedding_wait: Duration::from_secs(2),
        }
    }
}

/// Finds chunks by the words that they share with the question and, where the knowledge is embedded, by what they
/// mean.
pub struct HybridRetriever {
    store: Arc<dyn KnowledgeIndex>,
    cache: Arc<Cache>,
    meanings: Meanings,
}

impl HybridRetriever {
    /// A retriever over what the store holds; nothing is read before the first search. Of the embedders, the one
    /// of the model that a bot is searched with embeds its questions.
    pub fn new(
        store: Arc<dyn KnowledgeIndex>,
        embedders: Vec<Arc<dyn Embedder>>,
        options: Options,
    ) -> Self {
        Self {
            meanings: Meanings::new(embedders, options.embedding_wait),
            cache: Arc::new(Cache::new(Arc::clone(&store), options.cache_bytes)),
            store,
        }
    }

    /// How the cache does, for metrics.
    pub fn gauges(&self) -> Gauges {
        self.cache.gauges()
    }

    /// What the question means, if it is searched for by that as well.
    async fn meaning(&self, query: &Query) -> Option<Arc<Meaning>> {
        let model = query.knowledge.embedding_model.as_deref()?;
        if !query.text.contains(char::is_alphanumeric) {
            return None;
        }
        let text = Question::in_full(&Analyzer::new(query.language), query);
        self.meanings.of(model, text).await
    }

    /// The hits with their words, which the store has; those that are gone by now are left out.
    async fn hits(&self, query: &Query, index: &BotIndex, ranking: &Ranking) -> Result<Vec<Hit>> {
        let located = ranking.best.iter().map(|ranked| index.locate(ranked.chunk));
        let ids: Vec<_> = located.map(|at| at.segment.id(at.chunk)).collect();
        let chunks = self.store.chunks(query.tenant_id, &ids).await?;
        let mut chunks: HashMap<_, _> = chunks.into_iter().map(|c| (c.id, c)).collect();
        let mut hits: Vec<Hit> = Vec::with_capacity(ids.len());
        let mut is_answered = false;
        let top = ranking.best.first().map_or(1.0, |best| best.score);
        for (ranked, id) in ranking.best.iter().zip(&ids) {
            let Some(chunk) = chunks.remove(id) else {
                continue;
            };
            let found = index.locate(ranked.chunk);
            let draft = &chunk.draft;
            let mut quotes = if is_answered {
                // Beside the answer that the bot's owner wants given, nothing else is to be said.
                Vec::new()
            } else if ranked.is_answer {
                is_answered = true;
                quotes::curated(draft).into_iter().collect()
            } else {
                quotes::choose(
                    &draft.content,
                    &ranked.evidence,
                    &ranking.weights,
                    ranked.score / top,
                )
            };
            if quotes.is_empty() && hits.is_empty() {
                quotes.push(quotes::beginning(&draft.content, draft.heading.as_deref()));
            }
            hits.push(Hit {
                chunk,
                source_name: found.source.name.clone(),
                score: ranked.score,
                quotes,
            });
        }
        Ok(hits)
    }
}

#[async_trait]
impl Retriever for HybridRetriever {
    #[tracing::instrument(level = "debug", name = "retrieval", skip_all)]
    async fn search(&self, query: &Query) -> Result<Findings> {
        let key = Key {
            tenant: query.tenant_id,
            bot: query.bot_id,
            language: query.language,
        };
        let (index, meaning) = tokio::try_join!(self.cache.get(key, &query.knowledge), async {
            Ok(self.meaning(query).await)
        })?;
        // The index may be that of a newer state, by another model.
        let meaning = meaning.filter(|_| index.model == query.knowledge.embedding_model);
        let question = Question::asked(&index.analyzer, query);
        let limit = query.limit;
        let rank = {
            let index = Arc::clone(&index);
            move || ranking::rank(&index, &question, meaning.as_deref(), limit)
        };
        let ranking = offload(index.chunks >= BLOCKING_FROM, rank).await?;
        if ranking.best.is_empty() {
            return Ok(Findings::default());
        }
        let hits = self.hits(query, &index, &ranking).await?;
        Ok(Findings {
            answerable: if hits.is_empty() {
                0.0
            } else {
                ranking.answerable
            },
            hits,
            embedded: ranking.embedded,
        })
    }
}
