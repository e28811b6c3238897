//! Requests that may be repeated and are done once.

use std::time::Duration;

use domain::actors::Actor;
use domain::idempotency::{Admission, KEY_MAX, KeyedRequest, RecordedAnswer};
use domain::secrets::SecretContext;
use domain::{Error, Result};
use uuid::Uuid;

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
    match app.idempotency.begin(actor.tenant_id(), &request).await? {
        Admission::Replay(answer) => Ok(Admission::Replay(RecordedAnswer {
            body: opened(app, actor, answer.body)?,
            ..answer
        })),
        proceed => Ok(proceed),
    }
}

/// Where answers are kept: what a request made may have been shown a secret that is kept nowhere else in clear.
fn place(actor: &Actor) -> SecretContext {
    SecretContext {
        tenant_id: actor.tenant_id(),
        row: Uuid::nil(),
        purpose: "recorded answer",
    }
}

/// The body of a recorded answer. Those of earlier versions were kept as they were given, in JSON.
fn opened(app: &App, actor: &Actor, body: Vec<u8>) -> Result<Vec<u8>> {
    if body.is_empty() || body.starts_with(b"{") {
        return Ok(body);
    }
    app.secrets.open(&place(actor), &body)
}

/// Keeps the answer, encrypted: it may hold a secret that was shown once. One that names a fault of ours or of a provider is not kept: the request may be tried
/// again, and goes on where it stopped.
///
/// # Errors
/// As the port.
pub async fn finish(app: &App, actor: &Actor, key: &str, answer: &RecordedAnswer) -> Result<()> {
    if answer.status >= 500 {
        return abandon(app, actor, key).await;
    }
    let sealed = RecordedAnswer {
        body: app.secrets.seal(&place(actor), &answer.body)?,
        ..answer.clone()
    };
    app.idempotency
        .finish(actor.tenant_id(), key, &sealed)
        .await
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
