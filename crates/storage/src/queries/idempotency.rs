use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::idempotency::{Admission, IdempotencyKeys, KeyedRequest, RecordedAnswer};
use domain::{Clash, Error, Resource, Result, TenantId, Timestamp};

use super::engine::{Conn, Db, Store};
use super::run;
use crate::fault::{Fault, Meaning};
use crate::schema::idempotency_keys as keys;
use crate::scope::Scope;
use crate::types::{Key, Moment, key};

#[async_trait]
impl IdempotencyKeys for Store {
    async fn begin(&self, tenant: TenantId, request: &KeyedRequest) -> Result<Admission> {
        run!(self.write("idempotency.begin", tenant), [request], |conn| {
            begin(conn, tenant, &request)
        })
    }

    async fn finish(&self, tenant: TenantId, name: &str, answer: &RecordedAnswer) -> Result<()> {
        run!(
            self.write("idempotency.finish", tenant),
            [name, answer],
            |conn| { finish(conn, tenant, &name, &answer) }
        )
    }

    async fn abandon(&self, tenant: TenantId, name: &str) -> Result<()> {
        run!(self.write("idempotency.abandon", tenant), [name], |conn| {
            abandon(conn, tenant, &name)
        })
    }

    async fn forget(&self, before: Timestamp) -> Result<()> {
        run!(
            self.write("idempotency.forget", Scope::System),
            [],
            |conn| { forget(conn, before) }
        )
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = keys, check_for_backend(Db))]
struct RequestRow {
    fingerprint: Vec<u8>,
    operation_id: Key,
    status: Option<i32>,
    content_type: Option<String>,
    body: Option<Vec<u8>>,
}

async fn begin(
    conn: &mut Conn,
    tenant: TenantId,
    request: &KeyedRequest,
) -> Result<Admission, Fault> {
    let inserted = diesel::insert_into(keys::table)
        .values((
            keys::tenant_id.eq(key(tenant)),
            keys::key.eq(request.key.as_str()),
            keys::fingerprint.eq(request.fingerprint.as_slice()),
            keys::operation_id.eq(key(request.operation_id)),
            keys::begun_at.eq(Moment(request.at)),
            keys::under_way.eq(true),
        ))
        .on_conflict((keys::tenant_id, keys::key))
        .do_nothing()
        .execute(conn)
        .await
        .or_missing(Resource::Tenant)?;
    if inserted > 0 {
        return Ok(Admission::Proceed {
            operation_id: request.operation_id,
        });
    }
    let row = keys::table
        .find((key(tenant), request.key.as_str()))
        .select(RequestRow::as_select())
        .first(conn)
        .await
        .optional()?
        // Forgotten a moment ago: it is the first again.
        .ok_or(Fault::Again)?;
    if row.fingerprint != request.fingerprint {
        return Err(Error::Conflict(Clash::IdempotencyKeyReused).into());
    }
    if let Some(answer) = recorded(&row) {
        return Ok(Admission::Replay(answer));
    }
    take_over(conn, tenant, request, row.operation_id).await
}

fn recorded(row: &RequestRow) -> Option<RecordedAnswer> {
    Some(RecordedAnswer {
        status: u16::try_from(row.status?).ok()?,
        content_type: row.content_type.clone().unwrap_or_default(),
        body: row.body.clone().unwrap_or_default(),
    })
}

/// Begins a request again that came to nothing, or whose process died. Of several that try, one does.
async fn take_over(
    conn: &mut Conn,
    tenant: TenantId,
    request: &KeyedRequest,
    operation_id: Key,
) -> Result<Admission, Fault> {
    let taken = diesel::update(keys::table.find((key(tenant), request.key.as_str())))
        .filter(keys::status.is_null())
        .filter(
            keys::under_way
                .eq(false)
                .or(keys::begun_at.lt(Moment(request.stale_before))),
        )
        .set((
            keys::begun_at.eq(Moment(request.at)),
            keys::under_way.eq(true),
        ))
        .execute(conn)
        .await?;
    if taken == 0 {
        return Err(Error::Conflict(Clash::RequestUnderWay).into());
    }
    Ok(Admission::Proceed {
        operation_id: operation_id.0,
    })
}

async fn finish(
    conn: &mut Conn,
    tenant: TenantId,
    name: &str,
    answer: &RecordedAnswer,
) -> Result<(), Fault> {
    diesel::update(keys::table.find((key(tenant), name)))
        .set((
            keys::under_way.eq(false),
            keys::status.eq(i32::from(answer.status)),
            keys::content_type.eq(answer.content_type.as_str()),
            keys::body.eq(answer.body.as_slice()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn abandon(conn: &mut Conn, tenant: TenantId, name: &str) -> Result<(), Fault> {
    diesel::update(keys::table.find((key(tenant), name)))
        .filter(keys::status.is_null())
        .set(keys::under_way.eq(false))
        .execute(conn)
        .await?;
    Ok(())
}

async fn forget(conn: &mut Conn, before: Timestamp) -> Result<(), Fault> {
    diesel::delete(keys::table.filter(keys::begun_at.lt(Moment(before))))
        .execute(conn)
        .await?;
    Ok(())
}
