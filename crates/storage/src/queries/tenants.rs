use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::plans::Plan;
use domain::tenants::{Tenant, Tenants};
use domain::{Result, TenantId, Timestamp};

use super::engine::{Conn, Store};
use super::{run, word};
use crate::fault::{Fault, Meaning};
use crate::schema::tenants;
use crate::scope::Scope;
use crate::types::{Key, Moment, key};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = tenants, check_for_backend(super::engine::Db))]
pub(super) struct TenantRow {
    id: Key,
    name: String,
    plan: String,
    is_active: bool,
    created_at: Moment,
    updated_at: Moment,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = Fault;

    fn try_from(row: TenantRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            name: row.name,
            plan: word(Plan::parse, &row.plan)?,
            is_active: row.is_active,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

#[async_trait]
impl Tenants for Store {
    async fn create(&self, tenant: &Tenant) -> Result<()> {
        run!(
            self.write("tenants.create", Scope::System),
            [tenant],
            |conn| { create(conn, &tenant) }
        )
    }

    async fn find(&self, id: TenantId) -> Result<Option<Tenant>> {
        run!(self.read("tenants.find", id), [], |conn| find(conn, id))
    }

    async fn list(&self) -> Result<Vec<Tenant>> {
        run!(self.read("tenants.list", Scope::System), [], |conn| list(
            conn
        ))
    }

    async fn set_active(&self, id: TenantId, is_active: bool, at: Timestamp) -> Result<bool> {
        run!(self.write("tenants.set_active", id), [], |conn| {
            set_active(conn, id, is_active, at)
        })
    }

    async fn delete(&self, id: TenantId) -> Result<bool> {
        run!(self.write("tenants.delete", id), [], |conn| delete(
            conn, id
        ))
    }
}

async fn create(conn: &mut Conn, tenant: &Tenant) -> Result<(), Fault> {
    diesel::insert_into(tenants::table)
        .values(TenantRow {
            id: key(tenant.id),
            name: tenant.name.clone(),
            plan: tenant.plan.as_str().to_owned(),
            is_active: tenant.is_active,
            created_at: Moment(tenant.created_at),
            updated_at: Moment(tenant.updated_at),
        })
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
}

async fn find(conn: &mut Conn, id: TenantId) -> Result<Option<Tenant>, Fault> {
    let row = tenants::table
        .find(key(id))
        .select(TenantRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Tenant::try_from).transpose()
}

async fn list(conn: &mut Conn) -> Result<Vec<Tenant>, Fault> {
    let rows = tenants::table
        .order((tenants::created_at.desc(), tenants::id.desc()))
        .select(TenantRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Tenant::try_from).collect()
}

async fn set_active(
    conn: &mut Conn,
    id: TenantId,
    is_active: bool,
    at: Timestamp,
) -> Result<bool, Fault> {
    let changed = diesel::update(tenants::table.find(key(id)))
        .set((
            tenants::is_active.eq(is_active),
            tenants::updated_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn delete(conn: &mut Conn, id: TenantId) -> Result<bool, Fault> {
    let deleted = diesel::delete(tenants::table.find(key(id)))
        .execute(conn)
        .await?;
    Ok(deleted > 0)
}
