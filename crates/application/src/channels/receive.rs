use domain::channels::inbox::{Arrival, acceptable, platform_id, session_id};
use domain::channels::{Channel, HookError, Inbound, InboundMessage};
use domain::{ChannelId, Error, Resource, Result};

use super::{connection, lost, platform};
use crate::App;

/// What became of a request to a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hooked {
    /// It is kept, and answered with this, or with nothing.
    Taken(Option<String>),
    /// It is not the platform's. Nothing is kept.
    Unsigned,
    /// It is the platform's, and can't be read. Nothing is kept.
    Malformed,
    /// The channel is not connected. Nothing is kept.
    Closed,
}

/// The channel that a hook is of.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn hooked(app: &App, id: ChannelId) -> Result<Channel> {
    let found = app.channels.find_for_hook(id).await?;
    found.ok_or(Error::NotFound(Resource::Channel))
}

/// Takes what a platform sends to a channel: proves it, and keeps each message once, to be answered soon. A platform's
/// challenge is answered in channels that are not connected too, since their owner sets the hook up before that.
///
/// # Errors
/// As the ports; the platform sends it again.
#[tracing::instrument(level = "debug", name = "channels.receive", skip_all)]
pub async fn receive(app: &App, channel: &Channel, inbound: &Inbound) -> Result<Hooked> {
    let id = channel.id;
    let connection = connection(app, channel)?;
    let received = match platform(app, channel)?.receive(&connection, inbound) {
        Ok(received) => received,
        Err(HookError::Unsigned) => return Ok(Hooked::Unsigned),
        Err(HookError::Malformed(what)) => {
            tracing::debug!(channel_id = %id, what, "a platform's request can't be read");
            return Ok(Hooked::Malformed);
        }
    };
    if received.answer.is_some() && received.messages.is_empty() {
        return Ok(Hooked::Taken(received.answer));
    }
    let tenant = app.tenants.find(channel.tenant_id).await?;
    if !channel.is_connected() || !tenant.is_some_and(|tenant| tenant.is_active) {
        return Ok(Hooked::Closed);
    }
    let arrivals: Vec<_> = received
        .messages
        .into_iter()
        .filter_map(|message| arrival(app, channel, message))
        .collect();
    if !arrivals.is_empty() {
        let (tenant, now) = (channel.tenant_id, app.clock.now());
        match app.inbox.receive(tenant, id, &arrivals, now).await? {
            None => return Ok(Hooked::Closed),
            Some(0) => {}
            Some(_) => app.inbox_bell.ring(),
        }
    }
    if received.disconnected {
        lost(app, channel, "The platform says that the bot was removed.").await?;
    }
    Ok(Hooked::Taken(received.answer))
}

fn arrival(app: &App, channel: &Channel, message: InboundMessage) -> Option<Arrival> {
    Some(Arrival {
        id: app.ids.uuid().into(),
        session_id: session_id(channel.id, &message.conversation),
        platform_id: platform_id(&message.id),
        message: acceptable(message)?,
    })
}
