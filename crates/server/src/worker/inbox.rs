//! Answering in channels.

use std::sync::Arc;
use std::time::Duration;

use application::App;
use application::channels::{Work, answer, begin};
use domain::Result;
use domain::channels::inbox::Busy as Full;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Bell;
use super::busy::Busy;
use super::lease::{Held, LEASE, dispatch, hold};

/// Conversations that are answered in at the same time.
const CONVERSATIONS: usize = 32;
/// And of one channel: a platform that hangs holds up no other.
const OF_A_CHANNEL: usize = 8;
/// And of one tenant, however many channels it has.
const OF_A_TENANT: usize = 16;

/// Answers in each conversation that something waits in.
pub(super) async fn answer_in_channels(
    app: Arc<App>,
    bell: Arc<Bell>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let (channels, tenants) = (Busy::new(OF_A_CHANNEL), Busy::new(OF_A_TENANT));
    let next = || {
        let full = Full {
            channels: channels.full(),
            tenants: tenants.full(),
        };
        let app = &app;
        async move { begin(app, LEASE, &full).await }
    };
    let run = |work: Work| {
        let (app, stop) = (app.clone(), stop.clone());
        let channel_id = work.lease.channel_id;
        let entered = (
            channels.enter(channel_id),
            tenants.enter(work.lease.tenant_id),
        );
        async move {
            if let Err(error) = converse(&app, &work, &stop).await {
                tracing::warn!(%channel_id, %error, "a conversation will be gone on with");
            }
            drop(entered);
            Duration::ZERO
        }
    };
    let bell = bell.inbox.clone();
    dispatch(CONVERSATIONS, bell, stop.clone(), tasks, next, run).await;
}

/// Answers in a conversation while holding on to it. Somebody else's, it is left at once, so that nothing is said twice.
async fn converse(app: &App, work: &Work, stop: &CancellationToken) -> Result<()> {
    let extend = || app.inbox.extend(&work.lease, app.clock.now(), LEASE);
    match hold(answer(app, work), stop, extend).await? {
        Held::Done(end) => end,
        Held::Stopped => app.inbox.release(&work.lease, app.clock.now()).await,
        Held::Lost => Ok(()),
    }
}
