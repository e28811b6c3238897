use domain::actors::Actor;
use domain::bots::Bot;
use domain::{BotId, Error, Resource, Result};

use crate::App;

/// Deletes a bot and all that hangs on it; answers it as it was.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "bots.delete", skip_all)]
pub async fn delete(app: &App, actor: &Actor, id: BotId) -> Result<Bot> {
    app.bots
        .delete(actor.tenant_id(), id)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))
}
