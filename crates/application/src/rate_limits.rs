//! How many requests a key, or a bot's visitor, may make.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::actors::{Actor, Scope};
use domain::{ApiKeyId, BotId, Timestamp};

/// The window that plans count requests in.
const WINDOW: Duration = Duration::from_secs(60);
/// Windows kept at most; past it, those that ended are forgotten.
const REMEMBERED: usize = 10_000;
/// Requests in the window for a bot from one address, as the Agent API's document has it.
const BOT_RATE: u64 = 60;

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Key(ApiKeyId),
    Bot(BotId, Option<IpAddr>),
}

/// Counts requests per key of a tenant, or per bot and address, in a sliding window: those of the last sixty seconds, by
/// half-seconds. A fresh key gets its whole rate at once, in no sixty seconds does any get more, and half a second after
/// a minute has passed it is all there again. Kept in memory, so each replica counts for itself.
#[derive(Default)]
pub struct RateLimiter {
    windows: Mutex<HashMap<Counted, Window>>,
}

/// As long as requests are told apart in time.
const SLOT: Duration = Duration::from_millis(500);
/// The slots of a window, and the one that it has only left in part.
const SLOTS: usize = (WINDOW.as_millis() / SLOT.as_millis()) as usize + 1;

struct Window {
    /// The slot that is counted in, from the first one that there was.
    now: i128,
    /// Requests by slot, in a ring.
    counts: [u32; SLOTS],
}

/// How a key stands with its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Whether this request may pass.
    pub allowed: bool,
    /// Requests a minute.
    pub limit: u64,
    /// Requests left for now.
    pub remaining: u64,
    /// When the whole rate, or after a refusal at least one request, is there again.
    pub reset_after: Duration,
}

impl RateLimiter {
    /// Counts a request from an address; `None` where the plan has no rate. Refused requests don't count.
    pub fn admit(&self, actor: &Actor, address: Option<IpAddr>, now: Timestamp) -> Option<Rate> {
        let (counted, limit) = match actor.scope {
            Scope::Tenant => (
                Counted::Key(actor.key_id),
                actor.limits.requests_per_minute?,
            ),
            Scope::Bot(bot) => (Counted::Bot(bot, address), BOT_RATE),
        };
        let slot = slot(now);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= REMEMBERED {
            windows.retain(|_, window| slot - window.now < SLOTS as i128);
        }
        let window = windows.entry(counted).or_insert_with(|| Window::new(slot));
        Some(window.admit(limit, now))
    }
}

/// Half-seconds since 1970.
fn slot(at: Timestamp) -> i128 {
    at.unix_timestamp_nanos()
        .div_euclid(SLOT.as_nanos() as i128)
}

impl Window {
    fn new(now: i128) -> Self {
        let counts = [0; SLOTS];
        Self { now, counts }
    }

    fn count(&mut self, slot: i128) -> &mut u32 {
        &mut self.counts[slot.rem_euclid(SLOTS as i128) as usize]
    }

    /// Forgets what is older than the window. A clock that goes back counts on where it was.
    fn move_to(&mut self, now: i128) {
        let first = (self.now + 1).max(now + 1 - SLOTS as i128);
        for slot in first..=now {
            *self.count(slot) = 0;
        }
        self.now = self.now.max(now);
    }

    fn admit(&mut self, limit: u64, at: Timestamp) -> Rate {
        self.move_to(slot(at));
        let counted: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        if counted >= limit {
            return Rate {
                allowed: false,
                limit,
                remaining: 0,
                reset_after: self.free_after(counted - limit, at),
            };
        }
        let count = self.count(self.now);
        *count = count.saturating_add(1);
        Rate {
            allowed: true,
            limit,
            remaining: limit - counted - 1,
            reset_after: WINDOW,
        }
    }

    /// When so many of the oldest requests, and one more, have slid out.
    fn free_after(&mut self, surplus: u64, at: Timestamp) -> Duration {
        let mut left = surplus + 1;
        let oldest = self.now + 1 - SLOTS as i128;
        for slot in oldest..=self.now {
            left = left.saturating_sub(u64::from(*self.count(slot)));
            if left == 0 {
                let free = (slot + SLOTS as i128) * SLOT.as_nanos() as i128;
                let wait = free - at.unix_timestamp_nanos();
                return Duration::from_nanos(u64::try_from(wait).unwrap_or_default());
            }
        }
        WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: Timestamp = datetime!(2026-11-22 12:00 UTC);

    fn admit(window: &mut Window, at: Timestamp) -> Rate {
        window.admit(60, at)
    }

    #[test]
    fn the_whole_rate_at_once_and_not_one_more() {
        let mut window = Window::new(slot(NOON));
        assert!((0..60).all(|_| admit(&mut window, NOON).allowed));
        let refused = admit(&mut window, NOON + Duration::from_secs(30));
        assert!(!refused.allowed);
        assert!(
            refused.reset_after > Duration::from_secs(30)
                && refused.reset_after <= Duration::from_secs(32)
        );
    }

    #[test]
    fn it_is_let_in_again_when_it_was_told_to_come() {
        let mut window = Window::new(slot(NOON));
        let mut now = NOON;
        for _ in 0..500 {
            let rate = admit(&mut window, now);
            if !rate.allowed {
                now += rate.reset_after + Duration::from_millis(1);
                assert!(admit(&mut window, now).allowed);
            }
            now += Duration::from_millis(50);
        }
    }

    #[test]
    fn never_twice_the_rate_around_the_turn_of_a_minute() {
        let mut window = Window::new(slot(NOON));
        let late = (0..200)
            .filter(|_| admit(&mut window, NOON + Duration::from_secs(59)).allowed)
            .count();
        let early = (0..200)
            .filter(|_| admit(&mut window, NOON + Duration::from_secs(61)).allowed)
            .count();
        assert_eq!((late, early), (60, 0));
    }

    #[test]
    fn after_a_minute_the_whole_rate_is_there_again() {
        let mut window = Window::new(slot(NOON));
        for minute in 0..3 {
            let at = NOON + minute * Duration::from_millis(60_500);
            assert!((0..60).all(|_| admit(&mut window, at).allowed), "{minute}");
            assert!(!admit(&mut window, at).allowed);
        }
    }
}
