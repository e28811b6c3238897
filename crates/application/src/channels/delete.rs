use domain::actors::Actor;
use domain::{ChannelId, Error, Resource, Result};

use super::{change, get};
use crate::App;

/// Deletes a channel with what waits in it. Its conversations stay.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "channels.delete", skip_all)]
pub async fn delete(app: &App, actor: &Actor, id: ChannelId) -> Result<()> {
    let channel = get(app, actor, id).await?;
    if channel.is_connected() {
        change::leave(app, &channel).await;
    }
    if app.channels.delete(actor.tenant_id(), id).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Resource::Channel))
    }
}
