use async_trait::async_trait;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::plans::PlanLimits;
use domain::usage::{Month, Usage, Usages};
use domain::{ConversationId, Error, Limit, Result, TenantId, Timestamp};
use time::Duration;
use uuid::Uuid;

use super::engine::{Conn, SHARDS, Store};
use super::{Runs, count, number, run};
use crate::fault::Fault;
use crate::schema::functions::{coalesce, sum_of};
use crate::schema::{tenants, usage_counters as counters};
use crate::types::{Moment, key};

diesel::alias!(counters as others: Others);

/// The row that is checked against limits.
const LIMITED: i32 = 0;
/// A reservation that nobody has joined for so long is of a process that died.
const FORGOTTEN: Duration = Duration::minutes(10);

#[async_trait]
impl Usages for Store {
    async fn usage(&self, tenant: TenantId, month: Month) -> Result<Usage> {
        run!(self.read("usage.usage", tenant), [], |conn| usage(
            conn, tenant, month
        ))
    }

    async fn count_message(
        &self,
        tenant: TenantId,
        limits: &PlanLimits,
        at: Timestamp,
    ) -> Result<()> {
        run!(
            self.write("usage.count_message", tenant),
            [limits],
            |conn| count_message(conn, tenant, &limits, at)
        )
    }
}

/// As an answer is counted: room is reserved, and used at once.
pub(super) async fn count_message(
    conn: &mut Conn,
    tenant: TenantId,
    limits: &PlanLimits,
    at: Timestamp,
) -> Result<(), Fault> {
    let shard = shard(limits, Uuid::nil().into());
    let nothing_else = Taken {
        conversations: 0,
        messages: 0,
    };
    take(conn, tenant, shard, &nothing_else, limits, at).await?;
    spend(conn, tenant, shard, at, at).await
}

async fn usage(conn: &mut impl Runs, tenant: TenantId, month: Month) -> Result<Usage, Fault> {
    let bots: Option<i64> = tenants::table
        .find(key(tenant))
        .select(tenants::bot_count)
        .first(conn)
        .await
        .optional()?;
    let rows: Vec<(i64, i64)> = counters::table
        .filter(counters::tenant_id.eq(key(tenant)))
        .filter(counters::month.eq(month.number))
        .select((counters::conversations, counters::messages))
        .load(conn)
        .await?;
    Ok(Usage {
        bots: count(bots.unwrap_or_default()),
        conversations: count(rows.iter().map(|row| row.0).sum()),
        messages: count(rows.iter().map(|row| row.1).sum()),
    })
}

/// What a visitor's message adds to the month.
pub(super) struct Taken {
    /// Conversations begun: 0 or 1.
    pub conversations: i64,
    /// Messages stored.
    pub messages: i64,
}

/// Which of the counters' rows serves a conversation: the one that is checked where the plan has limits,
/// else one of several by the conversation's id.
pub(super) fn shard(limits: &PlanLimits, conversation: ConversationId) -> i32 {
    if limits.messages_per_month.is_some() || limits.conversations_per_month.is_some() {
        LIMITED
    } else {
        1 + spread(conversation)
    }
}

/// 0 until [`SHARDS`], by the random bits of the id.
pub(super) fn spread(conversation: ConversationId) -> i32 {
    let [.., low] = conversation.0.into_bytes();
    i32::from(low).rem_euclid(SHARDS)
}

/// Counts a visitor's message, and reserves room for the answer where there is a limit.
pub(super) async fn take(
    conn: &mut impl Runs,
    tenant: TenantId,
    shard: i32,
    taken: &Taken,
    limits: &PlanLimits,
    at: Timestamp,
) -> Result<(), Fault> {
    let month = Month::of(at).number;
    if shard != LIMITED {
        return add(conn, tenant, month, shard, taken).await;
    }
    if take_limited(conn, tenant, month, taken, limits, at).await? {
        return Ok(());
    }
    // Either the month's first message, or no room.
    diesel::insert_into(counters::table)
        .values((
            counters::tenant_id.eq(key(tenant)),
            counters::month.eq(month),
            counters::shard.eq(LIMITED),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if take_limited(conn, tenant, month, taken, limits, at).await? {
        return Ok(());
    }
    let used = usage(conn, tenant, Month::of(at)).await?;
    let conversations = used.conversations + count(taken.conversations);
    let too_many = taken.conversations > 0
        && limits
            .conversations_per_month
            .is_some_and(|limit| conversations > limit);
    Err(Error::LimitReached(if too_many {
        Limit::Conversations
    } else {
        Limit::Messages
    })
    .into())
}

/// Checks and counts in one statement. `false`: no room, or no row yet.
async fn take_limited(
    conn: &mut impl Runs,
    tenant: TenantId,
    month: i32,
    taken: &Taken,
    limits: &PlanLimits,
    at: Timestamp,
) -> Result<bool, Fault> {
    // Rows of a time when the plan had no limits count as well.
    let elsewhere = || {
        others
            .filter(others.field(counters::tenant_id).eq(key(tenant)))
            .filter(others.field(counters::month).eq(month))
            .filter(others.field(counters::shard).ne(LIMITED))
    };
    let messages_elsewhere = elsewhere()
        .select(coalesce(sum_of(others.field(counters::messages)), 0))
        .single_value();
    let conversations_elsewhere = elsewhere()
        .select(coalesce(sum_of(others.field(counters::conversations)), 0))
        .single_value();
    let forgotten = Moment(at - FORGOTTEN);
    let reserved = || {
        case_when(
            coalesce(counters::reserved_at, Moment(at)).lt(forgotten),
            0_i64.into_sql::<diesel::sql_types::BigInt>(),
        )
        .otherwise(counters::reserved)
    };
    let message_limit = limits.messages_per_month.map_or(i64::MAX, number);
    let conversation_limit = limits.conversations_per_month.map_or(i64::MAX, number);
    let changed = diesel::update(counters::table.find((key(tenant), month, LIMITED)))
        .filter(
            (counters::messages + reserved() + coalesce(messages_elsewhere, 0))
                .le(message_limit - taken.messages - 1),
        )
        .filter(
            (counters::conversations + coalesce(conversations_elsewhere, 0))
                .le(conversation_limit - taken.conversations)
                .or(taken
                    .conversations
                    .into_sql::<diesel::sql_types::BigInt>()
                    .eq(0)),
        )
        .set((
            counters::conversations.eq(counters::conversations + taken.conversations),
            counters::messages.eq(counters::messages + taken.messages),
            counters::reserved.eq(reserved() + 1),
            counters::reserved_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

async fn add(
    conn: &mut impl Runs,
    tenant: TenantId,
    month: i32,
    shard: i32,
    taken: &Taken,
) -> Result<(), Fault> {
    diesel::insert_into(counters::table)
        .values((
            counters::tenant_id.eq(key(tenant)),
            counters::month.eq(month),
            counters::shard.eq(shard),
            counters::conversations.eq(taken.conversations),
            counters::messages.eq(taken.messages),
        ))
        .on_conflict((counters::tenant_id, counters::month, counters::shard))
        .do_update()
        .set((
            counters::conversations.eq(counters::conversations + excluded(counters::conversations)),
            counters::messages.eq(counters::messages + excluded(counters::messages)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts an answer in its month, and gives back its reservation in the month that it was made in.
pub(super) async fn spend(
    conn: &mut impl Runs,
    tenant: TenantId,
    shard: i32,
    received_at: Timestamp,
    at: Timestamp,
) -> Result<(), Fault> {
    let answer = Taken {
        conversations: 0,
        messages: 1,
    };
    let (received, now) = (Month::of(received_at), Month::of(at));
    if shard == LIMITED && received == now {
        let row = counters::table.find((key(tenant), now.number, LIMITED));
        // Reservations that were forgotten are gone already.
        let one_less = case_when(counters::reserved.gt(0), counters::reserved - 1)
            .otherwise(counters::reserved);
        let counted = diesel::update(row)
            .set((
                counters::messages.eq(counters::messages + 1),
                counters::reserved.eq(one_less),
            ))
            .execute(conn)
            .await?;
        if counted > 0 {
            return Ok(());
        }
    } else if shard == LIMITED {
        release(conn, tenant, received_at).await?;
    }
    add(conn, tenant, now.number, shard, &answer).await
}

/// Gives back the reservation of an answer that will not come.
pub(super) async fn release(
    conn: &mut impl Runs,
    tenant: TenantId,
    received_at: Timestamp,
) -> Result<(), Fault> {
    let month = Month::of(received_at).number;
    diesel::update(counters::table.find((key(tenant), month, LIMITED)))
        .filter(counters::reserved.gt(0))
        .set(counters::reserved.eq(counters::reserved - 1))
        .execute(conn)
        .await?;
    Ok(())
}
