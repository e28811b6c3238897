//! `/integrations`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::bots;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{lists, words};
use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::state::State;

/// Something that the bot is connected with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentIntegration {
    id: Uuid,
    /// `CHANNEL`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// As `source` of its conversations.
    #[schema(example = "EMBED")]
    name: String,
    /// `ACTIVE`.
    status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// List integrations
///
/// The active ones: the bot's own channel, while the bot is active.
#[utoipa::path(tag = "Agent API", responses((status = 200, body = lists::AgentAll<AgentIntegration>)))]
#[get("/integrations")]
pub(super) async fn list(state: Data<State>, caller: Caller) -> ApiResult<HttpResponse> {
    let bot = bots::profile(&state.app, &caller.0).await?.bot;
    let channel = bot.is_active.then(|| AgentIntegration {
        id: bot.id.0,
        kind: "CHANNEL",
        name: words::source(bot.channel_type),
        status: "ACTIVE",
        created_at: bot.created_at,
    });
    Ok(lists::all(channel))
}
