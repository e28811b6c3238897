//! `/integrations`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::{bots, orders};
use domain::channels::Channel;
use domain::orders::Order;
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
    /// `CHANNEL` or `ECOMMERCE`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// A channel's as `source` of its conversations: one of several connected channels is known by its id. A shop's
    /// is `SHOP`.
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

impl From<Order> for AgentIntegration {
    fn from(order: Order) -> Self {
        Self {
            id: order.id.0,
            kind: "ECOMMERCE",
            name: "SHOP".to_owned(),
            status: "ACTIVE",
            created_at: order.created_at,
        }
    }
}

/// List integrations
///
/// The active ones, while the bot is active: its own channel, those that it is connected with, and the shop, once that
/// has told of an order.
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
    let shop = orders::first(&state.app, &caller.0).await?;
    let shop = shop.map(AgentIntegration::from);
    Ok(lists::all(
        std::iter::once(own).chain(connected).chain(shop),
    ))
}
