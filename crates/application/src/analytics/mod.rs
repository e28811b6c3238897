//! Figures for a tenant's dashboard.

mod activity;
mod conversations;
mod overview;

pub use activity::activity;
pub use conversations::{ConversationAnalytics, conversations};
pub use overview::{Overview, overview};

use domain::analytics::Days;
use domain::{Error, Result, Timestamp};
use time::Duration;

/// Days where the client does not say.
pub const DEFAULT_PERIOD: u32 = 30;
const MAX_PERIOD: u32 = 365;

/// The last `period` days in UTC, today included.
///
/// # Errors
/// [`Error::Invalid`] outside 1..=365.
fn last_days(period: u32, now: Timestamp) -> Result<Days> {
    if !(1..=MAX_PERIOD).contains(&period) {
        return Err(Error::invalid(
            "period",
            "The 'period' parameter must be a whole number from 1 to 365.",
        ));
    }
    let last = now.date();
    Ok(Days {
        first: last - Duration::days(i64::from(period) - 1),
        last,
    })
}
