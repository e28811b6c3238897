use domain::actors::Actor;
use domain::conversations::EndUserDetails;
use domain::{ConversationId, Error, MessageId, Result, leads};

use super::send::SendMessage;
use crate::App;

/// A visitor's message to the actor's bot, in a conversation that is named by its own id.
#[derive(Debug, Clone)]
pub struct ChatMessage {
    /// The conversation to go on with; `None`: a new one.
    pub conversation_id: Option<ConversationId>,
    /// The words.
    pub message: String,
    /// The person, as far as the client knows them. Without an identifier, the address is one.
    pub person: EndUserDetails,
    /// See [`SendMessage::consent`].
    pub consent: Option<bool>,
    /// The id for the message.
    pub message_id: MessageId,
}

/// The message as [`super::send`] takes it. A new conversation is named after its first message.
///
/// # Errors
/// [`Error::NotFound`] (`Conversation`): the actor may see no such conversation. [`Error::Invalid`] for an address
/// that can't be one.
pub async fn chat(app: &App, actor: &Actor, chat: ChatMessage) -> Result<SendMessage> {
    let mut person = chat.person;
    if let Some(email) = person.user_email.take() {
        let email = leads::email(&email).ok_or_else(|| {
            Error::invalid("email", "The 'email' field must be an e-mail address.")
        })?;
        person.user_identifier.get_or_insert_with(|| email.clone());
        person.user_email = Some(email);
    }
    let session_id = match chat.conversation_id {
        Some(id) => super::by_id::find(app, actor, id).await?.session_id,
        None => chat.message_id.to_string(),
    };
    Ok(SendMessage {
        session_id,
        message: chat.message,
        bot_id: None,
        channel: None,
        end_user: person,
        unproved_email: None,
        consent: chat.consent,
        message_id: chat.message_id,
    })
}
