use std::time::Duration;

use domain::actors::Actor;
use domain::messages::Message;
use domain::{ConversationId, Error, MessageId, Resource, Result};

use super::send::{Turn, TurnObserver, finish, reopen};
use crate::App;

/// How often it is looked whether the answer is there.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A message that has waited so long for its answer is answered by nobody any more: its process died, or no provider
/// answered. Longer than two providers' time-outs together.
const ABANDONED_AFTER: Duration = Duration::from_secs(300);

/// A turn that was begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    /// The visitor's message.
    pub message: MessageId,
    /// Whether who comes back was told that it failed: nobody makes its answer any more.
    pub has_failed: bool,
}

/// Comes back to a turn that was begun: waits for its answer, wherever it is being made, and makes it where nobody
/// does any more. The observer is told of the message at once.
///
/// # Errors
/// [`Error::NotFound`]: the actor may see no such message in this conversation, or in any where none is named.
#[tracing::instrument(level = "debug", name = "conversations.rejoin", skip_all)]
pub async fn rejoin(
    app: &App,
    actor: &Actor,
    conversation: Option<ConversationId>,
    begun: Begun,
    observer: &mut dyn TurnObserver,
) -> Result<Turn> {
    let (tenant, id) = (actor.tenant_id(), begun.message);
    let (message, answer) = find(app, actor, id).await?;
    if conversation.is_some_and(|named| named != message.conversation_id) {
        return Err(Error::NotFound(Resource::Message));
    }
    super::by_id::find(app, actor, message.conversation_id).await?;
    observer.received(&message).await;
    let mut answer = answer;
    loop {
        if let Some(answer) = answer {
            return Ok(Turn { message, answer });
        }
        if begun.has_failed || app.clock.now() - message.created_at > ABANDONED_AFTER {
            let received = reopen(app, tenant, message).await?;
            // Whoever began it may have told pieces of it.
            observer.restart().await;
            return finish(app, tenant, received, observer).await;
        }
        app.clock.sleep(LOOK_EVERY).await;
        (_, answer) = find(app, actor, id).await?;
    }
}

async fn find(app: &App, actor: &Actor, id: MessageId) -> Result<(Message, Option<Message>)> {
    let found = app.conversations.find_turn(actor.tenant_id(), id).await?;
    found.ok_or(Error::NotFound(Resource::Message))
}
