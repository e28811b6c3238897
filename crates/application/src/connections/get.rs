use domain::actors::Actor;
use domain::connections::Connection;
use domain::{BotId, ConnectionId, Error, Resource, Result};

use crate::App;

/// One connection of the tenant's.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "connections.get", skip_all)]
pub async fn get(app: &App, actor: &Actor, id: ConnectionId) -> Result<Connection> {
    app.connections
        .find(actor.tenant_id(), id)
        .await?
        .ok_or(Error::NotFound(Resource::Connection))
}

/// A bot's connections, in the order in which it answers by them.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "connections.list", skip_all)]
pub async fn list(app: &App, actor: &Actor, bot: BotId) -> Result<Vec<Connection>> {
    let tenant = actor.tenant_id();
    if app.bots.find(tenant, bot).await?.is_none() {
        return Err(Error::NotFound(Resource::Bot));
    }
    app.connections.of_bot(tenant, bot).await
}
