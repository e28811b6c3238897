//! A few requests at a time to one host, over all crawls of the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// Above so many hosts, those that nobody talks to are forgotten.
const FORGET_ABOVE: usize = 1_000;

/// Whose turn it is at each host.
pub(crate) struct Hosts {
    at_once: usize,
    turns: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Hosts {
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            at_once: at_once.max(1),
            turns: Mutex::default(),
        }
    }

    /// Waits for a turn at the URL's host: the turn ends when it is dropped. First come, first served.
    pub(crate) async fn turn(&self, url: &Url) -> Option<OwnedSemaphorePermit> {
        let host = url.host_str().unwrap_or_default();
        // Only a closed semaphore gives no turn, and nobody closes these.
        self.of(host).acquire_owned().await.ok()
    }

    fn of(&self, host: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = turns.get(host).and_then(Weak::upgrade) {
            return known;
        }
        if turns.len() >= FORGET_ABOVE {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let new = Arc::new(Semaphore::new(self.at_once));
        turns.insert(host.to_owned(), Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::{FORGET_ABOVE, Hosts};
    use url::Url;

    #[tokio::test]
    async fn hosts_that_nobody_talks_to_are_forgotten() {
        let hosts = Hosts::new(1);
        let url = |i: usize| Url::parse(&format!("http://h{i}.example/")).unwrap();
        let kept = hosts.turn(&url(0)).await;
        for i in 1..FORGET_ABOVE * 3 {
            hosts.turn(&url(i)).await;
        }
        assert!(hosts.turns.lock().unwrap().len() <= FORGET_ABOVE);
        // The one in use is still the same one.
        assert_eq!(hosts.of("h0.example").available_permits(), 0);
        drop(kept);
        assert_eq!(hosts.of("h0.example").available_permits(), 1);
    }
}
