use domain::actors::Actor;
use domain::executions::{Execution, ExecutionStatus, Step};
use domain::{AgentLoopId, ExecutionId, Result};

use super::finish::{End, finish};
use super::get;
use super::get::find;
use crate::App;

/// Cancels an execution: it begins no further step. One that has ended stays as it is.
///
/// # Errors
/// [`domain::Error::NotFound`].
#[tracing::instrument(level = "debug", name = "executions.cancel", skip_all)]
pub async fn cancel(
    app: &App,
    actor: &Actor,
    agent_loop: AgentLoopId,
    id: ExecutionId,
) -> Result<(Execution, Vec<Step>)> {
    let execution = find(app, actor, agent_loop, id).await?;
    if !execution.status.has_ended() {
        let end = End {
            status: ExecutionStatus::Cancelled,
            result: None,
            error: Some("It was cancelled.".to_owned()),
        };
        finish(app, execution, end).await?;
    }
    get(app, actor, agent_loop, id).await
}
