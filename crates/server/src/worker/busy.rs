//! How much of the same is under way, so that nobody takes all the room.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// How much is under way, by whose it is.
pub(super) struct Busy<K> {
    most: usize,
    counts: Mutex<HashMap<K, usize>>,
}

/// Something that is under way, until this is dropped.
pub(super) struct Entered<K: Eq + Hash> {
    busy: Arc<Busy<K>>,
    key: K,
}

impl<K: Eq + Hash + Copy> Busy<K> {
    /// With room for so much of each.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            counts: Mutex::default(),
        })
    }

    /// Counts one more.
    pub(super) fn enter(self: &Arc<Self>, key: K) -> Entered<K> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(key).or_default() += 1;
        let busy = self.clone();
        Entered { busy, key }
    }

    /// Those that have as much as they may.
    pub(super) fn full(&self) -> Vec<K> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let full = counts.iter().filter(|(_, count)| **count >= self.most);
        full.map(|(key, _)| *key).collect()
    }
}

impl<K: Eq + Hash> Drop for Entered<K> {
    fn drop(&mut self) {
        let counts = &self.busy.counts;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_had_again_when_something_ends() {
        let busy = Busy::new(2);
        let first = busy.enter(1);
        assert_eq!(busy.full(), [0; 0]);
        let (second, _other) = (busy.enter(1), busy.enter(2));
        assert_eq!(busy.full(), [1]);
        drop(first);
        assert_eq!(busy.full(), [0; 0]);
        drop(second);
        assert_eq!(busy.counts.lock().unwrap().len(), 1);
    }
}
