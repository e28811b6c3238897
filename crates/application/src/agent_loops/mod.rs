//! What can be done with agent loops.

mod create;
mod delete;
mod get;
mod model;
mod tools;
mod update;

pub use create::{Create, create};
pub use delete::delete;
pub use get::{get, list};
pub(crate) use model::{candidates, check_model};
pub(crate) use tools::secrets;
pub use tools::{NewHttp, NewTool};
pub use update::{Change, update};

use domain::agent_loops::AgentLoop;
use domain::schedules::Schedule;
use domain::{Result, Timestamp};

/// When a loop's schedule is due next, checked.
fn next_run(agent_loop: &AgentLoop, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(cron) = &agent_loop.triggers.cron else {
        return Ok(None);
    };
    let next = Schedule::read("triggers.cron", cron, now)?.next_after(now);
    Ok(next.filter(|_| agent_loop.enabled))
}
