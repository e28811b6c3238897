use domain::actors::Actor;
use domain::agent_loops::{AgentLoop, Approval, LoopLimits, Program, Triggers};
use domain::{AgentLoopId, BotId, Clash, ConnectionId, Error, Resource, Result};
use validator::Validate;

use super::model::{check_model, owner};
use super::next_run;
use super::tools::{self, NewTool};
use crate::App;

/// An agent loop to be made.
#[derive(Debug, Clone)]
pub struct Create {
    /// Its id.
    pub id: AgentLoopId,
    /// See [`AgentLoop::name`].
    pub name: String,
    /// See [`AgentLoop::description`].
    pub description: Option<String>,
    /// The bot; `None`: that of the connection.
    pub bot_id: Option<BotId>,
    /// See [`Program::connection_id`].
    pub connection_id: Option<ConnectionId>,
    /// See [`Program::instructions`].
    pub instructions: String,
    /// What the model may call.
    pub tools: Vec<NewTool>,
    /// See [`Program::limits`].
    pub limits: LoopLimits,
    /// See [`Program::approval`].
    pub approval: Approval,
    /// See [`AgentLoop::triggers`].
    pub triggers: Triggers,
    /// See [`AgentLoop::enabled`].
    pub enabled: bool,
}

/// Makes an agent loop.
///
/// # Errors
/// [`Error::NotFound`] (`Bot`, `Connection`); [`Error::Missing`] (`bot_id`); [`Error::Invalid`], for a bot without a
/// model that calls tools too.
#[tracing::instrument(level = "debug", name = "agent_loops.create", skip_all)]
pub async fn create(app: &App, actor: &Actor, create: Create) -> Result<AgentLoop> {
    let tenant = actor.tenant_id();
    let bot_id = owner(app, tenant, create.bot_id, create.connection_id).await?;
    let now = app.clock.now();
    let mut agent_loop = AgentLoop {
        id: create.id,
        tenant_id: tenant,
        bot_id,
        name: create.name,
        description: create.description,
        program: Program {
            instructions: create.instructions,
            connection_id: create.connection_id,
            tools: tools::make(app, tenant, create.id, create.tools, &[])?,
            limits: create.limits,
            approval: create.approval,
        },
        triggers: create.triggers,
        enabled: create.enabled,
        next_run_at: None,
        created_at: now,
        updated_at: now,
    };
    agent_loop.validate()?;
    agent_loop.program.check()?;
    agent_loop.next_run_at = next_run(&agent_loop, now)?;
    check_model(app, &agent_loop).await?;
    match app.agent_loops.create(&agent_loop).await {
        Ok(()) => Ok(agent_loop),
        // The request was done before.
        Err(Error::Conflict(Clash::AlreadyExists)) => app
            .agent_loops
            .find(tenant, agent_loop.id)
            .await?
            .ok_or(Error::NotFound(Resource::AgentLoop)),
        Err(error) => Err(error),
    }
}
