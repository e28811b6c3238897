//! The way of a message: stored, looked up in the knowledge, answered, and the answer stored.

use std::time::Duration;

use async_trait::async_trait;
use domain::actors::Actor;
use domain::answers::{AnswerKind, Question};
use domain::bots::{Bot, ChannelType};
use domain::conversations::{EndUserDetails, Incoming, NewConversationIds, Received, Reply};
use domain::messages::{Message, Utterance};
use domain::retrieval::{Findings, Query};
use domain::text::{self, no_nul};
use domain::{BotId, Clash, Error, MessageId, Resource, Result, TenantId};
use serde_json::{Value, json};
use validator::Validate;

use crate::App;
use crate::answering::{AnswerObserver, ChainAnswer};

use super::check_session_id;

/// Earlier messages that go into an answer.
const HISTORY: u32 = 20;
/// Chunks that go into an answer.
const PASSAGES: usize = 6;

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

/// Takes a turn. Once begun it should be driven to its end, also if nobody waits any more.
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
    let incoming = Incoming {
        session_id: command.session_id,
        bot_id: command.bot_id,
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
        Err(Error::Conflict(Clash::AlreadyExists)) => match resume(app, tenant, &incoming).await? {
            Resumed::Answered(turn) => return Ok(*turn),
            Resumed::Open(received) => *received,
        },
        result => result?,
    };
    observer.received(&received.message).await;
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
    observer: &mut dyn TurnObserver,
) -> Result<Message> {
    let began = app.clock.now();
    let question = question(app, tenant, received).await?;
    let answered = app.answers.answer(&question, observer).await?;
    let at = app.clock.now();
    let reply = Reply {
        conversation_id: received.message.conversation_id,
        message_id: app.ids.uuid().into(),
        reply_to: received.message.id,
        metadata: metadata(&answered, &question.findings, (at - began).unsigned_abs()),
        text: answered.answer.text,
        received_at: received.message.created_at,
        at,
    };
    app.conversations.reply(tenant, &reply).await
}

async fn question(app: &App, tenant: TenantId, received: &Received) -> Result<Question> {
    let Received {
        message,
        bot,
        knowledge_version,
        history,
    } = received;
    let query = Query {
        tenant_id: tenant,
        bot_id: bot.id,
        knowledge_version: *knowledge_version,
        language: bot.language,
        text: message.text.clone(),
        history: history.clone(),
        limit: PASSAGES,
    };
    let findings = app.retriever.search(&query).await?;
    Ok(Question {
        system_prompt: bot.prompt(),
        language: bot.language,
        welcome_message: bot.welcome_message.clone(),
        history: query.history,
        text: query.text,
        findings,
    })
}

/// What is kept about how an answer came to be.
fn metadata(answered: &ChainAnswer, findings: &Findings, took: Duration) -> Value {
    let ChainAnswer { answer, failures } = answered;
    let citations: Vec<_> = answer
        .used_hits
        .iter()
        .filter_map(|&index| findings.hits.get(index))
        .map(|hit| {
            json!({
                "source_id": hit.chunk.source_id,
                "source_name": hit.source_name,
                "chunk_id": hit.chunk.id,
                "chunk_index": hit.chunk.index,
                "heading": hit.chunk.draft.heading,
                "page": hit.chunk.draft.page,
                "url": hit.chunk.draft.url,
                "score": hit.score,
            })
        })
        .collect();
    let mut metadata = json!({
        "provider": answer.provider,
        "fallback": !failures.is_empty(),
        "grounded": answer.kind == AnswerKind::Answer && !citations.is_empty(),
        "citations": citations,
        "took_ms": took.as_millis() as u64,
    });
    if let Some(model) = &answer.model {
        metadata["model"] = json!(model);
    }
    if let Some(tokens) = answer.tokens {
        metadata["tokens"] = json!({ "input": tokens.input, "output": tokens.output });
    }
    if !failures.is_empty() {
        metadata["failed_providers"] = failures.iter().map(|(provider, _)| *provider).collect();
    }
    metadata
}

enum Resumed {
    Answered(Box<Turn>),
    Open(Box<Received>),
}

/// Takes up a turn whose message is stored already: a repeated request, after the process died on the
/// first or no provider answered it.
async fn resume(app: &App, tenant: TenantId, incoming: &Incoming) -> Result<Resumed> {
    let gone = || Error::NotFound(Resource::Conversation);
    let (message, answer) = app
        .conversations
        .find_turn(tenant, incoming.message_id)
        .await?
        .ok_or_else(gone)?;
    if let Some(answer) = answer {
        return Ok(Resumed::Answered(Box::new(Turn { message, answer })));
    }
    let conversation = app
        .conversations
        .find(tenant, &incoming.session_id)
        .await?
        .ok_or_else(gone)?;
    let bot: Bot = app
        .bots
        .find(tenant, conversation.bot_id)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))?;
    let knowledge_version = app.index.version(tenant, bot.id).await?.unwrap_or_default();
    let mut earlier = app.conversations.messages(tenant, conversation.id).await?;
    earlier.retain(|earlier| earlier.seq < message.seq);
    let surplus = earlier.len().saturating_sub(HISTORY as usize);
    let history = earlier[surplus..].iter().map(Utterance::from).collect();
    Ok(Resumed::Open(Box::new(Received {
        message,
        bot,
        knowledge_version,
        history,
    })))
}
