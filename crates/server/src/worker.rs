//! What the server does on its own: reading files and websites, sending webhooks, answering in channels, and tidying up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::channels::{Work as Conversation, forget_old};
use application::insights::Learner;
use application::jobs::{self, JobEnd};
use application::webhooks::{self, AT_ONCE, Work};
use application::{App, conversations, embeddings, executions, idempotency, people};
use domain::channels::inbox::InboxBell;
use domain::jobs::{Job, JobBell, JobKind};
use domain::webhooks::{DeliveryBell, Round};
use domain::{ChannelId, Result};
use futures_util::{StreamExt, stream};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a job is held without a sign of life. A server that was killed is missed after that, so an
/// upload is read within half a minute of the next start.
const LEASE: Duration = Duration::from_secs(15);
/// How long a job under way may go on once the server was told to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(3);
/// How often a worker looks for jobs that nobody rang for: another replica's, or one to be tried again.
const LOOK: Duration = Duration::from_secs(2);
/// How often silent conversations are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// How often old idempotency keys are forgotten.
const FORGET: Duration = Duration::from_secs(600);

/// Workers of each lane: a large file, or a site that is slow, keeps no other waiting.
const WORKERS: usize = 2;
/// Workers of agent loops, which mostly wait for models and tools.
const LOOP_WORKERS: usize = 8;
/// How often it is looked whether the schedule of an agent loop is due.
const SCHEDULE: Duration = Duration::from_secs(1);

/// Endpoints of webhooks that are sent to at the same time.
const ENDPOINTS: usize = 32;

/// Conversations of channels that are answered in at the same time.
const CONVERSATIONS: usize = 32;
/// And of one channel: a platform that hangs holds up no other.
const OF_A_CHANNEL: usize = 8;

/// Rings in the server's own process: in every lane, where webhooks are sent, and where channels are answered in.
#[derive(Default)]
pub struct Bell {
    lanes: [Notify; JobKind::LANES.len()],
    deliveries: Notify,
    inbox: Notify,
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
            // What can't be done here waits for a server that can.
            if app.embedders.is_empty() && kinds.contains(&JobKind::EmbedSource) {
                continue;
            }
            let workers = match kinds.contains(&JobKind::RunLoop) {
                true => LOOP_WORKERS,
                false => WORKERS,
            };
            for _ in 0..workers {
                background.spawn(work(lane, app.clone(), bell.clone(), stop.clone()));
            }
        }
        let wanted = app.clone();
        background.spawn(async move {
            if let Err(error) = embeddings::want(&wanted).await {
                tracing::warn!(%error, "what is to be embedded anew could not be found out");
            }
        });
        background.spawn(repeat(
            SWEEP,
            stop.clone(),
            app.clone(),
            move |app| async move { conversations::abandon(&app, abandon_after).await.map(drop) },
        ));
        background.spawn(repeat(
            FORGET,
            stop.clone(),
            app.clone(),
            |app| async move { idempotency::forget_old(&app).await },
        ));
        background.spawn(repeat(SWEEP, stop.clone(), app.clone(), |app| async move {
            people::finish_erasures(&app).await
        }));
        background.spawn(repeat(LOOK, stop.clone(), app.clone(), |app| async move {
            people::merge(&app).await
        }));
        background.spawn(learn(app.clone(), stop.clone()));
        background.spawn(deliver(
            app.clone(),
            bell.clone(),
            stop.clone(),
            background.tasks.clone(),
        ));
        background.spawn(repeat(
            FORGET,
            stop.clone(),
            app.clone(),
            |app| async move { webhooks::forget_old(&app).await },
        ));
        background.spawn(repeat(
            SCHEDULE,
            stop.clone(),
            app.clone(),
            |app| async move { executions::begin_due(&app).await },
        ));
        background.spawn(repeat(
            FORGET,
            stop.clone(),
            app.clone(),
            |app| async move { executions::forget_old(&app).await },
        ));
        background.spawn(repeat(
            FORGET,
            stop.clone(),
            app.clone(),
            |app| async move { forget_old(&app).await },
        ));
        // Where requests are answered, too: visitors wait for this.
        background.tasks.spawn(answer_in_channels(
            app.clone(),
            bell.clone(),
            stop.clone(),
            background.tasks.clone(),
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

async fn work(lane: usize, app: Arc<App>, bell: Arc<Bell>, stop: CancellationToken) {
    let (kinds, bell) = (JobKind::LANES[lane], &bell.lanes[lane]);
    while !stop.is_cancelled() {
        match app.jobs.lease(kinds, app.clock.now(), LEASE).await {
            Ok(Some(job)) => {
                // One bell may stand for many jobs: the next worker looks as well.
                bell.notify_one();
                if let Err(error) = run(&app, &job, &stop).await {
                    tracing::warn!(job_id = %job.id, %error, "the job will be tried again");
                }
            }
            Ok(None) => {
                tokio::select! {
                    () = stop.cancelled() => {}
                    _ = timeout(LOOK, bell.notified()) => {}
                }
            }
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
    let mut held = interval(LEASE / 3);
    held.tick().await;
    let work = jobs::run(app, job);
    tokio::pin!(work);
    let end = loop {
        tokio::select! {
            end = &mut work => break end?,
            () = stopped_for(stop, STOPS_WITHIN) => {
                return app.jobs.retry(job, app.clock.now()).await;
            }
            _ = held.tick() => {
                if !app.jobs.extend(job, app.clock.now(), LEASE).await? {
                    return Ok(());
                }
            }
        }
    };
    match end {
        JobEnd::Done(next) => app.jobs.complete(job, next).await,
        JobEnd::Retry(due) => app.jobs.retry(job, due).await,
    }
}

/// Sends webhooks: a task for each endpoint that something waits for, so that none waits for another.
async fn deliver(app: Arc<App>, bell: Arc<Bell>, stop: CancellationToken, tasks: TaskTracker) {
    let slots = Arc::new(Semaphore::new(ENDPOINTS));
    while !stop.is_cancelled() {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match webhooks::begin(&app, LEASE).await {
            Ok(Some(work)) => {
                let (app, bell, stop) = (app.clone(), bell.clone(), stop.clone());
                tasks.spawn(async move {
                    let has_failed = match rounds(&app, &work, &stop).await {
                        Ok(round) => round.failed,
                        Err(error) => {
                            let webhook_id = work.lease.endpoint.id;
                            tracing::warn!(%webhook_id, %error, "a webhook will be tried again");
                            true
                        }
                    };
                    drop(slot);
                    if has_failed {
                        sleep(app.retries.pause(1).min(LOOK)).await;
                    }
                    bell.deliveries.notify_one();
                });
            }
            Ok(None) => {
                drop(slot);
                tokio::select! {
                    () = stop.cancelled() => {}
                    _ = timeout(LOOK, bell.deliveries.notified()) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no webhooks can be had");
                sleep(LOOK).await;
            }
        }
    }
}

/// Sends to an endpoint while holding on to it, and gives it back.
async fn rounds(app: &App, work: &Work, stop: &CancellationToken) -> Result<Round> {
    let mut held = interval(LEASE / 3);
    held.tick().await;
    let chains = work.chains.iter();
    let sending: Vec<_> = chains
        .map(|chain| webhooks::send(app, work, chain))
        .collect();
    let sent = stream::iter(sending)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>();
    tokio::pin!(sent);
    let rounds = loop {
        tokio::select! {
            rounds = &mut sent => break rounds,
            () = stopped_for(stop, STOPS_WITHIN) => break Vec::new(),
            _ = held.tick() => {
                let lease = &work.lease;
                if !app.deliveries.extend(lease, app.clock.now(), LEASE).await? {
                    return Ok(Round::default());
                }
            }
        }
    };
    let mut all = Round::default();
    let mut fault = None;
    for round in rounds {
        match round {
            Ok(round) => all = all.and(round),
            Err(error) => fault = Some(error),
        }
    }
    webhooks::finish(app, &work.lease, all).await?;
    fault.map_or(Ok(all), Err)
}

/// Learns from what visitors write. Nobody rings: what is written in two seconds is learned from together.
async fn learn(app: Arc<App>, stop: CancellationToken) {
    let mut learner = Learner::default();
    while !stop.is_cancelled() {
        let has_learned = learner.learn(&app).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "messages will be learned from later");
            false
        });
        if !has_learned {
            let _ = timeout(LOOK, stop.cancelled()).await;
        }
    }
}

/// Which channels are answered in, and how many conversations in each.
#[derive(Default)]
struct Busy(Mutex<HashMap<ChannelId, usize>>);

impl Busy {
    fn change(&self, change: impl FnOnce(&mut HashMap<ChannelId, usize>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn enter(&self, channel: ChannelId) {
        self.change(|all| *all.entry(channel).or_default() += 1);
    }

    fn leave(&self, channel: ChannelId) {
        self.change(|all| match all.get_mut(&channel) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(all.remove(&channel)),
        });
    }

    /// Those that have as many as they may.
    fn full(&self) -> Vec<ChannelId> {
        let mut full = Vec::new();
        self.change(|all| {
            let found = all.iter().filter(|(_, count)| **count >= OF_A_CHANNEL);
            full.extend(found.map(|(channel, _)| *channel));
        });
        full
    }
}

/// Answers in channels: a task for each conversation that something waits in, so that none waits for another.
async fn answer_in_channels(
    app: Arc<App>,
    bell: Arc<Bell>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let slots = Arc::new(Semaphore::new(CONVERSATIONS));
    let busy = Arc::new(Busy::default());
    while !stop.is_cancelled() {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match application::channels::begin(&app, LEASE, &busy.full()).await {
            Ok(Some(work)) => {
                let (app, bell, stop) = (app.clone(), bell.clone(), stop.clone());
                let (busy, channel_id) = (busy.clone(), work.lease.channel_id);
                busy.enter(channel_id);
                tasks.spawn(async move {
                    if let Err(error) = converse(&app, &work, &stop).await {
                        tracing::warn!(%channel_id, %error, "a conversation will be gone on with");
                    }
                    busy.leave(channel_id);
                    drop(slot);
                    bell.inbox.notify_one();
                });
            }
            Ok(None) => {
                drop(slot);
                tokio::select! {
                    () = stop.cancelled() => {}
                    _ = timeout(LOOK, bell.inbox.notified()) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no conversations can be had");
                sleep(LOOK).await;
            }
        }
    }
}

/// Answers in a conversation while holding on to it. Somebody else's, it is left at once, so that nothing is said twice.
async fn converse(app: &App, work: &Conversation, stop: &CancellationToken) -> Result<()> {
    let mut held = interval(LEASE / 3);
    held.tick().await;
    let answering = application::channels::answer(app, work);
    tokio::pin!(answering);
    loop {
        tokio::select! {
            end = &mut answering => return end,
            () = stopped_for(stop, STOPS_WITHIN) => {
                return app.inbox.release(&work.lease, app.clock.now()).await;
            }
            _ = held.tick() => {
                if !app.inbox.extend(&work.lease, app.clock.now(), LEASE).await? {
                    return Ok(());
                }
            }
        }
    }
}

/// Ends a while after the server was told to stop.
async fn stopped_for(stop: &CancellationToken, time: Duration) {
    stop.cancelled().await;
    sleep(time).await;
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
