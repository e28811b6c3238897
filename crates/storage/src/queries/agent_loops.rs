use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::agent_loops::{AgentLoop, AgentLoops, LOOPS_MAX, Triggers};
use domain::events::{Event, EventKind};
use domain::executions::{Execution, Trigger, of_event};
use domain::paging::{Page, PageRequest};
use domain::{AgentLoopId, BotId, Error, Resource, Result, TenantId, Timestamp};

use super::engine::{Conn, Db, Store, held};
use super::{Runs, count, executions, json, of_json, run};
use crate::fault::{Fault, Meaning};
use crate::schema::{agent_loops, bots, tenants};
use crate::scope::Scope;
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl AgentLoops for Store {
    async fn create(&self, agent_loop: &AgentLoop) -> Result<()> {
        run!(
            self.write("agent_loops.create", agent_loop.tenant_id),
            [agent_loop],
            |conn| create(conn, &agent_loop)
        )
    }

    async fn find(&self, tenant: TenantId, id: AgentLoopId) -> Result<Option<AgentLoop>> {
        run!(self.read("agent_loops.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn list(&self, tenant: TenantId, page: PageRequest) -> Result<Page<AgentLoop>> {
        run!(self.read("agent_loops.list", tenant), [], |conn| list(
            conn, tenant, page
        ))
    }

    async fn update(&self, agent_loop: &AgentLoop, seen: Timestamp) -> Result<bool> {
        run!(
            self.write("agent_loops.update", agent_loop.tenant_id),
            [agent_loop],
            |conn| update(conn, &agent_loop, seen)
        )
    }

    async fn delete(&self, tenant: TenantId, id: AgentLoopId) -> Result<bool> {
        run!(self.write("agent_loops.delete", tenant), [], |conn| delete(
            conn, tenant, id
        ))
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<AgentLoop>> {
        run!(self.read("agent_loops.due", Scope::System), [], |conn| due(
            conn, now, limit
        ))
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = agent_loops, check_for_backend(Db), treat_none_as_null = true)]
struct LoopRow {
    tenant_id: Key,
    id: Key,
    bot_id: Key,
    name: String,
    description: Option<String>,
    program: Json,
    cron: Option<String>,
    events: Json,
    listens: bool,
    enabled: bool,
    next_run_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

impl LoopRow {
    fn of(agent_loop: &AgentLoop) -> Result<Self, Fault> {
        let triggers = &agent_loop.triggers;
        Ok(Self {
            tenant_id: key(agent_loop.tenant_id),
            id: key(agent_loop.id),
            bot_id: key(agent_loop.bot_id),
            name: agent_loop.name.clone(),
            description: agent_loop.description.clone(),
            program: json(&agent_loop.program)?,
            cron: triggers.cron.clone(),
            events: json(&triggers.events)?,
            listens: agent_loop.enabled && !triggers.events.is_empty(),
            enabled: agent_loop.enabled,
            next_run_at: agent_loop.next_run_at.map(Moment),
            created_at: Moment(agent_loop.created_at),
            updated_at: Moment(agent_loop.updated_at),
        })
    }
}

impl TryFrom<LoopRow> for AgentLoop {
    type Error = Fault;

    fn try_from(row: LoopRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            bot_id: row.bot_id.0.into(),
            name: row.name,
            description: row.description,
            program: of_json(row.program)?,
            triggers: Triggers {
                cron: row.cron,
                events: of_json(row.events)?,
            },
            enabled: row.enabled,
            next_run_at: row.next_run_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

async fn create(conn: &mut Conn, agent_loop: &AgentLoop) -> Result<(), Fault> {
    let (tenant, bot) = (key(agent_loop.tenant_id), key(agent_loop.bot_id));
    // The bot's row is ours until the commit: whoever makes loops for it does so one by one.
    let row = bots::table.find((tenant, bot)).select(bots::id);
    let found: Option<Key> = held!(row).first(conn).await.optional()?;
    found.ok_or(Error::NotFound(Resource::Bot))?;
    diesel::insert_into(agent_loops::table)
        .values(LoopRow::of(agent_loop)?)
        .execute(conn)
        .await
        .or_exists()?;
    let made: i64 = agent_loops::table
        .filter(agent_loops::tenant_id.eq(tenant))
        .filter(agent_loops::bot_id.eq(bot))
        .count()
        .get_result(conn)
        .await?;
    if made > LOOPS_MAX as i64 {
        let most = format!("A bot can have {LOOPS_MAX} agent loops; delete one first.");
        return Err(Error::invalid("bot_id", most).into());
    }
    Ok(())
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: AgentLoopId,
) -> Result<Option<AgentLoop>, Fault> {
    let row = agent_loops::table
        .find((key(tenant), key(id)))
        .select(LoopRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(AgentLoop::try_from).transpose()
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    page: PageRequest,
) -> Result<Page<AgentLoop>, Fault> {
    let own = || agent_loops::table.filter(agent_loops::tenant_id.eq(key(tenant)));
    let total: i64 = own().count().get_result(conn).await?;
    let rows = own()
        .order((agent_loops::created_at.desc(), agent_loops::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(LoopRow::as_select())
        .load(conn)
        .await?;
    let items = rows.into_iter().map(AgentLoop::try_from);
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        total: count(total),
    })
}

async fn update(conn: &mut Conn, agent_loop: &AgentLoop, seen: Timestamp) -> Result<bool, Fault> {
    let row = LoopRow::of(agent_loop)?;
    let changed = diesel::update(agent_loops::table.find((row.tenant_id, row.id)))
        .filter(agent_loops::updated_at.eq(Moment(seen)))
        .set(&row)
        .execute(conn)
        .await
        .or_missing(Resource::Bot)?;
    Ok(changed > 0)
}

async fn delete(conn: &mut Conn, tenant: TenantId, id: AgentLoopId) -> Result<bool, Fault> {
    let deleted = diesel::delete(agent_loops::table.find((key(tenant), key(id))))
        .execute(conn)
        .await?;
    Ok(deleted > 0)
}

async fn due(conn: &mut Conn, now: Timestamp, limit: u32) -> Result<Vec<AgentLoop>, Fault> {
    let active = tenants::table
        .filter(tenants::id.eq(agent_loops::tenant_id))
        .filter(tenants::is_active.eq(true));
    let rows = agent_loops::table
        .filter(agent_loops::next_run_at.le(Moment(now)))
        .filter(exists(active))
        .order((agent_loops::next_run_at, agent_loops::id))
        .limit(limit.into())
        .select(LoopRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(AgentLoop::try_from).collect()
}

/// Has the bot's loops that listen for an event begin, once, in the transaction of what caused it. A bot without such
/// loops pays for one look at an index; its event is not even made. Answers whether any begins.
pub(super) async fn trigger(
    conn: &mut impl Runs,
    tenant: TenantId,
    bot: BotId,
    kind: EventKind,
    event: impl FnOnce() -> Event,
) -> Result<bool, Fault> {
    let rows: Vec<LoopRow> = agent_loops::table
        .filter(agent_loops::tenant_id.eq(key(tenant)))
        .filter(agent_loops::bot_id.eq(key(bot)))
        .filter(agent_loops::listens.eq(true))
        .select(LoopRow::as_select())
        .load(conn)
        .await?;
    let mut listening = Vec::new();
    for row in rows {
        let agent_loop = AgentLoop::try_from(row)?;
        if agent_loop.triggers.events.contains(&kind) {
            listening.push(agent_loop);
        }
    }
    if listening.is_empty() {
        return Ok(false);
    }
    let event = event();
    for agent_loop in listening {
        if executions::is_full(conn, tenant, agent_loop.id).await? {
            continue;
        }
        let id = of_event(event.id, agent_loop.id);
        let (input, at) = (event.body(), event.created_at);
        let execution = Execution::of(&agent_loop, id, Trigger::Event, input, at);
        executions::begin_once(conn, &execution, Some(Key(event.subject))).await?;
    }
    Ok(true)
}
