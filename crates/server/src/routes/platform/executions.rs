//! Executions of agent loops.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use application::executions::{self, Begin, Decision};
use domain::executions::{Execution, ExecutionStatus, Step, StepStatus};
use domain::{Error, Result, StepId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::http::body::JsonBody;
use crate::http::idempotency::OperationId;
use crate::http::params;
use crate::routes::platform::body::{MaybeJson, Query};
use crate::routes::tenant::envelope;
use crate::state::State;

/// A run of an agent loop.
#[derive(Serialize, ToSchema)]
pub struct ExecutionView {
    id: Uuid,
    agent_loop_id: Uuid,
    bot_id: Uuid,
    /// What started it: `call`, `cron` or `event`.
    #[schema(example = "call")]
    trigger: &'static str,
    /// `queued`, `running`, `waiting_for_approval`, `completed`, `failed`, `stopped` (at a limit) or `cancelled`.
    #[schema(example = "completed")]
    status: &'static str,
    /// What it is about; of an event, the event as endpoints get it.
    #[schema(value_type = Value)]
    input: Value,
    /// The model's last words.
    result: Option<String>,
    /// Why it did not complete.
    error: Option<String>,
    /// Steps that were begun.
    step_count: u32,
    tokens: TokensView,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
}

/// Tokens, as the provider counts them, and else about as many.
#[derive(Serialize, ToSchema)]
pub struct TokensView {
    /// Of what the model was told.
    input: u64,
    /// Of what it said.
    output: u64,
}

impl From<domain::answers::Tokens> for TokensView {
    fn from(tokens: domain::answers::Tokens) -> Self {
        Self {
            input: tokens.input,
            output: tokens.output,
        }
    }
}

impl From<Execution> for ExecutionView {
    fn from(execution: Execution) -> Self {
        Self {
            id: execution.id.0,
            agent_loop_id: execution.loop_id.0,
            bot_id: execution.bot_id.0,
            trigger: execution.trigger.as_str(),
            status: execution.status.as_str(),
            input: execution.input,
            result: execution.result,
            error: execution.error,
            step_count: execution.steps,
            tokens: execution.tokens.into(),
            created_at: execution.created_at,
            started_at: execution.started_at,
            ended_at: execution.ended_at,
        }
    }
}

/// A run of an agent loop, step by step.
#[derive(Serialize, ToSchema)]
pub struct ExecutionDetails {
    #[serde(flatten)]
    execution: ExecutionView,
    /// The call that waits for approval.
    pending_call: Option<PendingCall>,
    /// Its steps, in order.
    steps: Vec<StepView>,
}

/// A call that waits for approval.
#[derive(Serialize, ToSchema)]
pub struct PendingCall {
    step_id: Uuid,
    #[schema(example = "cancel_order")]
    tool: String,
    #[schema(value_type = Object)]
    arguments: Value,
}

/// A step: a turn of the model, or a call of a tool.
#[derive(Serialize, ToSchema)]
pub struct StepView {
    id: Uuid,
    /// Its place, from 1.
    number: u32,
    /// `model` or `tool`.
    #[serde(rename = "type")]
    #[schema(example = "tool")]
    kind: &'static str,
    /// `pending`, `waiting_for_approval`, `approved`, `running`, `done`, `failed`, `rejected` or `skipped`.
    #[schema(example = "done")]
    status: &'static str,
    /// The tool that was called.
    tool: Option<String>,
    /// With which arguments; words where the model sent no JSON object.
    #[schema(value_type = Option<Object>)]
    arguments: Option<Value>,
    /// What the model said, or what the tool answered, up to 16 KB.
    result: String,
    /// The model that was used.
    model: Option<String>,
    tokens: Option<TokensView>,
    /// How often it was begun: more than once where the server died over it.
    attempts: u32,
    #[serde(with = "time::serde::rfc3339::option")]
    started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    ended_at: Option<OffsetDateTime>,
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let (tool, arguments) = step.call.map(|call| (call.name, call.arguments)).unzip();
        Self {
            id: step.id.0,
            number: step.number,
            kind: step.kind.as_str(),
            status: step.status.as_str(),
            tool,
            arguments,
            result: step.text,
            model: step.model,
            tokens: step.tokens.map(TokensView::from),
            attempts: step.attempts,
            started_at: step.started_at,
            ended_at: step.ended_at,
        }
    }
}

impl From<(Execution, Vec<Step>)> for ExecutionDetails {
    fn from((execution, steps): (Execution, Vec<Step>)) -> Self {
        let waits = |step: &&Step| step.status == StepStatus::WaitingForApproval;
        let pending = steps.iter().find(waits).and_then(|step| {
            let call = step.call.clone()?;
            Some(PendingCall {
                step_id: step.id.0,
                tool: call.name,
                arguments: call.arguments,
            })
        });
        Self {
            execution: execution.into(),
            pending_call: pending,
            steps: steps.into_iter().map(StepView::from).collect(),
        }
    }
}

/// What an execution is about.
#[derive(Deserialize, ToSchema, Default)]
pub struct RunAgentLoop {
    /// Words, or any JSON (at most 32 KB)
    #[serde(default)]
    #[schema(value_type = Value)]
    input: Value,
}

impl JsonBody for RunAgentLoop {}

/// An approval.
#[derive(Deserialize, ToSchema, Default)]
pub struct ApproveCall {
    /// The step that is meant (default: the one that waits)
    step_id: Option<String>,
}

impl JsonBody for ApproveCall {}

/// A rejection.
#[derive(Deserialize, ToSchema, Default)]
pub struct RejectCall {
    /// The step that is meant (default: the one that waits)
    step_id: Option<String>,
    /// Why, which the model is told (at most 8000 characters)
    reason: Option<String>,
}

impl JsonBody for RejectCall {}

fn step_id(text: Option<&str>) -> Result<Option<StepId>> {
    let read = |text: &str| {
        StepId::parse(text).ok_or_else(|| {
            let problem = "The 'step_id' field must name the step that waits for approval.";
            Error::invalid("step_id", problem)
        })
    };
    text.map(read).transpose()
}

/// Which executions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListExecutions {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
    /// Only of this status
    status: Option<String>,
}

/// Run agent loop
///
/// Begins an execution in the background and answers it as it is then. Ask for it again to see how it goes, or have
/// `agent_loop.completed` sent to a webhook.
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop")), request_body = RunAgentLoop, responses((status = 201, body = envelope::Data<ExecutionView>), (status = 403)))]
#[post("/agent-loops/{agent_loop_id}/run")]
pub(super) async fn run(
    state: Data<State>,
    caller: Caller,
    agent_loop: Path<String>,
    id: OperationId,
    body: MaybeJson<RunAgentLoop>,
) -> PlatformResult<HttpResponse> {
    let begin = Begin {
        id: id.0.into(),
        loop_id: params::agent_loop_id(&agent_loop)?,
        input: body.0.unwrap_or_default().input,
    };
    let begun = executions::begin(&state.app, &caller.0, begin).await?;
    let view = ExecutionView::from(begun);
    Ok(envelope::data(StatusCode::CREATED, view))
}

/// List executions
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop"), ListExecutions), responses((status = 200, body = envelope::Listed<ExecutionView>)))]
#[get("/agent-loops/{agent_loop_id}/executions")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    agent_loop: Path<String>,
    query: Query<ListExecutions>,
) -> PlatformResult<HttpResponse> {
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let status = query.0.status.as_deref();
    let status = status.map(|word| ExecutionStatus::read("status", word));
    let (status, id) = (status.transpose()?, params::agent_loop_id(&agent_loop)?);
    let found = executions::list(&state.app, &caller.0, id, status, page).await?;
    Ok(envelope::listed(found, page, ExecutionView::from))
}

/// Get execution
///
/// With each step: the call, its arguments and result, tokens and times.
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop"), ("execution_id" = String, Path, description = "Unique identifier of the execution")), responses((status = 200, body = envelope::Data<ExecutionDetails>)))]
#[get("/agent-loops/{agent_loop_id}/executions/{execution_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
) -> PlatformResult<HttpResponse> {
    let (agent_loop, id) = ids(&path)?;
    let found = executions::get(&state.app, &caller.0, agent_loop, id).await?;
    Ok(details(found))
}

/// Cancel execution
///
/// It begins no further step. One that has ended stays as it is.
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop"), ("execution_id" = String, Path, description = "Unique identifier of the execution")), responses((status = 200, body = envelope::Data<ExecutionDetails>)))]
#[post("/agent-loops/{agent_loop_id}/executions/{execution_id}/cancel")]
pub(super) async fn cancel(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
) -> PlatformResult<HttpResponse> {
    let (agent_loop, id) = ids(&path)?;
    let cancelled = executions::cancel(&state.app, &caller.0, agent_loop, id).await?;
    Ok(details(cancelled))
}

/// Approve call
///
/// The call that waits is made, and the execution goes on.
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop"), ("execution_id" = String, Path, description = "Unique identifier of the execution")), request_body = ApproveCall, responses((status = 200, body = envelope::Data<ExecutionDetails>)))]
#[post("/agent-loops/{agent_loop_id}/executions/{execution_id}/approve")]
pub(super) async fn approve(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
    body: MaybeJson<ApproveCall>,
) -> PlatformResult<HttpResponse> {
    let (agent_loop, id) = ids(&path)?;
    let decision = Decision {
        step: step_id(body.0.unwrap_or_default().step_id.as_deref())?,
        approved: true,
        reason: None,
    };
    let decided = executions::decide(&state.app, &caller.0, agent_loop, id, decision).await?;
    Ok(details(decided))
}

/// Reject call
///
/// The call that waits is not made; the model is told so, and the execution goes on.
#[utoipa::path(tag = "Platform API: Agent loops", params(("agent_loop_id" = String, Path, description = "Unique identifier of the agent loop"), ("execution_id" = String, Path, description = "Unique identifier of the execution")), request_body = RejectCall, responses((status = 200, body = envelope::Data<ExecutionDetails>)))]
#[post("/agent-loops/{agent_loop_id}/executions/{execution_id}/reject")]
pub(super) async fn reject(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
    body: MaybeJson<RejectCall>,
) -> PlatformResult<HttpResponse> {
    let (agent_loop, id) = ids(&path)?;
    let body = body.0.unwrap_or_default();
    let decision = Decision {
        step: step_id(body.step_id.as_deref())?,
        approved: false,
        reason: body.reason,
    };
    let decided = executions::decide(&state.app, &caller.0, agent_loop, id, decision).await?;
    Ok(details(decided))
}

fn ids(path: &(String, String)) -> Result<(domain::AgentLoopId, domain::ExecutionId)> {
    Ok((
        params::agent_loop_id(&path.0)?,
        params::execution_id(&path.1)?,
    ))
}

fn details(found: (Execution, Vec<Step>)) -> HttpResponse {
    envelope::data(StatusCode::OK, ExecutionDetails::from(found))
}
