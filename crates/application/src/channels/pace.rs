use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::channels::{Rate, SendLimits};
use domain::{ChannelId, Timestamp};

/// Recipients that are remembered at most; past it, those whose time is over are forgotten.
const REMEMBERED: usize = 10_000;

/// Keeps to what platforms take: of each channel, and of each recipient in it, the moment up to which its rate is used
/// up (the generic cell rate algorithm). In memory, so each replica by itself: a platform that is asked too much says
/// so, and the queue waits.
#[derive(Default)]
pub struct Pace {
    used_until: Mutex<HashMap<(ChannelId, Option<String>), Timestamp>>,
}

impl Pace {
    /// Takes room for one part of a message.
    ///
    /// # Errors
    /// How long to wait until there is some; none is taken then.
    pub fn take(
        &self,
        channel: ChannelId,
        to: &str,
        limits: SendLimits,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let mut used = self
            .used_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if used.len() >= REMEMBERED {
            used.retain(|_, until| *until > now);
        }
        let rates = rates(channel, to, limits);
        let wait = rates.iter().map(|(key, rate)| {
            let until = used.get(key).copied().unwrap_or(now);
            until - now - (rate.per - each(*rate))
        });
        let wait = wait.max().unwrap_or_default();
        if wait.is_positive() {
            return Err(wait.unsigned_abs());
        }
        for (key, rate) in rates {
            let until = used.entry(key).or_insert(now);
            *until = (*until).max(now) + each(rate);
        }
        Ok(())
    }

    /// Counts parts that went out beside the one that room was taken for: the next message waits for them.
    pub fn count(
        &self,
        channel: ChannelId,
        to: &str,
        limits: SendLimits,
        parts: u32,
        now: Timestamp,
    ) {
        let mut used = self
            .used_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (key, rate) in rates(channel, to, limits) {
            let until = used.entry(key).or_insert(now);
            *until = (*until).max(now) + each(rate) * parts;
        }
    }
}

fn rates(
    channel: ChannelId,
    to: &str,
    limits: SendLimits,
) -> Vec<((ChannelId, Option<String>), Rate)> {
    let overall = limits.overall.map(|rate| ((channel, None), rate));
    let each = limits
        .each
        .map(|rate| ((channel, Some(to.to_owned())), rate));
    overall.into_iter().chain(each).collect()
}

/// The time that one part uses up.
fn each(rate: Rate) -> Duration {
    rate.per / rate.count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn recipients_and_channels_have_rates_of_their_own() {
        let second = Duration::from_secs(1);
        let rate = |count| Some(Rate { count, per: second });
        let limits = SendLimits {
            overall: rate(2),
            each: rate(1),
        };
        let (one, other) = (
            uuid::Uuid::from_u128(1).into(),
            uuid::Uuid::from_u128(2).into(),
        );
        let noon = datetime!(2026-03-10 12:00 UTC);
        let pace = Pace::default();
        let take = |channel, to, at| pace.take(channel, to, limits, at);
        assert_eq!(take(one, "a", noon), Ok(()));
        assert_eq!(take(one, "a", noon), Err(second), "one to each");
        assert_eq!(take(one, "b", noon), Ok(()));
        assert_eq!(take(one, "c", noon), Err(second / 2), "two in all");
        assert_eq!(take(other, "a", noon), Ok(()));
        assert_eq!(take(one, "a", noon + second), Ok(()));
        pace.count(one, "a", limits, 3, noon + second);
        assert_eq!(take(one, "a", noon + second), Err(4 * second));
        assert_eq!(pace.take(one, "a", SendLimits::default(), noon), Ok(()));
    }
}
