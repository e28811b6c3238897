//! What the server does on its own: reading files and websites, sending webhooks, answering in channels, and tidying up.

mod busy;
mod inbox;
mod jobs;
mod lease;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use application::insights::Learner;
use application::{App, conversations, embeddings, executions, idempotency, people};
use domain::Result;
use domain::channels::inbox::InboxBell;
use domain::jobs::{JobBell, JobKind};
use domain::webhooks::DeliveryBell;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use lease::survived;

/// How often a worker looks for jobs that nobody rang for: another replica's, or one to be tried again.
const LOOK: Duration = Duration::from_secs(2);
/// How often silent conversations are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// How often what is old is forgotten.
const FORGET: Duration = Duration::from_secs(600);

/// How often it is looked whether the schedule of an agent loop is due.
const SCHEDULE: Duration = Duration::from_secs(1);

/// Rings in the server's own process: in every lane, where webhooks are sent, and where channels are answered in.
#[derive(Default)]
pub struct Bell {
    lanes: [Notify; JobKind::LANES.len()],
    deliveries: Arc<Notify>,
    inbox: Arc<Notify>,
}

impl JobBell for Bell {
    fn ring(&self) {
        self.lanes.iter().for_each(Notify::notify_one);
    }
}

impl DeliveryBell for Bell {
    fn ring(&self) {
        self.deliveries.notify_one();
    }
}

impl InboxBell for Bell {
    fn ring(&self) {
        self.inbox.notify_one();
    }
}

/// The background work, on threads of its own that stand back behind those that answer visitors.
pub struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl Background {
    /// Starts the background work.
    ///
    /// # Errors
    /// Where the system has no threads for it.
    pub fn start(
        app: &Arc<App>,
        bell: &Arc<Bell>,
        abandon_after: Duration,
    ) -> std::io::Result<Self> {
        let background = Self {
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            runtime: Some(runtime()?),
        };
        let stop = &background.stop;
        for (lane, kinds) in JobKind::LANES.iter().enumerate() {
            let busy = jobs::busy(kinds);
            for _ in 0..jobs::workers(app, kinds) {
                let (app, bell, stop) = (app.clone(), bell.clone(), stop.clone());
                background.spawn(jobs::work(lane, app, bell, stop, busy.clone()));
            }
        }
        let wanted = app.clone();
        background.spawn(async move {
            if let Err(error) = embeddings::want(&wanted).await {
                tracing::warn!(%error, "what is to be embedded anew could not be found out");
            }
        });
        background.every(SWEEP, app, move |app| async move {
            conversations::abandon(&app, abandon_after).await.map(drop)
        });
        background.every(SWEEP, app, |app| async move {
            people::finish_erasures(&app).await
        });
        background.every(LOOK, app, |app| async move { people::merge(&app).await });
        background.every(SCHEDULE, app, |app| async move {
            executions::begin_due(&app).await
        });
        background.every(FORGET, app, |app| async move {
            idempotency::forget_old(&app).await
        });
        background.every(FORGET, app, |app| async move {
            application::webhooks::forget_old(&app).await
        });
        background.every(FORGET, app, |app| async move {
            application::channels::forget_old(&app).await
        });
        background.every(FORGET, app, |app| async move {
            executions::forget_old(&app).await
        });
        background.spawn(learn(app.clone(), stop.clone()));
        let tasks = || background.tasks.clone();
        background.spawn(webhooks::deliver(
            app.clone(),
            bell.clone(),
            stop.clone(),
            tasks(),
        ));
        // Where requests are answered, too: visitors wait for this.
        background.tasks.spawn(inbox::answer_in_channels(
            app.clone(),
            bell.clone(),
            stop.clone(),
            tasks(),
        ));
        Ok(background)
    }

    /// Tells it to end soon; a job under way is finished first if it is short.
    pub fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }

    fn every<W>(
        &self,
        time: Duration,
        app: &Arc<App>,
        work: impl Fn(Arc<App>) -> W + Send + 'static,
    ) where
        W: Future<Output = Result<()>> + Send + 'static,
    {
        self.spawn(repeat(time, self.stop.clone(), app.clone(), work));
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            self.tasks.spawn_on(work, runtime.handle());
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for its threads is not for a thread that others wait for.
            runtime.shutdown_background();
        }
    }
}

/// One thread for what waits, and a few for what computes.
fn runtime() -> std::io::Result<Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(processors)
        .thread_name("background")
        .on_thread_start(stand_back)
        .enable_all()
        .build()
}

/// Gives this thread what processor time others leave.
fn stand_back() {
    // Elsewhere than on Linux, this would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        tracing::debug!(%error, "the background work can't stand back");
    }
}

/// Learns from what visitors write. Nobody rings: what is written in two seconds is learned from together.
async fn learn(app: Arc<App>, stop: CancellationToken) {
    let mut learner = Learner::default();
    while !stop.is_cancelled() {
        let has_learned = survived(learner.learn(&app))
            .await
            .flatten()
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "messages will be learned from later");
                false
            });
        if !has_learned {
            let _ = timeout(LOOK, stop.cancelled()).await;
        }
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
                if let Err(error) = survived(work(app.clone())).await.flatten() {
                    tracing::warn!(%error, "tidying up failed; it will be tried again");
                }
            }
        }
    }
}
