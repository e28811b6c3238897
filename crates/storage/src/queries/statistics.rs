//! The counters behind the analytics, written with what they count.

use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::conversations::ConversationStatus;
use domain::{ConversationId, TenantId, Timestamp};

use super::Runs;
use super::engine::Conn;
use super::usage::spread;
use crate::fault::Fault;
use crate::schema::{conversation_stats as conversations, message_stats as messages};
use crate::types::{Key, key};

/// What of a conversation its counters go by.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    /// The conversation.
    pub id: ConversationId,
    /// Its bot.
    pub bot: Key,
    /// Its channel, as stored.
    pub channel: String,
    /// When it began.
    pub started_at: Timestamp,
}

/// The day of a moment, as the store numbers days.
pub(super) fn day(at: Timestamp) -> i32 {
    at.date().to_julian_day()
}

/// Counts a conversation in its status.
pub(super) async fn enter(
    conn: &mut impl Runs,
    tenant: TenantId,
    conversation: &Counted,
    status: ConversationStatus,
) -> Result<(), Fault> {
    diesel::insert_into(conversations::table)
        .values((
            conversations::tenant_id.eq(key(tenant)),
            conversations::bot_id.eq(conversation.bot),
            conversations::day.eq(day(conversation.started_at)),
            conversations::channel.eq(conversation.channel.as_str()),
            conversations::status.eq(status.as_str()),
            conversations::shard.eq(spread(conversation.id)),
            conversations::count.eq(1),
        ))
        .on_conflict((
            conversations::tenant_id,
            conversations::bot_id,
            conversations::day,
            conversations::channel,
            conversations::status,
            conversations::shard,
        ))
        .do_update()
        .set(conversations::count.eq(conversations::count + excluded(conversations::count)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts a conversation in its status no more.
pub(super) async fn leave(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: &Counted,
    status: &str,
) -> Result<(), Fault> {
    let row = conversations::table.find((
        key(tenant),
        conversation.bot,
        day(conversation.started_at),
        conversation.channel.as_str(),
        status,
        spread(conversation.id),
    ));
    diesel::update(row)
        .filter(conversations::count.gt(0))
        .set(conversations::count.eq(conversations::count - 1))
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts messages of a bot on a day no more.
pub(super) async fn uncount_messages(
    conn: &mut Conn,
    tenant: TenantId,
    bot: Key,
    conversation: ConversationId,
    day: i32,
    count: i32,
) -> Result<(), Fault> {
    diesel::update(messages::table.find((key(tenant), bot, day, spread(conversation))))
        .filter(messages::count.ge(count))
        .set(messages::count.eq(messages::count - count))
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts messages of a bot.
pub(super) async fn count_messages(
    conn: &mut impl Runs,
    tenant: TenantId,
    bot: Key,
    conversation: ConversationId,
    at: Timestamp,
    count: i32,
) -> Result<(), Fault> {
    diesel::insert_into(messages::table)
        .values((
            messages::tenant_id.eq(key(tenant)),
            messages::bot_id.eq(bot),
            messages::day.eq(day(at)),
            messages::shard.eq(spread(conversation)),
            messages::count.eq(count),
        ))
        .on_conflict((
            messages::tenant_id,
            messages::bot_id,
            messages::day,
            messages::shard,
        ))
        .do_update()
        .set(messages::count.eq(messages::count + excluded(messages::count)))
        .execute(conn)
        .await?;
    Ok(())
}
