use domain::actors::Actor;
use domain::executions::{Execution, INPUT_MAX, Trigger};
use domain::{AgentLoopId, Clash, Error, ExecutionId, Resource, Result};
use serde_json::Value;

use crate::App;
use crate::agent_loops::{self, check_model};
use crate::bots;

/// An execution to be begun.
#[derive(Debug, Clone)]
pub struct Begin {
    /// Its id.
    pub id: ExecutionId,
    /// The loop.
    pub loop_id: AgentLoopId,
    /// What it is about; null: nothing is said.
    pub input: Value,
}

/// Begins an execution of a loop, in the background.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Disabled`]; [`Error::BotInactive`]; [`Error::Invalid`]: an input that can't be taken
/// (`input`), or a loop that has no model any more.
#[tracing::instrument(level = "debug", name = "executions.begin", skip_all)]
pub async fn begin(app: &App, actor: &Actor, begin: Begin) -> Result<Execution> {
    let agent_loop = agent_loops::get(app, actor, begin.loop_id).await?;
    if !agent_loop.enabled {
        return Err(Error::Disabled(Resource::AgentLoop));
    }
    if !bots::is_active(app, agent_loop.tenant_id, agent_loop.bot_id).await? {
        return Err(Error::BotInactive);
    }
    let input = begin.input.to_string();
    if input.len() > INPUT_MAX || input.contains("\\u0000") {
        return Err(Error::invalid(
            "input",
            "The 'input' field must come to 32 KB of JSON at most, without NUL.",
        ));
    }
    check_model(app, &agent_loop).await?;
    let now = app.clock.now();
    let execution = Execution::of(&agent_loop, begin.id, Trigger::Call, begin.input, now);
    match app.executions.begin(&execution).await {
        Ok(()) => {
            app.bell.ring();
            Ok(execution)
        }
        // The request was done before.
        Err(Error::Conflict(Clash::AlreadyExists)) => app
            .executions
            .find(actor.tenant_id(), begin.id)
            .await?
            .ok_or(Error::NotFound(Resource::Execution)),
        Err(error) => Err(error),
    }
}
