//! Requests that may be repeated and are done once.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{Result, TenantId, Timestamp};

/// The longest `Idempotency-Key`, in characters.
pub const KEY_MAX: usize = 255;

/// A request with an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// The key, as the client sent it; unique within the tenant.
    pub key: String,
    /// A hash over method, path and body: the same key with another one is refused.
    pub fingerprint: [u8; 32],
    /// The id for what the request makes, if this is its first time.
    pub operation_id: Uuid,
    /// Now.
    pub at: Timestamp,
    /// A request that began before this and has no answer died with its process, and may be done again.
    pub stale_before: Timestamp,
}

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// Status code.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

/// What to do with a keyed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Do it. The id is the one of the first time, so that what a dead process has done already is found
    /// again instead of being done twice.
    Proceed {
        /// The id for what the request makes.
        operation_id: Uuid,
    },
    /// It was done: give this answer again.
    Replay(RecordedAnswer),
}

/// Where keyed requests are kept, for a day.
#[async_trait]
pub trait IdempotencyKeys: Send + Sync {
    /// Begins a keyed request.
    ///
    /// # Errors
    /// [`crate::Error::Conflict`]: `IdempotencyKeyReused` for another fingerprint, `RequestUnderWay` while
    /// the first is being done.
    async fn begin(&self, tenant: TenantId, request: &KeyedRequest) -> Result<Admission>;
    /// Keeps the answer of a request that was done.
    async fn finish(&self, tenant: TenantId, key: &str, answer: &RecordedAnswer) -> Result<()>;
    /// Notes that a request came to nothing, so that the same request can be tried again at once with the
    /// same key. Its operation id stays: what it did before it failed is found again, not done twice.
    async fn abandon(&self, tenant: TenantId, key: &str) -> Result<()>;
    /// Forgets requests, of any tenant, that began before this.
    async fn forget(&self, before: Timestamp) -> Result<()>;
}
