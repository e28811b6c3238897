use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::jobs::{Job, JobKind, JobQueue};
use domain::{JobId, Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, Db, Store, next_job};
use super::{run, word};
use crate::fault::{Fault, Meaning};
use crate::schema::jobs;
use crate::scope::Scope;
use crate::types::{Key, Moment, key};

#[async_trait]
impl JobQueue for Store {
    async fn lease(&self, now: Timestamp, lease: Duration) -> Result<Option<Job>> {
        run!(self.write("jobs.lease", Scope::System), [], |conn| {
            take_lease(conn, now, lease)
        })
    }

    async fn extend(&self, job: &Job, now: Timestamp, lease: Duration) -> Result<bool> {
        run!(self.write("jobs.extend", job.tenant_id), [job], |conn| {
            extend(conn, &job, now, lease)
        })
    }

    async fn complete(&self, job: &Job) -> Result<()> {
        run!(self.write("jobs.complete", job.tenant_id), [job], |conn| {
            complete(conn, &job)
        })
    }

    async fn retry(&self, job: &Job, due: Timestamp) -> Result<()> {
        run!(self.write("jobs.retry", job.tenant_id), [job], |conn| {
            retry(conn, &job, due)
        })
    }

    async fn release_all(&self) -> Result<()> {
        run!(self.write("jobs.release_all", Scope::System), [], |conn| {
            release_all(conn)
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(Db))]
struct JobRow {
    tenant_id: Key,
    id: Key,
    kind: String,
    source_id: Key,
    attempts: i32,
}

/// The job while its lease is held: the number of attempts tells this lease from later ones.
macro_rules! held {
    ($job:expr) => {
        jobs::tenant_id
            .eq(key($job.tenant_id))
            .and(jobs::id.eq(key($job.id)))
            .and(jobs::attempts.eq(i32::try_from($job.attempts).unwrap_or(i32::MAX)))
            .and(jobs::lease_until.is_not_null())
    };
}

/// Keeps work about a source, due at once.
pub(super) async fn enqueue(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    kind: JobKind,
    source: SourceId,
    at: Timestamp,
) -> Result<(), Fault> {
    diesel::insert_into(jobs::table)
        .values((
            jobs::tenant_id.eq(key(tenant)),
            jobs::id.eq(key(id)),
            jobs::kind.eq(kind.as_str()),
            jobs::source_id.eq(key(source)),
            jobs::due_at.eq(Moment(at)),
            jobs::created_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
}

async fn take_lease(
    conn: &mut Conn,
    now: Timestamp,
    lease: Duration,
) -> Result<Option<Job>, Fault> {
    let Some((tenant, id)) = next_job(conn, Moment(now)).await? else {
        return Ok(None);
    };
    let row = diesel::update(jobs::table.find((tenant, id)))
        .set((
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::lease_until.eq(Moment(now + lease)),
        ))
        .returning(JobRow::as_returning())
        .get_result(conn)
        .await?;
    Ok(Some(Job {
        id: row.id.0.into(),
        tenant_id: row.tenant_id.0.into(),
        kind: word(JobKind::parse, &row.kind)?,
        source_id: row.source_id.0.into(),
        attempts: row.attempts.unsigned_abs(),
    }))
}

async fn extend(
    conn: &mut Conn,
    job: &Job,
    now: Timestamp,
    lease: Duration,
) -> Result<bool, Fault> {
    let changed = diesel::update(jobs::table)
        .filter(held!(job))
        .set(jobs::lease_until.eq(Moment(now + lease)))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn complete(conn: &mut Conn, job: &Job) -> Result<(), Fault> {
    diesel::delete(jobs::table)
        .filter(held!(job))
        .execute(conn)
        .await?;
    Ok(())
}

async fn retry(conn: &mut Conn, job: &Job, due: Timestamp) -> Result<(), Fault> {
    diesel::update(jobs::table)
        .filter(held!(job))
        .set((
            jobs::due_at.eq(Moment(due)),
            jobs::lease_until.eq(None::<Moment>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn release_all(conn: &mut Conn) -> Result<(), Fault> {
    diesel::update(jobs::table)
        .filter(jobs::lease_until.is_not_null())
        .set(jobs::lease_until.eq(None::<Moment>))
        .execute(conn)
        .await?;
    Ok(())
}
