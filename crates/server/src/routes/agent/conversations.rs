//! `/conversations`.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, patch};
use application::conversations::{self, LearnedMessage};
use domain::bots::ChannelType;
use domain::conversations::{Conversation, ConversationFilter, EndUser, Sentiment};
use domain::messages::{Author, Feedback, Message};
use domain::receipts::Citation;
use domain::{EndUserId, Error};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{lists, words};
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody, given};
use crate::http::error::ApiResult;
use crate::http::params::{self, Query};
use crate::state::State;

/// A conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentConversation {
    id: Uuid,
    /// Where it takes place.
    #[schema(example = "EMBED")]
    source: String,
    /// `ACTIVE`, `ENDED` or `ABANDONED`.
    #[schema(example = "ACTIVE")]
    status: String,
    customer: AgentPerson,
    /// `POSITIVE`, `NEGATIVE` or `NEUTRAL`; null: nobody has looked yet.
    sentiment: Option<String>,
    /// Whether it led to an order.
    purchased: bool,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
}

/// The person in a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentPerson {
    id: Uuid,
    /// The client's own name for the person.
    external_id: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

/// A conversation with its messages.
#[derive(Serialize, ToSchema)]
pub struct AgentConversationDetails {
    #[serde(flatten)]
    conversation: AgentConversation,
    /// Oldest first.
    messages: Vec<AgentMessageDetails>,
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentMessage {
    id: Uuid,
    /// `USER` or `ASSISTANT`.
    #[schema(example = "ASSISTANT")]
    role: &'static str,
    content: String,
    /// `POSITIVE` or `NEGATIVE`; null: none was given.
    feedback: Option<&'static str>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// A message with all that is known of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentMessageDetails {
    #[serde(flatten)]
    message: AgentMessage,
    /// How a visitor's message was meant: `POSITIVE`, `NEGATIVE` or `NEUTRAL`; null: nobody has looked yet.
    sentiment: Option<String>,
    /// What a visitor's message is after; null: nothing that is known.
    #[schema(example = "order_status")]
    intent: Option<String>,
    /// What a bot's message was made from, best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    citations: Option<Vec<AgentCitation>>,
}

/// What an answer was made from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentCitation {
    source_id: Uuid,
    source_name: String,
    chunk_id: Uuid,
    chunk_index: u32,
    heading: Option<String>,
    page: Option<u32>,
    url: Option<String>,
    /// How well it fitted; comparable within one answer only.
    score: f32,
}

impl From<Citation> for AgentCitation {
    fn from(citation: Citation) -> Self {
        Self {
            source_id: citation.source_id.0,
            source_name: citation.source_name,
            chunk_id: citation.chunk_id.0,
            chunk_index: citation.chunk_index,
            heading: citation.heading,
            page: citation.page,
            url: citation.url,
            score: citation.score,
        }
    }
}

/// What a bot's message was made from.
pub(super) fn citations(message: &Message) -> Vec<AgentCitation> {
    let cited = Citation::of(&message.metadata);
    cited.into_iter().map(AgentCitation::from).collect()
}

impl From<EndUser> for AgentPerson {
    fn from(person: EndUser) -> Self {
        Self {
            id: person.id.0,
            external_id: person.identifier,
            name: person.name,
            email: person.email,
        }
    }
}

impl From<Conversation> for AgentConversation {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id.0,
            source: words::source(conversation.channel),
            status: conversation.status.as_str().to_uppercase(),
            customer: conversation.end_user.into(),
            sentiment: conversation.sentiment.map(upper),
            purchased: conversation.purchased,
            started_at: conversation.started_at,
            ended_at: conversation.ended_at,
        }
    }
}

fn upper(sentiment: Sentiment) -> String {
    sentiment.as_str().to_uppercase()
}

impl From<Message> for AgentMessage {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.0,
            role: match message.author {
                Author::User => "USER",
                Author::Bot => "ASSISTANT",
            },
            content: message.text,
            feedback: message.feedback.map(words::feedback),
            created_at: message.created_at,
        }
    }
}

impl From<LearnedMessage> for AgentMessageDetails {
    fn from(LearnedMessage { message, insight }: LearnedMessage) -> Self {
        let (sentiment, intent) = insight
            .map(|insight| (upper(insight.sentiment.label()), insight.intent))
            .unzip();
        Self {
            sentiment,
            intent: intent.flatten().map(|intent| intent.intent),
            citations: (message.author == Author::Bot).then(|| citations(&message)),
            message: message.into(),
        }
    }
}

/// Which conversations, and which page of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct ListAgentConversations {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 250)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250)]
    limit: Option<String>,
    /// Begun on this day or at this time, or later
    start_date: Option<String>,
    /// Begun on this day or at this time, or earlier
    end_date: Option<String>,
    /// PREVIEW, EMBED, TELEGRAM, WHATSAPP, EMAIL, or another channel
    source: Option<String>,
    /// POSITIVE, NEGATIVE or NEUTRAL
    sentiment: Option<String>,
    /// About this product
    product: Option<String>,
    /// With an order: yes or no
    purchased: Option<String>,
    /// With this customer
    customer_id: Option<String>,
}

impl ListAgentConversations {
    fn filter(self) -> domain::Result<ConversationFilter> {
        let channel = |word: String| words::read("source", &word, ChannelType::ALL, words::source);
        let sentiment = |word: String| words::read("sentiment", &word, Sentiment::ALL, upper);
        let purchased = |word: String| match word.as_str() {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err(Error::invalid(
                "purchased",
                "The 'purchased' parameter must be yes or no.",
            )),
        };
        // What is no id is nobody, and nobody has conversations.
        let person = |text: String| EndUserId::parse(&text).unwrap_or(EndUserId(Uuid::nil()));
        Ok(ConversationFilter {
            channel: self.source.map(channel).transpose()?,
            from: words::beginning("startDate", self.start_date.as_deref())?,
            until: words::end("endDate", self.end_date.as_deref())?,
            sentiment: self.sentiment.map(sentiment).transpose()?,
            product: self.product,
            purchased: self.purchased.map(purchased).transpose()?,
            end_user: self.customer_id.map(person),
            ..ConversationFilter::default()
        })
    }
}

/// What a person thought of a message.
#[derive(Deserialize, ToSchema)]
pub struct FeedbackBody {
    /// POSITIVE or NEGATIVE; null takes it back
    #[serde(default, deserialize_with = "given")]
    #[schema(required, value_type = Option<String>)]
    feedback: Option<Option<String>>,
}

impl JsonBody for FeedbackBody {}

/// List conversations
///
/// Newest first.
#[utoipa::path(tag = "Agent API", params(ListAgentConversations), responses((status = 200, body = lists::AgentList<AgentConversation>)))]
#[get("/conversations")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<ListAgentConversations>,
) -> ApiResult<HttpResponse> {
    let query = query.0;
    let page = words::page(query.page.as_deref(), query.limit.as_deref())?;
    let found = conversations::list(&state.app, &caller.0, query.filter()?, page).await?;
    Ok(lists::page(found, page, AgentConversation::from))
}

/// Get conversation
#[utoipa::path(tag = "Agent API", params(("conversation_id" = String, Path, description = "The conversation's id")), responses((status = 200, body = AgentConversationDetails)))]
#[get("/conversations/{conversation_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let id = words::conversation_id(&id)?;
    let (conversation, messages) = conversations::get_by_id(&state.app, &caller.0, id).await?;
    Ok(HttpResponse::Ok().json(AgentConversationDetails {
        conversation: conversation.into(),
        messages: messages
            .into_iter()
            .map(AgentMessageDetails::from)
            .collect(),
    }))
}

/// List messages
///
/// Oldest first, without what was learned from them and what answers were made from.
#[utoipa::path(tag = "Agent API", params(("conversation_id" = String, Path, description = "The conversation's id")), responses((status = 200, body = lists::AgentAll<AgentMessage>)))]
#[get("/conversations/{conversation_id}/messages")]
pub(super) async fn list_messages(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
) -> ApiResult<HttpResponse> {
    let id = words::conversation_id(&id)?;
    let messages = conversations::messages_by_id(&state.app, &caller.0, id).await?;
    Ok(lists::all(messages.into_iter().map(AgentMessage::from)))
}

/// Submit feedback
///
/// Of a bot's message.
#[utoipa::path(tag = "Agent API", params(("conversation_id" = String, Path, description = "The conversation's id"), ("message_id" = String, Path, description = "The message's id")), request_body = FeedbackBody, responses((status = 200, body = AgentMessage)))]
#[patch("/conversations/{conversation_id}/messages/{message_id}/feedback")]
pub(super) async fn feedback(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
    body: Json<FeedbackBody>,
) -> ApiResult<HttpResponse> {
    let (id, message) = (
        words::conversation_id(&path.0)?,
        params::message_id(&path.1)?,
    );
    let told = |feedback| words::feedback(feedback).to_owned();
    let read = |word: String| words::read("feedback", &word, Feedback::ALL, told);
    let feedback = body.0.feedback.ok_or_else(|| Error::missing("feedback"))?;
    let feedback = feedback.map(read).transpose()?;
    let app = &state.app;
    let message = conversations::give_feedback(app, &caller.0, id, message, feedback).await?;
    Ok(HttpResponse::Ok().json(AgentMessage::from(message)))
}
