use std::time::Duration;

use async_trait::async_trait;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::channels::ChannelStatus;
use domain::channels::inbox::{
    Arrival, Attempt, Busy, ConversationLease, Inbox, Outcome, WAITING_MAX, Waiting,
};
use domain::{ChannelId, Result, TenantId, Timestamp};

use super::engine::{Conn, Store, unless_held};
use super::{count, json, number, of_json, run};
use crate::fault::{Fault, Meaning, unavailable};
use crate::schema::functions::coalesce;
use crate::schema::{
    channel_conversations as conversations, channel_messages as messages, channels,
};
use crate::scope::Scope;
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl Inbox for Store {
    async fn receive(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        arrivals: &[Arrival],
        at: Timestamp,
    ) -> Result<Option<u32>> {
        run!(self.write("inbox.receive", tenant), [arrivals], |conn| {
            receive(conn, tenant, channel, &arrivals, at)
        })
    }

    async fn lease(
        &self,
        now: Timestamp,
        lease: Duration,
        busy: &Busy,
    ) -> Result<Option<ConversationLease>> {
        run!(self.write("inbox.lease", Scope::System), [busy], |conn| {
            take_lease(conn, now, lease, &busy)
        })
    }

    async fn extend(
        &self,
        lease: &ConversationLease,
        now: Timestamp,
        time: Duration,
    ) -> Result<bool> {
        run!(
            self.write("inbox.extend", lease.tenant_id),
            [lease],
            |conn| extend(conn, &lease, now, time)
        )
    }

    async fn next(&self, lease: &ConversationLease) -> Result<Option<Waiting>> {
        run!(self.read("inbox.next", lease.tenant_id), [lease], |conn| {
            next(conn, &lease)
        })
    }

    async fn record(&self, lease: &ConversationLease, attempt: &Attempt) -> Result<()> {
        run!(
            self.write("inbox.record", lease.tenant_id),
            [lease, attempt],
            |conn| record(conn, &lease, &attempt)
        )
    }

    async fn release(&self, lease: &ConversationLease, again_at: Timestamp) -> Result<()> {
        run!(
            self.write("inbox.release", lease.tenant_id),
            [lease],
            |conn| release(conn, &lease, again_at)
        )
    }

    async fn release_all(&self) -> Result<()> {
        run!(self.write("inbox.release_all", Scope::System), [], |conn| {
            release_all(conn)
        })
    }

    async fn sweep(&self, waiting: Timestamp, known: Timestamp, most: u32) -> Result<u64> {
        run!(self.write("inbox.sweep", Scope::System), [], |conn| sweep(
            conn, waiting, known, most
        ))
    }
}

/// The conversation while its lease is held.
macro_rules! leased {
    ($lease:expr) => {
        conversations::tenant_id
            .eq(key($lease.tenant_id))
            .and(conversations::channel_id.eq(key($lease.channel_id)))
            .and(conversations::session_id.eq($lease.session_id.as_str()))
            .and(conversations::leases.eq(number($lease.number)))
            .and(conversations::lease_until.is_not_null())
    };
}

/// What waits in a conversation.
macro_rules! waiting {
    ($lease:expr) => {
        messages::tenant_id
            .eq(key($lease.tenant_id))
            .and(messages::channel_id.eq(key($lease.channel_id)))
            .and(messages::session_id.eq($lease.session_id.as_str()))
            .and(messages::content.is_not_null())
    };
}

/// A number of leases that no earlier row of the conversation has come to.
fn unused(at: Timestamp) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or_default()
}

async fn receive(
    conn: &mut Conn,
    tenant: TenantId,
    channel: ChannelId,
    arrivals: &[Arrival],
    at: Timestamp,
) -> Result<Option<u32>, Fault> {
    let status: Option<String> = channels::table
        .find((key(tenant), key(channel)))
        .select(channels::status)
        .first(conn)
        .await
        .optional()?;
    if status.as_deref() != Some(ChannelStatus::Connected.as_str()) {
        return Ok(None);
    }
    let beyond: Option<Key> = messages::table
        .filter(messages::tenant_id.eq(key(tenant)))
        .filter(messages::channel_id.eq(key(channel)))
        .filter(messages::content.is_not_null())
        .select(messages::id)
        .offset(WAITING_MAX)
        .first(conn)
        .await
        .optional()?;
    if beyond.is_some() {
        return Err(unavailable().into());
    }
    let mut new = 0;
    for arrival in arrivals {
        // From here on the conversation is ours until the commit: whoever gives it back sees the message, or we see
        // that it was given back.
        diesel::insert_into(conversations::table)
            .values((
                conversations::tenant_id.eq(key(tenant)),
                conversations::channel_id.eq(key(channel)),
                conversations::session_id.eq(arrival.session_id.as_str()),
                conversations::last_received_at.eq(Moment(at)),
                conversations::reply.eq(json(&arrival.message.reply)?),
                // Beyond all leases of a row that was deleted: whoever holds one of those holds nothing of this.
                conversations::leases.eq(unused(at)),
            ))
            .on_conflict((
                conversations::tenant_id,
                conversations::channel_id,
                conversations::session_id,
            ))
            .do_update()
            .set((
                conversations::last_received_at.eq(Moment(at)),
                conversations::reply.eq(json(&arrival.message.reply)?),
            ))
            .execute(conn)
            .await
            .or_gone()?;
        let inserted = diesel::insert_into(messages::table)
            .values((
                messages::tenant_id.eq(key(tenant)),
                messages::channel_id.eq(key(channel)),
                messages::session_id.eq(arrival.session_id.as_str()),
                messages::id.eq(key(arrival.id)),
                messages::platform_id.eq(arrival.platform_id.as_str()),
                messages::content.eq(json(&arrival.message)?),
                messages::received_at.eq(Moment(at)),
            ))
            .on_conflict((
                messages::tenant_id,
                messages::channel_id,
                messages::platform_id,
            ))
            .do_nothing()
            .execute(conn)
            .await?;
        if inserted == 0 {
            continue;
        }
        new += 1;
        make_due(conn, tenant, key(channel), &arrival.session_id, at).await?;
    }
    Ok(Some(new))
}

pub(super) async fn make_due(
    conn: &mut Conn,
    tenant: TenantId,
    channel: Key,
    session_id: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    diesel::update(conversations::table.find((key(tenant), channel, session_id)))
        .set(conversations::due_at.eq(coalesce(conversations::due_at, Moment(at)).nullable()))
        .execute(conn)
        .await?;
    Ok(())
}

async fn take_lease(
    conn: &mut Conn,
    now: Timestamp,
    lease: Duration,
    busy: &Busy,
) -> Result<Option<ConversationLease>, Fault> {
    let at = Moment(now);
    let connected = channels::table
        .filter(channels::tenant_id.eq(conversations::tenant_id))
        .filter(channels::id.eq(conversations::channel_id))
        .filter(channels::status.eq(ChannelStatus::Connected.as_str()));
    let next = conversations::table
        .filter(conversations::due_at.le(at))
        .filter(
            conversations::lease_until
                .is_null()
                .or(conversations::lease_until.le(at)),
        )
        .filter(conversations::channel_id.ne_all(busy.channels.iter().copied().map(key)))
        .filter(conversations::tenant_id.ne_all(busy.tenants.iter().copied().map(key)))
        .filter(exists(connected))
        .order(conversations::due_at)
        .select((
            conversations::tenant_id,
            conversations::channel_id,
            conversations::session_id,
        ));
    let next: Option<(Key, Key, String)> = unless_held!(next).first(conn).await.optional()?;
    let Some((tenant, channel, session_id)) = next else {
        return Ok(None);
    };
    let row = conversations::table.find((tenant, channel, session_id.as_str()));
    let leases: i64 = diesel::update(row)
        .set((
            conversations::leases.eq(conversations::leases + 1),
            conversations::lease_until.eq(Moment(now + lease)),
        ))
        .returning(conversations::leases)
        .get_result(conn)
        .await?;
    Ok(Some(ConversationLease {
        tenant_id: tenant.0.into(),
        channel_id: channel.0.into(),
        session_id,
        number: count(leases),
    }))
}

async fn extend(
    conn: &mut Conn,
    lease: &ConversationLease,
    now: Timestamp,
    time: Duration,
) -> Result<bool, Fault> {
    let changed = diesel::update(conversations::table)
        .filter(leased!(lease))
        .set(conversations::lease_until.eq(Moment(now + time)))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

/// A message that waits.
#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
pub(super) struct WaitingRow {
    id: Key,
    content: Option<Json>,
    attempts: i32,
    parts: i32,
    received_at: Moment,
    is_own: bool,
}

impl WaitingRow {
    /// `None`: it waits no more.
    pub(super) fn read(self) -> Result<Option<Waiting>, Fault> {
        let Some(content) = self.content else {
            return Ok(None);
        };
        Ok(Some(Waiting {
            id: self.id.0.into(),
            message: of_json(content)?,
            attempts: self.attempts.unsigned_abs(),
            parts: self.parts.unsigned_abs(),
            received_at: self.received_at.0,
            is_own: self.is_own,
        }))
    }
}

async fn next(conn: &mut Conn, lease: &ConversationLease) -> Result<Option<Waiting>, Fault> {
    let found: Option<WaitingRow> = messages::table
        .filter(waiting!(lease))
        .order(messages::seq)
        .select(WaitingRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(WaitingRow::read).transpose()?.flatten())
}

async fn record(
    conn: &mut Conn,
    lease: &ConversationLease,
    attempt: &Attempt,
) -> Result<(), Fault> {
    let message = messages::table
        .filter(waiting!(lease))
        .filter(messages::id.eq(key(attempt.id)));
    let (is_over, error) = match &attempt.outcome {
        Outcome::Answered => (true, None),
        Outcome::GivenUp(reason) => (true, Some(reason.as_str())),
        Outcome::Again(reason) => (false, Some(reason.as_str())),
    };
    diesel::update(message)
        .set((
            messages::attempts.eq(messages::attempts + 1),
            messages::parts.eq(i32::try_from(attempt.parts).unwrap_or(i32::MAX)),
            messages::error.eq(error),
            is_over.then(|| messages::content.eq(None::<Json>)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn release(
    conn: &mut Conn,
    lease: &ConversationLease,
    again_at: Timestamp,
) -> Result<(), Fault> {
    // Held from here on, so that nothing comes between looking what waits and saying so.
    let changed = diesel::update(conversations::table)
        .filter(leased!(lease))
        .set(conversations::due_at.eq(Moment(again_at)))
        .execute(conn)
        .await?;
    if changed == 0 {
        return Ok(());
    }
    let left: i64 = messages::table
        .filter(waiting!(lease))
        .count()
        .get_result(conn)
        .await?;
    diesel::update(conversations::table)
        .filter(leased!(lease))
        .set((
            conversations::due_at.eq((left > 0).then_some(Moment(again_at))),
            conversations::lease_until.eq(None::<Moment>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn release_all(conn: &mut Conn) -> Result<(), Fault> {
    diesel::update(conversations::table)
        .filter(conversations::lease_until.is_not_null())
        .set(conversations::lease_until.eq(None::<Moment>))
        .execute(conn)
        .await?;
    Ok(())
}

async fn sweep(
    conn: &mut Conn,
    waiting: Timestamp,
    known: Timestamp,
    most: u32,
) -> Result<u64, Fault> {
    let stale: Vec<(Key, Key, String, String)> = messages::table
        .filter(messages::content.is_not_null())
        .filter(messages::received_at.lt(Moment(waiting)))
        .limit(i64::from(most))
        .select((
            messages::tenant_id,
            messages::channel_id,
            messages::platform_id,
            messages::session_id,
        ))
        .load(conn)
        .await?;
    for (tenant, channel, id, session_id) in &stale {
        diesel::update(messages::table.find((*tenant, *channel, id.as_str())))
            .set((
                messages::content.eq(None::<Json>),
                messages::error.eq("It waited for too long."),
            ))
            .execute(conn)
            .await?;
        // Nothing is due where nothing waits.
        let waiting = messages::table
            .filter(messages::tenant_id.eq(tenant))
            .filter(messages::channel_id.eq(channel))
            .filter(messages::session_id.eq(session_id))
            .filter(messages::content.is_not_null());
        let conversation = conversations::table.find((*tenant, *channel, session_id.as_str()));
        diesel::update(conversation.filter(not(exists(waiting))))
            .set(conversations::due_at.eq(None::<Moment>))
            .execute(conn)
            .await?;
    }
    let old: Vec<(Key, Key, String)> = messages::table
        .filter(messages::received_at.lt(Moment(known)))
        .limit(i64::from(most))
        .select((
            messages::tenant_id,
            messages::channel_id,
            messages::platform_id,
        ))
        .load(conn)
        .await?;
    for (tenant, channel, id) in &old {
        diesel::delete(messages::table.find((*tenant, *channel, id.as_str())))
            .execute(conn)
            .await?;
    }
    let silent: Vec<(Key, Key, String)> = conversations::table
        .filter(conversations::last_received_at.lt(Moment(known)))
        .limit(i64::from(most))
        .select((
            conversations::tenant_id,
            conversations::channel_id,
            conversations::session_id,
        ))
        .load(conn)
        .await?;
    for (tenant, channel, session) in &silent {
        let conversation = conversations::table
            .find((*tenant, *channel, session.as_str()))
            // Another message may have come meanwhile.
            .filter(conversations::last_received_at.lt(Moment(known)));
        diesel::delete(conversation).execute(conn).await?;
    }
    Ok((stale.len() + old.len() + silent.len()) as u64)
}
