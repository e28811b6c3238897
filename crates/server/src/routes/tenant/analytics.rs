//! `/analytics`.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::analytics::{self, DEFAULT_PERIOD};
use domain::bots::Bot;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::envelope;
use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::http::params::{self, Query};
use crate::state::State;

/// A tenant at a glance.
#[derive(Serialize, ToSchema)]
pub struct OverviewView {
    total_bots: usize,
    /// Conversations begun in the period.
    total_conversations: u64,
    /// Messages of the period.
    total_messages: u64,
    /// Conversations that are active now.
    active_conversations: u64,
    period_days: u32,
    bots: Vec<BotSummary>,
}

#[derive(Serialize, ToSchema)]
struct BotSummary {
    id: Uuid,
    name: String,
    channel_type: &'static str,
    is_active: bool,
}

impl From<Bot> for BotSummary {
    fn from(bot: Bot) -> Self {
        Self {
            id: bot.id.0,
            name: bot.name,
            channel_type: bot.channel_type.as_str(),
            is_active: bot.is_active,
        }
    }
}

/// Conversations begun in the period.
#[derive(Serialize, ToSchema)]
pub struct ConversationAnalyticsView {
    total_conversations: u64,
    period_days: u32,
    breakdown: Breakdown,
}

#[derive(Serialize, ToSchema)]
struct Breakdown {
    #[schema(value_type = BTreeMap<String, u64>)]
    by_channel: BTreeMap<&'static str, u64>,
    #[schema(value_type = BTreeMap<String, u64>)]
    by_status: BTreeMap<&'static str, u64>,
    /// Every day of the period (UTC), as `2026-01-31`.
    by_day: BTreeMap<String, u64>,
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OverviewQuery {
    /// Number of days to analyze (default: 30)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 365)]
    period: Option<String>,
}

/// Which days, of which bot.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConversationsQuery {
    /// Number of days to analyze (default: 30)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 365)]
    period: Option<String>,
    /// Filter by specific bot
    bot_id: Option<String>,
}

/// Get analytics overview
#[utoipa::path(tag = "Tenant API: Analytics", params(OverviewQuery), responses((status = 200, body = envelope::Data<OverviewView>)))]
#[get("/analytics/overview")]
pub(super) async fn overview(
    state: Data<State>,
    caller: Caller,
    query: Query<OverviewQuery>,
) -> ApiResult<HttpResponse> {
    let period = params::number("period", query.0.period.as_deref())?.unwrap_or(DEFAULT_PERIOD);
    let overview = analytics::overview(&state.app, &caller.0, period).await?;
    let view = OverviewView {
        total_bots: overview.bots.len(),
        total_conversations: overview.totals.conversations,
        total_messages: overview.totals.messages,
        active_conversations: overview.totals.active_conversations,
        period_days: period,
        bots: overview.bots.into_iter().map(BotSummary::from).collect(),
    };
    Ok(envelope::data(StatusCode::OK, view))
}

/// Get conversation analytics
#[utoipa::path(tag = "Tenant API: Analytics", params(ConversationsQuery), responses((status = 200, body = envelope::Data<ConversationAnalyticsView>)))]
#[get("/analytics/conversations")]
pub(super) async fn conversations(
    state: Data<State>,
    caller: Caller,
    query: Query<ConversationsQuery>,
) -> ApiResult<HttpResponse> {
    let period = params::number("period", query.0.period.as_deref())?.unwrap_or(DEFAULT_PERIOD);
    let bot = params::bot_filter(query.0.bot_id.as_deref());
    let figures = analytics::conversations(&state.app, &caller.0, bot, period).await?;
    let view = ConversationAnalyticsView {
        total_conversations: figures.total,
        period_days: period,
        breakdown: Breakdown {
            by_channel: figures.by_channel,
            by_status: figures.by_status,
            by_day: figures
                .by_day
                .into_iter()
                .map(|(day, count)| (day.to_string(), count))
                .collect(),
        },
    };
    Ok(envelope::data(StatusCode::OK, view))
}
