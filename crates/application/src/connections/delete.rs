use domain::actors::Actor;
use domain::{ConnectionId, Error, Resource, Result};

use crate::App;

/// Deletes a connection with its credential.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "connections.delete", skip_all)]
pub async fn delete(app: &App, actor: &Actor, id: ConnectionId) -> Result<()> {
    if app.connections.delete(actor.tenant_id(), id).await? {
        return Ok(());
    }
    Err(Error::NotFound(Resource::Connection))
}
