//! `/bots/{bot_id}/embeddings`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use application::embeddings::{self, Changed, Comparison, Found};
use domain::embeddings::{EmbeddingProgress, EmbeddingState};
use domain::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::envelope;
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody, given};
use crate::http::error::ApiResult;
use crate::http::params::{self, Query};
use crate::state::State;

/// By which embeddings a bot is searched, and how far others are.
#[derive(Serialize, ToSchema)]
pub struct EmbeddingsView {
    /// The model that the bot is searched with; null: words alone.
    #[schema(example = "openai:text-embedding-3-small")]
    active: Option<String>,
    /// The one before, which can be gone back to.
    previous: Option<String>,
    /// Whether the bot stays with the active model, whatever other one is ready.
    held: bool,
    /// Every model that has begun with the bot's knowledge.
    models: Vec<ModelView>,
}

/// How far a model has come with a bot's knowledge.
#[derive(Serialize, ToSchema)]
struct ModelView {
    model: String,
    sources: u64,
    sources_done: u64,
    chunks: u64,
    chunks_done: u64,
    /// Why it goes no further for now.
    error: Option<String>,
}

impl From<EmbeddingState> for EmbeddingsView {
    fn from(state: EmbeddingState) -> Self {
        let model = |progress: EmbeddingProgress| ModelView {
            model: progress.model,
            sources: progress.sources,
            sources_done: progress.sources_done,
            chunks: progress.chunks,
            chunks_done: progress.chunks_done,
            error: progress.error,
        };
        Self {
            active: state.active,
            previous: state.previous,
            held: state.is_held,
            models: state.models.into_iter().map(model).collect(),
        }
    }
}

/// What the bot is searched with now, and another model, on the newest questions that were answered from knowledge.
#[derive(Serialize, ToSchema)]
pub struct ComparisonView {
    /// Questions that were compared.
    questions: usize,
    active: FoundView,
    other: FoundView,
    /// Questions for which another chunk comes first.
    changed: usize,
    /// Some of them.
    examples: Vec<ChangedView>,
}

/// How often the chunk that the answer was made from is found.
#[derive(Serialize, ToSchema)]
struct FoundView {
    first: usize,
    in_five: usize,
}

/// A question for which another chunk comes first.
#[derive(Serialize, ToSchema)]
struct ChangedView {
    question: String,
    before: Option<String>,
    after: Option<String>,
}

impl From<Comparison> for ComparisonView {
    fn from(comparison: Comparison) -> Self {
        let found = |found: Found| FoundView {
            first: found.first,
            in_five: found.in_five,
        };
        let changed = |changed: Changed| ChangedView {
            question: changed.question,
            before: changed.before,
            after: changed.after,
        };
        Self {
            questions: comparison.questions,
            active: found(comparison.active),
            other: found(comparison.other),
            changed: comparison.changed,
            examples: comparison.examples.into_iter().map(changed).collect(),
        }
    }
}

/// Which model to compare with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompareModel {
    /// A model that has embedded knowledge of the bot (default: words alone)
    model: Option<String>,
}

/// Which model to search with.
#[derive(Deserialize, ToSchema)]
pub struct SwitchModel {
    /// A model that has embedded knowledge of the bot; null: words alone
    #[serde(default, deserialize_with = "given")]
    #[schema(required, value_type = Option<String>)]
    model: Option<Option<String>>,
    /// Whether to stay with it, whatever other model is ready later (default: true)
    hold: Option<bool>,
}

impl JsonBody for SwitchModel {}

impl SwitchModel {
    fn read(self) -> Result<(Option<String>, bool)> {
        let model = self.model.ok_or_else(|| Error::missing("model"))?;
        Ok((model, self.hold.unwrap_or(true)))
    }
}

/// Get embeddings
#[utoipa::path(tag = "Tenant API: Knowledge", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), responses((status = 200, body = envelope::Data<EmbeddingsView>)))]
#[get("/bots/{bot_id}/embeddings")]
pub(super) async fn show(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let shown = embeddings::show(&state.app, caller.0.tenant_id(), bot).await?;
    Ok(envelope::data(StatusCode::OK, EmbeddingsView::from(shown)))
}

/// Compare embeddings
///
/// Searches for the bot's newest questions that were answered from knowledge, as it is searched now and by another
/// model: how often does each find the chunk that the answer was made from?
#[utoipa::path(tag = "Tenant API: Knowledge", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), CompareModel), responses((status = 200, body = envelope::Data<ComparisonView>)))]
#[get("/bots/{bot_id}/embeddings/comparison")]
pub(super) async fn compare(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    query: Query<CompareModel>,
) -> ApiResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let model = query.0.model.as_deref();
    let compared = embeddings::compare(&state.app, caller.0.tenant_id(), bot, model).await?;
    Ok(envelope::data(
        StatusCode::OK,
        ComparisonView::from(compared),
    ))
}

/// Switch embeddings
///
/// Searches the bot by another model from now on: the next one before it is taken up by itself, or the one before.
#[utoipa::path(tag = "Tenant API: Knowledge", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), request_body = SwitchModel, responses((status = 200, body = envelope::Data<EmbeddingsView>)))]
#[post("/bots/{bot_id}/embeddings")]
pub(super) async fn switch(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    body: Json<SwitchModel>,
) -> ApiResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let (model, hold) = body.0.read()?;
    let tenant = caller.0.tenant_id();
    let switched = embeddings::switch(&state.app, tenant, bot, model.as_deref(), hold).await?;
    Ok(envelope::data(
        StatusCode::OK,
        EmbeddingsView::from(switched),
    ))
}
