//! Integrations: a bot's connections to its owner's models.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use application::connections::{self, Tested};
use domain::Result;
use domain::connections::{
    Connection, ConnectionChanges, ConnectionKind, ConnectionStatus, Credential, NewConnection,
};
use domain::text::required;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::PlatformResult;
use crate::http::authentication::Caller;
use crate::http::body::{JsonBody, given, not_null};
use crate::http::idempotency::OperationId;
use crate::http::params;
use crate::routes::platform::body::{Json, Query};
use crate::routes::tenant::envelope;
use crate::state::State;

/// An integration. Its key is never shown.
#[derive(Serialize, ToSchema)]
pub struct IntegrationView {
    id: Uuid,
    bot_id: Uuid,
    #[schema(example = "Our models")]
    name: String,
    /// `openai` (anything compatible), `anthropic`, `ollama` or `webhook`.
    #[schema(example = "openai")]
    kind: &'static str,
    /// Null: the provider's own.
    base_url: Option<String>,
    /// Null: the provider's own choice.
    model: Option<String>,
    /// Whether there is a key.
    has_api_key: bool,
    enabled: bool,
    /// `active`, `failed` (three times in a row; others answer, and it is tried once a minute) or `disabled`.
    #[schema(example = "active")]
    status: &'static str,
    /// What went wrong last.
    error: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Connection> for IntegrationView {
    fn from(connection: Connection) -> Self {
        Self {
            id: connection.id.0,
            bot_id: connection.bot_id.0,
            status: ConnectionStatus::as_str(connection.status()),
            name: connection.name,
            kind: connection.kind.as_str(),
            base_url: connection.base_url,
            model: connection.model,
            has_api_key: connection.credential.is_some(),
            enabled: connection.enabled,
            error: connection.error,
            created_at: connection.created_at,
            updated_at: connection.updated_at,
        }
    }
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
pub struct TestView {
    /// Whether it answered.
    ok: bool,
    /// What it answered.
    answer: Option<String>,
    /// The model that answered, where it says so.
    model: Option<String>,
    /// Why it did not.
    error: Option<String>,
    /// Milliseconds.
    took_ms: u64,
}

impl From<Tested> for TestView {
    fn from(tested: Tested) -> Self {
        let (answer, error) = match tested.answer {
            Ok(answer) => (Some(answer), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            ok: error.is_none(),
            answer,
            model: tested.model,
            error,
            took_ms: tested.took_ms,
        }
    }
}

/// An integration to be made. Null counts as absent.
#[derive(Deserialize, ToSchema)]
pub struct CreateIntegration {
    /// Its name (1 to 200 characters)
    #[schema(required, nullable = false)]
    name: Option<String>,
    /// `openai` (anything compatible), `anthropic`, `ollama` or `webhook`
    #[schema(required, nullable = false)]
    kind: Option<String>,
    /// Where it is (default: the provider's own address; `ollama` and `webhook` have none)
    base_url: Option<String>,
    /// The model (default: the provider's own choice; `ollama` has none)
    model: Option<String>,
    /// The key; of a `webhook` the secret that requests are signed with. Stored encrypted, never shown
    api_key: Option<String>,
    /// Whether the bot answers by it (default: true)
    enabled: Option<bool>,
}

impl JsonBody for CreateIntegration {}

impl CreateIntegration {
    fn read(self) -> Result<NewConnection> {
        Ok(NewConnection {
            name: required("name", self.name)?,
            kind: ConnectionKind::read("kind", &required("kind", self.kind)?)?,
            base_url: self.base_url,
            model: self.model,
            credential: self.api_key.as_deref().map(Credential::read).transpose()?,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

/// A change to an integration: only the fields given change, and null clears an optional one.
#[derive(Deserialize, ToSchema)]
pub struct UpdateIntegration {
    /// New name
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// New address; the key must come along
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    base_url: Option<Option<String>>,
    /// New model
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    model: Option<Option<String>>,
    /// New key
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    api_key: Option<Option<String>>,
    /// Whether the bot answers by it
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    enabled: Option<Option<bool>>,
}

impl JsonBody for UpdateIntegration {}

impl UpdateIntegration {
    fn read(self) -> Result<ConnectionChanges> {
        let credential = self
            .api_key
            .map(|key| key.as_deref().map(Credential::read).transpose());
        Ok(ConnectionChanges {
            name: self.name.map(|name| required("name", name)).transpose()?,
            base_url: self.base_url,
            model: self.model,
            credential: credential.transpose()?,
            enabled: not_null("enabled", self.enabled)?,
        })
    }
}

/// Which page of a bot's integrations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListIntegrations {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

/// List integrations
///
/// In the order in which the bot answers by them.
#[utoipa::path(tag = "Platform API: Integrations", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), ListIntegrations), responses((status = 200, body = envelope::Listed<IntegrationView>)))]
#[get("/bots/{bot_id}/integrations")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    query: Query<ListIntegrations>,
) -> PlatformResult<HttpResponse> {
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let all = connections::list(&state.app, &caller.0, params::bot_id(&bot_id)?).await?;
    let found = page.of(all);
    Ok(envelope::listed(found, page, IntegrationView::from))
}

/// Create integration
///
/// The bot answers by its integrations before the operator's provider.
#[utoipa::path(tag = "Platform API: Integrations", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), request_body = CreateIntegration, responses((status = 201, body = envelope::Data<IntegrationView>)))]
#[post("/bots/{bot_id}/integrations")]
pub(super) async fn create(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    id: OperationId,
    body: Json<CreateIntegration>,
) -> PlatformResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let new = body.0.read()?;
    let made = connections::create(&state.app, &caller.0, bot, id.0.into(), new).await?;
    let view = IntegrationView::from(made);
    Ok(envelope::data(StatusCode::CREATED, view))
}

/// Get integration
#[utoipa::path(tag = "Platform API: Integrations", params(("integration_id" = String, Path, description = "Unique identifier of the integration")), responses((status = 200, body = envelope::Data<IntegrationView>)))]
#[get("/integrations/{integration_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    integration_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::connection_id(&integration_id)?;
    let found = connections::get(&state.app, &caller.0, id).await?;
    let view = IntegrationView::from(found);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Update integration
#[utoipa::path(tag = "Platform API: Integrations", params(("integration_id" = String, Path, description = "Unique identifier of the integration")), request_body = UpdateIntegration, responses((status = 200, body = envelope::Data<IntegrationView>)))]
#[patch("/integrations/{integration_id}")]
pub(super) async fn update(
    state: Data<State>,
    caller: Caller,
    integration_id: Path<String>,
    body: Json<UpdateIntegration>,
) -> PlatformResult<HttpResponse> {
    let id = params::connection_id(&integration_id)?;
    let changes = body.0.read()?;
    let changed = connections::update(&state.app, &caller.0, id, changes).await?;
    let view = IntegrationView::from(changed);
    Ok(envelope::data(StatusCode::OK, view))
}

/// Delete integration
#[utoipa::path(tag = "Platform API: Integrations", params(("integration_id" = String, Path, description = "Unique identifier of the integration")), responses((status = 200, body = envelope::Done)))]
#[delete("/integrations/{integration_id}")]
pub(super) async fn delete(
    state: Data<State>,
    caller: Caller,
    integration_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::connection_id(&integration_id)?;
    connections::delete(&state.app, &caller.0, id).await?;
    Ok(envelope::done(
        "Integration deleted successfully".to_owned(),
    ))
}

/// Test integration
///
/// Asks it something. An integration that had failed and answers is used again at once.
#[utoipa::path(tag = "Platform API: Integrations", params(("integration_id" = String, Path, description = "Unique identifier of the integration")), responses((status = 200, body = envelope::Data<TestView>)))]
#[post("/integrations/{integration_id}/test")]
pub(super) async fn test(
    state: Data<State>,
    caller: Caller,
    integration_id: Path<String>,
) -> PlatformResult<HttpResponse> {
    let id = params::connection_id(&integration_id)?;
    let tested = connections::test(&state.app, &caller.0, id).await?;
    let view = TestView::from(tested);
    Ok(envelope::data(StatusCode::OK, view))
}
