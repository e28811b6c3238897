//! `/conversations`.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use application::conversations::{self, SendMessage, Silent, Turn};
use domain::Result;
use domain::bots::ChannelType;
use domain::conversations::{Conversation, ConversationFilter, ConversationStatus, EndUserDetails};
use domain::messages::{Author, Feedback, Message};
use domain::paging::PageRequest;
use domain::retrieval::Findings;
use domain::text::required;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{envelope, words};
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody};
use crate::http::error::{ApiError, ApiResult};
use crate::http::idempotency::{OperationId, Secret};
use crate::http::params::{self, Query};
use crate::routes::sse;
use crate::routes::turns::{self, Telling, Wanted};
use crate::state::State;

/// A conversation.
#[derive(Serialize, ToSchema)]
pub struct ConversationView {
    id: Uuid,
    #[schema(example = "session-123")]
    session_id: String,
    bot_id: Uuid,
    bot_name: String,
    user_identifier: Option<String>,
    user_name: Option<String>,
    user_email: Option<String>,
    #[schema(schema_with = words::channel_type)]
    channel: &'static str,
    #[schema(schema_with = words::status)]
    status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl ListConversations {
    /// The page that is asked for, and what belongs on it.
    pub(in crate::routes) fn read(self) -> Result<(ConversationFilter, PageRequest)> {
        let page = params::page(self.page.as_deref(), self.per_page.as_deref())?;
        let filter = ConversationFilter {
            bot_id: params::bot_filter(self.bot_id.as_deref()),
            status: self
                .status
                .map(|word| ConversationStatus::read("status", &word))
                .transpose()?,
            channel: self
                .channel
                .map(|word| ChannelType::read("channel", &word))
                .transpose()?,
            ..ConversationFilter::default()
        };
        Ok((filter, page))
    }
}

impl From<Conversation> for ConversationView {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id.0,
            session_id: conversation.session_id,
            bot_id: conversation.bot_id.0,
            bot_name: conversation.bot_name,
            user_identifier: conversation.end_user.identifier,
            user_name: conversation.end_user.name,
            user_email: conversation.end_user.email,
            channel: conversation.channel.as_str(),
            status: conversation.status.as_str(),
            started_at: conversation.started_at,
            ended_at: conversation.ended_at,
            created_at: conversation.created_at,
        }
    }
}

/// A conversation with its messages.
#[derive(Serialize, ToSchema)]
pub struct ConversationDetails {
    session: ConversationView,
    /// Oldest first.
    messages: Vec<MessageView>,
}

/// A message in its conversation.
#[derive(Serialize, ToSchema)]
pub struct MessageView {
    id: Uuid,
    /// `user` or `bot`.
    #[schema(example = "bot")]
    sender: &'static str,
    message: String,
    #[schema(example = "text")]
    message_type: &'static str,
    /// For a bot's message: the chunks that it was made from, best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    citations: Option<Value>,
    /// For a bot's message: which provider answered, and from what.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    /// What the person thought of a bot's message, `positive` or `negative`, if they said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback: Option<&'static str>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            citations: (message.author == Author::Bot)
                .then(|| message.metadata.get("citations").cloned())
                .map(|cited| cited.unwrap_or_else(|| Value::Array(Vec::new()))),
            id: message.id.0,
            sender: message.author.as_str(),
            message: message.text,
            message_type: message.message_type.as_str(),
            feedback: message.feedback.map(Feedback::as_str),
            metadata: (message.author == Author::Bot).then_some(message.metadata),
            created_at: message.created_at,
        }
    }
}

/// A visitor's message and the bot's answer.
#[derive(Serialize, ToSchema)]
pub struct TurnView {
    user_message: SentMessage,
    bot_response: SentMessage,
}

/// A message that was just stored.
#[derive(Serialize, ToSchema)]
pub struct SentMessage {
    id: Uuid,
    message: String,
    /// For the bot's answer: which provider gave it, and from what.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Message> for SentMessage {
    fn from(message: Message) -> Self {
        let metadata = (message.author == Author::Bot).then_some(message.metadata);
        Self {
            id: message.id.0,
            message: message.text,
            metadata,
            created_at: message.created_at,
        }
    }
}

impl From<Turn> for TurnView {
    fn from(turn: Turn) -> Self {
        Self {
            user_message: turn.message.into(),
            bot_response: turn.answer.into(),
        }
    }
}

/// Which conversations, and which page of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListConversations {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
    /// Filter by specific bot
    bot_id: Option<String>,
    /// Filter by status
    #[param(schema_with = words::status)]
    status: Option<String>,
    /// Filter by channel type
    #[param(schema_with = words::channel_type)]
    channel: Option<String>,
}

/// A message to send. The fields beside `message` matter for a new conversation.
#[derive(Deserialize, ToSchema)]
pub struct SendMessageBody {
    /// The message content to send (1 to 8000 characters)
    #[schema(required, nullable = false)]
    message: Option<String>,
    /// The bot (default: the tenant's default bot)
    bot_id: Option<String>,
    /// The channel (default: the bot's)
    #[schema(schema_with = words::or_null::channel_type)]
    channel: Option<String>,
    /// The client's name for the person
    user_identifier: Option<String>,
    /// The person's name
    user_name: Option<String>,
    /// The person's e-mail address
    user_email: Option<String>,
}

impl JsonBody for SendMessageBody {}

impl SendMessageBody {
    fn read(self, session_id: String, id: Uuid) -> Result<SendMessage> {
        Ok(SendMessage {
            session_id,
            message: required("message", self.message)?,
            bot_id: self.bot_id.as_deref().map(params::bot_id).transpose()?,
            channel: self
                .channel
                .map(|word| ChannelType::read("channel", &word))
                .transpose()?,
            end_user: EndUserDetails {
                user_identifier: self.user_identifier,
                user_name: self.user_name,
                user_email: self.user_email,
            },
            unproved_email: None,
            consent: None,
            message_id: id.into(),
        })
    }
}

/// List conversations
#[utoipa::path(tag = "Tenant API: Conversations", params(ListConversations), responses((status = 200, body = envelope::Listed<ConversationView>)))]
#[get("/conversations")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<ListConversations>,
) -> ApiResult<HttpResponse> {
    let (filter, page) = query.0.read()?;
    let conversations = conversations::list(&state.app, &caller.0, filter, page).await?;
    Ok(envelope::listed(
        conversations,
        page,
        ConversationView::from,
    ))
}

/// Get conversation details
#[utoipa::path(tag = "Tenant API: Conversations", params(("session_id" = String, Path, description = "Unique session identifier")), responses((status = 200, body = envelope::Data<ConversationDetails>)))]
#[get("/conversations/{session_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    session_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let (session, messages) = conversations::get(&state.app, &caller.0, &session_id).await?;
    let messages = messages.into_iter().map(MessageView::from).collect();
    Ok(envelope::data(
        StatusCode::OK,
        ConversationDetails {
            session: session.into(),
            messages,
        },
    ))
}

/// Send message
///
/// A session that does not exist is made. With `Accept: text/event-stream` the answer comes as server-sent
/// events: `user_message`, `chunk` (`{"text"}`) for each piece, `restart` when the pieces so far count no
/// more, and at the end `completed` (the body of the answer without streaming) or `error` (the error body).
#[utoipa::path(tag = "Tenant API: Conversations", params(("session_id" = String, Path, description = "Unique session identifier")), request_body = SendMessageBody, responses((status = 200, body = envelope::Data<TurnView>), (status = 403), (status = 502)))]
#[post("/conversations/{session_id}/messages")]
pub(super) async fn send(
    state: Data<State>,
    caller: Caller,
    session_id: Path<String>,
    id: OperationId,
    request: HttpRequest,
    body: Json<SendMessageBody>,
) -> ApiResult<HttpResponse> {
    let command = body.0.read(session_id.into_inner(), id.0)?;
    if wants_stream(&request) {
        return turns::stream(state, caller.0, Wanted::New(command), Events).await;
    }
    let turn = conversations::send(&state.app, &caller.0, command, &mut Silent).await?;
    Ok(envelope::data(StatusCode::OK, TurnView::from(turn)))
}

/// A turn as this dialect's events.
struct Events;

impl Telling for Events {
    fn received(&mut self, message: &Message) -> Bytes {
        sse::event("user_message", &SentMessage::from(message.clone()))
    }

    fn found(&mut self, _findings: &Findings) -> Bytes {
        Bytes::new()
    }

    fn piece(&mut self, text: &str) -> Bytes {
        sse::event("chunk", &json!({ "text": text }))
    }

    fn restart(&mut self) -> Bytes {
        sse::event("restart", &json!({}))
    }

    fn completed(&mut self, turn: Turn) -> Bytes {
        sse::event("completed", &envelope::data_body(TurnView::from(turn)))
    }

    fn failed(&mut self, error: &ApiError) -> Bytes {
        sse::event("error", &error.body())
    }
}

fn wants_stream(request: &HttpRequest) -> bool {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.to_ascii_lowercase().contains("text/event-stream"))
}

/// End conversation
///
/// A further message makes it active again.
#[utoipa::path(tag = "Tenant API: Conversations", params(("session_id" = String, Path, description = "Unique session identifier")), responses((status = 200, body = envelope::Data<ConversationView>)))]
#[post("/conversations/{session_id}/end")]
pub(super) async fn end(
    state: Data<State>,
    caller: Caller,
    session_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let conversation = conversations::end(&state.app, &caller.0, &session_id).await?;
    let mut answer = envelope::data(StatusCode::OK, ConversationView::from(conversation));
    // It names the person, and ending once more answers the same.
    answer.extensions_mut().insert(Secret);
    Ok(answer)
}
