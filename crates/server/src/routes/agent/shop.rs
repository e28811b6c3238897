//! `/events`, `/orders` and `/analytics`: what a widget and a shop tell, and what it comes to.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use application::orders::NewOrder;
use application::{analytics, orders, visits};
use domain::analytics::Days;
use domain::orders::{Buyer, Currency, DailyRevenue, Order, read_currency};
use domain::text::required;
use domain::visits::{Visit, VisitKind};
use domain::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{lists, words};
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody};
use crate::http::error::ApiResult;
use crate::http::params::Query;
use crate::state::State;

/// What visitors did.
#[derive(Deserialize, ToSchema)]
pub struct EventsBody {
    /// 1 to 100 of them
    #[schema(required, nullable = false)]
    events: Option<Vec<EventBody>>,
}

/// What a visitor did.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventBody {
    /// The teller's own id for it (1 to 128 characters): one that was told before is not counted again
    #[schema(required, nullable = false)]
    id: Option<String>,
    /// chat_open, cart_add or checkout_start
    #[serde(rename = "type")]
    #[schema(required, nullable = false)]
    kind: Option<String>,
    /// When (default: now)
    timestamp: Option<String>,
    /// In which conversation
    conversation_id: Option<String>,
    /// The teller's own id for the person
    customer_id: Option<String>,
    /// With what
    product: Option<String>,
}

impl JsonBody for EventsBody {}

impl EventBody {
    fn read(self, now: Timestamp) -> Result<Visit> {
        let conversation = self.conversation_id.as_deref();
        Ok(Visit {
            event_id: required("id", self.id)?,
            kind: VisitKind::read("type", &required("type", self.kind)?)?,
            occurred_at: words::moment("timestamp", self.timestamp.as_deref())?.unwrap_or(now),
            conversation_id: conversation.map(words::conversation_id).transpose()?,
            customer: self.customer_id,
            product: self.product,
        })
    }
}

/// How many events were taken.
#[derive(Serialize, ToSchema)]
pub struct EventsTaken {
    /// Events in the request.
    received: usize,
    /// Those that were not told before.
    recorded: u64,
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

/// An order to keep.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderBody {
    /// The shop's own id for it (1 to 128 characters): one that was told before is answered as it was kept
    #[schema(required, nullable = false)]
    external_id: Option<String>,
    /// A whole number in the currency's smallest unit, or words such as "12.50"
    #[schema(required, nullable = false)]
    amount: Option<Amount>,
    /// Three letters (ISO 4217)
    #[schema(required, nullable = false)]
    currency: Option<String>,
    /// Who ordered
    #[serde(default)]
    customer: BuyerBody,
    /// The conversation that led to it (default: the customer's latest of the last seven days)
    conversation_id: Option<String>,
    /// When it was made (default: now)
    ordered_at: Option<String>,
}

/// An amount as shops write it.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Amount {
    Smallest(i64),
    Words(String),
}

/// Who ordered.
#[derive(Deserialize, ToSchema, Default)]
pub struct BuyerBody {
    /// As `identity.id` in the chat
    id: Option<String>,
    /// E-mail address
    email: Option<String>,
    /// Name
    name: Option<String>,
}

impl JsonBody for OrderBody {}

impl Amount {
    fn read(self, currency: Currency) -> Result<i64> {
        match self {
            Self::Smallest(amount) => Ok(amount),
            Self::Words(text) => currency.amount(&text).ok_or_else(|| {
                Error::invalid(
                    "amount",
                    "The 'amount' field must be a whole number in the currency's smallest unit, or words such as \
                     \"12.50\" with no more digits than the currency has.",
                )
            }),
        }
    }
}

impl OrderBody {
    fn read(self) -> Result<NewOrder> {
        let external_id = required("externalId", self.external_id)?;
        let amount = self.amount.ok_or_else(|| Error::missing("amount"))?;
        let currency = read_currency(&required("currency", self.currency)?)?;
        let conversation = self.conversation_id.as_deref();
        Ok(NewOrder {
            external_id,
            amount: amount.read(currency)?,
            currency,
            buyer: Buyer {
                id: self.customer.id,
                email: self.customer.email,
                name: self.customer.name,
            },
            conversation_id: conversation.map(words::conversation_id).transpose()?,
            ordered_at: words::moment("orderedAt", self.ordered_at.as_deref())?,
        })
    }
}

/// An order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentOrder {
    id: Uuid,
    external_id: String,
    #[schema(example = "12.50")]
    amount: String,
    /// The amount in the currency's smallest unit.
    amount_minor: i64,
    #[schema(example = "EUR")]
    currency: String,
    customer: OrderCustomer,
    /// The conversation that led to it. It may be gone.
    conversation_id: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339")]
    ordered_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// Who ordered, as far as the shop says.
#[derive(Serialize, ToSchema)]
pub struct OrderCustomer {
    id: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

impl From<Order> for AgentOrder {
    fn from(order: Order) -> Self {
        Self {
            id: order.id.0,
            external_id: order.external_id,
            amount: order.currency.words(order.amount),
            amount_minor: order.amount,
            currency: order.currency.as_str().to_owned(),
            customer: OrderCustomer {
                id: order.buyer.id,
                email: order.buyer.email,
                name: order.buyer.name,
            },
            conversation_id: order.conversation_id.map(|id| id.0),
            ordered_at: order.ordered_at,
            created_at: order.created_at,
        }
    }
}

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

/// Which orders.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListOrders {
    /// Orders before the first one (default: 0)
    #[param(value_type = Option<u32>, minimum = 0)]
    skip: Option<String>,
    /// The most orders (default: 20, max: 250)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250)]
    take: Option<String>,
}

/// Record events
///
/// What visitors do beside writing. Events that were told before are not counted again.
#[utoipa::path(tag = "Agent API", request_body = EventsBody, responses((status = 200, body = EventsTaken), (status = 404)))]
#[post("/events")]
pub(super) async fn record_events(
    state: Data<State>,
    caller: Caller,
    body: Json<EventsBody>,
) -> ApiResult<HttpResponse> {
    let now = state.app.clock.now();
    let events = body.0.events.ok_or_else(|| Error::missing("events"))?;
    let read = events.into_iter().map(|event| event.read(now));
    let told: Vec<_> = read.collect::<Result<_>>()?;
    let recorded = visits::record(&state.app, &caller.0, &told).await?;
    Ok(HttpResponse::Ok().json(EventsTaken {
        received: told.len(),
        recorded,
    }))
}

/// Get analytics
#[utoipa::path(tag = "Agent API", params(DaysQuery), responses((status = 200, body = AgentAnalytics)))]
#[get("/analytics")]
pub(super) async fn get_analytics(
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

/// Record order
///
/// Attributed to the conversation that is named, or to the customer's latest, if it had a message in the seven days
/// before. An order that was told before is answered as it was kept, with 200.
#[utoipa::path(tag = "Agent API", request_body = OrderBody, responses((status = 201, body = AgentOrder), (status = 200, body = AgentOrder), (status = 404)))]
#[post("/orders")]
pub(super) async fn record_order(
    state: Data<State>,
    caller: Caller,
    body: Json<OrderBody>,
) -> ApiResult<HttpResponse> {
    let (order, is_new) = orders::record(&state.app, &caller.0, body.0.read()?).await?;
    let mut answer = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(answer.json(AgentOrder::from(order)))
}

/// List orders
///
/// Newest first.
#[utoipa::path(tag = "Agent API", params(ListOrders), responses((status = 200, body = lists::AgentPart<AgentOrder>)))]
#[get("/orders")]
pub(super) async fn list_orders(
    state: Data<State>,
    caller: Caller,
    query: Query<ListOrders>,
) -> ApiResult<HttpResponse> {
    let part = words::part(query.0.skip.as_deref(), query.0.take.as_deref())?;
    let orders = orders::list(&state.app, &caller.0, part).await?;
    Ok(lists::part(orders, part, AgentOrder::from))
}
