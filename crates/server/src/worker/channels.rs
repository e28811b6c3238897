//! Answering in channels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::App;
use application::channels::{Work, answer, begin};
use domain::{ChannelId, Result};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Bell;
use super::lease::{Held, LEASE, dispatch, hold};

/// Conversations that are answered in at the same time.
const CONVERSATIONS: usize = 32;
/// And of one channel: a platform that hangs holds up no other.
const OF_A_CHANNEL: usize = 8;

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

/// Answers in each conversation that something waits in.
pub(super) async fn answer_in_channels(
    app: Arc<App>,
    bell: Arc<Bell>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let busy = Arc::new(Busy::default());
    let next = || {
        let full = busy.full();
        let app = &app;
        async move { begin(app, LEASE, &full).await }
    };
    let run = |work: Work| {
        let (app, stop, busy) = (app.clone(), stop.clone(), busy.clone());
        let channel_id = work.lease.channel_id;
        busy.enter(channel_id);
        async move {
            if let Err(error) = converse(&app, &work, &stop).await {
                tracing::warn!(%channel_id, %error, "a conversation will be gone on with");
            }
            busy.leave(channel_id);
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
