//! Work to be done later, kept in the same transaction as what caused it.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::named::named;
use crate::{EvaluationId, ExecutionId, JobId, Result, SourceId, TenantId, Timestamp};

named! {
    /// What there is to do.
    JobKind {
        /// Read an uploaded file.
        ReadFile = "read_file",
        /// Read a website, for the first time or again.
        ReadSite = "read_site",
        /// Delete what earlier readings of a source left.
        SweepSource = "sweep_source",
        /// Embed the chunks of a source. Waits where there is no embedder.
        EmbedSource = "embed_source",
        /// Put the cases of an evaluation to its bot.
        Evaluate = "evaluate",
        /// Go on with an execution of an agent loop.
        RunLoop = "run_loop",
    }
}

impl JobKind {
    /// The kinds that may take long because others do: a site that answers once a minute must not keep a file
    /// waiting. Workers take jobs of one lane.
    pub const LANES: [&[Self]; 5] = [
        &[Self::ReadFile, Self::SweepSource],
        &[Self::ReadSite],
        &[Self::EmbedSource],
        &[Self::Evaluate],
        &[Self::RunLoop],
    ];
}

/// When a job is to be run next, and by which name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRun {
    /// The id that it gets where there is none of the kind for the source.
    pub job_id: JobId,
    /// When it is due.
    pub due: Timestamp,
}

/// A job that was leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What there is to do.
    pub kind: JobKind,
    /// The source, the evaluation or the execution that it is about; the kind says which.
    pub subject: Uuid,
    /// How many times it was leased, this one included.
    pub attempts: u32,
}

impl Job {
    /// The source that it is about.
    pub fn source(&self) -> SourceId {
        self.subject.into()
    }

    /// The evaluation that it is about.
    pub fn evaluation(&self) -> EvaluationId {
        self.subject.into()
    }

    /// The execution that it is about.
    pub fn execution(&self) -> ExecutionId {
        self.subject.into()
    }
}

/// Where jobs wait. A job is leased to one worker at a time; a worker that dies loses its lease, and the
/// job is leased again. A job goes with what it is about, which has at
/// most one of each kind.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// The job of these kinds that has waited longest, of those that are due and not leased, and of other tenants than the
    /// `busy` ones, leased until `now + lease`.
    async fn lease(
        &self,
        kinds: &'static [JobKind],
        now: Timestamp,
        lease: Duration,
        busy: &[TenantId],
    ) -> Result<Option<Job>>;
    /// Holds on to a job. `false`: it is gone, or somebody else has it.
    async fn extend(&self, job: &Job, now: Timestamp, lease: Duration) -> Result<bool>;
    /// Forgets a job that is done, or has it run again later. Its lease must still be held for it to count.
    async fn complete(&self, job: &Job, next: Option<NextRun>) -> Result<()>;
    /// Gives a job back, to be leased again from `due` on.
    async fn retry(&self, job: &Job, due: Timestamp) -> Result<()>;
    /// Makes leased jobs due at once. For a start when no other process can be at work on them.
    async fn release_all(&self) -> Result<()>;
}

/// Wakes whoever works on jobs, so that new work need not wait for the next look.
pub trait JobBell: Send + Sync {
    /// There is a new job.
    fn ring(&self);
}
