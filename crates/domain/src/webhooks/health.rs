//! How an endpoint does, and when what failed is tried again.

use std::str::FromStr;
use std::time::Duration;

use super::KEPT_FOR;
use crate::{Error, Result, Timestamp};

/// How long an endpoint may fail before it is switched off.
pub const FAILING_FOR: Duration = Duration::from_secs(5 * 24 * 3600);
/// The longest that an endpoint's own word (`Retry-After`) makes us wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// Why and since when an endpoint gets nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// A sentence for its owner.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// How an endpoint has been doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Rounds since the last one in which something was delivered.
    pub failed_rounds: u32,
    /// Since when nothing was delivered, if the last round failed.
    pub failing_since: Option<Timestamp>,
    /// Nothing is sent before then.
    pub paused_until: Option<Timestamp>,
}

/// What came of a round: some of what waits for an endpoint, sent to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Whether something was delivered.
    pub delivered: bool,
    /// Whether something was not.
    pub failed: bool,
    /// Whether the endpoint said that it is gone for good (410).
    pub gone: bool,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl Round {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            delivered: self.delivered || other.delivered,
            failed: self.failed || other.failed,
            gone: self.gone || other.gone,
            retry_after: self.retry_after.max(other.retry_after),
        }
    }
}

impl Health {
    /// How it does after a round, and whether it is to be switched off.
    pub fn after(
        self,
        round: Round,
        schedule: &RetrySchedule,
        now: Timestamp,
    ) -> (Self, Option<Disabled>) {
        let disabled = |reason: &str| {
            Some(Disabled {
                reason: reason.to_owned(),
                since: now,
            })
        };
        let wanted = round.retry_after.map(|time| time.min(RETRY_AFTER_MAX));
        if round.gone {
            let reason = "The endpoint answered that it is gone for good (410).";
            return (self, disabled(reason));
        }
        if !round.delivered && !round.failed {
            return (self, None);
        }
        if round.delivered {
            let rested = Self {
                paused_until: wanted.map(|time| now + time),
                ..Self::default()
            };
            return (rested, None);
        }
        let failed_rounds = self.failed_rounds.saturating_add(1);
        let since = self.failing_since.unwrap_or(now);
        let pause = schedule
            .pause(failed_rounds)
            .max(wanted.unwrap_or_default());
        let failing = Self {
            failed_rounds,
            failing_since: Some(since),
            paused_until: Some(now + pause),
        };
        let is_dead = now - since >= FAILING_FOR;
        let reason = "Nothing could be delivered for five days.";
        (failing, is_dead.then(|| disabled(reason)).flatten())
    }
}

/// When what failed is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

impl Default for RetrySchedule {
    /// As the Standard Webhooks recommend ("Retry schedule"): over three days.
    fn default() -> Self {
        const MINUTES: u64 = 60;
        const HOURS: u64 = 60 * MINUTES;
        let seconds = [
            5,
            5 * MINUTES,
            30 * MINUTES,
            2 * HOURS,
            5 * HOURS,
            10 * HOURS,
            14 * HOURS,
            20 * HOURS,
            24 * HOURS,
        ];
        Self(seconds.map(Duration::from_secs).to_vec())
    }
}

impl FromStr for RetrySchedule {
    type Err = Error;

    /// Seconds, with commas between them.
    fn from_str(text: &str) -> Result<Self> {
        let delay = |word: &str| {
            let seconds = word.trim().parse().ok()?;
            let delay = Duration::try_from_secs_f64(seconds).ok()?;
            (delay <= KEPT_FOR).then_some(delay)
        };
        let delays: Option<Vec<_>> = text.split(',').map(delay).collect();
        let problem = "Delays are seconds, with commas between them.";
        delays
            .map(Self)
            .ok_or_else(|| Error::invalid("retries", problem))
    }
}

impl RetrySchedule {
    /// How long to wait after so many attempts; `None`: it is given up. `noise` spreads what failed together over a
    /// fifth of the time.
    pub fn after(&self, attempts: u32, noise: u8) -> Option<Duration> {
        let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
        let delay = *self.0.get(place)?;
        Some(delay + delay * u32::from(noise) / (5 * 255))
    }

    /// How long an endpoint is left alone after so many rounds that failed: the first delay, doubled each time, up to
    /// the second. So a dead endpoint costs a request now and then, and one that is back is noticed soon, however long
    /// its deliveries wait by themselves.
    pub fn pause(&self, failed_rounds: u32) -> Duration {
        let first = self.0.first().copied().unwrap_or_default();
        let most = self.0.get(1).copied().unwrap_or(first).max(first);
        let doubled = first.saturating_mul(1 << failed_rounds.saturating_sub(1).min(20));
        doubled.min(most)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-03-10 12:00 UTC);
    const FAILED: Round = Round {
        delivered: false,
        failed: true,
        gone: false,
        retry_after: None,
    };

    #[test]
    fn a_delivery_is_tried_over_days_and_given_up() {
        let schedule = RetrySchedule::default();
        let delays: Vec<_> = (1..).map_while(|n| schedule.after(n, 0)).collect();
        assert_eq!(delays.len(), 9);
        let total: Duration = delays.iter().sum();
        assert_eq!(total, Duration::from_secs(5 + 35 * 60 + 75 * 3600));
        assert_eq!(schedule.after(1, 255), Some(Duration::from_secs(6)));
        assert_eq!(schedule.after(0, 0), None);
    }

    #[test]
    fn a_schedule_is_read_from_seconds() {
        let read: RetrySchedule = "5, 0.5,60".parse().unwrap();
        let delays: Vec<_> = (1..).map_while(|n| read.after(n, 0)).collect();
        assert_eq!(delays, [5.0, 0.5, 60.0].map(Duration::from_secs_f64));
        for wrong in ["", "5,", "-1", "soon", "inf", "NaN", "9e9"] {
            assert!(wrong.parse::<RetrySchedule>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_failing_endpoint_is_left_alone_for_longer_and_longer() {
        let schedule = RetrySchedule::default();
        let mut health = Health::default();
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let (next, disabled) = health.after(FAILED, &schedule, NOW);
            assert_eq!(disabled, None);
            pauses.push((next.paused_until.unwrap() - NOW).whole_seconds());
            health = next;
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        let some = Round {
            delivered: true,
            ..FAILED
        };
        assert_eq!(
            health.after(some, &schedule, NOW),
            (Health::default(), None)
        );
    }

    #[test]
    fn an_endpoint_says_how_long_to_wait() {
        let schedule = RetrySchedule::default();
        for (seconds, kept_to) in [(1, 5), (90, 90), (1_000_000, 86_400)] {
            let round = Round {
                retry_after: Some(Duration::from_secs(seconds)),
                ..FAILED
            };
            let (health, _) = Health::default().after(round, &schedule, NOW);
            let until = NOW + Duration::from_secs(kept_to);
            assert_eq!(health.paused_until, Some(until));
        }
    }

    #[test]
    fn five_days_of_failure_switch_an_endpoint_off() {
        let schedule = RetrySchedule::default();
        let (health, _) = Health::default().after(FAILED, &schedule, NOW);
        let later = NOW + FAILING_FOR;
        let (still, disabled) = health.after(FAILED, &schedule, later - Duration::from_secs(1));
        assert_eq!((still.failing_since, disabled), (Some(NOW), None));
        let (_, disabled) = still.after(FAILED, &schedule, later);
        assert_eq!(disabled.unwrap().since, later);
        let gone = Round {
            gone: true,
            ..FAILED
        };
        let (_, disabled) = Health::default().after(gone, &schedule, NOW);
        assert!(disabled.unwrap().reason.contains("410"));
    }
}
