//! Time and randomness, which the domain may not make itself.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::Timestamp;

/// Tells the time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, in UTC, cut to whole microseconds.
    fn now(&self) -> Timestamp;

    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// Makes what must not be guessable or repeat.
pub trait Ids: Send + Sync {
    /// A new UUID version 7. Ids made one after the other in one process sort in that order.
    fn uuid(&self) -> Uuid;

    /// Thirty-two bytes from the system's secure random source.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] where the system has no randomness to give.
    fn secret(&self) -> crate::Result<[u8; 32]>;
}
