use std::time::Duration;

use async_trait::async_trait;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::events::{Event, EventKind};
use domain::paging::{Page, PageRequest};
use domain::webhooks::{
    Attempt, Deliveries, Delivery, DeliveryStatus, Disabled, Due, EndpointLease, Health,
};
use domain::{EventId, Result, TenantId, Timestamp, WebhookId};

use super::engine::{Conn, Db, Store, unless_held};
use super::webhooks::EndpointRow;
use super::{count, outbox, run, word};
use crate::fault::Fault;
use crate::schema::{
    webhook_deliveries as deliveries, webhook_endpoints as endpoints, webhook_events as events,
};
use crate::scope::Scope;
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl Deliveries for Store {
    async fn lease(&self, now: Timestamp, lease: Duration) -> Result<Option<EndpointLease>> {
        run!(self.write("webhooks.lease", Scope::System), [], |conn| {
            take_lease(conn, now, lease)
        })
    }

    async fn extend(&self, lease: &EndpointLease, now: Timestamp, time: Duration) -> Result<bool> {
        let tenant = lease.endpoint.tenant_id;
        run!(self.write("webhooks.extend", tenant), [lease], |conn| {
            extend(conn, &lease, now, time)
        })
    }

    async fn due(&self, lease: &EndpointLease, now: Timestamp, limit: u32) -> Result<Vec<Due>> {
        let (tenant, id) = (lease.endpoint.tenant_id, lease.endpoint.id);
        run!(self.read("webhooks.due", tenant), [], |conn| due(
            conn, tenant, id, now, limit
        ))
    }

    async fn record(&self, lease: &EndpointLease, attempt: &Attempt) -> Result<()> {
        let (tenant, id) = (lease.endpoint.tenant_id, lease.endpoint.id);
        run!(self.write("webhooks.record", tenant), [attempt], |conn| {
            record(conn, tenant, id, &attempt)
        })
    }

    async fn release(
        &self,
        lease: &EndpointLease,
        health: Health,
        disabled: Option<&Disabled>,
    ) -> Result<()> {
        let tenant = lease.endpoint.tenant_id;
        let disabled = disabled.cloned();
        run!(
            self.write("webhooks.release", tenant),
            [lease, disabled],
            |conn| release(conn, &lease, health, disabled.as_ref().as_ref())
        )
    }

    async fn release_all(&self) -> Result<()> {
        run!(
            self.write("webhooks.release_all", Scope::System),
            [],
            |conn| release_all(conn)
        )
    }

    async fn enqueue(&self, endpoint: WebhookId, event: &Event) -> Result<bool> {
        run!(
            self.write("webhooks.enqueue", event.tenant_id),
            [event],
            |conn| enqueue(conn, endpoint, &event)
        )
    }

    async fn find(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        event: EventId,
    ) -> Result<Option<Delivery>> {
        run!(self.read("webhooks.find_delivery", tenant), [], |conn| {
            find(conn, tenant, endpoint, event)
        })
    }

    async fn list(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        status: Option<DeliveryStatus>,
        page: PageRequest,
    ) -> Result<Page<Delivery>> {
        run!(self.read("webhooks.deliveries", tenant), [], |conn| {
            list(conn, tenant, endpoint, status, page)
        })
    }

    async fn replay(
        &self,
        tenant: TenantId,
        endpoint: WebhookId,
        event: EventId,
        at: Timestamp,
    ) -> Result<bool> {
        run!(self.write("webhooks.replay", tenant), [], |conn| replay(
            conn, tenant, endpoint, event, at
        ))
    }

    async fn forget(&self, before: Timestamp, most: u32) -> Result<u64> {
        run!(self.write("webhooks.forget", Scope::System), [], |conn| {
            forget(conn, before, most)
        })
    }
}

/// What is due and may be sent: nothing before it of the same subject waits for a later time. A comparison with
/// `due_at` is also one with what is pending at all.
macro_rules! sendable {
    ($now:expr) => {{
        let earlier = diesel::alias!(crate::schema::webhook_deliveries as earlier);
        let held_up = earlier
            .filter(
                earlier
                    .field(deliveries::tenant_id)
                    .eq(deliveries::tenant_id),
            )
            .filter(
                earlier
                    .field(deliveries::endpoint_id)
                    .eq(deliveries::endpoint_id),
            )
            .filter(earlier.field(deliveries::subject).eq(deliveries::subject))
            .filter(earlier.field(deliveries::seq).lt(deliveries::seq))
            .filter(earlier.field(deliveries::due_at).gt($now));
        deliveries::due_at.le($now).and(not(exists(held_up)))
    }};
}

/// The endpoint while its lease is held.
macro_rules! leased {
    ($lease:expr) => {
        endpoints::tenant_id
            .eq(key($lease.endpoint.tenant_id))
            .and(endpoints::id.eq(key($lease.endpoint.id)))
            .and(endpoints::leases.eq(super::number($lease.number)))
            .and(endpoints::lease_until.is_not_null())
    };
}

/// A delivery to an endpoint.
macro_rules! of_event {
    ($tenant:expr, $endpoint:expr, $event:expr) => {
        deliveries::table.find((key($tenant), key($endpoint), key($event)))
    };
}

async fn take_lease(
    conn: &mut Conn,
    now: Timestamp,
    lease: Duration,
) -> Result<Option<EndpointLease>, Fault> {
    let at = Moment(now);
    let waiting = deliveries::table
        .filter(deliveries::tenant_id.eq(endpoints::tenant_id))
        .filter(deliveries::endpoint_id.eq(endpoints::id))
        .filter(sendable!(at));
    let next = endpoints::table
        .filter(endpoints::disabled_at.is_null())
        .filter(
            endpoints::paused_until
                .is_null()
                .or(endpoints::paused_until.le(at)),
        )
        .filter(
            endpoints::lease_until
                .is_null()
                .or(endpoints::lease_until.le(at)),
        )
        .filter(exists(waiting))
        .order((endpoints::leased_at, endpoints::id))
        .select((endpoints::tenant_id, endpoints::id));
    let next: Option<(Key, Key)> = unless_held!(next).first(conn).await.optional()?;
    let Some(next) = next else {
        return Ok(None);
    };
    let (row, number): (EndpointRow, i64) = diesel::update(endpoints::table.find(next))
        .set((
            endpoints::leases.eq(endpoints::leases + 1),
            endpoints::leased_at.eq(at),
            endpoints::lease_until.eq(Moment(now + lease)),
        ))
        .returning((EndpointRow::as_returning(), endpoints::leases))
        .get_result(conn)
        .await?;
    Ok(Some(EndpointLease {
        endpoint: row.try_into()?,
        number: count(number),
    }))
}

async fn extend(
    conn: &mut Conn,
    lease: &EndpointLease,
    now: Timestamp,
    time: Duration,
) -> Result<bool, Fault> {
    let changed = diesel::update(endpoints::table)
        .filter(leased!(lease))
        .set(endpoints::lease_until.eq(Moment(now + time)))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn release(
    conn: &mut Conn,
    lease: &EndpointLease,
    health: Health,
    disabled: Option<&Disabled>,
) -> Result<(), Fault> {
    if let Some(disabled) = disabled {
        diesel::update(endpoints::table)
            .filter(leased!(lease))
            .filter(endpoints::disabled_at.is_null())
            .set((
                endpoints::disabled_reason.eq(disabled.reason.as_str()),
                endpoints::disabled_at.eq(Moment(disabled.since)),
            ))
            .execute(conn)
            .await?;
    }
    diesel::update(endpoints::table)
        .filter(leased!(lease))
        .set((
            endpoints::failed_rounds.eq(i64::from(health.failed_rounds)),
            endpoints::failing_since.eq(health.failing_since.map(Moment)),
            endpoints::paused_until.eq(health.paused_until.map(Moment)),
            endpoints::lease_until.eq(None::<Moment>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn release_all(conn: &mut Conn) -> Result<(), Fault> {
    diesel::update(endpoints::table)
        .filter(endpoints::lease_until.is_not_null())
        .set(endpoints::lease_until.eq(None::<Moment>))
        .execute(conn)
        .await?;
    Ok(())
}

type EventRow = (Key, Option<Key>, String, Key, Json, Moment, i32);

async fn due(
    conn: &mut Conn,
    tenant: TenantId,
    endpoint: WebhookId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Due>, Fault> {
    let rows: Vec<EventRow> = deliveries::table
        .inner_join(
            events::table.on(events::tenant_id
                .eq(deliveries::tenant_id)
                .and(events::id.eq(deliveries::event_id))),
        )
        .filter(deliveries::tenant_id.eq(key(tenant)))
        .filter(deliveries::endpoint_id.eq(key(endpoint)))
        .filter(sendable!(Moment(now)))
        .order(deliveries::seq)
        .limit(i64::from(limit))
        .select((
            events::id,
            events::bot_id,
            events::kind,
            events::subject,
            events::data,
            events::created_at,
            deliveries::attempts,
        ))
        .load(conn)
        .await?;
    let due = |(id, bot, kind, subject, data, at, attempts): EventRow| {
        Ok(Due {
            event: Event {
                id: id.0.into(),
                tenant_id: tenant,
                bot_id: bot.map(|bot| bot.0.into()),
                kind: word(EventKind::parse, &kind)?,
                subject: subject.0,
                data: data.0,
                created_at: at.0,
            },
            attempts: attempts.unsigned_abs(),
        })
    };
    rows.into_iter().map(due).collect()
}

async fn record(
    conn: &mut Conn,
    tenant: TenantId,
    endpoint: WebhookId,
    attempt: &Attempt,
) -> Result<(), Fault> {
    let status = match (&attempt.error, attempt.again_at) {
        (None, _) => DeliveryStatus::Delivered,
        (Some(_), Some(_)) => DeliveryStatus::Pending,
        (Some(_), None) => DeliveryStatus::Failed,
    };
    diesel::update(of_event!(tenant, endpoint, attempt.event_id))
        .filter(deliveries::due_at.is_not_null())
        .set((
            deliveries::status.eq(status.as_str()),
            deliveries::attempts.eq(deliveries::attempts + 1),
            deliveries::due_at.eq(attempt.again_at.map(Moment)),
            deliveries::last_status.eq(attempt.status_code.map(i32::from)),
            deliveries::last_error.eq(attempt.error.as_deref()),
            deliveries::last_attempt_at.eq(Moment(attempt.at)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn enqueue(conn: &mut Conn, endpoint: WebhookId, event: &Event) -> Result<bool, Fault> {
    let there: i64 = endpoints::table
        .find((key(event.tenant_id), key(endpoint)))
        .count()
        .get_result(conn)
        .await?;
    if there == 0 {
        return Ok(false);
    }
    outbox::keep(conn, event).await?;
    outbox::deliver(conn, key(endpoint), event).await?;
    Ok(true)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries, check_for_backend(Db))]
struct DeliveryRow {
    event_id: Key,
    status: String,
    attempts: i32,
    due_at: Option<Moment>,
    last_status: Option<i32>,
    last_error: Option<String>,
    last_attempt_at: Option<Moment>,
}

fn delivery((row, kind, created_at): (DeliveryRow, String, Moment)) -> Result<Delivery, Fault> {
    Ok(Delivery {
        event_id: row.event_id.0.into(),
        kind: word(EventKind::parse, &kind)?,
        status: word(DeliveryStatus::parse, &row.status)?,
        attempts: row.attempts.unsigned_abs(),
        due_at: row.due_at.map(|at| at.0),
        last_status: row.last_status.and_then(|code| code.try_into().ok()),
        last_error: row.last_error,
        last_attempt_at: row.last_attempt_at.map(|at| at.0),
        created_at: created_at.0,
    })
}

/// An endpoint's log.
macro_rules! log {
    ($tenant:expr, $endpoint:expr) => {
        deliveries::table
            .inner_join(
                events::table.on(events::tenant_id
                    .eq(deliveries::tenant_id)
                    .and(events::id.eq(deliveries::event_id))),
            )
            .filter(deliveries::tenant_id.eq(key($tenant)))
            .filter(deliveries::endpoint_id.eq(key($endpoint)))
            .select((DeliveryRow::as_select(), events::kind, events::created_at))
    };
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    endpoint: WebhookId,
    event: EventId,
) -> Result<Option<Delivery>, Fault> {
    let found = log!(tenant, endpoint)
        .filter(deliveries::event_id.eq(key(event)))
        .first(conn)
        .await
        .optional()?;
    found.map(delivery).transpose()
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    endpoint: WebhookId,
    status: Option<DeliveryStatus>,
    page: PageRequest,
) -> Result<Page<Delivery>, Fault> {
    let mut counted = deliveries::table
        .filter(deliveries::tenant_id.eq(key(tenant)))
        .filter(deliveries::endpoint_id.eq(key(endpoint)))
        .into_boxed::<Db>();
    let mut listed = log!(tenant, endpoint).into_boxed::<Db>();
    if let Some(status) = status {
        counted = counted.filter(deliveries::status.eq(status.as_str()));
        listed = listed.filter(deliveries::status.eq(status.as_str()));
    }
    let total: i64 = counted.count().get_result(conn).await?;
    let rows = listed
        .order(deliveries::seq.desc())
        .limit(page.limit())
        .offset(page.offset())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows.into_iter().map(delivery).collect::<Result<_, _>>()?,
        total: count(total),
    })
}

async fn replay(
    conn: &mut Conn,
    tenant: TenantId,
    endpoint: WebhookId,
    event: EventId,
    at: Timestamp,
) -> Result<bool, Fault> {
    let changed = diesel::update(of_event!(tenant, endpoint, event))
        .set((
            deliveries::status.eq(DeliveryStatus::Pending.as_str()),
            deliveries::attempts.eq(0),
            deliveries::due_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn forget(conn: &mut Conn, before: Timestamp, most: u32) -> Result<u64, Fault> {
    let old: Vec<(Key, Key)> = events::table
        .filter(events::created_at.lt(Moment(before)))
        .order(events::created_at)
        .limit(i64::from(most))
        .select((events::tenant_id, events::id))
        .load(conn)
        .await?;
    for event in &old {
        diesel::delete(events::table.find(*event))
            .execute(conn)
            .await?;
    }
    Ok(old.len() as u64)
}
