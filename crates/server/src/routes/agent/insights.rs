//! `/insights`.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use application::insights::{self as figures, Felt, Wanted};
use domain::conversations::Sentiment;
use domain::insights::{ProductFigures, QuestionFigures, SentimentScore};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::analytics::DaysQuery;
use super::{lists, words};
use crate::http::authentication::Caller;
use crate::http::error::ApiResult;
use crate::http::params::Query;
use crate::state::State;

/// How visitors felt.
#[derive(Serialize, ToSchema)]
pub struct AgentSentiment {
    /// Visitors' messages.
    total: u64,
    /// The average of their scores, -1 to 1.
    #[schema(example = 0.12)]
    score: f64,
    positive: AgentFelt,
    negative: AgentFelt,
    neutral: AgentFelt,
}

/// Messages of one sentiment.
#[derive(Serialize, ToSchema)]
pub struct AgentFelt {
    count: u64,
    /// The average of their scores, -1 to 1; 0 of none.
    #[schema(example = 0.61)]
    score: f64,
}

impl From<Felt> for AgentFelt {
    fn from(felt: Felt) -> Self {
        Self {
            count: felt.count,
            score: rounded(felt.score),
        }
    }
}

/// What visitors wanted.
#[derive(Serialize, ToSchema)]
pub struct AgentIntent {
    #[schema(example = "order_status")]
    intent: String,
    /// Its share of all that was wanted, 0 to 1; a message counts as much as its intent is sure.
    #[schema(example = 0.43)]
    score: f64,
    /// Messages that had it.
    count: u64,
}

impl From<Wanted> for AgentIntent {
    fn from(wanted: Wanted) -> Self {
        Self {
            intent: wanted.intent,
            score: thousandths(wanted.score),
            count: wanted.count,
        }
    }
}

/// A product that visitors spoke of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentProduct {
    /// Its id in the catalogue; null: it is in none, and was found by how it is written.
    product_id: Option<String>,
    #[schema(example = "Aurora Lamp")]
    name: String,
    /// Messages that speak of it.
    frequency: u64,
    /// Conversations that do.
    conversations: u64,
    /// `POSITIVE`, `NEGATIVE` or `NEUTRAL`, of those that had any.
    #[schema(example = "POSITIVE")]
    sentiment: String,
    /// The average of its scores, -1 to 1.
    score: f64,
    positive: u64,
    negative: u64,
    neutral: u64,
}

impl From<ProductFigures> for AgentProduct {
    fn from(figures: ProductFigures) -> Self {
        let tally = figures.tally.sentiment;
        Self {
            product_id: figures.product_id,
            name: figures.name,
            frequency: tally.count(),
            conversations: figures.conversations,
            sentiment: tally.overall().label().as_str().to_uppercase(),
            score: rounded(tally.mean()),
            positive: tally.positive,
            negative: tally.negative,
            neutral: tally.neutral,
        }
    }
}

/// Questions that ask the same.
#[derive(Serialize, ToSchema)]
pub struct AgentQuestion {
    /// One of them.
    #[schema(example = "Do you ship to Canada?")]
    question: String,
    /// How often it was asked.
    count: u64,
    /// How often the knowledge had the answer.
    answered: u64,
    /// How often it had none.
    unanswered: u64,
}

impl From<QuestionFigures> for AgentQuestion {
    fn from(figures: QuestionFigures) -> Self {
        Self {
            question: figures.question,
            count: figures.count,
            answered: figures.count.saturating_sub(figures.unanswered),
            unanswered: figures.unanswered,
        }
    }
}

fn rounded(score: SentimentScore) -> f64 {
    thousandths(score.score().into())
}

fn thousandths(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// Which days, and which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DaysPageQuery {
    /// The first day, as a date or a time (default: the first there is)
    from: Option<String>,
    /// The last day, as a date or a time (default: the last there is)
    to: Option<String>,
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 250)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250)]
    limit: Option<String>,
}

/// Get sentiment
///
/// Of visitors' messages, read within seconds of the bot's answer.
#[utoipa::path(tag = "Agent API", params(DaysQuery), responses((status = 200, body = AgentSentiment)))]
#[get("/insights/sentiment")]
pub(super) async fn get_sentiment(
    state: Data<State>,
    caller: Caller,
    query: Query<DaysQuery>,
) -> ApiResult<HttpResponse> {
    let days = query.0.days()?;
    let (all, each) = figures::sentiment(&state.app, &caller.0, days).await?;
    let of_label = |label: Sentiment| {
        let mut labelled = Sentiment::ALL.iter().zip(&each);
        let found = labelled.find(|(is, _)| **is == label);
        AgentFelt::from(found.map_or(Felt::default(), |(_, felt)| *felt))
    };
    Ok(HttpResponse::Ok().json(AgentSentiment {
        total: all.count,
        score: rounded(all.score),
        positive: of_label(Sentiment::Positive),
        negative: of_label(Sentiment::Negative),
        neutral: of_label(Sentiment::Neutral),
    }))
}

/// List intents
///
/// The three that visitors had most, by score.
#[utoipa::path(tag = "Agent API", params(DaysQuery), responses((status = 200, body = lists::AgentAll<AgentIntent>)))]
#[get("/insights/intents")]
pub(super) async fn list_intents(
    state: Data<State>,
    caller: Caller,
    query: Query<DaysQuery>,
) -> ApiResult<HttpResponse> {
    let found = figures::intents(&state.app, &caller.0, query.0.days()?).await?;
    Ok(lists::all(found.into_iter().map(AgentIntent::from)))
}

/// List products
///
/// Those that visitors spoke of, most frequent first: products of the bot's catalogue, or without one what is written
/// like a product in three conversations.
#[utoipa::path(tag = "Agent API", params(DaysPageQuery), responses((status = 200, body = lists::AgentList<AgentProduct>)))]
#[get("/insights/products")]
pub(super) async fn list_products(
    state: Data<State>,
    caller: Caller,
    query: Query<DaysPageQuery>,
) -> ApiResult<HttpResponse> {
    let query = query.0;
    let days = words::days(query.from.as_deref(), query.to.as_deref())?;
    let page = words::page(query.page.as_deref(), query.limit.as_deref())?;
    let found = figures::products(&state.app, &caller.0, days, page).await?;
    Ok(lists::page(found, page, AgentProduct::from))
}

/// List questions
///
/// Those that ask the same are one. Most unanswered first, then most asked.
#[utoipa::path(tag = "Agent API", params(DaysPageQuery), responses((status = 200, body = lists::AgentList<AgentQuestion>)))]
#[get("/insights/questions")]
pub(super) async fn list_questions(
    state: Data<State>,
    caller: Caller,
    query: Query<DaysPageQuery>,
) -> ApiResult<HttpResponse> {
    let query = query.0;
    let days = words::days(query.from.as_deref(), query.to.as_deref())?;
    let page = words::page(query.page.as_deref(), query.limit.as_deref())?;
    let found = figures::questions(&state.app, &caller.0, days, page).await?;
    Ok(lists::page(found, page, AgentQuestion::from))
}
