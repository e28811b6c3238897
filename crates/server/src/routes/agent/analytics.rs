//! `/analytics`: what happened around the bot, and what it came to.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::{analytics, orders};
use domain::Result;
use domain::analytics::Days;
use domain::orders::DailyRevenue;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::words;
use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::http::params::Query;
use crate::state::State;

/// Which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DaysQuery {
    /// The first day, as a date or a time (default: the first there is)
    from: Option<String>,
    /// The last day, as a date or a time (default: the last there is)
    to: Option<String>,
}

impl DaysQuery {
    /// The days.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub(super) fn days(&self) -> Result<Days> {
        words::days(self.from.as_deref(), self.to.as_deref())
    }
}

/// What happened around the bot.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentAnalytics {
    chat_opens: u64,
    conversations: u64,
    messages: u64,
    /// People who began a conversation.
    unique_users: u64,
    cart_adds: u64,
    checkout_initiations: u64,
    feedback: FeedbackCounts,
}

/// How often people thought something of a message.
#[derive(Serialize, ToSchema)]
pub struct FeedbackCounts {
    positive: u64,
    negative: u64,
}

/// What orders came to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentRevenue {
    #[serde(flatten)]
    most: AgentCurrencyRevenue,
    /// The same of other currencies, where there are orders in several.
    other_currencies: Vec<AgentCurrencyRevenue>,
}

/// What orders of one currency came to.
#[derive(Serialize, ToSchema, Default)]
#[serde(rename_all = "camelCase")]
pub struct AgentCurrencyRevenue {
    #[schema(example = "1249.90")]
    total_revenue: String,
    order_count: u64,
    /// The currency with most orders; null: there is no order.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// Days that have an order (UTC), oldest first.
    daily: Vec<AgentDailyRevenue>,
}

/// What orders of a day came to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentDailyRevenue {
    #[schema(example = "2026-01-31")]
    date: String,
    revenue: String,
    order_count: u64,
}

impl From<DailyRevenue> for AgentDailyRevenue {
    fn from(day: DailyRevenue) -> Self {
        Self {
            date: day.day.to_string(),
            revenue: day.currency.words(day.amount),
            order_count: day.orders,
        }
    }
}

impl From<orders::Revenue> for AgentCurrencyRevenue {
    fn from(revenue: orders::Revenue) -> Self {
        Self {
            total_revenue: revenue.currency.words(revenue.amount),
            order_count: revenue.orders,
            currency: Some(revenue.currency.as_str().to_owned()),
            daily: revenue.days.into_iter().map(Into::into).collect(),
        }
    }
}

/// Get analytics
#[utoipa::path(tag = "Agent API", params(DaysQuery), responses((status = 200, body = AgentAnalytics)))]
#[get("/analytics")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    query: Query<DaysQuery>,
) -> ApiResult<HttpResponse> {
    let days = query.0.days()?;
    let activity = analytics::activity(&state.app, &caller.0, days).await?;
    Ok(HttpResponse::Ok().json(AgentAnalytics {
        chat_opens: activity.chat_opens,
        conversations: activity.conversations,
        messages: activity.messages,
        unique_users: activity.people,
        cart_adds: activity.cart_adds,
        checkout_initiations: activity.checkout_starts,
        feedback: FeedbackCounts {
            positive: activity.positive_feedback,
            negative: activity.negative_feedback,
        },
    }))
}

/// Get revenue
#[utoipa::path(tag = "Agent API", params(DaysQuery), responses((status = 200, body = AgentRevenue)))]
#[get("/analytics/revenue")]
pub(super) async fn get_revenue(
    state: Data<State>,
    caller: Caller,
    query: Query<DaysQuery>,
) -> ApiResult<HttpResponse> {
    let days = query.0.days()?;
    let all = orders::revenue(&state.app, &caller.0, days).await?;
    let mut views = all.into_iter().map(AgentCurrencyRevenue::from);
    let most = views.next().unwrap_or_else(|| AgentCurrencyRevenue {
        total_revenue: "0".to_owned(),
        ..AgentCurrencyRevenue::default()
    });
    Ok(HttpResponse::Ok().json(AgentRevenue {
        most,
        other_currencies: views.collect(),
    }))
}
