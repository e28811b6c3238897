use domain::actors::Actor;
use domain::executions::{Execution, ExecutionStatus, Step, StepStatus};
use domain::text::{MESSAGE_MAX, no_nul};
use domain::{AgentLoopId, Clash, Error, ExecutionId, Result, StepId};

use super::get;
use crate::App;

/// An owner's word on a call that waits for it.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The call's step, so that no other one is meant; `None`: the one that waits.
    pub step: Option<StepId>,
    /// Whether the call is to be made.
    pub approved: bool,
    /// Why not, which the model is told.
    pub reason: Option<String>,
}

/// Has an execution go on that waits for approval: with the call, or with the model told that it was rejected.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] (`NotWaiting`); [`Error::Invalid`]: it waits for another call (`step_id`).
#[tracing::instrument(level = "debug", name = "executions.decide", skip_all)]
pub async fn decide(
    app: &App,
    actor: &Actor,
    agent_loop: AgentLoopId,
    id: ExecutionId,
    decision: Decision,
) -> Result<(Execution, Vec<Step>)> {
    let (mut execution, steps) = get(app, actor, agent_loop, id).await?;
    let waits = |step: &&Step| step.status == StepStatus::WaitingForApproval;
    let mut step = steps
        .iter()
        .find(waits)
        .cloned()
        .ok_or(Error::Conflict(Clash::NotWaiting))?;
    if decision.step.is_some_and(|named| named != step.id) {
        let problem = "The 'step_id' field must name the step that waits for approval.";
        return Err(Error::invalid("step_id", problem));
    }
    step.status = StepStatus::Approved;
    if !decision.approved {
        step.status = StepStatus::Rejected;
        step.ended_at = Some(app.clock.now());
        step.text = "The owner rejected this call.".to_owned();
        if let Some(reason) = &decision.reason {
            if reason.chars().count() as u64 > MESSAGE_MAX || no_nul(reason).is_err() {
                let problem =
                    "The 'reason' field must be at most 8000 characters long, without NUL.";
                return Err(Error::invalid("reason", problem));
            }
            step.text = format!("{} {reason}", step.text);
        }
    }
    execution.status = ExecutionStatus::Queued;
    if !app.executions.resume(&execution, &step).await? {
        return Err(Error::Conflict(Clash::NotWaiting));
    }
    app.bell.ring();
    get(app, actor, agent_loop, id).await
}
