//! `/chat`: a turn as server-sent events, that a client can come back to.
//!
//! Every event's id is the id of the visitor's message and how many bytes of the answer have been told with it
//! (`0198c5d2-….120`). Who was cut off sends the request again with the last id as `Last-Event-ID`: nothing is stored
//! twice, and what was missed comes from the store once the answer is there. The id of an `error` says so
//! (`0198c5d2-….120.failed`): who comes back with it has the answer made anew.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, post};
use application::conversations::{self, Begun, ChatMessage, Turn};
use domain::conversations::EndUserDetails;
use domain::messages::Message;
use domain::retrieval::Findings;
use domain::text::required;
use domain::{ConversationId, Error, MessageId, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::conversations::{AgentCitation, citations};
use super::{error, words};
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody};
use crate::http::error::{ApiError, ApiResult};
use crate::http::idempotency::OperationId;
use crate::routes::sse;
use crate::routes::turns::{self, Telling, Wanted};
use crate::state::State;

/// A message to the agent.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatBody {
    /// The words (1 to 8000 characters)
    #[schema(required, nullable = false)]
    message: Option<String>,
    /// The conversation to go on with (default: a new one)
    conversation_id: Option<String>,
    /// Who writes
    #[serde(default)]
    identity: Option<IdentityBody>,
}

/// Who writes, as far as the client knows them.
#[derive(Deserialize, ToSchema, Default)]
pub struct IdentityBody {
    /// The client's own name for the person (default: the address)
    id: Option<String>,
    /// E-mail address
    email: Option<String>,
    /// Name
    name: Option<String>,
    /// Whether the person agreed to be written to
    consent: Option<bool>,
}

impl JsonBody for ChatBody {}

impl ChatBody {
    fn read(self, id: MessageId) -> Result<ChatMessage> {
        let identity = self.identity.unwrap_or_default();
        let conversation = self.conversation_id.as_deref();
        Ok(ChatMessage {
            conversation_id: conversation.map(words::conversation_id).transpose()?,
            message: required("message", self.message)?,
            person: EndUserDetails {
                user_identifier: identity.id,
                user_name: identity.name,
                user_email: identity.email,
            },
            consent: identity.consent,
            message_id: id,
        })
    }
}

/// Send message
///
/// Answers with server-sent events, each with an id: `action_started` (`conversationId`, `messageId` of the visitor's
/// message, `action`), `tool_call` (`tool`, and what it found), `chunk` (`text`; with `restart` true, forget the
/// pieces before it), `action_completed`, and at the end `completed` (the whole `message` and its `sources`) or
/// `error` (an error body). A silent stream sends a comment every 15 seconds. A client that was cut off sends the
/// same request with `Last-Event-ID`.
#[utoipa::path(tag = "Agent API", params(("Last-Event-ID" = Option<String>, Header, description = "The last event that came before the stream was cut off")), request_body = ChatBody, responses((status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"), (status = 403), (status = 404)))]
#[post("/chat")]
pub(super) async fn send(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    request: HttpRequest,
    body: Json<ChatBody>,
) -> ApiResult<HttpResponse> {
    let command = body.0.read(id.0.into())?;
    let (wanted, told) = match Seen::of(&request)? {
        Some(seen) => (
            Wanted::Begun(command.conversation_id, seen.begun),
            seen.told,
        ),
        None => {
            let command = conversations::chat(&state.app, &caller.0, command).await?;
            (Wanted::New(command), 0)
        }
    };
    turns::stream(state, caller.0, wanted, Events::new(told)).await
}

/// What a client that comes back has seen.
struct Seen {
    begun: Begun,
    told: usize,
}

/// What the id of an `error` ends with.
const FAILED: &str = ".failed";

impl Seen {
    fn of(request: &HttpRequest) -> Result<Option<Self>> {
        let Some(header) = request.headers().get("last-event-id") else {
            return Ok(None);
        };
        let read = |text: &str| {
            let failed = text.strip_suffix(FAILED);
            let (message, told) = failed.unwrap_or(text).split_once('.')?;
            Some(Self {
                begun: Begun {
                    message: MessageId::parse(message)?,
                    has_failed: failed.is_some(),
                },
                told: told.parse().ok()?,
            })
        };
        let seen = header.to_str().ok().and_then(read);
        seen.map(Some).ok_or_else(|| {
            let problem = "The 'Last-Event-ID' header must be the id of an event of this endpoint.";
            Error::invalid("Last-Event-ID", problem)
        })
    }
}

/// A turn as this dialect's events.
struct Events {
    place: Option<(ConversationId, MessageId)>,
    /// Bytes of the answer that the client has.
    told: usize,
}

const ACTION: &str = "answer";

impl Events {
    const fn new(told: usize) -> Self {
        Self { place: None, told }
    }

    fn event(&self, name: &str, data: &impl Serialize) -> Bytes {
        self.event_at("", name, data)
    }

    fn event_at(&self, end: &str, name: &str, data: &impl Serialize) -> Bytes {
        match self.place {
            Some((_, message)) => {
                let id = format!("{message}.{}{end}", self.told);
                sse::event_with_id(&id, name, data)
            }
            None => sse::event(name, data),
        }
    }

    /// What of the stored answer the client does not have yet.
    fn rest(&mut self, answer: &Message) -> Bytes {
        let has_restarted = answer.metadata["fallback"] == true && self.told > 0;
        let rest = answer.text.get(self.told..);
        let rest = rest.filter(|rest| rest.is_empty() || !has_restarted);
        let data = match rest {
            Some("") => return Bytes::new(),
            Some(rest) => json!({ "text": rest }),
            // The client has pieces of an answer that was broken off.
            None => json!({ "text": answer.text, "restart": true }),
        };
        self.told = answer.text.len();
        self.event("chunk", &data)
    }
}

/// What `completed` tells.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Completed<'a> {
    conversation_id: ConversationId,
    message_id: MessageId,
    user_message_id: MessageId,
    message: &'a str,
    sources: Vec<AgentCitation>,
}

impl Telling for Events {
    fn received(&mut self, message: &Message) -> Bytes {
        let (conversation, id) = (message.conversation_id, message.id);
        self.place = Some((conversation, id));
        let data = json!({ "conversationId": conversation, "messageId": id, "action": ACTION });
        self.event("action_started", &data)
    }

    fn found(&mut self, findings: &Findings) -> Bytes {
        let data = json!({
            "tool": "knowledge_search",
            "results": findings.hits.len(),
            "answerable": findings.answerable,
        });
        self.event("tool_call", &data)
    }

    fn piece(&mut self, text: &str) -> Bytes {
        self.told += text.len();
        self.event("chunk", &json!({ "text": text }))
    }

    fn restart(&mut self) -> Bytes {
        self.told = 0;
        self.event("chunk", &json!({ "text": "", "restart": true }))
    }

    fn completed(&mut self, turn: Turn) -> Bytes {
        if self.place.is_none() {
            // A message that was answered already.
            self.place = Some((turn.message.conversation_id, turn.message.id));
        }
        let rest = self.rest(&turn.answer);
        let done = self.event("action_completed", &json!({ "action": ACTION }));
        let data = Completed {
            conversation_id: turn.message.conversation_id,
            message_id: turn.answer.id,
            user_message_id: turn.message.id,
            message: &turn.answer.text,
            sources: citations(&turn.answer),
        };
        let completed = self.event("completed", &data);
        [rest, done, completed].concat().into()
    }

    fn failed(&mut self, problem: &ApiError) -> Bytes {
        self.event_at(FAILED, "error", &error::body(&problem.told()))
    }
}
