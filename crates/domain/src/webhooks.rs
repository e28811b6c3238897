//! Webhooks: a tenant's endpoints that events are sent to, and how they get there.
//!
//! Events are signed and told as the Standard Webhooks say (<https://www.standardwebhooks.com>), at least once, and
//! in order for each subject: the next is not sent before the one before it was delivered or given up.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::events::{Event, EventKind};
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::text::{DESCRIPTION_MAX, URL_MAX, no_nul};
use crate::{Error, EventId, Result, TenantId, Timestamp, WebhookId};

/// The most endpoints of a tenant.
pub const ENDPOINTS_MAX: u32 = 20;
/// How long an endpoint may fail before it is switched off.
pub const FAILING_FOR: Duration = Duration::from_secs(5 * 24 * 3600);
/// How long events and the log of their deliveries are kept.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// The longest that an endpoint's own word (`Retry-After`) makes us wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// A key that events are signed with, in clear. `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// A key from 32 random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// A key from its bytes as they were kept.
    ///
    /// # Errors
    /// [`Error::Internal`] for another number of bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self(bytes.try_into().map_err(Error::internal)?))
    }

    /// The bytes that HMAC takes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as its owner is shown it: `whsec_` and base64.
    pub fn reveal(&self) -> String {
        format!("whsec_{}", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// An endpoint of a tenant. Its keys are sealed ([`crate::secrets`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Where events are sent.
    pub url: String,
    /// The kinds that it gets.
    pub events: Vec<EventKind>,
    /// What its owner says about it.
    pub description: Option<String>,
    /// Why it gets nothing; `None`: it is enabled.
    pub disabled: Option<Disabled>,
    /// How it has been doing.
    pub health: Health,
    /// The key that signs, sealed.
    pub key: Vec<u8>,
    /// The key before it, sealed, and until when it signs too.
    pub previous_key: Option<(Vec<u8>, Timestamp)>,
    /// When it was made.
    pub created_at: Timestamp,
}

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

/// What an owner changes of an endpoint; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChanges {
    /// See [`WebhookEndpoint::url`].
    pub url: Option<String>,
    /// See [`WebhookEndpoint::events`].
    pub events: Option<Vec<EventKind>>,
    /// See [`WebhookEndpoint::description`].
    pub description: Option<Option<String>>,
    /// `Some(None)` enables it, and forgets how it has been doing.
    pub disabled: Option<Option<Disabled>>,
}

impl EndpointChanges {
    /// Checks what can be checked without asking anybody, and takes out kinds that are named twice.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&mut self) -> Result<()> {
        let description = self.description.as_ref().and_then(Option::as_ref);
        for (field, text, most) in [
            ("url", self.url.as_ref(), URL_MAX),
            ("description", description, DESCRIPTION_MAX),
        ] {
            if text.is_some_and(|t| t.chars().count() as u64 > most || no_nul(t).is_err()) {
                let problem = format!(
                    "The '{field}' field must be at most {most} characters long, without NUL."
                );
                return Err(Error::invalid(field, problem));
            }
        }
        if let Some(events) = &mut self.events {
            if events.is_empty() {
                let problem = "The 'events' field must name at least one kind of event.";
                return Err(Error::invalid("events", problem));
            }
            let mut seen = Vec::new();
            events.retain(|kind| {
                let is_new = !seen.contains(kind);
                seen.push(*kind);
                is_new
            });
        }
        Ok(())
    }
}

/// Where endpoints are kept.
#[async_trait]
pub trait WebhookEndpoints: Send + Sync {
    /// Keeps an endpoint.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`url`) where the tenant has [`ENDPOINTS_MAX`]; [`Error::Conflict`] (`AlreadyExists`) for an
    /// id that is taken; [`Error::NotFound`] (`Tenant`).
    async fn create(&self, endpoint: &WebhookEndpoint) -> Result<()>;

    /// One of the tenant's.
    async fn find(&self, tenant: TenantId, id: WebhookId) -> Result<Option<WebhookEndpoint>>;

    /// A page of the tenant's, newest first.
    async fn list(&self, tenant: TenantId, page: PageRequest) -> Result<Page<WebhookEndpoint>>;

    /// Changes one; answers it as it is then. `None`: there is none.
    async fn update(
        &self,
        tenant: TenantId,
        id: WebhookId,
        changes: &EndpointChanges,
    ) -> Result<Option<WebhookEndpoint>>;

    /// Gives it a new key; the one it had signs too until then. One that was still signing from before ends.
    async fn rotate(
        &self,
        tenant: TenantId,
        id: WebhookId,
        key: &[u8],
        previous_until: Timestamp,
    ) -> Result<Option<WebhookEndpoint>>;

    /// Deletes it, with what waits for it. `false`: there is none.
    async fn delete(&self, tenant: TenantId, id: WebhookId) -> Result<bool>;
}

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

/// An event to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// Where to.
    pub url: &'a str,
    /// The event's id.
    pub id: EventId,
    /// When it is sent.
    pub at: Timestamp,
    /// The body.
    pub body: &'a str,
    /// The keys to sign with, the newest first.
    pub keys: &'a [SigningKey],
}

/// What an endpoint answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// How long it wants to be left alone (429 and 503).
    pub retry_after: Option<Duration>,
}

/// Sends events. Every request goes through the egress guard.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether an address may be an endpoint's, as far as it shows in the address itself.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`url`).
    fn check(&self, url: &str) -> Result<()>;

    /// Signs and sends an event once. Redirects are not followed.
    ///
    /// # Errors
    /// A sentence for the endpoint's owner where there was no answer.
    async fn send(&self, post: Post<'_>) -> Result<Answered, String>;
}

/// Wakes whoever delivers, so that a new event need not wait for the next look.
pub trait DeliveryBell: Send + Sync {
    /// There is something to deliver.
    fn ring(&self);
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

    #[test]
    fn a_key_is_shown_as_the_standard_says_and_hidden_elsewhere() {
        let key = SigningKey::new([0; 32]);
        assert_eq!(key.reveal(), format!("whsec_{}=", "A".repeat(43)));
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
        assert_eq!(SigningKey::from_bytes(key.bytes()).unwrap(), key);
        assert!(SigningKey::from_bytes(&[0; 31]).is_err());
    }
}
