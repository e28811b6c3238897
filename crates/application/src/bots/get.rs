use domain::actors::Actor;
use domain::bots::Bot;
use domain::{BotId, Error, Resource, Result};

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
