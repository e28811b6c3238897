use std::time::Duration;

use domain::Result;
use domain::executions::{Execution, ExecutionStatus};

use crate::App;

/// How long executions are kept once they have ended.
const KEPT_FOR: Duration = Duration::from_secs(90 * 24 * 3600);
/// How many are forgotten in one transaction.
const PORTION: u32 = 100;

/// How an execution ends.
pub(super) struct End {
    pub status: ExecutionStatus,
    pub result: Option<String>,
    pub error: Option<String>,
}

/// Ends an execution, and tells of it, once.
pub(super) async fn finish(app: &App, execution: Execution, end: End) -> Result<()> {
    let (tenant, now) = (execution.tenant_id, app.clock.now());
    let Some(agent_loop) = app.agent_loops.find(tenant, execution.loop_id).await? else {
        return Ok(());
    };
    let ended = Execution {
        status: end.status,
        result: end.result,
        error: end.error,
        ended_at: Some(now),
        ..execution
    };
    let event = ended.completed(app.ids.uuid().into(), &agent_loop.name, now);
    if app.executions.finish(&ended, &event).await? {
        app.delivery_bell.ring();
    }
    Ok(())
}

/// Forgets executions that ended long ago, of all tenants.
///
/// # Errors
/// As the port.
pub async fn forget_old(app: &App) -> Result<()> {
    let before = app.clock.now() - KEPT_FOR;
    while app.executions.forget(before, PORTION).await? == u64::from(PORTION) {}
    Ok(())
}
