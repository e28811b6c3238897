//! When the store is asked, and when it is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use contracts::retrieval::{Shelf, ask, draft, owner, shop};
use domain::embeddings::{Embedding, PassageHash};
use domain::knowledge::{Chunk, IndexedSource, KnowledgeIndex, KnowledgeState};
use domain::retrieval::{Query, Retriever};
use domain::{BotId, ChunkId, Error, Result, SourceId, TenantId};
use retrieval::{HybridRetriever, Options};
use tokio::sync::Semaphore;

fn calls(shelf: &Shelf) -> [usize; 3] {
    let load = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    [
        load(&shelf.sources_calls),
        load(&shelf.chunks_of_calls),
        load(&shelf.chunks_calls),
    ]
}

fn retriever(store: &Arc<impl KnowledgeIndex + 'static>, cache_bytes: usize) -> HybridRetriever {
    HybridRetriever::new(
        Arc::clone(store) as Arc<dyn KnowledgeIndex>,
        Vec::new(),
        Options {
            cache_bytes,
            ..Options::default()
        },
    )
}

#[tokio::test]
async fn asks_the_store_for_what_has_changed_only() {
    let shelf = Arc::new(Shelf::default());
    shelf.put(owner(1), "shop", shop());
    let retriever = retriever(&shelf, usize::MAX);
    let query = ask(&shelf, "lamp").await;
    for searches in 1..4 {
        retriever.search(&query).await.unwrap();
        assert_eq!(calls(&shelf), [1, 1, searches]);
    }
    shelf.put(owner(1), "more", vec![draft("Another lamp.")]);
    let newer = ask(&shelf, "lamp").await;
    assert_eq!(retriever.search(&newer).await.unwrap().hits.len(), 2);
    assert_eq!(calls(&shelf), [2, 2, 4]);
    // Newer than asked for is fine.
    retriever.search(&query).await.unwrap();
    assert_eq!(calls(&shelf), [2, 2, 5]);
    // Nothing found, nothing to fetch.
    retriever
        .search(&ask(&shelf, "xylophone").await)
        .await
        .unwrap();
    assert_eq!(calls(&shelf), [2, 2, 5]);
    let gauges = retriever.gauges();
    assert_eq!((gauges.hits, gauges.misses, gauges.cached_bots), (4, 2, 1));
}

#[tokio::test]
async fn forgets_the_least_recently_used_bots() {
    let shelf = Arc::new(Shelf::default());
    let mut queries = Vec::new();
    for bot in 1..=3 {
        shelf.put(owner(bot), "shop", shop());
        let (tenant_id, bot_id) = owner(bot);
        let query = ask(&shelf, "lamp").await;
        queries.push(Query {
            tenant_id,
            bot_id,
            ..query
        });
    }
    let roomy = retriever(&shelf, usize::MAX);
    roomy.search(&queries[0]).await.unwrap();
    let one = roomy.gauges().cached_bytes;
    let retriever = retriever(&shelf, one * 2);
    for at in [0, 1, 0, 2] {
        retriever.search(&queries[at]).await.unwrap();
    }
    assert_eq!(retriever.gauges().cached_bots, 2);
    assert!(retriever.gauges().cached_bytes <= one * 2);
    let before = calls(&shelf)[0];
    retriever.search(&queries[0]).await.unwrap();
    retriever.search(&queries[2]).await.unwrap();
    assert_eq!(calls(&shelf)[0], before);
    retriever.search(&queries[1]).await.unwrap();
    assert_eq!(calls(&shelf)[0], before + 1);
    // One bot that is too large for the room is kept nevertheless.
    let tight = self::retriever(&shelf, 1);
    tight.search(&queries[0]).await.unwrap();
    tight.search(&queries[0]).await.unwrap();
    assert_eq!((tight.gauges().hits, tight.gauges().cached_bots), (1, 1));
}

/// A store that makes the first tenant's loads wait, and then fail if it is told to.
struct Slow {
    shelf: Shelf,
    gate: Semaphore,
    fails: bool,
}

#[async_trait]
impl KnowledgeIndex for Slow {
    async fn state(&self, tenant: TenantId, bot: BotId) -> Result<Option<KnowledgeState>> {
        self.shelf.state(tenant, bot).await
    }

    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>> {
        let found = self.shelf.sources(tenant, bot).await;
        if tenant == owner(1).0 {
            self.gate.acquire().await.map_err(Error::internal)?.forget();
            if self.fails {
                return Err(Error::internal("the store is gone"));
            }
        }
        found
    }

    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>> {
        self.shelf.chunks_of(tenant, source).await
    }

    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>> {
        self.shelf.chunks(tenant, ids).await
    }

    async fn embeddings_of(
        &self,
        tenant: TenantId,
        source: SourceId,
        model: &str,
    ) -> Result<Vec<(PassageHash, Embedding)>> {
        self.shelf.embeddings_of(tenant, source, model).await
    }
}

fn slow(fails: bool) -> Arc<Slow> {
    let shelf = Shelf::default();
    shelf.put(owner(1), "shop", shop());
    shelf.put(owner(2), "shop", shop());
    Arc::new(Slow {
        shelf,
        gate: Semaphore::new(0),
        fails,
    })
}

#[tokio::test]
async fn loads_once_for_all_who_wait_and_lets_other_bots_pass() {
    let store = slow(false);
    let retriever = Arc::new(retriever(&store, usize::MAX));
    let query = ask(&store.shelf, "lamp").await;
    let search = |query: Query| {
        let retriever = Arc::clone(&retriever);
        tokio::spawn(async move { retriever.search(&query).await })
    };
    let first = search(query.clone());
    let waiting: Vec<_> = (0..20).map(|_| search(query.clone())).collect();
    let (tenant_id, bot_id) = owner(2);
    let other = Query {
        tenant_id,
        bot_id,
        ..query
    };
    let passed = tokio::time::timeout(Duration::from_secs(5), retriever.search(&other)).await;
    assert_eq!(passed.unwrap().unwrap().hits.len(), 1);
    // The load goes on for the others when the one that began it hangs up.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    store.gate.add_permits(1);
    for waiter in waiting {
        assert_eq!(waiter.await.unwrap().unwrap().hits.len(), 1);
    }
    assert_eq!(calls(&store.shelf)[0], 2);
}

#[tokio::test]
async fn a_failed_load_fails_those_who_wait_and_is_tried_again() {
    let store = slow(true);
    let retriever = Arc::new(retriever(&store, usize::MAX));
    let query = ask(&store.shelf, "lamp").await;
    let searches: Vec<_> = (0..20)
        .map(|_| {
            let (retriever, query) = (Arc::clone(&retriever), query.clone());
            tokio::spawn(async move { retriever.search(&query).await })
        })
        .collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    store.gate.add_permits(1);
    let mut unavailable = 0;
    for search in searches {
        let error = search.await.unwrap().unwrap_err();
        unavailable += usize::from(matches!(error, Error::Unavailable { .. }));
    }
    assert_eq!(unavailable, 19);
    assert_eq!(calls(&store.shelf)[0], 1);
    store.gate.add_permits(1);
    assert!(retriever.search(&query).await.is_err());
    assert_eq!(calls(&store.shelf)[0], 2);
    assert_eq!(retriever.gauges().cached_bots, 0);
}
