use std::time::Duration;

use domain::actors::Actor;
use domain::agent_loops::{AgentLoop, Approval, LimitsChange};
use domain::events::EventKind;
use domain::{AgentLoopId, ConnectionId, Error, Result};
use validator::Validate;

use super::model::{check_model, owner};
use super::tools::{self, NewTool};
use super::{get, next_run};
use crate::App;

/// A change of an agent loop: `None` keeps; for optional fields `Some(None)` clears.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// See [`AgentLoop::name`].
    pub name: Option<String>,
    /// See [`AgentLoop::description`].
    pub description: Option<Option<String>>,
    /// See [`domain::agent_loops::Program::connection_id`]. The bot stays.
    pub connection_id: Option<Option<ConnectionId>>,
    /// See [`domain::agent_loops::Program::instructions`].
    pub instructions: Option<String>,
    /// All tools; secrets that are not given are kept from the tool of the same name and address.
    pub tools: Option<Vec<NewTool>>,
    /// Those of the limits that are given.
    pub limits: LimitsChange,
    /// See [`domain::agent_loops::Program::approval`].
    pub approval: Option<Approval>,
    /// See [`domain::agent_loops::Triggers::cron`].
    pub cron: Option<Option<String>>,
    /// See [`domain::agent_loops::Triggers::events`].
    pub events: Option<Vec<EventKind>>,
    /// See [`AgentLoop::enabled`].
    pub enabled: Option<bool>,
}

/// How often a change is tried while others change the same loop.
const ATTEMPTS: u32 = 5;

/// Changes the fields given. Executions under way go on as they began.
///
/// # Errors
/// As [`super::create`]; [`Error::NotFound`] (`AgentLoop`).
#[tracing::instrument(level = "debug", name = "agent_loops.update", skip_all)]
pub async fn update(
    app: &App,
    actor: &Actor,
    id: AgentLoopId,
    change: Change,
) -> Result<AgentLoop> {
    for _ in 0..ATTEMPTS {
        let found = get(app, actor, id).await?;
        let seen = found.updated_at;
        let changed = changed(app, found, change.clone()).await?;
        if app.agent_loops.update(&changed, seen).await? {
            return Ok(changed);
        }
    }
    Err(Error::Unavailable {
        retry_after: Duration::from_secs(1),
    })
}

async fn changed(app: &App, mut agent_loop: AgentLoop, change: Change) -> Result<AgentLoop> {
    let (tenant, id, now) = (agent_loop.tenant_id, agent_loop.id, app.clock.now());
    if let Some(connection) = change.connection_id {
        owner(app, tenant, Some(agent_loop.bot_id), connection).await?;
        agent_loop.program.connection_id = connection;
    }
    let program = &mut agent_loop.program;
    if let Some(new) = change.tools {
        program.tools = tools::make(app, tenant, id, new, &program.tools)?;
    }
    program.limits = program.limits.with(change.limits);
    program.approval = change.approval.unwrap_or(program.approval);
    if let Some(instructions) = change.instructions {
        program.instructions = instructions;
    }
    agent_loop.name = change.name.unwrap_or(agent_loop.name);
    agent_loop.description = change.description.unwrap_or(agent_loop.description);
    agent_loop.triggers.cron = change.cron.unwrap_or(agent_loop.triggers.cron);
    agent_loop.triggers.events = change.events.unwrap_or(agent_loop.triggers.events);
    agent_loop.enabled = change.enabled.unwrap_or(agent_loop.enabled);
    agent_loop.updated_at = now;
    agent_loop.validate()?;
    agent_loop.program.check()?;
    agent_loop.next_run_at = next_run(&agent_loop, now)?;
    check_model(app, &agent_loop).await?;
    Ok(agent_loop)
}
