use domain::actors::Actor;
use domain::executions::{Execution, ExecutionStatus, Step};
use domain::paging::{Page, PageRequest};
use domain::{AgentLoopId, Error, ExecutionId, Resource, Result};

use crate::{App, agent_loops};

/// One execution of a loop.
///
/// # Errors
/// [`Error::NotFound`] (`AgentLoop`, `Execution`).
pub(super) async fn find(
    app: &App,
    actor: &Actor,
    agent_loop: AgentLoopId,
    id: ExecutionId,
) -> Result<Execution> {
    let agent_loop = agent_loops::get(app, actor, agent_loop).await?;
    let found = app.executions.find(actor.tenant_id(), id).await?;
    found
        .filter(|execution| execution.loop_id == agent_loop.id)
        .ok_or(Error::NotFound(Resource::Execution))
}

/// One execution of a loop, with its steps in order.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "executions.get", skip_all)]
pub async fn get(
    app: &App,
    actor: &Actor,
    agent_loop: AgentLoopId,
    id: ExecutionId,
) -> Result<(Execution, Vec<Step>)> {
    let execution = find(app, actor, agent_loop, id).await?;
    let steps = app.executions.steps(actor.tenant_id(), id).await?;
    Ok((execution, steps))
}

/// A page of a loop's executions, newest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "executions.list", skip_all)]
pub async fn list(
    app: &App,
    actor: &Actor,
    agent_loop: AgentLoopId,
    status: Option<ExecutionStatus>,
    page: PageRequest,
) -> Result<Page<Execution>> {
    let agent_loop = agent_loops::get(app, actor, agent_loop).await?;
    app.executions
        .list(actor.tenant_id(), agent_loop.id, status, page)
        .await
}
