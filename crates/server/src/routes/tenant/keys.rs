//! `/bots/{bot_id}/api-keys`: the keys that open one bot, for the Agent API.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post};
use application::tenants;
use domain::keys::ApiKey;
use domain::text::required;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::envelope;
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody};
use crate::http::error::{ApiError, ApiResult};
use crate::http::idempotency::Secret;
use crate::http::params;
use crate::state::State;

/// A key of a bot.
#[derive(Serialize, ToSchema)]
pub struct BotKeyView {
    id: Uuid,
    bot_id: Option<Uuid>,
    name: String,
    /// The first characters of the key.
    #[schema(example = "tb_pk_0aB1cD2e")]
    prefix: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    revoked_at: Option<OffsetDateTime>,
}

impl From<ApiKey> for BotKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.0,
            bot_id: key.bot_id.map(|id| id.0),
            name: key.name,
            prefix: key.prefix,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub struct NewBotKeyView {
    #[serde(flatten)]
    key: BotKeyView,
    /// The key itself, shown this once.
    api_key: String,
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
pub struct NewBotKeyBody {
    /// What to call it (1 to 200 characters)
    #[schema(required, nullable = false)]
    name: Option<String>,
}

impl JsonBody for NewBotKeyBody {}

/// Create bot API key
///
/// The key opens this bot alone, for the Agent API under `/v1`. It is shown this once.
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique bot identifier")), request_body = NewBotKeyBody, responses((status = 201, body = envelope::Data<NewBotKeyView>)))]
#[post("/bots/{bot_id}/api-keys")]
pub(super) async fn create(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    body: Json<NewBotKeyBody>,
) -> ApiResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let name = required("name", body.0.name).map_err(ApiError::when("creating an API key"))?;
    let (key, secret) = tenants::create_bot_key(&state.app, &caller.0, bot, &name).await?;
    let view = NewBotKeyView {
        key: key.into(),
        api_key: secret.reveal().to_owned(),
    };
    let mut answer = envelope::data(StatusCode::CREATED, view);
    answer.extensions_mut().insert(Secret);
    Ok(answer)
}

/// List bot API keys
///
/// Newest first, revoked ones included.
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique bot identifier")), responses((status = 200, body = envelope::Data<Vec<BotKeyView>>)))]
#[get("/bots/{bot_id}/api-keys")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
) -> ApiResult<HttpResponse> {
    let bot = params::bot_id(&bot_id)?;
    let keys = tenants::list_bot_keys(&state.app, &caller.0, bot).await?;
    let views: Vec<_> = keys.into_iter().map(BotKeyView::from).collect();
    Ok(envelope::data(StatusCode::OK, views))
}

/// Revoke bot API key
///
/// Within five seconds it opens nothing more.
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique bot identifier"), ("key_id" = String, Path, description = "Unique key identifier")), responses((status = 200, body = envelope::Done)))]
#[delete("/bots/{bot_id}/api-keys/{key_id}")]
pub(super) async fn revoke(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    let (bot, key) = (params::bot_id(&path.0)?, params::key_id(&path.1)?);
    tenants::revoke_bot_key(&state.app, &caller.0, bot, key).await?;
    Ok(envelope::done("API key revoked"))
}
