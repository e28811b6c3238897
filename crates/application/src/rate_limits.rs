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

/// Counts requests per key of a tenant, or per bot and address, in a sliding window: those of this minute, plus those of the minute before in
/// proportion to how much of it the last sixty seconds still cover. A fresh key gets its whole rate at
/// once, and no key ever gets twice its rate around the turn of a minute. Kept in memory, so each replica
/// counts for itself.
#[derive(Default)]
pub struct RateLimiter {
    windows: Mutex<HashMap<Counted, Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    began: Timestamp,
    count: u64,
    before: u64,
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
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= REMEMBERED {
            windows.retain(|_, window| now - window.began < 2 * WINDOW);
        }
        let window = windows.entry(counted).or_insert(Window {
            began: now,
            count: 0,
            before: 0,
        });
        window.move_to(now);
        Some(window.admit(limit, now))
    }
}

impl Window {
    fn move_to(&mut self, now: Timestamp) {
        let age = now - self.began;
        if age >= 2 * WINDOW {
            *self = Self {
                began: now,
                count: 0,
                before: 0,
            };
        } else if age >= WINDOW {
            *self = Self {
                began: self.began + WINDOW,
                count: 0,
                before: self.count,
            };
        }
    }

    fn admit(&mut self, limit: u64, now: Timestamp) -> Rate {
        let elapsed = (now - self.began).max(time::Duration::ZERO).unsigned_abs();
        let left = WINDOW.saturating_sub(elapsed);
        let counted =
            self.count + (self.before as f64 * left.as_secs_f64() / WINDOW.as_secs_f64()) as u64;
        if counted >= limit {
            return Rate {
                allowed: false,
                limit,
                remaining: 0,
                reset_after: self.free_after(limit, left),
            };
        }
        self.count += 1;
        Rate {
            allowed: true,
            limit,
            remaining: limit - counted - 1,
            reset_after: left,
        }
    }

    /// When the oldest requests have slid out far enough for one more.
    fn free_after(self, limit: u64, left: Duration) -> Duration {
        if self.count >= limit {
            // This window's own requests fill the rate: they begin to fade when the next window begins.
            return left + WINDOW.mul_f64(1.0 / self.count as f64);
        }
        let surplus = self.before as f64 * left.as_secs_f64() / WINDOW.as_secs_f64()
            + self.count as f64
            - limit as f64;
        let per_second = self.before as f64 / WINDOW.as_secs_f64();
        Duration::from_secs_f64(
            ((surplus.max(0.0) + f64::EPSILON) / per_second.max(f64::EPSILON))
                .min(left.as_secs_f64()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: Timestamp = datetime!(2026-11-22 12:00 UTC);

    fn admit(window: &mut Window, at: Timestamp) -> Rate {
        window.move_to(at);
        window.admit(60, at)
    }

    #[test]
    fn the_whole_rate_at_once_and_not_one_more() {
        let mut window = Window {
            began: NOON,
            count: 0,
            before: 0,
        };
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
        let mut window = Window {
            began: NOON,
            count: 0,
            before: 0,
        };
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
        let mut window = Window {
            began: NOON,
            count: 0,
            before: 0,
        };
        let late = (0..200)
            .filter(|_| admit(&mut window, NOON + Duration::from_secs(59)).allowed)
            .count();
        let early = (0..200)
            .filter(|_| admit(&mut window, NOON + Duration::from_secs(61)).allowed)
            .count();
        assert_eq!((late, early), (60, 1));
    }
}
