use std::time::Duration;

use domain::actors::Actor;
use domain::secrets::SecretContext;
use domain::webhooks::{SigningKey, WebhookEndpoint};
use domain::{Error, Resource, Result, TenantId, Timestamp, WebhookId};

use super::WithKey;
use crate::App;

/// How long an old key signs too, in hours, where its owner does not say.
pub const OVERLAP_HOURS: u32 = 24;
/// The longest that it may.
pub const OVERLAP_HOURS_MAX: u32 = 168;

/// Gives an endpoint a new key; the old one signs too for some hours.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] (`old_key_hours`).
#[tracing::instrument(level = "debug", name = "webhooks.rotate", skip_all)]
pub async fn rotate(app: &App, actor: &Actor, id: WebhookId, hours: u32) -> Result<WithKey> {
    if hours > OVERLAP_HOURS_MAX {
        let problem = format!(
            "The 'old_key_hours' field must be a whole number from 0 to {OVERLAP_HOURS_MAX}."
        );
        return Err(Error::invalid("old_key_hours", problem));
    }
    let tenant = actor.tenant_id();
    let key = SigningKey::new(app.ids.secret()?);
    let sealed = seal(app, tenant, id, &key)?;
    let until = app.clock.now() + Duration::from_secs(u64::from(hours) * 3600);
    let rotated = app.webhooks.rotate(tenant, id, &sealed, until).await?;
    let endpoint = rotated.ok_or(Error::NotFound(Resource::Webhook))?;
    Ok(WithKey { endpoint, key })
}

/// The keys that sign now, the newest first.
pub(super) fn in_force(
    app: &App,
    endpoint: &WebhookEndpoint,
    now: Timestamp,
) -> Result<Vec<SigningKey>> {
    let previous = endpoint
        .previous_key
        .iter()
        .filter(|(_, until)| *until > now);
    let sealed = std::iter::once(&endpoint.key).chain(previous.map(|(key, _)| key));
    sealed.map(|sealed| open(app, endpoint, sealed)).collect()
}

pub(super) fn seal(
    app: &App,
    tenant: TenantId,
    id: WebhookId,
    key: &SigningKey,
) -> Result<Vec<u8>> {
    app.secrets.seal(&context(tenant, id), key.bytes())
}

pub(super) fn open(app: &App, endpoint: &WebhookEndpoint, sealed: &[u8]) -> Result<SigningKey> {
    let context = context(endpoint.tenant_id, endpoint.id);
    SigningKey::from_bytes(&app.secrets.open(&context, sealed)?)
}

fn context(tenant_id: TenantId, id: WebhookId) -> SecretContext {
    SecretContext {
        tenant_id,
        row: id.into(),
        purpose: "webhook signing key",
    }
}
