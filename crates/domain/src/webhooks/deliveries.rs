//! Events on their way to endpoints.

use std::time::Duration;

use async_trait::async_trait;

use super::{Disabled, Health, WebhookEndpoint};
use crate::events::{Event, EventKind};
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::{EventId, Result, TenantId, Timestamp, WebhookId};

/// How long events and the log of their deliveries are kept.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

named! {
    /// Where a delivery stands.
    DeliveryStatus {
        /// It is to be sent, for the first time or again.
        Pending = "pending",
        /// The endpoint took it.
        Delivered = "delivered",
        /// It was given up.
        Failed = "failed",
    }
}

/// An event on its way to an endpoint. It is known by its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event_id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// How many times it was sent, since it was last asked for.
    pub attempts: u32,
    /// When it is due, while it is pending.
    pub due_at: Option<Timestamp>,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// Why it failed last: a sentence for its owner.
    pub last_error: Option<String>,
    /// When it was last sent.
    pub last_attempt_at: Option<Timestamp>,
    /// When the event happened.
    pub created_at: Timestamp,
}

/// An endpoint that one worker sends to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointLease {
    /// The endpoint as it was when it was leased.
    pub endpoint: WebhookEndpoint,
    /// Tells this lease from those before and after it.
    pub number: u64,
}

/// A delivery that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// What is to be sent.
    pub event: Event,
    /// How many times it was sent.
    pub attempts: u32,
}

/// What came of sending an event once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The event.
    pub event_id: EventId,
    /// When it was sent.
    pub at: Timestamp,
    /// The status of the answer, if there was one.
    pub status_code: Option<u16>,
    /// Why it failed; `None`: it was delivered.
    pub error: Option<String>,
    /// When it is sent again; `None` for one that failed: it is given up.
    pub again_at: Option<Timestamp>,
}

/// How events get from the outbox to the endpoints.
///
/// Workers lease endpoints, not deliveries: so one endpoint has one sender, order needs no further locks, and an
/// endpoint that is slow or dead holds up nobody else. A worker that dies loses its lease.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Of the endpoints that something is due for, that are enabled, not paused and not leased: the one whose last
    /// lease was longest ago, leased until `now + lease`.
    async fn lease(&self, now: Timestamp, lease: Duration) -> Result<Option<EndpointLease>>;

    /// Holds on to an endpoint. `false`: it is gone, or somebody else has it.
    async fn extend(&self, lease: &EndpointLease, now: Timestamp, time: Duration) -> Result<bool>;

    /// What is due for an endpoint, in order, at most `limit`; nothing of a subject that has an earlier event still
    /// waiting for its time.
    async fn due(&self, lease: &EndpointLease, now: Timestamp, limit: u32) -> Result<Vec<Due>>;

    /// Keeps what came of an attempt. One that is no longer pending is left.
    async fn record(&self, lease: &EndpointLease, attempt: &Attempt) -> Result<()>;

    /// Gives an endpoint back, with how it does now; `disabled` switches it off. The lease must still be held for it to
    /// count.
    async fn release(
        &self,
        lease: &EndpointLease,
        health: Health,
        disabled: Option<&Disabled>,
    ) -> Result<()>;

    /// Gives all endpoints back. For a start when no other process can be at work on them.
    async fn release_all(&self) -> Result<()>;

    /// Keeps an event for one endpoint alone, whatever kinds it chose. `false`: there is no such endpoint.
    async fn enqueue(&self, endpoint: WebhookId, event: &Event) -> Result<bool>;

    /// One delivery to an endpoint.
    async fn find(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        event: EventId,
    ) -> Result<Option<Delivery>>;

    /// A page of an endpoint's log, newest first.
    async fn list(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        status: Option<DeliveryStatus>,
        page: PageRequest,
    ) -> Result<Page<Delivery>>;

    /// Has an event sent again, however it ended before. `false`: there is none.
    async fn replay(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        event: EventId,
        at: Timestamp,
    ) -> Result<bool>;

    /// Forgets events that happened before a moment, with their deliveries, of all tenants: at most so many at once.
    /// Answers how many.
    async fn forget(&self, before: Timestamp, most: u32) -> Result<u64>;
}

/// Wakes whoever delivers, so that a new event need not wait for the next look.
pub trait DeliveryBell: Send + Sync {
    /// There is something to deliver.
    fn ring(&self);
}
