use domain::actors::Actor;
use domain::bots::Bot;
use domain::{BotId, Error, Resource, Result, TenantId};

use crate::App;

/// One bot.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "bots.get", skip_all)]
pub async fn get(app: &App, actor: &Actor, id: BotId) -> Result<Bot> {
    app.bots
        .find(actor.tenant_id(), id)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))
}

/// Whether a bot is there and switched on.
///
/// # Errors
/// As the port.
pub(crate) async fn is_active(app: &App, tenant: TenantId, id: BotId) -> Result<bool> {
    let found = app.bots.find(tenant, id).await?;
    Ok(found.is_some_and(|bot| bot.is_active))
}
