//! Webhooks: a tenant's endpoints that events are sent to, and how they get there.
//!
//! Events are signed and told as the Standard Webhooks say (<https://www.standardwebhooks.com>), at least once, and
//! in order for each subject: the next is not sent before the one before it was delivered or given up.

mod deliveries;
mod health;
mod sending;

use async_trait::async_trait;

pub use deliveries::{
    Attempt, Deliveries, Delivery, DeliveryBell, DeliveryStatus, Due, EndpointLease, KEPT_FOR,
};
pub use health::{Disabled, FAILING_FOR, Health, RetrySchedule, Round};
pub use sending::{Answered, Post, SigningKey, WebhookSender};

use crate::events::EventKind;
use crate::paging::{Page, PageRequest};
use crate::text::{DESCRIPTION_MAX, URL_MAX, no_nul};
use crate::{Error, Result, TenantId, Timestamp, WebhookId};

/// The most endpoints of a tenant.
pub const ENDPOINTS_MAX: u32 = 20;

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
