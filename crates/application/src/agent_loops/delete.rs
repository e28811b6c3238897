use domain::actors::Actor;
use domain::{AgentLoopId, Error, Resource, Result};

use crate::App;

/// Deletes an agent loop with its executions; one that is under way stops within a step.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "agent_loops.delete", skip_all)]
pub async fn delete(app: &App, actor: &Actor, id: AgentLoopId) -> Result<()> {
    match app.agent_loops.delete(actor.tenant_id(), id).await? {
        true => Ok(()),
        false => Err(Error::NotFound(Resource::AgentLoop)),
    }
}
