use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use domain::channels::inbox::{
    Attempt, Busy, ConversationLease, KNOWN_FOR, Outcome, WAITS_FOR, Waiting, pause,
};
use domain::channels::{
    Channel, ChannelAdapter, ChannelError, Connection, OutboundMessage, SendFailure,
};
use domain::tenants::Tenant;
use domain::{Error, Result, Timestamp};

use super::turn::{Words, words};
use super::{connection, lost, platform};
use crate::App;

/// How long a conversation is answered in before others have their turn.
const ROUND: Duration = Duration::from_secs(60);
/// How long what waits for a suspended tenant is left alone.
const SUSPENDED: Duration = Duration::from_secs(600);
/// How long a worker itself waits until the platform takes more.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is swept in one transaction.
const PORTION: u32 = 500;

/// A conversation that something waits in, leased.
pub struct Work {
    /// The lease.
    pub lease: ConversationLease,
    channel: Channel,
    connection: Connection,
    platform: Arc<dyn ChannelAdapter>,
    tenant: Tenant,
    until: Timestamp,
}

/// Leases a conversation, of others than the busy ones. `None`: there is nothing to do.
///
/// # Errors
/// As the ports.
pub async fn begin(app: &App, time: Duration, busy: &Busy) -> Result<Option<Work>> {
    loop {
        let now = app.clock.now();
        let Some(lease) = app.inbox.lease(now, time, busy).await? else {
            return Ok(None);
        };
        let channel = app.channels.find(lease.tenant_id, lease.channel_id).await?;
        let tenant = app.tenants.find(lease.tenant_id).await?;
        let (Some(channel), Some(tenant)) = (channel, tenant) else {
            // Deleted a moment ago, with the conversation.
            continue;
        };
        if !tenant.is_active {
            app.inbox.release(&lease, now + SUSPENDED).await?;
            continue;
        }
        let connection = match connection(app, &channel) {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(channel_id = %channel.id, %error, "a channel's credentials can't be read");
                lost(
                    app,
                    &channel,
                    "The stored credentials can't be read; set them again.",
                )
                .await?;
                app.inbox.release(&lease, now).await?;
                continue;
            }
        };
        return Ok(Some(Work {
            lease,
            platform: Arc::clone(platform(app, &channel)?),
            channel,
            connection,
            tenant,
            until: now + ROUND,
        }));
    }
}

/// Answers what waits in a conversation, in its order, up to the first message that has to wait longer, and gives the
/// conversation back.
///
/// # Errors
/// As the ports: what was done and could not be recorded may be done again.
pub async fn answer(app: &App, work: &Work) -> Result<()> {
    let again_at = round(app, work).await?;
    app.inbox.release(&work.lease, again_at).await
}

async fn round(app: &App, work: &Work) -> Result<Timestamp> {
    while app.clock.now() < work.until {
        let Some(waiting) = app.inbox.next(&work.lease).await? else {
            break;
        };
        let mut parts = waiting.parts;
        let end = attempt(app, work, &waiting, &mut parts).await;
        let (outcome, again_in) = match end {
            Ok(()) => (Outcome::Answered, None),
            Err(End::GivenUp(reason)) => (Outcome::GivenUp(reason), None),
            Err(End::Later(reason, wish)) => {
                let [.., noise] = *app.ids.uuid().as_bytes();
                let wait = pause(waiting.attempts + 1, wish, noise);
                (Outcome::Again(reason), Some(wait))
            }
            Err(End::Dead(reason)) => {
                lost(app, &work.channel, &reason).await?;
                (Outcome::Again(reason), Some(Duration::ZERO))
            }
            // Nothing was tried.
            Err(End::Full(wait)) => return Ok(app.clock.now() + wait),
        };
        if let Outcome::GivenUp(reason) = &outcome {
            let channel_id = work.channel.id;
            tracing::info!(%channel_id, message_id = %waiting.id, reason, "a message is not answered");
        }
        let attempt = Attempt {
            id: waiting.id,
            parts,
            outcome,
        };
        app.inbox.record(&work.lease, &attempt).await?;
        if let Some(wait) = again_in {
            return Ok(app.clock.now() + wait);
        }
    }
    Ok(app.clock.now())
}

/// Why an answer was not sent.
enum End {
    /// There will be none.
    GivenUp(String),
    /// It may be later, and when the platform wants it.
    Later(String, Option<Duration>),
    /// The credential is no good any more.
    Dead(String),
    /// The platform takes no more for so long.
    Full(Duration),
}

async fn attempt(app: &App, work: &Work, waiting: &Waiting, parts: &mut u32) -> Result<(), End> {
    if app.clock.now() - waiting.received_at > WAITS_FOR {
        return Err(End::GivenUp("It waited for too long.".to_owned()));
    }
    let reply = &waiting.message.reply;
    let session_id = &work.lease.session_id;
    let made = words(app, work.tenant.clone(), &work.channel, session_id, waiting);
    let made = if waiting.attempts == 0 && !waiting.is_own {
        let typing = work.platform.typing(&work.connection, reply);
        both(made, typing).await.0
    } else {
        made.await
    };
    let Words { id, text } = made.map_err(unanswered)?;
    let limits = work.platform.limits();
    let (channel, pace) = (work.channel.id, &app.pace);
    while let Err(wait) = pace.take(channel, &reply.to, limits, app.clock.now()) {
        if wait > PATIENCE {
            return Err(End::Full(wait));
        }
        app.clock.sleep(wait).await;
    }
    let message = OutboundMessage {
        id,
        reply: reply.clone(),
        text,
        skip: *parts as usize,
    };
    let (sent, error) = match work.platform.send(&work.connection, &message).await {
        Ok(sent) => (sent.ids.len(), None),
        Err(SendFailure { sent, error }) => (sent.len(), Some(error)),
    };
    let sent = u32::try_from(sent).unwrap_or(u32::MAX);
    *parts = parts.saturating_add(sent);
    pace.count(
        channel,
        &reply.to,
        limits,
        sent.saturating_sub(1),
        app.clock.now(),
    );
    match error {
        None => Ok(()),
        Some(ChannelError::Dead(reason)) => Err(End::Dead(reason)),
        Some(ChannelError::Refused(reason) | ChannelError::Invalid(reason)) => {
            Err(End::GivenUp(reason))
        }
        Some(ChannelError::Later {
            retry_after,
            reason,
        }) => Err(End::Later(reason, retry_after)),
    }
}

/// What is to be done where no answer was made: what the owner has to change is not tried for ever.
fn unanswered(error: Error) -> End {
    match error {
        Error::BotInactive => End::GivenUp("The bot is inactive.".to_owned()),
        Error::LimitReached(_) => End::GivenUp("The plan's limit is reached.".to_owned()),
        Error::NotFound(what) => End::GivenUp(format!("{what} not found.")),
        Error::Invalid { problem, .. } => End::GivenUp(problem),
        Error::Unavailable { retry_after } => {
            End::Later("The server was too busy.".to_owned(), Some(retry_after))
        }
        error => {
            tracing::warn!(%error, "an answer for a channel will be tried again");
            End::Later("No answer could be made.".to_owned(), None)
        }
    }
}

/// Both at once, to the end of both: a sign of typing that came after its answer would stay.
async fn both<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(output) = one.as_mut().poll(context)
        {
            first = Some(output);
        }
        if second.is_none()
            && let Poll::Ready(output) = other.as_mut().poll(context)
        {
            second = Some(output);
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// Gives up what waited too long, and forgets what was known long enough, of all tenants.
///
/// # Errors
/// As the port.
pub async fn forget_old(app: &App) -> Result<()> {
    let now = app.clock.now();
    while app
        .inbox
        .sweep(now - WAITS_FOR, now - KNOWN_FOR, PORTION)
        .await?
        > 0
    {}
    Ok(())
}
