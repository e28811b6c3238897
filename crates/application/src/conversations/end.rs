use domain::actors::Actor;
use domain::conversations::Conversation;
use domain::{Error, Resource, Result};

use crate::App;

/// Ends a conversation; ending it again changes nothing.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "conversations.end", skip_all)]
pub async fn end(app: &App, actor: &Actor, session_id: &str) -> Result<Conversation> {
    super::check_session_id(session_id)?;
    let now = app.clock.now();
    app.conversations
        .end(actor.tenant_id(), session_id, now)
        .await?
        .ok_or(Error::NotFound(Resource::Conversation))
}
