use std::collections::HashMap;
use std::time::Duration;

use domain::webhooks::{Answered, Attempt, Due, EndpointLease, Post, Round, SigningKey};
use domain::{Result, Timestamp};

use super::keys;
use crate::App;

/// Requests to one endpoint at the same time.
pub const AT_ONCE: usize = 8;
/// Events of one round.
const BATCH: u32 = 100;
/// After so long a round begins nothing new: what has come meanwhile has its turn.
const ROUND: Duration = Duration::from_secs(10);

/// A round: what waits for an endpoint, and the endpoint, held.
#[derive(Debug)]
pub struct Work {
    /// The endpoint.
    pub lease: EndpointLease,
    /// What is to be sent: side by side, except for the events of a chain, which are of one subject.
    pub chains: Vec<Vec<Due>>,
    keys: Vec<SigningKey>,
    until: Timestamp,
}

/// Takes an endpoint that something waits for, if there is one. An endpoint that has been failing is tried with one
/// event.
///
/// # Errors
/// As the ports.
pub async fn begin(app: &App, hold: Duration) -> Result<Option<Work>> {
    let now = app.clock.now();
    let Some(lease) = app.deliveries.lease(now, hold).await? else {
        return Ok(None);
    };
    let is_failing = lease.endpoint.health.failed_rounds > 0;
    let limit = if is_failing { 1 } else { BATCH };
    let chains = chains(app.deliveries.due(&lease, now, limit).await?);
    match keys::in_force(app, &lease.endpoint, now) {
        Ok(keys) => Ok(Some(Work {
            lease,
            chains,
            keys,
            until: now + ROUND,
        })),
        Err(error) => {
            tracing::warn!(webhook_id = %lease.endpoint.id, %error, "a signing key can't be read");
            let failed = Round {
                failed: true,
                ..Round::default()
            };
            finish(app, &lease, failed).await?;
            Ok(None)
        }
    }
}

/// The events by their subjects, each in order.
fn chains(due: Vec<Due>) -> Vec<Vec<Due>> {
    let mut chains: Vec<Vec<Due>> = Vec::new();
    let mut places = HashMap::new();
    for due in due {
        let place = *places.entry(due.event.subject).or_insert(chains.len());
        match chains.get_mut(place) {
            Some(chain) => chain.push(due),
            None => chains.push(vec![due]),
        }
    }
    chains
}

/// Sends a chain in its order, up to the first event that fails.
///
/// # Errors
/// As the ports: what was sent and could not be recorded is sent again.
pub async fn send(app: &App, work: &Work, chain: &[Due]) -> Result<Round> {
    let mut round = Round::default();
    for due in chain {
        if app.clock.now() >= work.until {
            break;
        }
        let (attempt, answered) = attempt(app, work, due).await;
        app.deliveries.record(&work.lease, &attempt).await?;
        if attempt.error.is_none() {
            round.delivered = true;
            continue;
        }
        round.failed = true;
        round.gone = answered.is_some_and(|answered| answered.status == 410);
        round.retry_after = answered.and_then(|answered| answered.retry_after);
        break;
    }
    Ok(round)
}

async fn attempt(app: &App, work: &Work, due: &Due) -> (Attempt, Option<Answered>) {
    let at = app.clock.now();
    let body = due.event.body().to_string();
    let post = Post {
        url: &work.lease.endpoint.url,
        id: due.event.id,
        at,
        body: &body,
        keys: &work.keys,
    };
    let sent = app.webhook_sender.send(post).await;
    let error = match &sent {
        Ok(answered) if (200..300).contains(&answered.status) => None,
        Ok(answered) => Some(format!(
            "The endpoint answered with status {}.",
            answered.status
        )),
        Err(problem) => Some(problem.clone()),
    };
    let answered = sent.ok();
    let [.., noise] = *app.ids.uuid().as_bytes();
    let delay = app.retries.after(due.attempts + 1, noise);
    let attempt = Attempt {
        event_id: due.event.id,
        at,
        status_code: answered.map(|answered| answered.status),
        again_at: delay
            .filter(|_| error.is_some())
            .map(|delay| app.clock.now() + delay),
        error,
    };
    (attempt, answered)
}

/// Gives an endpoint back after a round. One that is gone, or has failed for days, is switched off.
///
/// # Errors
/// As the ports.
pub async fn finish(app: &App, lease: &EndpointLease, round: Round) -> Result<()> {
    let endpoint = &lease.endpoint;
    let (health, disabled) = endpoint.health.after(round, &app.retries, app.clock.now());
    if let Some(disabled) = &disabled {
        tracing::warn!(
            webhook_id = %endpoint.id,
            tenant_id = %endpoint.tenant_id,
            reason = disabled.reason,
            "a webhook is switched off"
        );
    }
    app.deliveries
        .release(lease, health, disabled.as_ref())
        .await
}
