use domain::actors::Actor;
use domain::events::EventKind;
use domain::paging::{Page, PageRequest};
use domain::webhooks::{Disabled, EndpointChanges, Health, SigningKey, WebhookEndpoint};
use domain::{Clash, Error, Resource, Result, WebhookId};

use super::keys;
use crate::App;

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub struct Create {
    /// Its id.
    pub id: WebhookId,
    /// Where events are to be sent.
    pub url: String,
    /// The kinds that it wants.
    pub events: Vec<EventKind>,
    /// What its owner says about it.
    pub description: Option<String>,
}

/// An endpoint with its key in clear: shown when the key is made, and never again.
#[derive(Debug, Clone)]
pub struct WithKey {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// Its key.
    pub key: SigningKey,
}

/// What an owner changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// See [`WebhookEndpoint::url`].
    pub url: Option<String>,
    /// See [`WebhookEndpoint::events`].
    pub events: Option<Vec<EventKind>>,
    /// See [`WebhookEndpoint::description`].
    pub description: Option<Option<String>>,
    /// Whether it gets events.
    pub enabled: Option<bool>,
}

/// Makes an endpoint, with a key of its own.
///
/// # Errors
/// [`Error::Invalid`].
#[tracing::instrument(level = "debug", name = "webhooks.create", skip_all)]
pub async fn create(app: &App, actor: &Actor, command: Create) -> Result<WithKey> {
    let tenant_id = actor.tenant_id();
    let fields = EndpointChanges {
        url: Some(command.url),
        events: Some(command.events),
        description: Some(command.description),
        disabled: None,
    };
    let fields = checked(app, fields)?;
    let key = SigningKey::new(app.ids.secret()?);
    let endpoint = WebhookEndpoint {
        id: command.id,
        tenant_id,
        url: fields.url.unwrap_or_default(),
        events: fields.events.unwrap_or_default(),
        description: fields.description.flatten(),
        disabled: None,
        health: Health::default(),
        key: keys::seal(app, tenant_id, command.id, &key)?,
        previous_key: None,
        created_at: app.clock.now(),
    };
    match app.webhooks.create(&endpoint).await {
        Ok(()) => Ok(WithKey { endpoint, key }),
        // A repeated request, after the process died on the first: it has not been seen yet.
        Err(Error::Conflict(Clash::AlreadyExists)) => {
            let endpoint = get(app, actor, command.id).await?;
            let key = keys::open(app, &endpoint, &endpoint.key)?;
            Ok(WithKey { endpoint, key })
        }
        Err(error) => Err(error),
    }
}

/// One of the tenant's endpoints.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(app: &App, actor: &Actor, id: WebhookId) -> Result<WebhookEndpoint> {
    let found = app.webhooks.find(actor.tenant_id(), id).await?;
    found.ok_or(Error::NotFound(Resource::Webhook))
}

/// A page of the tenant's endpoints, newest first.
///
/// # Errors
/// As the port.
pub async fn list(app: &App, actor: &Actor, page: PageRequest) -> Result<Page<WebhookEndpoint>> {
    app.webhooks.list(actor.tenant_id(), page).await
}

/// Changes an endpoint. One that is enabled gets what has waited for it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`].
#[tracing::instrument(level = "debug", name = "webhooks.change", skip_all)]
pub async fn change(
    app: &App,
    actor: &Actor,
    id: WebhookId,
    change: Change,
) -> Result<WebhookEndpoint> {
    let off = || Disabled {
        reason: "Its owner switched it off.".to_owned(),
        since: app.clock.now(),
    };
    let changes = EndpointChanges {
        url: change.url,
        events: change.events,
        description: change.description,
        disabled: change.enabled.map(|enabled| (!enabled).then(off)),
    };
    let changes = checked(app, changes)?;
    let changed = app.webhooks.update(actor.tenant_id(), id, &changes).await?;
    app.delivery_bell.ring();
    changed.ok_or(Error::NotFound(Resource::Webhook))
}

/// Deletes an endpoint, with what waits for it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(app: &App, actor: &Actor, id: WebhookId) -> Result<()> {
    if app.webhooks.delete(actor.tenant_id(), id).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Resource::Webhook))
    }
}

fn checked(app: &App, mut changes: EndpointChanges) -> Result<EndpointChanges> {
    changes.check()?;
    if let Some(url) = &changes.url {
        app.webhook_sender.check(url)?;
    }
    Ok(changes)
}
