use domain::actors::{Actor, Scope};
use domain::conversations::Conversation;
use domain::insights::MessageInsight;
use domain::messages::{Feedback, Message};
use domain::{ConversationId, Error, MessageId, Resource, Result, TenantId};

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

/// A message, and what was learned from it: `None` for a bot's, and until it has been read.
#[derive(Debug, Clone)]
pub struct LearnedMessage {
    /// The message.
    pub message: Message,
    /// What was learned from it.
    pub insight: Option<MessageInsight>,
}

/// A conversation by its own id, with all that is known of its messages, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "conversations.get_by_id", skip_all)]
pub async fn get_by_id(
    app: &App,
    actor: &Actor,
    id: ConversationId,
) -> Result<(Conversation, Vec<LearnedMessage>)> {
    let conversation = find(app, actor, id).await?;
    let messages = learned(app, actor.tenant_id(), id).await?;
    Ok((conversation, messages))
}

/// A conversation's messages with what was learned from them, oldest first.
///
/// # Errors
/// As the ports.
pub(crate) async fn learned(
    app: &App,
    tenant: TenantId,
    id: ConversationId,
) -> Result<Vec<LearnedMessage>> {
    let messages = app.conversations.messages(tenant, id).await?;
    let insights = app.insights.messages(tenant, id).await?;
    let mut insights = insights.into_iter().peekable();
    let learned = messages.into_iter().map(|message| LearnedMessage {
        insight: insights.next_if(|insight| insight.seq == message.seq),
        message,
    });
    Ok(learned.collect())
}

/// The messages of a conversation by its own id, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "conversations.messages_by_id", skip_all)]
pub async fn messages_by_id(app: &App, actor: &Actor, id: ConversationId) -> Result<Vec<Message>> {
    find(app, actor, id).await?;
    app.conversations.messages(actor.tenant_id(), id).await
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
