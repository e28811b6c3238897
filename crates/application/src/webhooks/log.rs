use domain::actors::Actor;
use domain::events::{Event, EventKind};
use domain::paging::{Page, PageRequest};
use domain::webhooks::{Delivery, DeliveryStatus, KEPT_FOR};
use domain::{Error, EventId, Resource, Result, WebhookId};
use serde_json::json;

use super::get;
use crate::App;

/// Events that are forgotten in one transaction.
const PORTION: u32 = 500;

/// A page of an endpoint's log, newest first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn deliveries(
    app: &App,
    actor: &Actor,
    id: WebhookId,
    status: Option<DeliveryStatus>,
    page: PageRequest,
) -> Result<Page<Delivery>> {
    get(app, actor, id).await?;
    app.deliveries
        .list(actor.tenant_id(), id, status, page)
        .await
}

/// Has an event sent to an endpoint again, however it ended before.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "webhooks.replay", skip_all)]
pub async fn replay(app: &App, actor: &Actor, id: WebhookId, event: EventId) -> Result<Delivery> {
    get(app, actor, id).await?;
    let (tenant, now) = (actor.tenant_id(), app.clock.now());
    app.deliveries.replay(tenant, id, event, now).await?;
    app.delivery_bell.ring();
    let found = app.deliveries.find(tenant, id, event).await?;
    found.ok_or(Error::NotFound(Resource::Delivery))
}

/// Sends an endpoint an event that says nothing, whatever kinds it chose.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Disabled`].
#[tracing::instrument(level = "debug", name = "webhooks.test", skip_all)]
pub async fn test(app: &App, actor: &Actor, id: WebhookId, event: EventId) -> Result<Delivery> {
    let tenant_id = actor.tenant_id();
    if get(app, actor, id).await?.disabled.is_some() {
        return Err(Error::Disabled(Resource::Webhook));
    }
    let event = Event {
        id: event,
        tenant_id,
        bot_id: None,
        kind: EventKind::Test,
        subject: id.into(),
        data: json!({ "webhook_id": id.0 }),
        created_at: app.clock.now(),
    };
    app.deliveries.enqueue(id, &event).await?;
    app.delivery_bell.ring();
    let found = app.deliveries.find(tenant_id, id, event.id).await?;
    found.ok_or(Error::NotFound(Resource::Webhook))
}

/// Forgets events that have been kept long enough, of all tenants.
///
/// # Errors
/// As the port.
pub async fn forget_old(app: &App) -> Result<()> {
    let before = app.clock.now() - KEPT_FOR;
    while app.deliveries.forget(before, PORTION).await? == u64::from(PORTION) {}
    Ok(())
}
