use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::events::{Event, EventKind, Outbox};
use domain::webhooks::DeliveryStatus;
use domain::{Resource, Result, TenantId};

use super::engine::{Conn, Store};
use super::{Runs, agent_loops, of_json, run};
use crate::fault::{Fault, Meaning};
use crate::schema::{
    webhook_deliveries as deliveries, webhook_endpoints as endpoints, webhook_events as events,
};
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl Outbox for Store {
    async fn publish(&self, event: &Event) -> Result<bool> {
        run!(
            self.write("outbox.publish", event.tenant_id),
            [event],
            |conn| tell(conn, &event)
        )
    }
}

/// Tells endpoints of an event, and has loops that listen for it begin.
pub(super) async fn tell(conn: &mut Conn, event: &Event) -> Result<bool, Fault> {
    let (tenant, kind) = (event.tenant_id, event.kind);
    let has_deliveries = publish(conn, tenant, kind, || event.clone()).await?;
    if let Some(bot) = event.bot_id {
        agent_loops::trigger(conn, tenant, bot, kind, || event.clone()).await?;
    }
    Ok(has_deliveries)
}

/// Keeps an event for the endpoints that chose its kind, in the transaction of what caused it. A tenant without
/// endpoints pays for one look at an index; its event is not even made.
pub(super) async fn publish(
    conn: &mut impl Runs,
    tenant: TenantId,
    kind: EventKind,
    event: impl FnOnce() -> Event,
) -> Result<bool, Fault> {
    let found: Vec<(Key, Json)> = endpoints::table
        .filter(endpoints::tenant_id.eq(key(tenant)))
        .filter(endpoints::disabled_at.is_null())
        .select((endpoints::id, endpoints::events))
        .load(conn)
        .await?;
    let mut chosen = Vec::new();
    for (id, kinds) in found {
        if of_json::<Vec<EventKind>>(kinds)?.contains(&kind) {
            chosen.push(id);
        }
    }
    if chosen.is_empty() {
        return Ok(false);
    }
    let event = event();
    keep(conn, &event).await?;
    for endpoint in chosen {
        deliver(conn, endpoint, &event).await?;
    }
    Ok(true)
}

/// Keeps an event, once.
pub(super) async fn keep(conn: &mut impl Runs, event: &Event) -> Result<(), Fault> {
    diesel::insert_into(events::table)
        .values((
            events::tenant_id.eq(key(event.tenant_id)),
            events::id.eq(key(event.id)),
            events::bot_id.eq(event.bot_id.map(key)),
            events::kind.eq(event.kind.as_str()),
            events::subject.eq(Key(event.subject)),
            events::data.eq(Json(event.data.clone())),
            events::created_at.eq(Moment(event.created_at)),
        ))
        .on_conflict((events::tenant_id, events::id))
        .do_nothing()
        .execute(conn)
        .await
        .or_missing(Resource::Bot)?;
    Ok(())
}

/// Has an event that is kept sent to an endpoint, once.
pub(super) async fn deliver(
    conn: &mut impl Runs,
    endpoint: Key,
    event: &Event,
) -> Result<(), Fault> {
    diesel::insert_into(deliveries::table)
        .values((
            deliveries::tenant_id.eq(key(event.tenant_id)),
            deliveries::endpoint_id.eq(endpoint),
            deliveries::event_id.eq(key(event.id)),
            deliveries::subject.eq(Key(event.subject)),
            deliveries::status.eq(DeliveryStatus::Pending.as_str()),
            deliveries::due_at.eq(Moment(event.created_at)),
        ))
        .on_conflict((
            deliveries::tenant_id,
            deliveries::endpoint_id,
            deliveries::event_id,
        ))
        .do_nothing()
        .execute(conn)
        .await
        // Deleted a moment ago: what caused the event is none of its business.
        .or_gone()?;
    Ok(())
}
