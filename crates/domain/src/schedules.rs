//! Times that come again, as cron writes them.

use chrono::DateTime;
use croner::Cron;

use crate::{Error, Result, Timestamp};

/// The longest expression, in characters.
pub const SCHEDULE_MAX: usize = 200;

/// A cron expression in UTC: five fields (minute, hour, day of the month, month, day of the week), or six with seconds
/// before them.
#[derive(Debug, Clone)]
pub struct Schedule(Cron);

impl Schedule {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`Error::Invalid`], for one that names no time after `now` too.
    pub fn read(field: &'static str, text: &str, now: Timestamp) -> Result<Self> {
        let wrong = |problem: &str| {
            let problem = format!("The '{field}' field {problem}");
            Err(Error::invalid(field, problem))
        };
        let fields = text.split_whitespace().count();
        // The parser also knows names such as @daily, and years, which few readers would expect.
        let is_plain = text.len() <= SCHEDULE_MAX && (5..=6).contains(&fields);
        match Self::parse(text).filter(|_| is_plain) {
            None => wrong(
                "must be a cron expression in UTC with five fields, or six with seconds before them, \
                 such as '0 9 * * 1-5'.",
            ),
            Some(schedule) if schedule.next_after(now).is_none() => {
                wrong("names no time that ever comes.")
            }
            Some(schedule) => Ok(schedule),
        }
    }

    /// An expression that was read before.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// The first moment after this one; `None`: there is none.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let at = DateTime::from_timestamp(at.unix_timestamp(), 0)?;
        let next = self.0.find_next_occurrence(&at, false).ok()?;
        Timestamp::from_unix_timestamp(next.timestamp()).ok()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-03-10 12:00:00.5 UTC);

    #[test]
    fn the_next_time_is_found_in_utc() {
        for (text, next) in [
            ("* * * * *", datetime!(2026-03-10 12:01 UTC)),
            ("* * * * * *", datetime!(2026-03-10 12:00:01 UTC)),
            ("30 9 * * 1-5", datetime!(2026-03-11 9:30 UTC)),
            ("0 0 29 2 *", datetime!(2028-02-29 0:00 UTC)),
        ] {
            let schedule = Schedule::read("cron", text, NOW).unwrap();
            assert_eq!(schedule.next_after(NOW), Some(next), "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        let long = format!("{} * * * *", "1,".repeat(200));
        for text in [
            "",
            "daily",
            "@daily",
            "* * *",
            "61 * * * *",
            "0 0 30 2 *",
            "* * * * * * *",
            &long,
        ] {
            assert!(Schedule::read("cron", text, NOW).is_err(), "{text}");
        }
    }
}
