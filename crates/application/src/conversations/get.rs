use domain::actors::Actor;
use domain::conversations::Conversation;
use domain::messages::Message;
use domain::paging::{Page, PageRequest};
use domain::{ConversationId, Error, Resource, Result};

use crate::App;

/// A conversation by the client's name for it, or else by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn find(app: &App, actor: &Actor, name: &str) -> Result<Conversation> {
    let tenant = actor.tenant_id();
    super::check_session_id(name)?;
    if let Some(found) = app.conversations.find(tenant, name).await? {
        return Ok(found);
    }
    let found = match ConversationId::parse(name) {
        Some(id) => app.conversations.find_by_id(tenant, id).await?,
        None => None,
    };
    found.ok_or(Error::NotFound(Resource::Conversation))
}

/// A page of a conversation's messages, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "conversations.messages", skip_all)]
pub async fn messages(
    app: &App,
    actor: &Actor,
    name: &str,
    page: PageRequest,
) -> Result<Page<Message>> {
    let found = find(app, actor, name).await?;
    app.conversations
        .message_page(actor.tenant_id(), found.id, page)
        .await
}

/// A conversation, by the client's name for it or by its id, with all its messages, oldest first.
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
    let conversation = find(app, actor, session_id).await?;
    let messages = app.conversations.messages(tenant, conversation.id).await?;
    Ok((conversation, messages))
}
