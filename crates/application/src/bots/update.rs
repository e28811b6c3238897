use domain::actors::Actor;
use domain::bots::{Bot, BotChanges};
use domain::{BotId, Error, Resource, Result};
use validator::Validate;

use crate::App;

/// Changes the fields given.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "bots.update", skip_all)]
pub async fn update(app: &App, actor: &Actor, id: BotId, changes: BotChanges) -> Result<Bot> {
    changes.validate()?;
    let now = app.clock.now();
    app.bots
        .update(actor.tenant_id(), id, &changes, now)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))
}
