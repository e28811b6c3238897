use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::keys::{ApiKey, ApiKeys, KeyHash};
use domain::tenants::Tenant;
use domain::{ApiKeyId, Resource, Result, TenantId, Timestamp};

use super::engine::{Conn, Store};
use super::run;
use super::tenants::TenantRow;
use crate::fault::{Fault, Meaning};
use crate::schema::functions::coalesce;
use crate::schema::{api_keys, tenants};
use crate::scope::Scope;
use crate::types::{Key, Moment, key};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, check_for_backend(super::engine::Db))]
struct KeyRow {
    tenant_id: Key,
    id: Key,
    bot_id: Option<Key>,
    prefix: String,
    name: String,
    created_at: Moment,
    last_used_at: Option<Moment>,
    revoked_at: Option<Moment>,
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            bot_id: row.bot_id.map(|id| id.0.into()),
            name: row.name,
            prefix: row.prefix,
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.map(|at| at.0),
            revoked_at: row.revoked_at.map(|at| at.0),
        }
    }
}

#[async_trait]
impl ApiKeys for Store {
    async fn create(&self, api_key: &ApiKey, hash: KeyHash) -> Result<()> {
        run!(
            self.write("keys.create", api_key.tenant_id),
            [api_key],
            |conn| { create(conn, &api_key, hash) }
        )
    }

    async fn find_by_hash(&self, hash: KeyHash) -> Result<Option<(ApiKey, Tenant)>> {
        run!(self.read("keys.find_by_hash", Scope::System), [], |conn| {
            find_by_hash(conn, hash)
        })
    }

    async fn list(&self, tenant: TenantId) -> Result<Vec<ApiKey>> {
        run!(self.read("keys.list", tenant), [], |conn| list(
            conn, tenant
        ))
    }

    async fn revoke(&self, tenant: TenantId, id: ApiKeyId, at: Timestamp) -> Result<bool> {
        run!(self.write("keys.revoke", tenant), [], |conn| {
            revoke(conn, tenant, id, at)
        })
    }

    async fn touch(&self, tenant: TenantId, id: ApiKeyId, at: Timestamp) -> Result<()> {
        run!(self.write("keys.touch", tenant), [], |conn| {
            touch(conn, tenant, id, at)
        })
    }
}

async fn create(conn: &mut Conn, api_key: &ApiKey, hash: KeyHash) -> Result<(), Fault> {
    let row = KeyRow {
        tenant_id: key(api_key.tenant_id),
        id: key(api_key.id),
        bot_id: api_key.bot_id.map(key),
        prefix: api_key.prefix.clone(),
        name: api_key.name.clone(),
        created_at: Moment(api_key.created_at),
        last_used_at: api_key.last_used_at.map(Moment),
        revoked_at: api_key.revoked_at.map(Moment),
    };
    let owner = api_key.bot_id.map_or(Resource::Tenant, |_| Resource::Bot);
    diesel::insert_into(api_keys::table)
        .values((row, api_keys::hash.eq(hash.0.to_vec())))
        .execute(conn)
        .await
        .or_exists()
        .or_missing(owner)?;
    Ok(())
}

async fn find_by_hash(conn: &mut Conn, hash: KeyHash) -> Result<Option<(ApiKey, Tenant)>, Fault> {
    let found = api_keys::table
        .inner_join(tenants::table.on(tenants::id.eq(api_keys::tenant_id)))
        .filter(api_keys::hash.eq(hash.0.to_vec()))
        .select((KeyRow::as_select(), TenantRow::as_select()))
        .first::<(KeyRow, TenantRow)>(conn)
        .await
        .optional()?;
    found
        .map(|(api_key, tenant)| Ok((api_key.into(), tenant.try_into()?)))
        .transpose()
}

async fn list(conn: &mut Conn, tenant: TenantId) -> Result<Vec<ApiKey>, Fault> {
    let rows = api_keys::table
        .filter(api_keys::tenant_id.eq(key(tenant)))
        .order((api_keys::created_at.desc(), api_keys::id.desc()))
        .select(KeyRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(ApiKey::from).collect())
}

async fn revoke(
    conn: &mut Conn,
    tenant: TenantId,
    id: ApiKeyId,
    at: Timestamp,
) -> Result<bool, Fault> {
    let changed = diesel::update(api_keys::table.find((key(tenant), key(id))))
        .set(api_keys::revoked_at.eq(coalesce(api_keys::revoked_at, Moment(at)).nullable()))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn touch(
    conn: &mut Conn,
    tenant: TenantId,
    id: ApiKeyId,
    at: Timestamp,
) -> Result<(), Fault> {
    let at = Moment(at);
    diesel::update(api_keys::table.find((key(tenant), key(id))))
        .filter(
            api_keys::last_used_at
                .is_null()
                .or(api_keys::last_used_at.lt(at)),
        )
        .set(api_keys::last_used_at.eq(at))
        .execute(conn)
        .await?;
    Ok(())
}
