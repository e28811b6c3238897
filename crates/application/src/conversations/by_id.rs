use domain::actors::{Actor, Scope};
use domain::conversations::Conversation;
use domain::messages::{Feedback, Message};
use domain::{ConversationId, Error, MessageId, Resource, Result};

use crate::App;

/// A conversation by its own id.
///
/// # Errors
/// [`Error::NotFound`], for another bot's conversation too where the actor is a bot's.
pub(crate) async fn find(app: &App, actor: &Actor, id: ConversationId) -> Result<Conversation> {
    let found = app.conversations.find_by_id(actor.tenant_id(), id).await?;
    found
        .filter(|conversation| match actor.scope {
            Scope::Tenant => true,
            Scope::Bot(bot) => conversation.bot_id == bot,
        })
        .ok_or(Error::NotFound(Resource::Conversation))
}

/// A conversation by its own id, with all its messages, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "conversations.get_by_id", skip_all)]
pub async fn get_by_id(
    app: &App,
    actor: &Actor,
    id: ConversationId,
) -> Result<(Conversation, Vec<Message>)> {
    let conversation = find(app, actor, id).await?;
    let messages = app.conversations.messages(actor.tenant_id(), id).await?;
    Ok((conversation, messages))
}

/// Keeps what a person thought of a bot's message; `None` takes it back.
///
/// # Errors
/// [`Error::NotFound`], for a message that is not the bot's too.
#[tracing::instrument(level = "debug", name = "conversations.give_feedback", skip_all)]
pub async fn give_feedback(
    app: &App,
    actor: &Actor,
    id: ConversationId,
    message: MessageId,
    feedback: Option<Feedback>,
) -> Result<Message> {
    let conversation = find(app, actor, id).await?;
    app.conversations
        .set_feedback(actor.tenant_id(), conversation.id, message, feedback)
        .await?
        .ok_or(Error::NotFound(Resource::Message))
}
