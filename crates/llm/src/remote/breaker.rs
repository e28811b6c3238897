//! The circuit breaker: a provider that is down must not add its time-out to every turn.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Counts failures in a row; from a number of them on, it lets nobody through for a while, and then one to
/// see whether the provider is back.
#[derive(Debug)]
pub struct Breaker {
    threshold: u32,
    rest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    closed_until: Option<Instant>,
    probing: bool,
}

/// Leave to ask the provider once. Dropped without a verdict, it changes nothing.
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

impl Breaker {
    /// A breaker that trips after `threshold` failures in a row, for `rest`.
    pub fn new(threshold: u32, rest: Duration) -> Self {
        Self {
            threshold,
            rest,
            state: Mutex::default(),
        }
    }

    /// Leave to ask; `None`: the provider is left alone at the moment.
    pub fn enter(&self) -> Option<Permit<'_>> {
        let mut state = self.state();
        let probe = match state.closed_until {
            None => false,
            Some(until) if Instant::now() < until || state.probing => return None,
            Some(_) => true,
        };
        state.probing |= probe;
        Some(Permit {
            breaker: self,
            probe,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Tells how it went: whether the provider is alive.
    pub fn settle(self, alive: bool) {
        let mut state = self.breaker.state();
        if alive {
            state.failures = 0;
            state.closed_until = None;
        } else {
            state.failures = state.failures.saturating_add(1);
            if state.failures >= self.breaker.threshold {
                state.closed_until = Some(Instant::now() + self.breaker.rest);
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.state().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(10);

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.enter().unwrap().settle(false);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_trips_after_failures_in_a_row_only() {
        let breaker = Breaker::new(3, REST);
        fail(&breaker, 2);
        breaker.enter().unwrap().settle(true);
        fail(&breaker, 2);
        assert!(breaker.enter().is_some());
        fail(&breaker, 1);
        assert!(breaker.enter().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_rest_one_is_let_through() {
        let breaker = Breaker::new(1, REST);
        fail(&breaker, 1);
        tokio::time::advance(REST).await;
        let probe = breaker.enter().unwrap();
        assert!(
            breaker.enter().is_none(),
            "a second one while the first is out"
        );
        drop(probe);
        fail(&breaker, 1);
        assert!(
            breaker.enter().is_none(),
            "the probe failed: it rests again"
        );
        tokio::time::advance(REST).await;
        breaker.enter().unwrap().settle(true);
        assert!(breaker.enter().is_some() && breaker.enter().is_some());
    }
}
