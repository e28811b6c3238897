use domain::actors::Actor;
use domain::channels::{Channel, ChannelCredentials, ChannelSettings, ChannelStatus, Connection};
use domain::{BotId, ChannelId, Clash, Error, Resource, Result};

use super::{change, get, seal};
use crate::App;

/// A channel to be made.
#[derive(Debug, Clone)]
pub struct Create {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: String,
    /// The kind, and what may be shown.
    pub settings: ChannelSettings,
    /// What may not.
    pub credentials: ChannelCredentials,
}

/// Makes a channel of a bot's, which is to be connected yet.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::Missing`]; [`Error::NotFound`] (`Bot`).
#[tracing::instrument(level = "debug", name = "channels.create", skip_all)]
pub async fn create(app: &App, actor: &Actor, bot: BotId, command: Create) -> Result<Channel> {
    change::check_name(&command.name)?;
    let connection = Connection::new(command.settings, command.credentials)?;
    let (tenant_id, now) = (actor.tenant_id(), app.clock.now());
    let channel = Channel {
        id: command.id,
        tenant_id,
        bot_id: bot,
        name: command.name,
        settings: connection.settings().clone(),
        credentials: seal(app, tenant_id, command.id, connection.credentials())?,
        status: ChannelStatus::Disconnected,
        reason: None,
        account: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    match app.channels.create(&channel).await {
        Ok(()) => Ok(channel),
        // A repeated request, after the process died on the first.
        Err(Error::Conflict(Clash::AlreadyExists)) => get(app, actor, command.id).await,
        Err(Error::NotFound(_)) => Err(Error::NotFound(Resource::Bot)),
        Err(error) => Err(error),
    }
}
