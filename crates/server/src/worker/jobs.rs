//! Jobs: files and websites to read, sources to embed, evaluations, agent loops.

use std::sync::Arc;

use application::App;
use application::jobs::{self, JobEnd};
use domain::jobs::{Job, JobKind};
use domain::{Result, TenantId};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::busy::Busy;
use super::lease::{Held, LEASE, hold, wait};
use super::{Bell, LOOK};

/// Workers of a lane: a large file, or a site that is slow, keeps no other waiting.
const WORKERS: usize = 2;
/// Workers of agent loops, which mostly wait for models and tools.
const LOOP_WORKERS: usize = 8;
/// Executions of one tenant that are worked on at the same time: one may take an hour.
const LOOPS_OF_A_TENANT: usize = 4;

/// How many workers a lane has in this server; none for what can't be done here and waits for a server that can.
pub(super) fn workers(app: &App, kinds: &[JobKind]) -> usize {
    if app.embedders.is_empty() && kinds.contains(&JobKind::EmbedSource) {
        return 0;
    }
    match kinds.contains(&JobKind::RunLoop) {
        true => LOOP_WORKERS,
        false => WORKERS,
    }
}

/// Who is worked for in a lane.
pub(super) fn busy(kinds: &[JobKind]) -> Arc<Busy<TenantId>> {
    Busy::new(match kinds.contains(&JobKind::RunLoop) {
        true => LOOPS_OF_A_TENANT,
        false => WORKERS + 1,
    })
}

/// A worker of a lane.
pub(super) async fn work(
    lane: usize,
    app: Arc<App>,
    bell: Arc<Bell>,
    stop: CancellationToken,
    busy: Arc<Busy<TenantId>>,
) {
    let (kinds, bell) = (JobKind::LANES[lane], &bell.lanes[lane]);
    while !stop.is_cancelled() {
        let full = busy.full();
        match app.jobs.lease(kinds, app.clock.now(), LEASE, &full).await {
            Ok(Some(job)) => {
                let _entered = busy.enter(job.tenant_id);
                // One bell may stand for many jobs: the next worker looks as well.
                bell.notify_one();
                if let Err(error) = run(&app, &job, &stop).await {
                    tracing::warn!(job_id = %job.id, %error, "the job will be tried again");
                }
            }
            Ok(None) => wait(&stop, bell).await,
            Err(error) => {
                tracing::warn!(%error, "no jobs can be had");
                sleep(LOOK).await;
            }
        }
    }
}

/// Does a job while holding on to it. A server that stops has no time for a large one: it is given back, for the
/// next start or another replica.
async fn run(app: &App, job: &Job, stop: &CancellationToken) -> Result<()> {
    let extend = || app.jobs.extend(job, app.clock.now(), LEASE);
    match hold(jobs::run(app, job), stop, extend).await? {
        Held::Done(end) => match end? {
            JobEnd::Done(next) => app.jobs.complete(job, next).await,
            JobEnd::Retry(due) => app.jobs.retry(job, due).await,
        },
        Held::Stopped => app.jobs.retry(job, app.clock.now()).await,
        Held::Lost => Ok(()),
    }
}
