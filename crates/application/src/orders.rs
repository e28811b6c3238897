//! Orders that a shop tells of, and what they came to.

use domain::actors::Actor;
use domain::analytics::Days;
use domain::orders::{AMOUNT_MAX, Buyer, Currency, DailyRevenue, EXTERNAL_ID_MAX, Order};
use domain::paging::{Page, PageRequest};
use domain::text::END_USER_FIELD_MAX;
use domain::{ConversationId, Error, Result, Timestamp, leads};

use crate::App;
use crate::visits::fits;

/// An order as a shop tells it.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// See [`Order::external_id`].
    pub external_id: String,
    /// See [`Order::amount`].
    pub amount: i64,
    /// See [`Order::currency`].
    pub currency: Currency,
    /// Who ordered; the address in any case.
    pub buyer: Buyer,
    /// The conversation that led to it, where the shop knows it.
    pub conversation_id: Option<ConversationId>,
    /// When it was made; `None`: now.
    pub ordered_at: Option<Timestamp>,
}

/// Keeps an order of the actor's bot; answers it, and whether it is new.
///
/// # Errors
/// [`Error::Invalid`]: an amount that is negative or too large, a field that is too long, or an address that can't be one;
/// [`Error::NotFound`]: the conversation is not the bot's.
#[tracing::instrument(level = "debug", name = "orders.record", skip_all)]
pub async fn record(app: &App, actor: &Actor, order: NewOrder) -> Result<(Order, bool)> {
    fits("externalId", Some(&order.external_id), EXTERNAL_ID_MAX)?;
    fits("id", order.buyer.id.as_deref(), END_USER_FIELD_MAX)?;
    fits("name", order.buyer.name.as_deref(), END_USER_FIELD_MAX)?;
    if !(0..=AMOUNT_MAX).contains(&order.amount) {
        return Err(Error::invalid(
            "amount",
            format!(
                "The 'amount' field must be 0 to {AMOUNT_MAX} of the currency's smallest unit."
            ),
        ));
    }
    let email = match order.buyer.email.as_deref() {
        None => None,
        Some(text) => Some(leads::read_email(text)?),
    };
    let now = app.clock.now();
    let order = Order {
        id: app.ids.uuid().into(),
        external_id: order.external_id,
        amount: order.amount,
        currency: order.currency,
        buyer: Buyer {
            email,
            ..order.buyer
        },
        conversation_id: order.conversation_id,
        ordered_at: order.ordered_at.unwrap_or(now),
        created_at: now,
    };
    app.orders
        .record(actor.tenant_id(), actor.bot_id()?, &order)
        .await
}

/// A page of the orders of the actor's bot, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "orders.list", skip_all)]
pub async fn list(app: &App, actor: &Actor, page: PageRequest) -> Result<Page<Order>> {
    app.orders
        .list(actor.tenant_id(), actor.bot_id()?, page)
        .await
}

/// The order of the actor's bot that was made first: a shop is connected with the bot since it was told.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "orders.first", skip_all)]
pub async fn first(app: &App, actor: &Actor) -> Result<Option<Order>> {
    app.orders.first(actor.tenant_id(), actor.bot_id()?).await
}

/// What orders came to, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revenue {
    /// The currency.
    pub currency: Currency,
    /// The sum, in its smallest unit.
    pub amount: i64,
    /// How many orders.
    pub orders: u64,
    /// Day by day, oldest first, without days that have no order.
    pub days: Vec<DailyRevenue>,
}

/// What the orders of the actor's bot came to, the currency with most orders first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "orders.revenue", skip_all)]
pub async fn revenue(app: &App, actor: &Actor, days: Days) -> Result<Vec<Revenue>> {
    let daily = app
        .orders
        .revenue(actor.tenant_id(), actor.bot_id()?, days)
        .await?;
    let mut all: Vec<Revenue> = Vec::new();
    for day in daily {
        let place = all.iter().position(|sum| sum.currency == day.currency);
        let place = place.unwrap_or_else(|| {
            all.push(Revenue {
                currency: day.currency,
                amount: 0,
                orders: 0,
                days: Vec::new(),
            });
            all.len() - 1
        });
        if let Some(sum) = all.get_mut(place) {
            sum.amount = sum.amount.saturating_add(day.amount);
            sum.orders += day.orders;
            sum.days.push(day);
        }
    }
    all.sort_by_key(|sum| (std::cmp::Reverse(sum.orders), sum.currency));
    Ok(all)
}
