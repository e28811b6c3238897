use domain::actors::Actor;
use domain::agent_loops::AgentLoop;
use domain::paging::{Page, PageRequest};
use domain::{AgentLoopId, Error, Resource, Result};

use crate::App;

/// One agent loop of the tenant's.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "agent_loops.get", skip_all)]
pub async fn get(app: &App, actor: &Actor, id: AgentLoopId) -> Result<AgentLoop> {
    let found = app.agent_loops.find(actor.tenant_id(), id).await?;
    found.ok_or(Error::NotFound(Resource::AgentLoop))
}

/// A page of the tenant's agent loops, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "agent_loops.list", skip_all)]
pub async fn list(app: &App, actor: &Actor, page: PageRequest) -> Result<Page<AgentLoop>> {
    app.agent_loops.list(actor.tenant_id(), page).await
}
