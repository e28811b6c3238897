use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::paging::{Page, PageRequest};
use domain::webhooks::{
    Disabled, ENDPOINTS_MAX, EndpointChanges, Health, WebhookEndpoint, WebhookEndpoints,
};
use domain::{Clash, Error, Resource, Result, TenantId, Timestamp, WebhookId};

use super::engine::{Conn, Db, Store, held};
use super::{count, json, of_json, run, small};
use crate::fault::{Fault, Meaning};
use crate::schema::{tenants, webhook_endpoints as endpoints};
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl WebhookEndpoints for Store {
    async fn create(&self, endpoint: &WebhookEndpoint) -> Result<()> {
        run!(
            self.write("webhooks.create", endpoint.tenant_id),
            [endpoint],
            |conn| create(conn, &endpoint)
        )
    }

    async fn find(&self, tenant: TenantId, id: WebhookId) -> Result<Option<WebhookEndpoint>> {
        run!(self.read("webhooks.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn list(&self, tenant: TenantId, page: PageRequest) -> Result<Page<WebhookEndpoint>> {
        run!(self.read("webhooks.list", tenant), [], |conn| list(
            conn, tenant, page
        ))
    }

    async fn update(
        &self,
        tenant: TenantId,
        id: WebhookId,
        changes: &EndpointChanges,
    ) -> Result<Option<WebhookEndpoint>> {
        run!(self.write("webhooks.update", tenant), [changes], |conn| {
            update(conn, tenant, id, &changes)
        })
    }

    async fn rotate(
        &self,
        tenant: TenantId,
        id: WebhookId,
        new: &[u8],
        previous_until: Timestamp,
    ) -> Result<Option<WebhookEndpoint>> {
        run!(self.write("webhooks.rotate", tenant), [new], |conn| {
            rotate(conn, tenant, id, &new, previous_until)
        })
    }

    async fn delete(&self, tenant: TenantId, id: WebhookId) -> Result<bool> {
        run!(self.write("webhooks.delete", tenant), [], |conn| delete(
            conn, tenant, id
        ))
    }
}

/// An endpoint as it is kept.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = endpoints, check_for_backend(Db))]
pub(super) struct EndpointRow {
    tenant_id: Key,
    id: Key,
    url: String,
    events: Json,
    description: Option<String>,
    disabled_reason: Option<String>,
    disabled_at: Option<Moment>,
    failed_rounds: i64,
    failing_since: Option<Moment>,
    paused_until: Option<Moment>,
    signing_key: Vec<u8>,
    previous_key: Option<Vec<u8>>,
    previous_until: Option<Moment>,
    leased_at: Moment,
    created_at: Moment,
}

impl TryFrom<EndpointRow> for WebhookEndpoint {
    type Error = Fault;

    fn try_from(row: EndpointRow) -> Result<Self, Fault> {
        let disabled = row.disabled_at.map(|since| Disabled {
            reason: row.disabled_reason.unwrap_or_default(),
            since: since.0,
        });
        Ok(Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            url: row.url,
            events: of_json(row.events)?,
            description: row.description,
            disabled,
            health: Health {
                failed_rounds: small(row.failed_rounds),
                failing_since: row.failing_since.map(|at| at.0),
                paused_until: row.paused_until.map(|at| at.0),
            },
            key: row.signing_key,
            previous_key: row
                .previous_key
                .zip(row.previous_until.map(|until| until.0)),
            created_at: row.created_at.0,
        })
    }
}

async fn create(conn: &mut Conn, endpoint: &WebhookEndpoint) -> Result<(), Fault> {
    let tenant = key(endpoint.tenant_id);
    // Holding the tenant's row, so that no two take the last place.
    let found: Option<Key> = held!(tenants::table.find(tenant).select(tenants::id))
        .first(conn)
        .await
        .optional()?;
    found.ok_or(Error::NotFound(Resource::Tenant))?;
    if find(conn, endpoint.tenant_id, endpoint.id).await?.is_some() {
        return Err(Error::Conflict(Clash::AlreadyExists).into());
    }
    let there: i64 = endpoints::table
        .filter(endpoints::tenant_id.eq(tenant))
        .count()
        .get_result(conn)
        .await?;
    if there >= i64::from(ENDPOINTS_MAX) {
        let problem = format!("There are {ENDPOINTS_MAX} webhooks already; delete one first.");
        return Err(Error::invalid("url", problem).into());
    }
    let (previous_key, previous_until) = endpoint.previous_key.clone().unzip();
    diesel::insert_into(endpoints::table)
        .values(EndpointRow {
            tenant_id: tenant,
            id: key(endpoint.id),
            url: endpoint.url.clone(),
            events: json(&endpoint.events)?,
            description: endpoint.description.clone(),
            disabled_reason: endpoint.disabled.as_ref().map(|d| d.reason.clone()),
            disabled_at: endpoint.disabled.as_ref().map(|d| Moment(d.since)),
            failed_rounds: i64::from(endpoint.health.failed_rounds),
            failing_since: endpoint.health.failing_since.map(Moment),
            paused_until: endpoint.health.paused_until.map(Moment),
            signing_key: endpoint.key.clone(),
            previous_key,
            previous_until: previous_until.map(Moment),
            leased_at: Moment(endpoint.created_at),
            created_at: Moment(endpoint.created_at),
        })
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: WebhookId,
) -> Result<Option<WebhookEndpoint>, Fault> {
    let row = endpoints::table
        .find((key(tenant), key(id)))
        .select(EndpointRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(WebhookEndpoint::try_from).transpose()
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    page: PageRequest,
) -> Result<Page<WebhookEndpoint>, Fault> {
    let own = || endpoints::table.filter(endpoints::tenant_id.eq(key(tenant)));
    let total: i64 = own().count().get_result(conn).await?;
    let rows = own()
        .order((endpoints::created_at.desc(), endpoints::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(EndpointRow::as_select())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(WebhookEndpoint::try_from)
            .collect::<Result<_, _>>()?,
        total: count(total),
    })
}

/// Only the columns that are given; those that are `Some(None)` become null.
#[derive(AsChangeset)]
#[diesel(table_name = endpoints)]
struct Changes {
    url: Option<String>,
    events: Option<Json>,
    description: Option<Option<String>>,
    disabled_reason: Option<Option<String>>,
    disabled_at: Option<Option<Moment>>,
    failed_rounds: Option<i64>,
    failing_since: Option<Option<Moment>>,
    paused_until: Option<Option<Moment>>,
}

async fn update(
    conn: &mut Conn,
    tenant: TenantId,
    id: WebhookId,
    changes: &EndpointChanges,
) -> Result<Option<WebhookEndpoint>, Fault> {
    let disabled = changes.disabled.as_ref();
    // One that is enabled, and one that moved, begins afresh.
    let is_fresh = disabled == Some(&None) || changes.url.is_some();
    let columns = Changes {
        url: changes.url.clone(),
        events: changes.events.as_ref().map(json).transpose()?,
        description: changes.description.clone(),
        disabled_reason: disabled.map(|d| d.as_ref().map(|d| d.reason.clone())),
        disabled_at: disabled.map(|d| d.as_ref().map(|d| Moment(d.since))),
        failed_rounds: is_fresh.then_some(0),
        failing_since: is_fresh.then_some(None),
        paused_until: is_fresh.then_some(None),
    };
    if *changes == EndpointChanges::default() {
        return find(conn, tenant, id).await;
    }
    let row = diesel::update(endpoints::table.find((key(tenant), key(id))))
        .set(columns)
        .returning(EndpointRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(WebhookEndpoint::try_from).transpose()
}

async fn rotate(
    conn: &mut Conn,
    tenant: TenantId,
    id: WebhookId,
    new: &[u8],
    previous_until: Timestamp,
) -> Result<Option<WebhookEndpoint>, Fault> {
    let row = diesel::update(endpoints::table.find((key(tenant), key(id))))
        .set((
            endpoints::previous_key.eq(endpoints::signing_key.nullable()),
            endpoints::previous_until.eq(Moment(previous_until)),
            endpoints::signing_key.eq(new),
        ))
        .returning(EndpointRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(WebhookEndpoint::try_from).transpose()
}

async fn delete(conn: &mut Conn, tenant: TenantId, id: WebhookId) -> Result<bool, Fault> {
    let deleted = diesel::delete(endpoints::table.find((key(tenant), key(id))))
        .execute(conn)
        .await?;
    Ok(deleted > 0)
}
