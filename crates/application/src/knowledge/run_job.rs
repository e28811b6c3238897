use std::time::Duration;

use domain::jobs::{Job, JobKind, NextRun};
use domain::{Result, Timestamp};

use super::pacing::paced;
use super::{embed, read_file, read_site};
use crate::App;

/// A job that fails this often, for reasons that may pass, fails for good.
pub(super) const ATTEMPTS: u32 = 3;

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
    pub(super) const DONE: Self = Self::Done(None);

    /// To be tried again, the later the more often it was.
    pub(super) fn later(app: &App, job: &Job) -> Self {
        Self::Retry(app.clock.now() + Duration::from_secs(1 << job.attempts.min(5)))
    }
}

/// Does a job. Done twice, it does no harm: a source is answered from a whole reading or not at all.
///
/// # Errors
/// As the ports; the job's lease then runs out, and it is tried again.
pub async fn run_job(app: &App, job: &Job) -> Result<JobEnd> {
    match job.kind {
        JobKind::ReadFile => read_file::read_file(app, job).await,
        JobKind::ReadSite => read_site::read_site(app, job).await,
        JobKind::EmbedSource => embed::embed(app, job).await,
        JobKind::SweepSource => {
            while paced(app, app.knowledge.sweep(job.tenant_id, job.source_id)).await? {}
            Ok(JobEnd::DONE)
        }
    }
}
