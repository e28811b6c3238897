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

/// How many work in a lane, and for one tenant at most: what takes long leaves room for others.
struct Room {
    workers: usize,
    of_a_tenant: usize,
}

const fn room(kind: JobKind) -> Room {
    let (workers, of_a_tenant) = match kind {
        // They mostly wait, for other servers, and one may take an hour.
        JobKind::ReadSite => (4, 2),
        JobKind::RunLoop => (8, 4),
        // They compute, as fast as there are processors: two, so that a large one keeps no other waiting.
        JobKind::ReadFile | JobKind::SweepSource | JobKind::EmbedSource | JobKind::Evaluate => {
            (2, 2)
        }
    };
    Room {
        workers,
        of_a_tenant,
    }
}

/// How many workers a lane has in this server; none for what can't be done here and waits for a server that can.
pub(super) fn workers(app: &App, kinds: &[JobKind]) -> usize {
    if app.embedders.is_empty() && kinds.contains(&JobKind::EmbedSource) {
        return 0;
    }
    room(kinds[0]).workers
}

/// Who is worked for in a lane.
pub(super) fn busy(kinds: &[JobKind]) -> Arc<Busy<TenantId>> {
    Busy::new(room(kinds[0]).of_a_tenant)
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
