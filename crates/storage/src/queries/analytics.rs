use async_trait::async_trait;
use diesel::dsl::{count as count_of, count_star, sql, sum};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use domain::analytics::{Activity, Analytics, ConversationCount, Days, Totals};
use domain::bots::ChannelType;
use domain::conversations::ConversationStatus;
use domain::messages::Feedback;
use domain::visits::VisitKind;
use domain::{BotId, Error, Result, TenantId};
use time::{Date, PrimitiveDateTime, Time};

use super::engine::{Conn, Db, Store};
use super::{count, run, word};
use crate::fault::Fault;
use crate::schema::{
    conversation_stats as conversations, conversations as talks, message_stats as messages,
    messages as said, visitor_events as visits,
};
use crate::types::{Moment, key};

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

    async fn activity(&self, tenant: TenantId, bot: BotId, days: Days) -> Result<Activity> {
        run!(self.read("analytics.activity", tenant), [], |conn| {
            activity(conn, tenant, bot, days)
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

async fn activity(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    days: Days,
) -> Result<Activity, Fault> {
    let (first, last) = (days.first.to_julian_day(), days.last.to_julian_day());
    let begins = |day: Date| PrimitiveDateTime::new(day, Time::MIDNIGHT).assume_utc();
    let from = Moment(begins(days.first));
    let until = Moment(begins(days.last.next_day().unwrap_or(days.last)));
    let begun: Option<i64> = conversations::table
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::bot_id.eq(key(bot)))
        .filter(conversations::day.between(first, last))
        .select(sum(conversations::count))
        .first(conn)
        .await?;
    let stored: Option<i64> = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::bot_id.eq(key(bot)))
        .filter(messages::day.between(first, last))
        .select(sum(messages::count))
        .first(conn)
        .await?;
    let people: i64 = talks::table
        .filter(talks::tenant_id.eq(key(tenant)))
        .filter(talks::bot_id.eq(key(bot)))
        .filter(talks::created_at.ge(from))
        .filter(talks::created_at.lt(until))
        .select(count_of(talks::end_user_id).aggregate_distinct())
        .first(conn)
        .await?;
    let visited: Vec<(String, i64)> = visits::table
        .filter(visits::tenant_id.eq(key(tenant)))
        .filter(visits::bot_id.eq(key(bot)))
        .filter(visits::day.between(first, last))
        .group_by(visits::kind)
        .select((visits::kind, count_star()))
        .load(conn)
        .await?;
    let thought: Vec<(Option<String>, i64)> = said::table
        .inner_join(
            talks::table.on(talks::tenant_id
                .eq(said::tenant_id)
                .and(talks::id.eq(said::conversation_id))),
        )
        .filter(said::tenant_id.eq(key(tenant)))
        .filter(said::feedback.is_not_null())
        .filter(said::created_at.ge(from))
        .filter(said::created_at.lt(until))
        .filter(talks::bot_id.eq(key(bot)))
        .group_by(said::feedback)
        .select((said::feedback, count_star()))
        .load(conn)
        .await?;
    let of_kind = |kind: VisitKind| {
        let found = visited.iter().find(|(word, _)| word == kind.as_str());
        found.map_or(0, |(_, number)| count(*number))
    };
    let of_feedback = |feedback: Feedback| {
        let is_it = |word: &Option<String>| word.as_deref() == Some(feedback.as_str());
        let found = thought.iter().find(|(word, _)| is_it(word));
        found.map_or(0, |(_, number)| count(*number))
    };
    Ok(Activity {
        conversations: count(begun.unwrap_or_default()),
        messages: count(stored.unwrap_or_default()),
        people: count(people),
        chat_opens: of_kind(VisitKind::ChatOpen),
        cart_adds: of_kind(VisitKind::CartAdd),
        checkout_starts: of_kind(VisitKind::CheckoutStart),
        positive_feedback: of_feedback(Feedback::Positive),
        negative_feedback: of_feedback(Feedback::Negative),
    })
}
