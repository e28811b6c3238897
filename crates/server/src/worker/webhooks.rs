//! Sending webhooks.

use std::sync::Arc;
use std::time::Duration;

use application::App;
use application::webhooks::{self, AT_ONCE, Work};
use domain::Result;
use domain::webhooks::Round;
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lease::{Held, LEASE, dispatch, hold};
use super::{Bell, LOOK};

/// Endpoints that are sent to at the same time.
const ENDPOINTS: usize = 32;

/// Sends to each endpoint that something waits for.
pub(super) async fn deliver(
    app: Arc<App>,
    bell: Arc<Bell>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let begin = || webhooks::begin(&app, LEASE);
    let run = |work| send(app.clone(), work, stop.clone());
    let bell = bell.deliveries.clone();
    dispatch(ENDPOINTS, bell, stop.clone(), tasks, begin, run).await;
}

/// Sends to an endpoint; answers for how long not to look for more.
async fn send(app: Arc<App>, work: Work, stop: CancellationToken) -> Duration {
    let has_failed = match rounds(&app, &work, &stop).await {
        Ok(round) => round.failed,
        Err(error) => {
            let webhook_id = work.lease.endpoint.id;
            tracing::warn!(%webhook_id, %error, "a webhook will be tried again");
            true
        }
    };
    match has_failed {
        true => app.retries.pause(1).min(LOOK),
        false => Duration::ZERO,
    }
}

/// Sends to an endpoint while holding on to it, and gives it back.
async fn rounds(app: &App, work: &Work, stop: &CancellationToken) -> Result<Round> {
    let chains = work.chains.iter();
    let sending: Vec<_> = chains
        .map(|chain| webhooks::send(app, work, chain))
        .collect();
    let sent = stream::iter(sending)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>();
    let extend = || app.deliveries.extend(&work.lease, app.clock.now(), LEASE);
    let rounds = match hold(sent, stop, extend).await? {
        Held::Done(rounds) => rounds,
        Held::Stopped => Vec::new(),
        Held::Lost => return Ok(Round::default()),
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
