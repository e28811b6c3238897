//! The way of a message: stored, looked up in the knowledge, answered, and the answer stored.

use async_trait::async_trait;
use domain::actors::{Actor, Scope};
use domain::bots::{Bot, ChannelType};
use domain::conversations::{EndUserDetails, Incoming, NewConversationIds, Received, Reply};
use domain::leads::{self, Contact, Origin};
use domain::messages::{Message, Utterance};
use domain::text::{self, no_nul};
use domain::{BotId, Clash, Error, MessageId, Resource, Result, TenantId};
use validator::Validate;

use crate::App;
use crate::answering::AnswerObserver;

use super::answer::Asked;
use super::check_session_id;

/// Earlier messages that go into an answer.
const HISTORY: u32 = 20;

/// A visitor's message.
#[derive(Debug, Clone, Validate)]
pub struct SendMessage {
    /// The conversation, made if there is none of this name.
    pub session_id: String,
    /// The words.
    #[validate(length(min = 1, max = text::MESSAGE_MAX, message = "must be 1 to 8000 characters long"), custom(function = no_nul))]
    pub message: String,
    /// The bot; `None`: the conversation's, or the default.
    pub bot_id: Option<BotId>,
    /// The channel of a new conversation; `None`: the bot's.
    pub channel: Option<ChannelType>,
    /// The person in a new conversation.
    pub end_user: EndUserDetails,
    /// An address that came with the message and that nobody has proved, such as a mail's sender.
    pub unproved_email: Option<String>,
    /// Whether the person agreed to be written to; `None`: not said.
    pub consent: Option<bool>,
    /// The id for the message. One that is stored already is not stored again: its turn is answered again,
    /// or finished if it was not.
    pub message_id: MessageId,
}

/// A turn that was taken.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The visitor's message.
    pub message: Message,
    /// The bot's answer.
    pub answer: Message,
}

/// Watches a turn being taken.
#[async_trait]
pub trait TurnObserver: AnswerObserver {
    /// The visitor's message is stored.
    async fn received(&mut self, message: &Message);
}

/// For those who want only the end.
pub struct Silent;

#[async_trait]
impl AnswerObserver for Silent {
    async fn piece(&mut self, _text: &str) {}
    async fn restart(&mut self) {}
}

#[async_trait]
impl TurnObserver for Silent {
    async fn received(&mut self, _message: &Message) {}
}

/// Takes a turn. An address that comes with the message is kept. Once begun it should be driven to its end, also if nobody waits any more.
///
/// # Errors
/// Those of [`domain::conversations::Conversations::receive`], after which nothing is stored;
/// [`Error::ProviderFailed`], after which the visitor's message is.
#[tracing::instrument(level = "debug", name = "conversations.send", skip_all)]
pub async fn send(
    app: &App,
    actor: &Actor,
    command: SendMessage,
    observer: &mut dyn TurnObserver,
) -> Result<Turn> {
    check_session_id(&command.session_id)?;
    command.validate()?;
    // Not nested in the command: its fields are the client's own, and are named so.
    command.end_user.validate()?;
    let tenant = actor.tenant_id();
    let contact = contact(app, &command);
    let incoming = Incoming {
        session_id: command.session_id,
        bot_id: match actor.scope {
            Scope::Tenant => command.bot_id,
            Scope::Bot(bot) => Some(bot),
        },
        contact,
        channel: command.channel,
        end_user: command.end_user,
        text: command.message,
        message_id: command.message_id,
        new_ids: NewConversationIds {
            conversation: app.ids.uuid().into(),
            end_user: app.ids.uuid().into(),
            welcome: app.ids.uuid().into(),
        },
        history: HISTORY,
        limits: actor.limits,
        at: app.clock.now(),
    };
    let received = match app.conversations.receive(tenant, &incoming).await {
        Err(Error::Conflict(Clash::AlreadyExists)) => {
            let (message, answer) = app
                .conversations
                .find_turn(tenant, incoming.message_id)
                .await?
                .ok_or(Error::NotFound(Resource::Conversation))?;
            match answer {
                Some(answer) => return Ok(Turn { message, answer }),
                None => reopen(app, tenant, message).await?,
            }
        }
        result => result?,
    };
    if received.has_events {
        app.delivery_bell.ring();
    }
    if received.starts_loops {
        app.bell.ring();
    }
    observer.received(&received.message).await;
    finish(app, tenant, received, observer).await
}

/// The address that comes with a message: told of the person, or given by them.
fn contact(app: &App, command: &SendMessage) -> Option<Contact> {
    let told = command.end_user.user_email.as_deref();
    let unproved = command.unproved_email.as_deref();
    let (email, origin) = match told.and_then(leads::email) {
        Some(email) => (email, Origin::Identity),
        None => {
            let given = unproved.and_then(leads::email);
            (
                given.or_else(|| leads::email_in(&command.message))?,
                Origin::Message,
            )
        }
    };
    Some(Contact {
        lead_id: app.ids.uuid().into(),
        email,
        origin,
        consent: command.consent,
    })
}

/// Answers a message that is stored.
pub(super) async fn finish(
    app: &App,
    tenant: TenantId,
    received: Received,
    observer: &mut dyn TurnObserver,
) -> Result<Turn> {
    match answer(app, tenant, &received, observer).await {
        Ok(answer) => Ok(Turn {
            message: received.message,
            answer,
        }),
        Err(error) => {
            let received_at = received.message.created_at;
            if let Err(lapses) = app.conversations.give_up(tenant, received_at).await {
                tracing::warn!(error = %lapses, "a reservation is left to lapse");
            }
            Err(error)
        }
    }
}

async fn answer(
    app: &App,
    tenant: TenantId,
    received: &Received,
    observer: &mut dyn AnswerObserver,
) -> Result<Message> {
    let began = app.clock.now();
    let turn = Asked {
        tenant,
        bot: &received.bot,
        knowledge: &received.knowledge,
        retriever: &*app.retriever,
        as_if: None,
        history: &received.history,
        text: &received.message.text,
    };
    let (answer, receipt) = turn.answer(app, began, observer).await?;
    let reply = Reply {
        conversation_id: received.message.conversation_id,
        message_id: app.ids.uuid().into(),
        reply_to: received.message.id,
        metadata: serde_json::to_value(receipt).map_err(Error::internal)?,
        text: answer.text,
        received_at: received.message.created_at,
        at: app.clock.now(),
    };
    app.conversations.reply(tenant, &reply).await
}

/// Takes up a turn whose message is stored already, and not answered: a repeated request, after the process died on
/// the first or no provider answered it.
pub(super) async fn reopen(app: &App, tenant: TenantId, message: Message) -> Result<Received> {
    let conversation = app
        .conversations
        .find_by_id(tenant, message.conversation_id)
        .await?
        .ok_or(Error::NotFound(Resource::Conversation))?;
    let bot: Bot = app
        .bots
        .find(tenant, conversation.bot_id)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))?;
    let knowledge = app.index.state(tenant, bot.id).await?.unwrap_or_default();
    let mut earlier = app.conversations.messages(tenant, conversation.id).await?;
    earlier.retain(|earlier| earlier.seq < message.seq);
    let surplus = earlier.len().saturating_sub(HISTORY as usize);
    let history = earlier[surplus..].iter().map(Utterance::from).collect();
    Ok(Received {
        message,
        bot,
        knowledge,
        history,
        has_events: false,
        starts_loops: false,
    })
}
