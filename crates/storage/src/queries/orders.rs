use async_trait::async_trait;
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use domain::analytics::Days;
use domain::orders::{ATTRIBUTION_WINDOW, Buyer, Currency, DailyRevenue, Order, Orders};
use domain::paging::{Page, PageRequest};
use domain::{BotId, ConversationId, Error, Resource, Result, TenantId};
use time::Date;

use super::engine::{Conn, Db, Store};
use super::statistics::day;
use super::{count, run};
use crate::fault::{Fault, Meaning};
use crate::schema::functions::coalesce;
use crate::schema::{conversations, end_users, leads, orders};
use crate::types::{Key, Moment, key};

#[async_trait]
impl Orders for Store {
    async fn record(&self, tenant: TenantId, bot: BotId, order: &Order) -> Result<(Order, bool)> {
        run!(self.write("orders.record", tenant), [order], |conn| {
            record(conn, tenant, bot, &order)
        })
    }

    async fn list(&self, tenant: TenantId, bot: BotId, page: PageRequest) -> Result<Page<Order>> {
        run!(self.read("orders.list", tenant), [], |conn| list(
            conn, tenant, bot, page
        ))
    }

    async fn first(&self, tenant: TenantId, bot: BotId) -> Result<Option<Order>> {
        run!(self.read("orders.first", tenant), [], |conn| first(
            conn, tenant, bot
        ))
    }

    async fn revenue(&self, tenant: TenantId, bot: BotId, days: Days) -> Result<Vec<DailyRevenue>> {
        run!(self.read("orders.revenue", tenant), [], |conn| revenue(
            conn, tenant, bot, days
        ))
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = orders, check_for_backend(Db))]
pub(super) struct OrderRow {
    id: Key,
    external_id: String,
    amount: i64,
    currency: String,
    customer_id: Option<String>,
    customer_email: Option<String>,
    customer_name: Option<String>,
    conversation_id: Option<Key>,
    ordered_at: Moment,
    created_at: Moment,
}

impl TryFrom<OrderRow> for Order {
    type Error = Fault;

    fn try_from(row: OrderRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            external_id: row.external_id,
            amount: row.amount,
            currency: currency(&row.currency)?,
            buyer: Buyer {
                id: row.customer_id,
                email: row.customer_email,
                name: row.customer_name,
            },
            conversation_id: row.conversation_id.map(|id| id.0.into()),
            ordered_at: row.ordered_at.0,
            created_at: row.created_at.0,
        })
    }
}

fn currency(letters: &str) -> Result<Currency, Fault> {
    super::word(Currency::parse, letters)
}

async fn record(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    order: &Order,
) -> Result<(Order, bool), Fault> {
    if let Some(kept) = find(conn, tenant, bot, &order.external_id).await? {
        return Ok((kept, false));
    }
    let conversation_id = attributed(conn, tenant, bot, order).await?;
    let row = OrderRow {
        id: key(order.id),
        external_id: order.external_id.clone(),
        amount: order.amount,
        currency: order.currency.as_str().to_owned(),
        customer_id: order.buyer.id.clone(),
        customer_email: order.buyer.email.clone(),
        customer_name: order.buyer.name.clone(),
        conversation_id: conversation_id.map(key),
        ordered_at: Moment(order.ordered_at),
        created_at: Moment(order.created_at),
    };
    let made = diesel::insert_into(orders::table)
        .values((
            orders::tenant_id.eq(key(tenant)),
            orders::bot_id.eq(key(bot)),
            orders::day.eq(day(order.ordered_at)),
            row,
        ))
        .on_conflict((orders::tenant_id, orders::bot_id, orders::external_id))
        .do_nothing()
        .execute(conn)
        .await
        .or_missing(Resource::Bot)?;
    if made == 0 {
        // Told a second time at the same moment: the other one is kept.
        return Err(Fault::Again);
    }
    if let Some(conversation) = conversation_id {
        diesel::update(conversations::table.find((key(tenant), key(conversation))))
            .set(conversations::purchased.eq(true))
            .execute(conn)
            .await?;
    }
    let order = Order {
        conversation_id,
        ..order.clone()
    };
    Ok((order, true))
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    external_id: &str,
) -> Result<Option<Order>, Fault> {
    let row = orders::table
        .filter(orders::tenant_id.eq(key(tenant)))
        .filter(orders::bot_id.eq(key(bot)))
        .filter(orders::external_id.eq(external_id))
        .select(OrderRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Order::try_from).transpose()
}

/// The conversation that led to an order.
async fn attributed(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    order: &Order,
) -> Result<Option<ConversationId>, Fault> {
    let since = order.ordered_at - ATTRIBUTION_WINDOW;
    let of_bot = || {
        conversations::table
            .filter(conversations::tenant_id.eq(key(tenant)))
            .filter(conversations::bot_id.eq(key(bot)))
    };
    if let Some(named) = order.conversation_id {
        let last: Option<Moment> = of_bot()
            .filter(conversations::id.eq(key(named)))
            .select(conversations::last_message_at)
            .first(conn)
            .await
            .optional()?;
        let last = last.ok_or(Error::NotFound(Resource::Conversation))?;
        return Ok((last.0 >= since).then_some(named));
    }
    let people = people(conn, tenant, bot, &order.buyer).await?;
    let latest: Option<Key> = of_bot()
        .filter(conversations::end_user_id.eq_any(people))
        .filter(conversations::started_at.le(Moment(order.ordered_at)))
        .filter(conversations::last_message_at.ge(Moment(since)))
        .order((
            conversations::last_message_at.desc(),
            conversations::id.desc(),
        ))
        .select(conversations::id)
        .first(conn)
        .await
        .optional()?;
    Ok(latest.map(|id| id.0.into()))
}

/// Those who talked to the bot and may be the buyer.
async fn people(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    buyer: &Buyer,
) -> Result<Vec<Key>, Fault> {
    let mut people: Vec<Key> = Vec::new();
    if let Some(id) = &buyer.id {
        people = end_users::table
            .filter(end_users::tenant_id.eq(key(tenant)))
            .filter(end_users::bot_id.eq(key(bot)))
            .filter(end_users::identifier.eq(id))
            .select(coalesce(end_users::same_as, end_users::id))
            .load(conn)
            .await?;
    }
    if let Some(email) = &buyer.email {
        let by_email: Vec<Key> = leads::table
            .filter(leads::tenant_id.eq(key(tenant)))
            .filter(leads::bot_id.eq(key(bot)))
            .filter(leads::email.eq(email))
            .select(leads::end_user_id)
            .load(conn)
            .await?;
        people.extend(by_email);
    }
    Ok(people)
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    page: PageRequest,
) -> Result<Page<Order>, Fault> {
    let of_bot = || {
        orders::table
            .filter(orders::tenant_id.eq(key(tenant)))
            .filter(orders::bot_id.eq(key(bot)))
    };
    let total: i64 = of_bot().count().get_result(conn).await?;
    let rows = of_bot()
        .order((orders::ordered_at.desc(), orders::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(OrderRow::as_select())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(Order::try_from)
            .collect::<Result<_, _>>()?,
        total: count(total),
    })
}

async fn first(conn: &mut Conn, tenant: TenantId, bot: BotId) -> Result<Option<Order>, Fault> {
    let row = orders::table
        .filter(orders::tenant_id.eq(key(tenant)))
        .filter(orders::bot_id.eq(key(bot)))
        .order((orders::ordered_at, orders::id))
        .select(OrderRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Order::try_from).transpose()
}

async fn revenue(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    days: Days,
) -> Result<Vec<DailyRevenue>, Fault> {
    // PostgreSQL's sum of such numbers is a decimal.
    let sum = || sql::<BigInt>("CAST(sum(amount) AS bigint)");
    let rows: Vec<(i32, String, i64, i64)> = orders::table
        .filter(orders::tenant_id.eq(key(tenant)))
        .filter(orders::bot_id.eq(key(bot)))
        .filter(orders::day.between(days.first.to_julian_day(), days.last.to_julian_day()))
        .group_by((orders::day, orders::currency))
        .order((orders::day, orders::currency))
        .select((orders::day, orders::currency, sum(), count_star()))
        .load(conn)
        .await?;
    rows.into_iter()
        .map(|(day, letters, amount, orders)| {
            Ok(DailyRevenue {
                day: Date::from_julian_day(day).map_err(Error::internal)?,
                currency: currency(&letters)?,
                amount,
                orders: count(orders),
            })
        })
        .collect()
}
