//! Work that was left for later.

use std::time::Duration;

use domain::jobs::{Job, JobKind, NextRun};
use domain::{Result, Timestamp};

use crate::{App, evaluations, executions, knowledge};

/// A job that fails this often, for reasons that may pass, fails for good.
pub(crate) const ATTEMPTS: u32 = 3;

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// It is done, well or badly: the source says which. It may be wanted again.
    Done(Option<NextRun>),
    /// It is to be tried again from then on.
    Retry(Timestamp),
}

impl JobEnd {
    /// It is done, and not wanted again.
    pub(crate) const DONE: Self = Self::Done(None);

    /// To be tried again, the later the more often it was.
    pub(crate) fn later(app: &App, job: &Job) -> Self {
        Self::Retry(app.clock.now() + Duration::from_secs(1 << job.attempts.min(5)))
    }
}

/// Does a job. Done twice, it does no harm: a source is answered from a whole reading or not at all, and who is called
/// by an agent loop again is told that it is the same call.
///
/// # Errors
/// As the ports; the job's lease then runs out, and it is tried again.
pub async fn run(app: &App, job: &Job) -> Result<JobEnd> {
    match job.kind {
        JobKind::ReadFile => knowledge::read_file(app, job).await,
        JobKind::ReadSite => knowledge::read_site(app, job).await,
        JobKind::SweepSource => knowledge::sweep(app, job).await,
        JobKind::EmbedSource => knowledge::embed(app, job).await,
        JobKind::Evaluate => evaluations::run(app, job).await,
        JobKind::RunLoop => executions::run(app, job).await,
    }
}
