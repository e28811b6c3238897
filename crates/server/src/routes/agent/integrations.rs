//! `/integrations`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::bots;
use domain::channels::Channel;
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
    /// As `source` of its conversations: one of several connected channels is known by its id.
    #[schema(example = "EMBED")]
    name: String,
    /// `ACTIVE`.
    status: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Channel> for AgentIntegration {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id.0,
            kind: "CHANNEL",
            name: words::source(channel.kind()),
            status: "ACTIVE",
            created_at: channel.created_at,
        }
    }
}

/// List integrations
///
/// The active ones: the bot's own channel, and those that it is connected with, while the bot is active.
#[utoipa::path(tag = "Agent API", responses((status = 200, body = lists::AgentAll<AgentIntegration>)))]
#[get("/integrations")]
pub(super) async fn list(state: Data<State>, caller: Caller) -> ApiResult<HttpResponse> {
    let bot = bots::profile(&state.app, &caller.0).await?.bot;
    if !bot.is_active {
        return Ok(lists::all(Vec::<AgentIntegration>::new()));
    }
    let own = AgentIntegration {
        id: bot.id.0,
        kind: "CHANNEL",
        name: words::source(bot.channel_type),
        status: "ACTIVE",
        created_at: bot.created_at,
    };
    let connected = application::channels::active(&state.app, &caller.0).await?;
    let connected = connected.into_iter().map(AgentIntegration::from);
    Ok(lists::all(std::iter::once(own).chain(connected)))
}
