//! Finding work, and holding on to it while it is done.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::{Error, Result};
use futures_util::FutureExt;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::LOOK;

/// How long work is held without a sign of life. A server that was killed is missed after that, so an upload is read
/// within half a minute of the next start.
pub(super) const LEASE: Duration = Duration::from_secs(15);
/// How long work under way may go on once the server was told to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(3);

/// How work that was held on to ended.
pub(super) enum Held<T> {
    /// It is done.
    Done(T),
    /// The server stops, and the work took too long for that.
    Stopped,
    /// Somebody else has it.
    Lost,
}

/// Does work while holding on to it. What breaks off is left where it is.
///
/// # Errors
/// Those of `extend`; [`Error::Internal`] where the work panicked.
pub(super) async fn hold<T, E>(
    work: impl Future<Output = T>,
    stop: &CancellationToken,
    extend: impl Fn() -> E,
) -> Result<Held<T>>
where
    E: Future<Output = Result<bool>>,
{
    let (mut work, mut stopped) = (pin!(survived(work)), pin!(stopped(stop)));
    let mut held = interval(LEASE / 3);
    held.tick().await;
    loop {
        tokio::select! {
            end = &mut work => return end.map(Held::Done),
            () = &mut stopped => return Ok(Held::Stopped),
            _ = held.tick() => {
                if !extend().await? {
                    return Ok(Held::Lost);
                }
            }
        }
    }
}

/// Work whose panic is an error: who does it goes on with the next.
///
/// # Errors
/// [`Error::Internal`].
pub(super) async fn survived<T>(work: impl Future<Output = T>) -> Result<T> {
    let end = AssertUnwindSafe(work).catch_unwind().await;
    end.map_err(|_| Error::internal("the work panicked"))
}

/// Ends a while after the server was told to stop.
async fn stopped(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(STOPS_WITHIN).await;
}

/// Waits until somebody rings, and not for long: another replica may have made work, or it is to be tried again.
pub(super) async fn wait(stop: &CancellationToken, bell: &Notify) {
    tokio::select! {
        () = stop.cancelled() => {}
        _ = timeout(LOOK, bell.notified()) => {}
    }
}

/// Takes what there is to do, up to so many at a time, and does each in a task of its own, so that none waits for
/// another. `run` answers how long to let pass before it is looked for more.
pub(super) async fn dispatch<W, B, R>(
    most: usize,
    bell: Arc<Notify>,
    stop: CancellationToken,
    tasks: TaskTracker,
    begin: impl Fn() -> B,
    run: impl Fn(W) -> R,
) where
    B: Future<Output = Result<Option<W>>>,
    R: Future<Output = Duration> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(most));
    while !stop.is_cancelled() {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match begin().await {
            Ok(Some(work)) => {
                let (running, bell) = (run(work), bell.clone());
                tasks.spawn(async move {
                    let pause = running.await;
                    drop(slot);
                    sleep(pause).await;
                    bell.notify_one();
                });
            }
            Ok(None) => {
                drop(slot);
                wait(&stop, &bell).await;
            }
            Err(error) => {
                tracing::warn!(%error, "no work can be had");
                sleep(LOOK).await;
            }
        }
    }
}
