use domain::Result;
use domain::executions::{Execution, Trigger};
use domain::schedules::Schedule;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::App;

/// Loops that are begun in one go.
const PORTION: u32 = 50;

/// Begins the executions of all loops whose schedule is due. Times that were missed count as one.
///
/// # Errors
/// As the ports.
pub async fn begin_due(app: &App) -> Result<()> {
    let now = app.clock.now();
    let mut any = false;
    for agent_loop in app.agent_loops.due(now, PORTION).await? {
        let Some(due) = agent_loop.next_run_at else {
            continue;
        };
        let schedule = agent_loop
            .triggers
            .cron
            .as_deref()
            .and_then(Schedule::parse);
        let next = schedule.and_then(|schedule| schedule.next_after(now));
        let id = app.ids.uuid().into();
        let input = json!({ "scheduled_at": due.format(&Rfc3339).unwrap_or_default() });
        let execution = Execution::of(&agent_loop, id, Trigger::Cron, input, now);
        match app.executions.begin_scheduled(&execution, due, next).await {
            Ok(begun) => any |= begun,
            // The others' are not to wait for this one's.
            Err(error) => {
                tracing::warn!(agent_loop_id = %agent_loop.id, %error, "a schedule begins nothing");
            }
        }
    }
    if any {
        app.bell.ring();
    }
    Ok(())
}
