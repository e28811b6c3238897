//! What the server does on its own: reading uploaded files, and tidying up.

use std::sync::Arc;
use std::time::Duration;

use application::knowledge::{self, JobEnd};
use application::{App, conversations, idempotency};
use domain::Result;
use domain::jobs::{Job, JobBell};
use tokio::sync::Notify;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a job is held without a sign of life. A server that was killed is missed after that, so an
/// upload is read within half a minute of the next start.
const LEASE: Duration = Duration::from_secs(15);
/// How often a worker looks for jobs that nobody rang for: another replica's, or one to be tried again.
const LOOK: Duration = Duration::from_secs(2);
/// How often silent conversations are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// How often old idempotency keys are forgotten.
const FORGET: Duration = Duration::from_secs(600);

/// Rings in the server's own process.
#[derive(Default)]
pub struct Bell(Notify);

impl JobBell for Bell {
    fn ring(&self) {
        self.0.notify_one();
    }
}

/// Starts the background work; it ends soon after `stop`, a job under way being finished first.
pub fn start(
    app: &Arc<App>,
    bell: &Arc<Bell>,
    abandon_after: Duration,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    tasks.spawn(work(app.clone(), bell.clone(), stop.clone()));
    tasks.spawn(repeat(
        SWEEP,
        stop.clone(),
        app.clone(),
        move |app| async move { conversations::abandon(&app, abandon_after).await.map(drop) },
    ));
    tasks.spawn(repeat(
        FORGET,
        stop.clone(),
        app.clone(),
        |app| async move { idempotency::forget_old(&app).await },
    ));
}

async fn work(app: Arc<App>, bell: Arc<Bell>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match app.jobs.lease(app.clock.now(), LEASE).await {
            Ok(Some(job)) => {
                if let Err(error) = run(&app, &job).await {
                    tracing::warn!(job_id = %job.id, %error, "the job will be tried again");
                }
            }
            Ok(None) => {
                tokio::select! {
                    () = stop.cancelled() => {}
                    _ = timeout(LOOK, bell.0.notified()) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no jobs can be had");
                sleep(LOOK).await;
            }
        }
    }
}

/// Does a job while holding on to it.
async fn run(app: &App, job: &Job) -> Result<()> {
    let mut held = interval(LEASE / 3);
    held.tick().await;
    let reading = knowledge::read_file(app, job);
    tokio::pin!(reading);
    let end = loop {
        tokio::select! {
            end = &mut reading => break end?,
            _ = held.tick() => {
                if !app.jobs.extend(job, app.clock.now(), LEASE).await? {
                    return Ok(());
                }
            }
        }
    };
    match end {
        JobEnd::Done => app.jobs.complete(job).await,
        JobEnd::Retry(due) => app.jobs.retry(job, due).await,
    }
}

async fn repeat<F, W>(every: Duration, stop: CancellationToken, app: Arc<App>, work: F)
where
    F: Fn(Arc<App>) -> W,
    W: Future<Output = Result<()>>,
{
    let mut ticks = interval(every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                if let Err(error) = work(app.clone()).await {
                    tracing::warn!(%error, "tidying up failed; it will be tried again");
                }
            }
        }
    }
}
