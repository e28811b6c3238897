use async_trait::async_trait;
use diesel::dsl::{sql, sum};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use domain::analytics::{Analytics, ConversationCount, Days, Totals};
use domain::bots::ChannelType;
use domain::conversations::ConversationStatus;
use domain::{BotId, Error, Result, TenantId};
use time::Date;

use super::engine::{Conn, Db, Store};
use super::{count, run, word};
use crate::fault::Fault;
use crate::schema::{conversation_stats as conversations, message_stats as messages};
use crate::types::key;

#[async_trait]
impl Analytics for Store {
    async fn totals(&self, tenant: TenantId, days: Days) -> Result<Totals> {
        run!(self.read("analytics.totals", tenant), [], |conn| {
            totals(conn, tenant, days)
        })
    }

    async fn conversations(
        &self,
        tenant: TenantId,
        bot: Option<BotId>,
        days: Days,
    ) -> Result<Vec<ConversationCount>> {
        run!(self.read("analytics.conversations", tenant), [], |conn| {
            counts(conn, tenant, bot, days)
        })
    }
}

async fn totals(conn: &mut Conn, tenant: TenantId, days: Days) -> Result<Totals, Fault> {
    let (first, last) = (days.first.to_julian_day(), days.last.to_julian_day());
    let begun: Option<i64> = conversations::table
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::day.between(first, last))
        .select(sum(conversations::count))
        .first(conn)
        .await?;
    let stored: Option<i64> = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::day.between(first, last))
        .select(sum(messages::count))
        .first(conn)
        .await?;
    let active: Option<i64> = conversations::table
        .filter(conversations::tenant_id.eq(key(tenant)))
        // In words, so that the engines know the index on just these rows.
        .filter(sql::<Bool>("status = 'active' AND count > 0"))
        .select(sum(conversations::count))
        .first(conn)
        .await?;
    Ok(Totals {
        conversations: count(begun.unwrap_or_default()),
        messages: count(stored.unwrap_or_default()),
        active_conversations: count(active.unwrap_or_default()),
    })
}

async fn counts(
    conn: &mut Conn,
    tenant: TenantId,
    bot: Option<BotId>,
    days: Days,
) -> Result<Vec<ConversationCount>, Fault> {
    let mut query = conversations::table
        .group_by((
            conversations::day,
            conversations::channel,
            conversations::status,
        ))
        .select((
            conversations::day,
            conversations::channel,
            conversations::status,
            sum(conversations::count),
        ))
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::day.between(days.first.to_julian_day(), days.last.to_julian_day()))
        .filter(conversations::count.gt(0))
        .into_boxed::<Db>();
    if let Some(bot) = bot {
        query = query.filter(conversations::bot_id.eq(key(bot)));
    }
    let rows: Vec<(i32, String, String, Option<i64>)> = query.load(conn).await?;
    rows.into_iter()
        .map(|(day, channel, status, sum)| {
            Ok(ConversationCount {
                day: Date::from_julian_day(day).map_err(Error::internal)?,
                channel: word(ChannelType::parse, &channel)?,
                status: word(ConversationStatus::parse, &status)?,
                count: count(sum.unwrap_or_default()),
            })
        })
        .collect()
}
