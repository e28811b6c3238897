use domain::actors::Actor;
use domain::channels::Channel;
use domain::paging::{Page, PageRequest};
use domain::{BotId, ChannelId, Error, Resource, Result};

use crate::App;

/// One of the tenant's channels.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(app: &App, actor: &Actor, id: ChannelId) -> Result<Channel> {
    let found = app.channels.find(actor.tenant_id(), id).await?;
    found.ok_or(Error::NotFound(Resource::Channel))
}

/// A page of a bot's channels, newest first.
///
/// # Errors
/// [`Error::NotFound`] (`Bot`).
pub async fn list(
    app: &App,
    actor: &Actor,
    bot: BotId,
    page: PageRequest,
) -> Result<Page<Channel>> {
    let tenant = actor.tenant_id();
    if app.bots.find(tenant, bot).await?.is_none() {
        return Err(Error::NotFound(Resource::Bot));
    }
    app.channels.of_bot(tenant, bot, page).await
}

/// The connected channels of the actor's bot, newest first.
///
/// # Errors
/// [`Error::Unauthenticated`] for an actor that is not a bot's.
pub async fn active(app: &App, actor: &Actor) -> Result<Vec<Channel>> {
    let all = PageRequest::new(None, Some(PageRequest::MAX_PER_PAGE))?;
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    let mut channels = app.channels.of_bot(tenant, bot, all).await?.items;
    channels.retain(Channel::is_connected);
    Ok(channels)
}
