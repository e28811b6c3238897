//! Indexes of bots in memory, bounded by bytes. The least recently used go first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::knowledge::{KnowledgeIndex, KnowledgeState};
use domain::{Error, Result};

use crate::index::{BotIndex, Key};

/// For those who waited for a load that failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How the cache does, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauges {
    /// Bytes of the indexes in memory, as estimated.
    pub cached_bytes: usize,
    /// Bots, by language, whose index is in memory.
    pub cached_bots: usize,
    /// Searches that found the index in memory, at the version asked for or a newer one.
    pub hits: u64,
    /// Searches that asked the store for what had changed, or waited for one that did.
    pub misses: u64,
}

pub(crate) struct Cache {
    store: Arc<dyn KnowledgeIndex>,
    max_bytes: usize,
    state: Mutex<State>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct State {
    slots: HashMap<Key, Slot>,
    bytes: usize,
    /// Counts uses, to tell the least recent.
    uses: u64,
}

#[derive(Default)]
struct Slot {
    index: Option<Arc<BotIndex>>,
    bytes: usize,
    used: u64,
    loading: Arc<Loading>,
}

/// One load at a time for a bot; the others wait for it and not for other bots.
#[derive(Default)]
struct Loading {
    turn: Arc<tokio::sync::Mutex<()>>,
    failures: AtomicU64,
}

impl Cache {
    pub(crate) fn new(store: Arc<dyn KnowledgeIndex>, max_bytes: usize) -> Self {
        Self {
            store,
            max_bytes,
            state: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The index of a bot's knowledge in this state or a newer one.
    pub(crate) async fn get(
        self: &Arc<Self>,
        key: Key,
        state: &KnowledgeState,
    ) -> Result<Arc<BotIndex>> {
        let version = state.version;
        let loading = match self.cached(key, version) {
            Ok(index) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                return Ok(index);
            }
            Err(loading) => loading,
        };
        self.misses.fetch_add(1, Ordering::Relaxed);
        let failures = loading.failures.load(Ordering::Acquire);
        let turn = Arc::clone(&loading.turn).lock_owned().await;
        if let Ok(index) = self.cached(key, version) {
            return Ok(index);
        }
        if loading.failures.load(Ordering::Acquire) != failures {
            // Asking a store that has just failed, one waiter after the other, would make a queue of it.
            return Err(Error::Unavailable {
                retry_after: RETRY_AFTER,
            });
        }
        // In a task of its own: the load goes on for the others when this caller hangs up.
        let cache = Arc::clone(self);
        let state = state.clone();
        tokio::spawn(async move {
            let loaded = cache.load(key, state).await;
            if loaded.is_err() {
                loading.failures.fetch_add(1, Ordering::Release);
            }
            drop(turn);
            loaded
        })
        .await
        .map_err(Error::internal)?
    }

    pub(crate) fn gauges(&self) -> Gauges {
        let state = self.state();
        Gauges {
            cached_bytes: state.bytes,
            cached_bots: state.slots.values().filter(|s| s.index.is_some()).count(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    async fn load(&self, key: Key, state: KnowledgeState) -> Result<Arc<BotIndex>> {
        let previous = self.state().slots.get(&key).and_then(|s| s.index.clone());
        let loaded = BotIndex::load(&*self.store, key, state, previous.as_deref()).await;
        let mut state = self.state();
        match loaded {
            Ok(index) => {
                let index = Arc::new(index);
                state.keep(key, Arc::clone(&index));
                state.evict(key, self.max_bytes);
                tracing::debug!(
                    bot = %key.bot,
                    version = index.version,
                    model = index.model,
                    sources = index.sources.len(),
                    chunks = index.chunks,
                    cached_bytes = state.bytes,
                    "knowledge indexed"
                );
                Ok(index)
            }
            Err(error) => {
                if state.slots.get(&key).is_some_and(|s| s.index.is_none()) {
                    state.slots.remove(&key);
                }
                Err(error)
            }
        }
    }

    /// The index if it is new enough, or where to wait for one.
    fn cached(&self, key: Key, version: i64) -> Result<Arc<BotIndex>, Arc<Loading>> {
        let mut state = self.state();
        state.uses += 1;
        let used = state.uses;
        let slot = state.slots.entry(key).or_default();
        slot.used = used;
        match &slot.index {
            Some(index) if index.version >= version => Ok(Arc::clone(index)),
            _ => Err(Arc::clone(&slot.loading)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, key: Key, index: Arc<BotIndex>) {
        let slot = self.slots.entry(key).or_default();
        self.bytes -= slot.bytes;
        slot.bytes = index.bytes();
        slot.index = Some(index);
        self.bytes += slot.bytes;
    }

    /// Makes room. The one just loaded stays even if it is larger than all room there is: throwing it away
    /// would mean reading it again for every question.
    fn evict(&mut self, keep: Key, max_bytes: usize) {
        while self.bytes > max_bytes {
            let loaded = self.slots.iter().filter(|(_, slot)| slot.index.is_some());
            let oldest = loaded
                .filter(|(key, _)| **key != keep)
                .min_by_key(|(_, slot)| slot.used)
                .map(|(key, _)| *key);
            let Some(slot) = oldest.and_then(|key| self.slots.remove(&key)) else {
                return;
            };
            self.bytes -= slot.bytes;
        }
    }
}
