//! The system's clock and randomness.

use std::time::Duration;

use async_trait::async_trait;
use domain::clock::{Clock, Ids};
use domain::{Error, Result, Timestamp};
use uuid::Uuid;

/// The machine's clock and its secure random source.
pub struct System;

#[async_trait]
impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else asks"
    )]
    fn now(&self) -> Timestamp {
        let now = time::OffsetDateTime::now_utc();
        // PostgreSQL keeps microseconds: what is stored and what was said must be the same.
        now.replace_microsecond(now.microsecond()).unwrap_or(now)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Ids for System {
    #[expect(clippy::disallowed_methods, reason = "this is where all ids come from")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn secret(&self) -> Result<[u8; 32]> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(error.to_string()))?;
        Ok(bytes)
    }
}
