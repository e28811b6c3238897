use domain::actors::Actor;
use domain::{Error, Resource, Result};

use super::get::find;
use crate::App;

/// Deletes a conversation with all its messages, by the client's name for it or by its id.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "conversations.delete", skip_all)]
pub async fn delete(app: &App, actor: &Actor, name: &str) -> Result<()> {
    let found = find(app, actor, name).await?;
    let tenant = actor.tenant_id();
    if app.conversations.delete(tenant, found.id).await? {
        return Ok(());
    }
    Err(Error::NotFound(Resource::Conversation))
}
