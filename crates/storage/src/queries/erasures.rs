//! How a person goes, with all that is kept about them.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::people::Erasure;
use domain::{BotId, ConversationId, Resource, Result, TenantId, Timestamp};

use super::engine::Conn;
use super::people::{Names, given_by, of_bot, ordered_by};
use super::{channel_talks, conversations as talks, executions, json, of_json};
use crate::fault::{Fault, Meaning};
use crate::schema::{
    conversations, end_users, erasures, idempotency_keys as keys, leads, messages, orders,
    visitor_events as visits, webhook_events as events,
};
use crate::types::{Json, Key, Moment, key};

pub(super) async fn begin_erasure(conn: &mut Conn, erasure: &Erasure) -> Result<(), Fault> {
    diesel::insert_into(erasures::table)
        .values((
            erasures::tenant_id.eq(key(erasure.tenant_id)),
            erasures::id.eq(key(erasure.id)),
            erasures::bot_id.eq(key(erasure.bot_id)),
            erasures::person.eq(json(&erasure.person)?),
            erasures::created_at.eq(Moment(erasure.created_at)),
        ))
        .execute(conn)
        .await
        .or_missing(Resource::Bot)?;
    Ok(())
}

pub(super) async fn erase(conn: &mut Conn, erasure: &Erasure, most: u32) -> Result<bool, Fault> {
    let (tenant, bot) = (erasure.tenant_id, erasure.bot_id);
    let names = Names::of(&erasure.person);
    let next: Vec<Key> = of_bot!(conversations, tenant, bot)
        .filter(conversations::end_user_id.eq_any(&names.customers))
        .limit(most.into())
        .select(conversations::id)
        .load(conn)
        .await?;
    for conversation in &next {
        erase_conversation(conn, tenant, conversation.0.into()).await?;
    }
    if !next.is_empty() {
        return Ok(true);
    }
    diesel::delete(leads::table)
        .filter(given_by!(tenant, bot, names))
        .execute(conn)
        .await?;
    diesel::update(orders::table)
        .filter(ordered_by!(tenant, bot, names))
        .set(NOBODY)
        .execute(conn)
        .await?;
    diesel::delete(visits::table)
        .filter(visits::tenant_id.eq(key(tenant)))
        .filter(visits::bot_id.eq(key(bot)))
        .filter(visits::customer.eq_any(&names.identifiers))
        .execute(conn)
        .await?;
    diesel::delete(end_users::table)
        .filter(end_users::tenant_id.eq(key(tenant)))
        .filter(end_users::bot_id.eq(key(bot)))
        .filter(end_users::id.eq_any(&names.customers))
        .execute(conn)
        .await?;
    diesel::delete(erasures::table.find((key(tenant), key(erasure.id))))
        .execute(conn)
        .await?;
    Ok(false)
}

/// An order of nobody.
#[derive(AsChangeset)]
#[diesel(table_name = orders, treat_none_as_null = true)]
struct Anonymous {
    customer_id: Option<String>,
    customer_email: Option<String>,
    customer_name: Option<String>,
    conversation_id: Option<Key>,
}

const NOBODY: Anonymous = Anonymous {
    customer_id: None,
    customer_email: None,
    customer_name: None,
    conversation_id: None,
};

/// A conversation with what names it, and is not deleted with it.
async fn erase_conversation(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConversationId,
) -> Result<(), Fault> {
    diesel::delete(visits::table)
        .filter(visits::tenant_id.eq(key(tenant)))
        .filter(visits::conversation_id.eq(key(id)))
        .execute(conn)
        .await?;
    diesel::update(orders::table)
        .filter(orders::tenant_id.eq(key(tenant)))
        .filter(orders::conversation_id.eq(key(id)))
        .set(NOBODY)
        .execute(conn)
        .await?;
    talks::delete(conn, tenant, id).await?;
    Ok(())
}

/// What holds a conversation's words elsewhere: events with their deliveries, executions of agent loops, recorded answers of
/// keyed requests, and what waits in a channel.
pub(super) async fn erase_words(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    id: ConversationId,
    session_id: &str,
) -> Result<(), Fault> {
    channel_talks::erase(conn, tenant, bot, session_id).await?;
    let executions = executions::about(conn, tenant, key(id)).await?;
    erase_executions(conn, tenant, executions).await?;
    erase_told(conn, tenant, [key(id)]).await?;
    // A keyed request's message has the request's id.
    let said = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::conversation_id.eq(key(id)))
        .select(messages::id);
    diesel::delete(keys::table)
        .filter(keys::tenant_id.eq(key(tenant)))
        .filter(keys::operation_id.eq_any(said))
        .execute(conn)
        .await?;
    Ok(())
}

/// Executions, with what tells of them elsewhere.
pub(super) async fn erase_executions(
    conn: &mut Conn,
    tenant: TenantId,
    ids: BTreeSet<Key>,
) -> Result<(), Fault> {
    erase_told(conn, tenant, ids.iter().copied()).await?;
    // The execution of a keyed request has the request's id.
    diesel::delete(keys::table)
        .filter(keys::tenant_id.eq(key(tenant)))
        .filter(keys::operation_id.eq_any(ids.iter()))
        .execute(conn)
        .await?;
    executions::delete(conn, tenant, ids).await
}

/// Events about these, with their deliveries.
async fn erase_told(
    conn: &mut Conn,
    tenant: TenantId,
    subjects: impl IntoIterator<Item = Key>,
) -> Result<(), Fault> {
    diesel::delete(events::table)
        .filter(events::tenant_id.eq(key(tenant)))
        .filter(events::subject.eq_any(subjects))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn unfinished(
    conn: &mut Conn,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Erasure>, Fault> {
    let rows: Vec<(Key, Key, Key, Json, Moment)> = erasures::table
        .filter(erasures::created_at.lt(Moment(before)))
        .order(erasures::created_at)
        .select((
            erasures::tenant_id,
            erasures::id,
            erasures::bot_id,
            erasures::person,
            erasures::created_at,
        ))
        .limit(limit.into())
        .load(conn)
        .await?;
    let erasure = |(tenant, id, bot, person, at): (Key, Key, Key, Json, Moment)| {
        Ok(Erasure {
            id: id.0.into(),
            tenant_id: tenant.0.into(),
            bot_id: bot.0.into(),
            person: of_json(person)?,
            created_at: at.0,
        })
    };
    rows.into_iter().map(erasure).collect()
}
