use domain::actors::Actor;
use domain::conversations::Conversation;
use domain::messages::Message;
use domain::{Error, Resource, Result};

use crate::App;

/// A conversation with all its messages, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "conversations.get", skip_all)]
pub async fn get(
    app: &App,
    actor: &Actor,
    session_id: &str,
) -> Result<(Conversation, Vec<Message>)> {
    let tenant = actor.tenant_id();
    super::check_session_id(session_id)?;
    let conversation = app
        .conversations
        .find(tenant, session_id)
        .await?
        .ok_or(Error::NotFound(Resource::Conversation))?;
    let messages = app.conversations.messages(tenant, conversation.id).await?;
    Ok((conversation, messages))
}
