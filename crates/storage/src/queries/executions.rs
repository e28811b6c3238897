use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use domain::events::Event;
use domain::executions::{
    Execution, ExecutionStatus, Executions, OPEN_MAX, Step, StepStatus, Trigger,
};
use domain::leads::holds_email;
use domain::paging::{Page, PageRequest};
use domain::{
    AgentLoopId, BotId, Clash, Error, ExecutionId, Resource, Result, TenantId, Timestamp,
};

use super::engine::{Conn, Store};
use super::execution_rows::{ExecutionRow, StepRow};
use super::{Runs, count, jobs, number, outbox, run};
use crate::fault::{Fault, Meaning};
use crate::schema::{agent_loops, execution_steps as steps, executions, messages};
use crate::scope::Scope;
use crate::types::{Key, Moment, key};

#[async_trait]
impl Executions for Store {
    async fn begin(&self, execution: &Execution) -> Result<()> {
        run!(
            self.write("executions.begin", execution.tenant_id),
            [execution],
            |conn| begin(conn, &execution)
        )
    }

    async fn begin_scheduled(
        &self,
        execution: &Execution,
        due: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<bool> {
        run!(
            self.write("executions.begin_scheduled", execution.tenant_id),
            [execution],
            |conn| begin_scheduled(conn, &execution, due, next)
        )
    }

    async fn find(&self, tenant: TenantId, id: ExecutionId) -> Result<Option<Execution>> {
        run!(self.read("executions.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn steps(&self, tenant: TenantId, id: ExecutionId) -> Result<Vec<Step>> {
        run!(self.read("executions.steps", tenant), [], |conn| all_steps(
            conn, tenant, id
        ))
    }

    async fn list(
        &self,
        tenant: TenantId,
        agent_loop: AgentLoopId,
        status: Option<ExecutionStatus>,
        page: PageRequest,
    ) -> Result<Page<Execution>> {
        run!(self.read("executions.list", tenant), [], |conn| list(
            conn, tenant, agent_loop, status, page
        ))
    }

    async fn record(&self, execution: &Execution, steps: &[Step]) -> Result<bool> {
        run!(
            self.write("executions.record", execution.tenant_id),
            [execution, steps],
            |conn| record(conn, &execution, &steps)
        )
    }

    async fn resume(&self, execution: &Execution, step: &Step) -> Result<bool> {
        run!(
            self.write("executions.resume", execution.tenant_id),
            [execution, step],
            |conn| resume(conn, &execution, &step)
        )
    }

    async fn finish(&self, execution: &Execution, event: &Event) -> Result<bool> {
        run!(
            self.write("executions.finish", execution.tenant_id),
            [execution, event],
            |conn| finish(conn, &execution, &event)
        )
    }

    async fn forget(&self, before: Timestamp, most: u32) -> Result<u64> {
        run!(self.write("executions.forget", Scope::System), [], |conn| {
            forget(conn, before, most)
        })
    }
}

/// The row of an execution that has not ended.
macro_rules! open {
    ($execution:expr) => {
        executions::table
            .find((key($execution.tenant_id), key($execution.id)))
            .filter(executions::ended_at.is_null())
    };
}

async fn begin(conn: &mut Conn, execution: &Execution) -> Result<(), Fault> {
    let is_full = is_full(conn, execution.tenant_id, execution.loop_id).await?;
    if !begin_once(conn, execution, None).await? {
        return Err(Error::Conflict(Clash::AlreadyExists).into());
    }
    if is_full {
        let most = format!(
            "This agent loop has {OPEN_MAX} executions that have not ended: decide on those that wait, or cancel some."
        );
        return Err(Error::invalid("executions", most).into());
    }
    Ok(())
}

/// Whether a loop has as many executions that have not ended as it may.
pub(super) async fn is_full(
    conn: &mut impl Runs,
    tenant: TenantId,
    agent_loop: AgentLoopId,
) -> Result<bool, Fault> {
    let open: i64 = executions::table
        .filter(executions::tenant_id.eq(key(tenant)))
        .filter(executions::loop_id.eq(key(agent_loop)))
        .filter(executions::ended_at.is_null())
        .count()
        .get_result(conn)
        .await?;
    Ok(open >= OPEN_MAX as i64)
}

/// Keeps an execution with its job. `false`: it is kept already.
/// `subject` is what the event that began it is about.
pub(super) async fn begin_once(
    conn: &mut impl Runs,
    execution: &Execution,
    subject: Option<Key>,
) -> Result<bool, Fault> {
    let kept = diesel::insert_into(executions::table)
        .values((
            ExecutionRow::of(execution)?,
            executions::subject.eq(subject),
        ))
        .on_conflict((executions::tenant_id, executions::id))
        .do_nothing()
        .execute(conn)
        .await
        .or_missing(Resource::AgentLoop)?;
    if kept == 0 {
        return Ok(false);
    }
    let (tenant, id) = (execution.tenant_id, execution.id);
    jobs::enqueue_execution(conn, tenant, id, execution.created_at).await?;
    Ok(true)
}

async fn begin_scheduled(
    conn: &mut Conn,
    execution: &Execution,
    due: Timestamp,
    next: Option<Timestamp>,
) -> Result<bool, Fault> {
    let (tenant, agent_loop) = (key(execution.tenant_id), key(execution.loop_id));
    let planned = agent_loops::table
        .find((tenant, agent_loop))
        .filter(agent_loops::next_run_at.eq(Moment(due)));
    let moved = diesel::update(planned)
        .set(agent_loops::next_run_at.eq(next.map(Moment)))
        .execute(conn)
        .await?;
    if moved == 0 {
        return Ok(false);
    }
    let earlier = executions::table
        .filter(executions::tenant_id.eq(tenant))
        .filter(executions::loop_id.eq(agent_loop))
        .filter(executions::started_by.eq(Trigger::Cron.as_str()))
        .filter(executions::ended_at.is_null());
    if diesel::select(exists(earlier)).get_result(conn).await? {
        return Ok(false);
    }
    begin_once(conn, execution, None).await
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: ExecutionId,
) -> Result<Option<Execution>, Fault> {
    let row = executions::table
        .find((key(tenant), key(id)))
        .select(ExecutionRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Execution::try_from).transpose()
}

async fn all_steps(conn: &mut Conn, tenant: TenantId, id: ExecutionId) -> Result<Vec<Step>, Fault> {
    let rows = steps::table
        .filter(steps::tenant_id.eq(key(tenant)))
        .filter(steps::execution_id.eq(key(id)))
        .order(steps::number)
        .select(StepRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Step::try_from).collect()
}

/// Those that events about a conversation began, or that wrote into it: a message that a step wrote has its id.
pub(super) async fn about(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: Key,
) -> Result<BTreeSet<Key>, Fault> {
    let begun: Vec<Key> = executions::table
        .filter(executions::tenant_id.eq(key(tenant)))
        .filter(executions::subject.eq(conversation))
        .select(executions::id)
        .load(conn)
        .await?;
    let said = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(conversation))
        .select(messages::id);
    let wrote: Vec<Key> = steps::table
        .filter(steps::tenant_id.eq(key(tenant)))
        .filter(steps::id.eq_any(said))
        .select(steps::execution_id)
        .load(conn)
        .await?;
    Ok(begun.into_iter().chain(wrote).collect())
}

/// Those of a bot that hold one of the addresses.
pub(super) async fn naming(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    emails: &[String],
) -> Result<BTreeSet<Key>, Fault> {
    let mut found = BTreeSet::new();
    for email in emails {
        let holds = |column: &str| {
            let wildcard = |c: char| ['\\', '%', '_'].contains(&c);
            let pattern: String = email
                .chars()
                .flat_map(|c| wildcard(c).then_some('\\').into_iter().chain([c]))
                .collect();
            sql::<Bool>(&format!("lower(CAST({column} AS text)) LIKE "))
                .bind::<Text, _>(format!("%{pattern}%"))
                .sql(" ESCAPE '\\'")
        };
        let did = steps::table
            .filter(steps::tenant_id.eq(key(tenant)))
            .filter(holds("execution_steps.text").or(holds("execution_steps.call")))
            .select(steps::execution_id);
        let near: Vec<Key> = executions::table
            .filter(executions::tenant_id.eq(key(tenant)))
            .filter(executions::bot_id.eq(key(bot)))
            .filter(
                holds("executions.input")
                    .or(holds("executions.result"))
                    .or(holds("executions.error"))
                    .or(executions::id.eq_any(did)),
            )
            .select(executions::id)
            .load(conn)
            .await?;
        for id in near {
            let whole = whole(conn, tenant, id).await?;
            if whole.is_some_and(|(execution, steps)| is_named(&execution, &steps, email)) {
                found.insert(id);
            }
        }
    }
    Ok(found)
}

fn is_named(execution: &Execution, steps: &[Step], email: &str) -> bool {
    let calls = steps.iter().filter_map(|step| step.call.as_ref());
    let values = calls.map(|call| &call.arguments).chain([&execution.input]);
    let texts = steps.iter().map(|step| &step.text);
    let ends = [&execution.result, &execution.error].into_iter().flatten();
    values
        .map(ToString::to_string)
        .chain(texts.chain(ends).cloned())
        .any(|text| holds_email(&text, email))
}

/// An execution with its steps.
pub(super) async fn whole(
    conn: &mut Conn,
    tenant: TenantId,
    id: Key,
) -> Result<Option<(Execution, Vec<Step>)>, Fault> {
    let id = id.0.into();
    let Some(execution) = find(conn, tenant, id).await? else {
        return Ok(None);
    };
    Ok(Some((execution, all_steps(conn, tenant, id).await?)))
}

/// Deletes some with their steps and their jobs.
pub(super) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    ids: impl IntoIterator<Item = Key>,
) -> Result<(), Fault> {
    diesel::delete(executions::table)
        .filter(executions::tenant_id.eq(key(tenant)))
        .filter(executions::id.eq_any(ids))
        .execute(conn)
        .await?;
    Ok(())
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    agent_loop: AgentLoopId,
    status: Option<ExecutionStatus>,
    page: PageRequest,
) -> Result<Page<Execution>, Fault> {
    let of_loop = || {
        let mut query = executions::table
            .filter(executions::tenant_id.eq(key(tenant)))
            .filter(executions::loop_id.eq(key(agent_loop)))
            .into_boxed();
        if let Some(status) = status {
            query = query.filter(executions::status.eq(status.as_str()));
        }
        query
    };
    let total: i64 = of_loop().count().get_result(conn).await?;
    let rows = of_loop()
        .order((executions::created_at.desc(), executions::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(ExecutionRow::as_select())
        .load(conn)
        .await?;
    let items = rows.into_iter().map(Execution::try_from);
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        total: count(total),
    })
}

async fn record(conn: &mut Conn, execution: &Execution, steps: &[Step]) -> Result<bool, Fault> {
    let row = executions::table.find((key(execution.tenant_id), key(execution.id)));
    let found = diesel::update(row)
        .set((
            executions::step_count.eq(i64::from(execution.steps)),
            executions::input_tokens.eq(number(execution.tokens.input)),
            executions::output_tokens.eq(number(execution.tokens.output)),
            executions::started_at.eq(execution.started_at.map(Moment)),
        ))
        .execute(conn)
        .await?;
    if found == 0 {
        return Ok(false);
    }
    for step in steps {
        write_step(conn, execution, step).await?;
    }
    let goes_on = diesel::update(open!(execution))
        .set(executions::status.eq(execution.status.as_str()))
        .execute(conn)
        .await?;
    if goes_on == 0 {
        skip_steps(conn, execution).await?;
    }
    Ok(goes_on > 0)
}

async fn resume(conn: &mut Conn, execution: &Execution, step: &Step) -> Result<bool, Fault> {
    let waiting = open!(execution)
        .filter(executions::status.eq(ExecutionStatus::WaitingForApproval.as_str()));
    let resumed = diesel::update(waiting)
        .set(executions::status.eq(execution.status.as_str()))
        .execute(conn)
        .await?;
    if resumed == 0 {
        return Ok(false);
    }
    let (tenant, id) = (execution.tenant_id, execution.id);
    // It may wait for its owner's word on another call by now.
    let waits: i64 = steps::table
        .filter(steps::tenant_id.eq(key(tenant)))
        .filter(steps::id.eq(key(step.id)))
        .filter(steps::status.eq(StepStatus::WaitingForApproval.as_str()))
        .count()
        .get_result(conn)
        .await?;
    if waits == 0 {
        diesel::update(open!(execution))
            .set(executions::status.eq(ExecutionStatus::WaitingForApproval.as_str()))
            .execute(conn)
            .await?;
        return Ok(false);
    }
    write_step(conn, execution, step).await?;
    // Due since then, like the steps before.
    let due = execution.started_at.unwrap_or(execution.created_at);
    jobs::enqueue_execution(conn, tenant, id, due).await?;
    Ok(true)
}

async fn finish(conn: &mut Conn, execution: &Execution, event: &Event) -> Result<bool, Fault> {
    let ended = diesel::update(open!(execution))
        .set((
            executions::status.eq(execution.status.as_str()),
            executions::result.eq(execution.result.as_deref()),
            executions::error.eq(execution.error.as_deref()),
            executions::ended_at.eq(execution.ended_at.map(Moment)),
        ))
        .execute(conn)
        .await?;
    if ended == 0 {
        return Ok(false);
    }
    skip_steps(conn, execution).await?;
    outbox::publish(conn, event.tenant_id, event.kind, || event.clone()).await?;
    Ok(true)
}

async fn write_step(conn: &mut Conn, execution: &Execution, step: &Step) -> Result<(), Fault> {
    diesel::insert_into(steps::table)
        .values(StepRow::of(execution, step)?)
        .on_conflict(steps::table.primary_key())
        .do_update()
        .set(StepRow::of(execution, step)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// Steps that will not be begun any more.
async fn skip_steps(conn: &mut Conn, execution: &Execution) -> Result<(), Fault> {
    let not_begun = [
        StepStatus::Pending,
        StepStatus::WaitingForApproval,
        StepStatus::Approved,
    ];
    diesel::update(steps::table)
        .filter(steps::tenant_id.eq(key(execution.tenant_id)))
        .filter(steps::execution_id.eq(key(execution.id)))
        .filter(steps::status.eq_any(not_begun.map(StepStatus::as_str)))
        .set(steps::status.eq(StepStatus::Skipped.as_str()))
        .execute(conn)
        .await?;
    Ok(())
}

async fn forget(conn: &mut Conn, before: Timestamp, most: u32) -> Result<u64, Fault> {
    let old: Vec<(Key, Key)> = executions::table
        .filter(executions::ended_at.lt(Moment(before)))
        .order(executions::ended_at)
        .limit(most.into())
        .select((executions::tenant_id, executions::id))
        .load(conn)
        .await?;
    let mut forgotten = 0;
    for place in old {
        forgotten += diesel::delete(executions::table.find(place))
            .execute(conn)
            .await? as u64;
    }
    Ok(forgotten)
}
