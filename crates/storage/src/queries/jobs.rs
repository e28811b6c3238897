use std::time::Duration;

use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::jobs::{Job, JobKind, JobQueue, NextRun};
use domain::{Error, EvaluationId, ExecutionId, JobId, Result, SourceId, TenantId, Timestamp};
use uuid::Uuid;

use super::engine::{Conn, Db, Store, next_job};
use super::{Runs, run, word};
use crate::fault::{Fault, Meaning};
use crate::schema::jobs;
use crate::scope::Scope;
use crate::types::{Key, Moment, key};

#[async_trait]
impl JobQueue for Store {
    async fn lease(
        &self,
        kinds: &'static [JobKind],
        now: Timestamp,
        lease: Duration,
        busy: &[TenantId],
    ) -> Result<Option<Job>> {
        run!(self.write("jobs.lease", Scope::System), [busy], |conn| {
            take_lease(conn, kinds, now, lease, &busy)
        })
    }

    async fn extend(&self, job: &Job, now: Timestamp, lease: Duration) -> Result<bool> {
        run!(self.write("jobs.extend", job.tenant_id), [job], |conn| {
            extend(conn, &job, now, lease)
        })
    }

    async fn complete(&self, job: &Job, next: Option<NextRun>) -> Result<()> {
        run!(self.write("jobs.complete", job.tenant_id), [job], |conn| {
            complete(conn, &job, next)
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
    source_id: Option<Key>,
    evaluation_id: Option<Key>,
    execution_id: Option<Key>,
    attempts: i32,
}

/// The job while its lease is held: the number of attempts tells this lease from later ones.
macro_rules! leased {
    ($job:expr) => {
        jobs::tenant_id
            .eq(key($job.tenant_id))
            .and(jobs::id.eq(key($job.id)))
            .and(jobs::attempts.eq(i32::try_from($job.attempts).unwrap_or(i32::MAX)))
            .and(jobs::lease_until.is_not_null())
    };
}

/// The job of a kind about a source.
macro_rules! about {
    ($tenant:expr, $source:expr, $kind:expr) => {
        jobs::tenant_id
            .eq(key($tenant))
            .and(jobs::source_id.eq(key($source)))
            .and(jobs::kind.eq($kind.as_str()))
    };
}

/// Keeps work about a source, unless there is some of the kind already.
pub(super) async fn enqueue(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    kind: JobKind,
    run: NextRun,
) -> Result<(), Fault> {
    diesel::insert_into(jobs::table)
        .values((
            jobs::tenant_id.eq(key(tenant)),
            jobs::id.eq(key(run.job_id)),
            jobs::kind.eq(kind.as_str()),
            jobs::source_id.eq(key(source)),
            jobs::due_at.eq(Moment(run.due)),
        ))
        .on_conflict((jobs::tenant_id, jobs::source_id, jobs::kind))
        .do_nothing()
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
}

/// Keeps an evaluation's work.
pub(super) async fn enqueue_evaluation(
    conn: &mut Conn,
    tenant: TenantId,
    evaluation: EvaluationId,
    job: JobId,
    due: Timestamp,
) -> Result<(), Fault> {
    diesel::insert_into(jobs::table)
        .values((
            jobs::tenant_id.eq(key(tenant)),
            jobs::id.eq(key(job)),
            jobs::kind.eq(JobKind::Evaluate.as_str()),
            jobs::evaluation_id.eq(key(evaluation)),
            jobs::due_at.eq(Moment(due)),
        ))
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
}

/// Keeps an execution's work, unless there is some already. It goes by the execution's own id.
pub(super) async fn enqueue_execution(
    conn: &mut impl Runs,
    tenant: TenantId,
    execution: ExecutionId,
    due: Timestamp,
) -> Result<(), Fault> {
    diesel::insert_into(jobs::table)
        .values((
            jobs::tenant_id.eq(key(tenant)),
            jobs::id.eq(key(execution)),
            jobs::kind.eq(JobKind::RunLoop.as_str()),
            jobs::execution_id.eq(key(execution)),
            jobs::due_at.eq(Moment(due)),
        ))
        .on_conflict((jobs::tenant_id, jobs::execution_id, jobs::kind))
        .do_update()
        .set((
            jobs::due_at.eq(Moment(due)),
            jobs::lease_until.eq(None::<Moment>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Has work about a source done at `run.due` at the latest. `false`: somebody is at it then.
pub(super) async fn have_run(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    kind: JobKind,
    run: NextRun,
) -> Result<bool, Fault> {
    let at_work = jobs::table
        .filter(about!(tenant, source, kind))
        .filter(jobs::lease_until.gt(Moment(run.due)));
    if diesel::select(exists(at_work)).get_result(conn).await? {
        return Ok(false);
    }
    diesel::update(jobs::table)
        .filter(about!(tenant, source, kind))
        .filter(jobs::due_at.gt(Moment(run.due)))
        .set(jobs::due_at.eq(Moment(run.due)))
        .execute(conn)
        .await?;
    enqueue(conn, tenant, source, kind, run).await?;
    Ok(true)
}

/// Moves work about a source that was to be done some time after `now`, or forgets it. Work that is due or at hand
/// is left: its end decides.
pub(super) async fn reschedule(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    kind: JobKind,
    next: Option<NextRun>,
    now: Timestamp,
) -> Result<(), Fault> {
    let planned = about!(tenant, source, kind)
        .and(jobs::attempts.eq(0))
        .and(jobs::due_at.gt(Moment(now)));
    let Some(next) = next else {
        diesel::delete(jobs::table)
            .filter(planned)
            .execute(conn)
            .await?;
        return Ok(());
    };
    diesel::update(jobs::table)
        .filter(planned)
        .set(jobs::due_at.eq(Moment(next.due)))
        .execute(conn)
        .await?;
    enqueue(conn, tenant, source, kind, next).await
}

/// Has a source swept now.
pub(super) async fn have_swept(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    at: Timestamp,
) -> Result<(), Fault> {
    have_begun(conn, tenant, source, JobKind::SweepSource, 0, at).await
}

/// Has a source embedded now, as it is answered from now.
pub(super) async fn have_embedded(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    at: Timestamp,
) -> Result<(), Fault> {
    have_begun(conn, tenant, source, JobKind::EmbedSource, 1, at).await
}

/// Has work about a source begun now, from its beginning: who is at it loses the lease, and the end of what began
/// before counts no more. It goes by the source's own id, told apart by `kind_bit`, since there is one of a kind at most.
async fn have_begun(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
    kind: JobKind,
    kind_bit: u128,
    at: Timestamp,
) -> Result<(), Fault> {
    let id = Uuid::from_u128(source.0.as_u128() ^ kind_bit);
    diesel::insert_into(jobs::table)
        .values((
            jobs::tenant_id.eq(key(tenant)),
            jobs::id.eq(key(id)),
            jobs::kind.eq(kind.as_str()),
            jobs::source_id.eq(key(source)),
            jobs::due_at.eq(Moment(at)),
        ))
        .on_conflict((jobs::tenant_id, jobs::source_id, jobs::kind))
        .do_update()
        .set((
            jobs::due_at.eq(Moment(at)),
            jobs::lease_until.eq(None::<Moment>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn take_lease(
    conn: &mut Conn,
    kinds: &[JobKind],
    now: Timestamp,
    lease: Duration,
    busy: &[TenantId],
) -> Result<Option<Job>, Fault> {
    let Some((tenant, id)) = next_job(conn, kinds, Moment(now), busy).await? else {
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
    let subject = row.source_id.or(row.evaluation_id).or(row.execution_id);
    let subject = subject.ok_or_else(|| Error::internal("a job about nothing"))?;
    Ok(Some(Job {
        id: row.id.0.into(),
        tenant_id: row.tenant_id.0.into(),
        kind: word(JobKind::parse, &row.kind)?,
        subject: subject.0,
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
        .filter(leased!(job))
        .set(jobs::lease_until.eq(Moment(now + lease)))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn complete(conn: &mut Conn, job: &Job, next: Option<NextRun>) -> Result<(), Fault> {
    let done = diesel::delete(jobs::table)
        .filter(leased!(job))
        .execute(conn)
        .await?;
    match next {
        Some(next) if done > 0 => enqueue(conn, job.tenant_id, job.source(), job.kind, next).await,
        _ => Ok(()),
    }
}

async fn retry(conn: &mut Conn, job: &Job, due: Timestamp) -> Result<(), Fault> {
    diesel::update(jobs::table)
        .filter(leased!(job))
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
