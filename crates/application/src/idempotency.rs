//! Requests that may be repeated and are done once.

use std::time::Duration;

use domain::actors::Actor;
use domain::idempotency::{Admission, KEY_MAX, KeyedRequest, RecordedAnswer};
use domain::{Error, Result};

use crate::App;

/// A request that has been under way for longer died with its process: no turn and no crawl takes so long.
const STALE_AFTER: Duration = Duration::from_secs(180);
/// How long answers are kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// Begins a request that came with an `Idempotency-Key`; `fingerprint` is over all that makes it that request.
///
/// # Errors
/// [`Error::Conflict`] as in the port; [`Error::Invalid`] for a key that is empty or too long.
pub async fn begin(
    app: &App,
    actor: &Actor,
    key: &str,
    fingerprint: [u8; 32],
) -> Result<Admission> {
    if key.trim().is_empty() || key.chars().count() > KEY_MAX || key.contains('\0') {
        return Err(Error::invalid(
            "Idempotency-Key",
            "The 'Idempotency-Key' header must be 1 to 255 characters long.",
        ));
    }
    let at = app.clock.now();
    let request = KeyedRequest {
        key: key.to_owned(),
        fingerprint,
        operation_id: app.ids.uuid(),
        at,
        stale_before: at - STALE_AFTER,
    };
    app.idempotency.begin(actor.tenant_id(), &request).await
}

/// Keeps the answer. One that names a fault of ours or of a provider is not kept: the request may be tried
/// again, and goes on where it stopped.
///
/// # Errors
/// As the port.
pub async fn finish(app: &App, actor: &Actor, key: &str, answer: &RecordedAnswer) -> Result<()> {
    if answer.status >= 500 {
        return abandon(app, actor, key).await;
    }
    app.idempotency.finish(actor.tenant_id(), key, answer).await
}

/// Lets the request be done again, without its answer being kept.
///
/// # Errors
/// As the port.
pub async fn abandon(app: &App, actor: &Actor, key: &str) -> Result<()> {
    app.idempotency.abandon(actor.tenant_id(), key).await
}

/// Forgets answers that have been kept long enough, of all tenants.
///
/// # Errors
/// As the port.
pub async fn forget_old(app: &App) -> Result<()> {
    app.idempotency.forget(app.clock.now() - KEPT_FOR).await
}
