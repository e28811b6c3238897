//! All of a person: who they are, and what is kept about them. `erasures` has how it goes.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::bots::ChannelType;
use domain::events::{Event, EventKind};
use domain::leads::{Customer, Lead, Origin};
use domain::orders::Order;
use domain::people::{Belongings, Erasure, Named, People, Person};
use domain::visits::{Visit, VisitKind};
use domain::{BotId, ExecutionId, Result, TenantId, Timestamp};

use super::end_users::EndUserRow;
use super::engine::{Conn, Store};
use super::erasures::{begin_erasure, erase, erase_executions, unfinished};
use super::executions;
use super::leads::LeadRow;
use super::orders::OrderRow;
use super::{channel_talks, merging, run, word};
use crate::fault::Fault;
use crate::schema::functions::lower;
use crate::schema::{
    conversations, end_users, leads, orders, visitor_events as visits, webhook_events as events,
};
use crate::scope::Scope;
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl People for Store {
    async fn find(&self, tenant: TenantId, bot: BotId, named: &Named) -> Result<Option<Person>> {
        run!(self.read("people.find", tenant), [named], |conn| find(
            conn, tenant, bot, &named
        ))
    }

    async fn belongings(
        &self,
        tenant: TenantId,
        bot: BotId,
        person: &Person,
    ) -> Result<Belongings> {
        run!(self.read("people.belongings", tenant), [person], |conn| {
            belongings(conn, tenant, bot, &person)
        })
    }

    async fn merge(&self, most: u32) -> Result<bool> {
        run!(self.write("people.merge", Scope::System), [], |conn| {
            merging::merge(conn, most)
        })
    }

    async fn begin_erasure(&self, erasure: &Erasure) -> Result<()> {
        run!(
            self.write("people.begin_erasure", erasure.tenant_id),
            [erasure],
            |conn| begin_erasure(conn, &erasure)
        )
    }

    async fn mentions(
        &self,
        tenant: TenantId,
        bot: BotId,
        person: &Person,
    ) -> Result<Vec<ExecutionId>> {
        run!(self.read("people.mentions", tenant), [person], |conn| {
            mentions(conn, tenant, bot, &person)
        })
    }

    async fn erase_executions(&self, tenant: TenantId, ids: &[ExecutionId]) -> Result<()> {
        run!(
            self.write("people.erase_executions", tenant),
            [ids],
            |conn| erase_executions(conn, tenant, ids.iter().map(|id| key(*id)).collect())
        )
    }

    async fn erase(&self, erasure: &Erasure, most: u32) -> Result<bool> {
        run!(
            self.write("people.erase", erasure.tenant_id),
            [erasure],
            |conn| erase(conn, &erasure, most)
        )
    }

    async fn unfinished(&self, before: Timestamp, limit: u32) -> Result<Vec<Erasure>> {
        run!(self.read("people.unfinished", Scope::System), [], |conn| {
            unfinished(conn, before, limit)
        })
    }
}

/// Rows of a bot.
macro_rules! of_bot {
    ($table:ident, $tenant:expr, $bot:expr) => {
        $table::table
            .filter($table::tenant_id.eq(key($tenant)))
            .filter($table::bot_id.eq(key($bot)))
    };
}
pub(super) use of_bot;

/// What of a person has been found so far.
#[derive(Default, PartialEq, Eq, Clone)]
struct Found {
    customers: BTreeSet<Key>,
    identifiers: BTreeSet<String>,
    emails: BTreeSet<String>,
}

pub(super) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    named: &Named,
) -> Result<Option<Person>, Fault> {
    let mut found = Found::default();
    match named {
        Named::Customer(id) => {
            let known: Option<Key> = of_bot!(end_users, tenant, bot)
                .filter(end_users::id.eq(key(*id)))
                .select(end_users::id)
                .first(conn)
                .await
                .optional()?;
            found.customers.extend(known);
        }
        Named::Email(email) => {
            found.emails.insert(email.clone());
            // Who writes mails is who has the address, as far as anybody knows.
            let writes: Vec<Key> = of_bot!(end_users, tenant, bot)
                .filter(end_users::identifier.eq(format!("{}:{email}", ChannelType::Email)))
                .select(end_users::id)
                .load(conn)
                .await?;
            found.customers.extend(writes);
        }
    }
    // Each look may lead on: another name of the person has another address.
    loop {
        let before = found.clone();
        look_further(conn, tenant, bot, &mut found).await?;
        if found == before {
            break;
        }
    }
    let is_known = !found.customers.is_empty() || has_left(conn, tenant, bot, &found).await?;
    Ok(is_known.then(|| Person {
        customers: found.customers.iter().map(|id| id.0.into()).collect(),
        identifiers: found.identifiers.into_iter().collect(),
        emails: found.emails.into_iter().collect(),
    }))
}

/// Whether somebody who never talked has ordered, or somebody else has written their address.
async fn has_left(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    found: &Found,
) -> Result<bool, Fault> {
    let ordered: i64 = of_bot!(orders, tenant, bot)
        .filter(orders::customer_email.eq_any(&found.emails))
        .count()
        .get_result(conn)
        .await?;
    let written: i64 = of_bot!(leads, tenant, bot)
        .filter(leads::email.eq_any(&found.emails))
        .count()
        .get_result(conn)
        .await?;
    Ok(ordered + written > 0)
}

async fn look_further(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    found: &mut Found,
) -> Result<(), Fault> {
    let rows: Vec<(Option<String>, Option<String>)> = of_bot!(end_users, tenant, bot)
        .filter(end_users::id.eq_any(&found.customers))
        .select((end_users::identifier, lower(end_users::email)))
        .load(conn)
        .await?;
    for (identifier, email) in rows {
        found.identifiers.extend(identifier);
        found.emails.extend(email);
    }
    let merged: Vec<(Key, Option<Key>)> = of_bot!(end_users, tenant, bot)
        .filter(
            (end_users::id.eq_any(&found.customers))
                .or(end_users::same_as.eq_any(found.customers.iter().copied().map(Some))),
        )
        .select((end_users::id, end_users::same_as))
        .load(conn)
        .await?;
    for (customer, same_as) in merged {
        found.customers.insert(customer);
        found.customers.extend(same_as);
    }
    let told: Vec<String> = of_bot!(leads, tenant, bot)
        .filter(leads::end_user_id.eq_any(&found.customers))
        .filter(leads::origin.ne(Origin::Message.as_str()))
        .select(leads::email)
        .load(conn)
        .await?;
    found.emails.extend(told);
    let same: Vec<Key> = of_bot!(end_users, tenant, bot)
        .filter(end_users::identifier.eq_any(&found.identifiers))
        .select(end_users::id)
        .load(conn)
        .await?;
    found.customers.extend(same);
    let emails: Vec<_> = found.emails.iter().cloned().map(Some).collect();
    let same: Vec<Key> = of_bot!(end_users, tenant, bot)
        .filter(lower(end_users::email).eq_any(emails))
        .select(end_users::id)
        .load(conn)
        .await?;
    found.customers.extend(same);
    let gave: Vec<Key> = of_bot!(leads, tenant, bot)
        .filter(leads::email.eq_any(&found.emails))
        .filter(leads::origin.ne(Origin::Message.as_str()))
        .select(leads::end_user_id)
        .load(conn)
        .await?;
    found.customers.extend(gave);
    Ok(())
}

/// The person's keys and names as the queries take them.
pub(super) struct Names {
    pub customers: Vec<Key>,
    /// What clients may have named the person by: without an identifier, an address is one.
    pub identifiers: Vec<String>,
    pub emails: Vec<String>,
}

impl Names {
    pub fn of(person: &Person) -> Self {
        let identifiers = person.identifiers.iter().chain(&person.emails);
        Self {
            customers: person.customers.iter().map(|id| key(*id)).collect(),
            identifiers: identifiers.cloned().collect(),
            emails: person.emails.clone(),
        }
    }
}

/// Orders that name the person.
macro_rules! ordered_by {
    ($tenant:expr, $bot:expr, $names:expr) => {
        orders::tenant_id
            .eq(key($tenant))
            .and(orders::bot_id.eq(key($bot)))
            .and(
                orders::customer_id
                    .eq_any($names.identifiers.clone())
                    .or(orders::customer_email.eq_any($names.emails.clone())),
            )
    };
}
pub(super) use ordered_by;

/// Leads of the person.
macro_rules! given_by {
    ($tenant:expr, $bot:expr, $names:expr) => {
        leads::tenant_id
            .eq(key($tenant))
            .and(leads::bot_id.eq(key($bot)))
            .and(
                leads::end_user_id
                    .eq_any($names.customers.clone())
                    .or(leads::email.eq_any($names.emails.clone())),
            )
    };
}
pub(super) use given_by;

type VisitRow = (
    String,
    String,
    Moment,
    Option<Key>,
    Option<String>,
    Option<String>,
);

fn visit((event_id, kind, at, conversation, customer, product): VisitRow) -> Result<Visit, Fault> {
    Ok(Visit {
        event_id,
        kind: word(VisitKind::parse, &kind)?,
        occurred_at: at.0,
        conversation_id: conversation.map(|id| id.0.into()),
        customer,
        product,
    })
}

async fn belongings(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    person: &Person,
) -> Result<Belongings, Fault> {
    let names = Names::of(person);
    let talked: Vec<(Key, String)> = of_bot!(conversations, tenant, bot)
        .filter(conversations::end_user_id.eq_any(&names.customers))
        .select((conversations::id, conversations::session_id))
        .load(conn)
        .await?;
    let customers: Vec<(EndUserRow, String, Moment)> = of_bot!(end_users, tenant, bot)
        .filter(end_users::id.eq_any(&names.customers))
        .order((end_users::created_at, end_users::id))
        .select((
            EndUserRow::as_select(),
            end_users::channel,
            end_users::created_at,
        ))
        .load(conn)
        .await?;
    let customers = customers.into_iter().map(|(end_user, channel, at)| {
        Ok(Customer {
            end_user: end_user.into(),
            channel: word(ChannelType::parse, &channel)?,
            created_at: at.0,
        })
    });
    let given: Vec<LeadRow> = leads::table
        .filter(given_by!(tenant, bot, names))
        .order((leads::created_at, leads::id))
        .select(LeadRow::as_select())
        .load(conn)
        .await?;
    let mut ordered: Vec<OrderRow> = orders::table
        .filter(ordered_by!(tenant, bot, names))
        .select(OrderRow::as_select())
        .load(conn)
        .await?;
    let mut did: Vec<VisitRow> = of_bot!(visits, tenant, bot)
        .filter(visits::customer.eq_any(&names.identifiers))
        .select(visit_columns())
        .load(conn)
        .await?;
    let mut told = Vec::new();
    let mut waiting = Vec::new();
    let mut worked = executions::naming(conn, tenant, bot, &person.emails).await?;
    for (conversation, session_id) in talked {
        let rows: Vec<OrderRow> = of_bot!(orders, tenant, bot)
            .filter(orders::conversation_id.eq(conversation))
            .select(OrderRow::as_select())
            .load(conn)
            .await?;
        ordered.extend(rows);
        let rows: Vec<VisitRow> = of_bot!(visits, tenant, bot)
            .filter(visits::conversation_id.eq(conversation))
            .select(visit_columns())
            .load(conn)
            .await?;
        did.extend(rows);
        told.extend(told_of(conn, tenant, conversation).await?);
        waiting.extend(channel_talks::waiting_of(conn, tenant, bot, &session_id).await?);
        worked.extend(executions::about(conn, tenant, conversation).await?);
    }
    let mut executions = Vec::new();
    for id in worked {
        executions.extend(executions::whole(conn, tenant, id).await?);
    }
    executions.sort_by_key(|(execution, _)| (execution.created_at, execution.id));
    let ordered = ordered.into_iter().map(Order::try_from);
    let mut orders: Vec<Order> = ordered.collect::<Result<_, _>>()?;
    orders.sort_by_key(|order| (order.ordered_at, order.id));
    orders.dedup_by_key(|order| order.id);
    let mut visits: Vec<Visit> = did.into_iter().map(visit).collect::<Result<_, _>>()?;
    visits.sort_by(|one, other| {
        (one.occurred_at, &one.event_id).cmp(&(other.occurred_at, &other.event_id))
    });
    visits.dedup();
    Ok(Belongings {
        customers: customers.collect::<Result<_, Fault>>()?,
        leads: given
            .into_iter()
            .map(Lead::try_from)
            .collect::<Result<_, _>>()?,
        orders,
        visits,
        events: told,
        waiting,
        executions,
    })
}

async fn mentions(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    person: &Person,
) -> Result<Vec<ExecutionId>, Fault> {
    let found = executions::naming(conn, tenant, bot, &person.emails).await?;
    Ok(found.into_iter().map(|id| id.0.into()).collect())
}

#[allow(clippy::type_complexity, reason = "it is a list of columns")]
const fn visit_columns() -> (
    visits::event_id,
    visits::kind,
    visits::occurred_at,
    visits::conversation_id,
    visits::customer,
    visits::product,
) {
    (
        visits::event_id,
        visits::kind,
        visits::occurred_at,
        visits::conversation_id,
        visits::customer,
        visits::product,
    )
}

/// Events about a conversation.
async fn told_of(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: Key,
) -> Result<Vec<Event>, Fault> {
    let rows: Vec<(Key, Option<Key>, String, Json, Moment)> = events::table
        .filter(events::tenant_id.eq(key(tenant)))
        .filter(events::subject.eq(conversation))
        .order((events::created_at, events::id))
        .select((
            events::id,
            events::bot_id,
            events::kind,
            events::data,
            events::created_at,
        ))
        .load(conn)
        .await?;
    let event = |(id, bot, kind, data, at): (Key, Option<Key>, String, Json, Moment)| {
        Ok(Event {
            id: id.0.into(),
            tenant_id: tenant,
            bot_id: bot.map(|id| id.0.into()),
            kind: word(EventKind::parse, &kind)?,
            subject: conversation.0,
            data: data.0,
            created_at: at.0,
        })
    };
    rows.into_iter().map(event).collect()
}
