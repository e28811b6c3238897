//! Agent loops: named workflows in which a model calls tools.

mod tools;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use application::agent_loops::{self, Change, Create};
use domain::Result;
use domain::agent_loops::{AgentLoop, Approval, LimitsChange, LoopLimits, Triggers};
use domain::text::required;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::tools::{ToolBody, ToolView};
use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::http::body::{JsonBody, given, not_null};
use crate::http::idempotency::OperationId;
use crate::http::params;
use crate::routes::platform::body::{Json, Query};
use crate::routes::tenant::envelope;
use crate::state::State;

/// An agent loop.
#[derive(Serialize, ToSchema)]
pub struct AgentLoopView {
    id: Uuid,
    /// The bot whose knowledge it searches and in whose name it speaks.
    bot_id: Uuid,
    /// The integration whose model runs it. Null: the bot's own, in their order, and then the operator's.
    integration_id: Option<Uuid>,
    #[schema(example = "Order desk")]
    name: String,
    description: Option<String>,
    #[schema(example = "Look after orders that are late.")]
    instructions: String,
    /// What the model may call; operations of an OpenAPI document are one tool each.
    tools: Vec<ToolView>,
    limits: LimitsView,
    /// When a call of a tool that acts waits for approval: `when_untrusted`, `always` or `never`.
    #[schema(example = "when_untrusted")]
    approval: &'static str,
    triggers: TriggersView,
    enabled: bool,
    /// When its schedule is due next.
    #[serde(with = "time::serde::rfc3339::option")]
    next_run_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// What an execution may cost.
#[derive(Serialize, ToSchema)]
pub struct LimitsView {
    /// Turns of the model and calls of tools, together.
    #[schema(example = 20)]
    steps: u32,
    /// Tokens of all turns of the model.
    #[schema(example = 50_000)]
    tokens: u32,
    /// Seconds of work; waiting for approval is none.
    #[schema(example = 300)]
    seconds: u32,
}

/// What starts executions beside a call.
#[derive(Serialize, ToSchema)]
pub struct TriggersView {
    /// A cron expression, in UTC.
    #[schema(example = "0 9 * * 1-5")]
    cron: Option<String>,
    /// Events of the bot.
    #[schema(example = json!(["message.received"]))]
    events: Vec<&'static str>,
}

impl From<AgentLoop> for AgentLoopView {
    fn from(agent_loop: AgentLoop) -> Self {
        let program = agent_loop.program;
        let events = agent_loop.triggers.events.iter();
        Self {
            id: agent_loop.id.0,
            bot_id: agent_loop.bot_id.0,
            integration_id: program.connection_id.map(|id| id.0),
            name: agent_loop.name,
            description: agent_loop.description,
            instructions: program.instructions,
            tools: program.tools.into_iter().map(ToolView::from).collect(),
            limits: LimitsView {
                steps: program.limits.steps,
                tokens: program.limits.tokens,
                seconds: program.limits.seconds,
            },
            approval: program.approval.as_str(),
            triggers: TriggersView {
                cron: agent_loop.triggers.cron,
                events: events.map(|kind| kind.as_str()).collect(),
            },
            enabled: agent_loop.enabled,
            next_run_at: agent_loop.next_run_at,
            created_at: agent_loop.created_at,
            updated_at: agent_loop.updated_at,
        }
    }
}

/// What an execution may cost. It is stopped where it would go on past one of these.
#[derive(Deserialize, ToSchema)]
pub struct LimitsBody {
    /// Turns of the model and calls of tools, together (1..100, default: 20)
    steps: Option<u32>,
    /// Tokens of all turns of the model, in and out (1..1000000, default: 50000)
    tokens: Option<u32>,
    /// Seconds of work; waiting for approval is none (1..3600, default: 300)
    seconds: Option<u32>,
}

impl From<LimitsBody> for LimitsChange {
    fn from(body: LimitsBody) -> Self {
        Self {
            steps: body.steps,
            tokens: body.tokens,
            seconds: body.seconds,
        }
    }
}

/// What starts executions beside a call.
#[derive(Deserialize, ToSchema)]
pub struct TriggersBody {
    /// A cron expression in UTC: five fields, or six with seconds before them. Null: no schedule
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    cron: Option<Option<String>>,
    /// Events of the bot: `message.received`, `integration.failed`, `channel.disconnected`
    events: Option<Vec<String>>,
}

/// An agent loop to be made. Null counts as absent.
#[derive(Deserialize, ToSchema)]
pub struct CreateAgentLoop {
    /// Its name (1 to 200 characters)
    #[schema(required, nullable = false)]
    name: Option<String>,
    /// What it is for (at most 2000 characters)
    description: Option<String>,
    /// What the model is to do (1 to 20000 characters)
    #[schema(required, nullable = false)]
    instructions: Option<String>,
    /// The bot whose knowledge it searches and in whose name it speaks (default: that of the integration)
    bot_id: Option<String>,
    /// The integration whose model runs it, also where the bot does not answer by it (default: the bot's, in their
    /// order, and then the operator's provider)
    integration_id: Option<String>,
    /// What the model may call (at most 64, operations counted each)
    tools: Option<Vec<ToolBody>>,
    /// What an execution may cost
    limits: Option<LimitsBody>,
    /// When a call of a tool that acts waits for approval: `when_untrusted` (the execution began with an event, or has
    /// been told what a search or a request brought), `always` or `never` (default: when_untrusted)
    approval: Option<String>,
    /// What starts executions beside a call
    triggers: Option<TriggersBody>,
    /// Whether executions are started (default: true)
    enabled: Option<bool>,
}

impl JsonBody for CreateAgentLoop {}

impl CreateAgentLoop {
    fn read(self, id: OperationId) -> Result<Create> {
        let ids = (self.bot_id.as_deref(), self.integration_id.as_deref());
        let (cron, events) = match self.triggers {
            Some(triggers) => (triggers.cron.flatten(), triggers.events),
            None => (None, None),
        };
        let limits = self.limits.map(LimitsChange::from).unwrap_or_default();
        Ok(Create {
            id: id.0.into(),
            name: required("name", self.name)?,
            description: self.description,
            bot_id: ids.0.map(params::bot_id).transpose()?,
            connection_id: ids.1.map(params::connection_id).transpose()?,
            instructions: required("instructions", self.instructions)?,
            tools: tools::read(self.tools.unwrap_or_default())?,
            limits: LoopLimits::DEFAULT.with(limits),
            approval: match self.approval {
                Some(word) => Approval::read("approval", &word)?,
                None => Approval::WhenUntrusted,
            },
            triggers: Triggers {
                cron,
                events: Triggers::read_events(&events.unwrap_or_default())?,
            },
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

/// A change to an agent loop: only the fields given change, and null clears an optional one. The bot stays.
#[derive(Deserialize, ToSchema)]
pub struct UpdateAgentLoop {
    /// New name
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// New description
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// New instructions
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    instructions: Option<Option<String>>,
    /// Another integration of the bot
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    integration_id: Option<Option<String>>,
    /// All tools anew. A secret header that is null stays as the tool of the same name and address has it
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<ToolBody>>)]
    tools: Option<Option<Vec<ToolBody>>>,
    /// New limits; those that are not given stay
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<LimitsBody>)]
    limits: Option<Option<LimitsBody>>,
    /// New rule of approval
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    approval: Option<Option<String>>,
    /// New triggers; those that are not given stay
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<TriggersBody>)]
    triggers: Option<Option<TriggersBody>>,
    /// Whether executions are started
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    enabled: Option<Option<bool>>,
}

impl JsonBody for UpdateAgentLoop {}

impl UpdateAgentLoop {
    fn read(self) -> Result<Change> {
        let text = |field: &'static str, value: Option<Option<String>>| {
            value.map(|value| required(field, value)).transpose()
        };
        let connection = self.integration_id.map(|id| {
            let id = id.as_deref();
            id.map(params::connection_id).transpose()
        });
        let (cron, events) = match not_null("triggers", self.triggers)? {
            Some(triggers) => (triggers.cron, triggers.events),
            None => (None, None),
        };
        Ok(Change {
            name: text("name", self.name)?,
            description: self.description,
            connection_id: connection.transpose()?,
            instructions: text("instructions", self.instructions)?,
            tools: not_null("tools", self.tools)?
                .map(tools::read)
                .transpose()?,
            limits: not_null("limits", self.limits)?
                .map(LimitsChange::from)
                .unwrap_or_default(),
            approval: not_null("approval", self.approval)?
                .map(|word| Approval::read("approval", &word))
                .transpose()?,
            cron,
            events: events
                .map(|words| Triggers::read_events(&words))
                .transpose()?,
            enabled: not_null("enabled", self.enabled)?,
        })
    }
}

/// Which page of the agent loops.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListAgentLoops {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

/// List agent loops
#[utoipa::path(tag = "Platform API: Agent loops", params(ListAgentLoops), responses((status = 200, body = envelope::Listed<AgentLoopView>)))]
#[get("/agent-loops")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<ListAgentLoops>,
) -> PlatformResult<HttpResponse> {
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let found = agent_loops::list(&state.app, &caller.0, page).await?;
    Ok(envelope::listed(found, page, AgentLoopView::from))
}

/// Create agent loop
///
/// Its model must call tools: that of an integration of kind `openai`, `anthropic` or `ollama`, or the operator's.
#[utoipa::path(tag = "Platform API: Agent loops", request_body = CreateAgentLoop, responses((status = 201, body = envelope::Data<AgentLoopView>), (status = 404)))]
#[post("/agent-loops")]
pub(super) async fn create(
    state: Data<State>,
    caller: Caller,
    id: OperationId,
    body: Json<CreateAgentLoop>,
) -> PlatformResult<HttpResponse> {
    let new = body.0.read(id)?;
    let made = agent_loops::create(&state.app, &caller.0, new).await?;
    let view = AgentLoopView::from(made);
    Ok(envelope::data(StatusCode::CREATED, view))
}

/// Get agent loop
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop")), responses((status = 200, body = envelope::Data<AgentLoopView>)))]
#[get("/agent-loops/{agent_loop_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::agent_loop_id(&id)?;
    let found = agent_loops::get(&state.app, &caller.0, id).await?;
    let view = AgentLoopView::from(found);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Update agent loop
///
/// Executions under way go on as they began.
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop")), request_body = UpdateAgentLoop, responses((status = 200, body = envelope::Data<AgentLoopView>)))]
#[patch("/agent-loops/{agent_loop_id}")]
pub(super) async fn update(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
    body: Json<UpdateAgentLoop>,
) -> PlatformResult<HttpResponse> {
    let id = params::agent_loop_id(&id)?;
    let change = body.0.read()?;
    let changed = agent_loops::update(&state.app, &caller.0, id, change).await?;
    let view = AgentLoopView::from(changed);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Delete agent loop
///
/// With all its executions.
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop")), responses((status = 200, body = envelope::Done)))]
#[delete("/agent-loops/{agent_loop_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::agent_loop_id(&id)?;
    agent_loops::delete(&state.app, &caller.0, id).await?;
    Ok(envelope::done("Agent loop deleted successfully"))
}
