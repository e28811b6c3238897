//! `/orders`: what a shop sold.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use application::orders::{self, NewOrder};
use domain::orders::{Buyer, Currency, Order, read_currency};
use domain::text::required;
use domain::{Error, Result};
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

/// Record order
///
/// Attributed to the conversation that is named, or to the customer's latest, if it had a message in the seven days
/// before. An order that was told before is answered as it was kept, with 200.
#[utoipa::path(tag = "Agent API", request_body = OrderBody, responses((status = 201, body = AgentOrder), (status = 200, body = AgentOrder), (status = 404)))]
#[post("/orders")]
pub(super) async fn record(
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
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    query: Query<ListOrders>,
) -> ApiResult<HttpResponse> {
    let part = words::part(query.0.skip.as_deref(), query.0.take.as_deref())?;
    let orders = orders::list(&state.app, &caller.0, part).await?;
    Ok(lists::part(orders, part, AgentOrder::from))
}
