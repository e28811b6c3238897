//! Customers who turn out to be one.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use domain::TenantId;
use domain::people::Named;

use super::engine::Conn;
use super::people;
use crate::fault::Fault;
use crate::schema::functions::coalesce_null;
use crate::schema::{conversations, end_users, leads};
use crate::types::{Key, Moment, key};

/// See [`domain::people::People::merge`].
pub(super) async fn merge(conn: &mut Conn, most: u32) -> Result<bool, Fault> {
    let next: Option<(Key, Key, Key)> = end_users::table
        // In words, so that the engines know the index on just these rows.
        .filter(sql::<Bool>("unmerged"))
        .select((end_users::tenant_id, end_users::bot_id, end_users::id))
        .first(conn)
        .await
        .optional()?;
    let Some((tenant, bot, id)) = next else {
        return Ok(false);
    };
    let (tenant, bot): (TenantId, _) = (tenant.0.into(), bot.0.into());
    let named = Named::Customer(id.0.into());
    let person = people::find(conn, tenant, bot, &named).await?;
    let all: Vec<Key> = person
        .iter()
        .flat_map(|person| &person.customers)
        .map(|customer| key(*customer))
        .collect();
    // Who begins a conversation as one of them waits from here on, and then is the first.
    let mut held: Vec<(Moment, Key)> = diesel::update(end_users::table)
        .filter(end_users::tenant_id.eq(key(tenant)))
        .filter(end_users::id.eq_any(&all))
        .set(end_users::unmerged.eq(end_users::unmerged))
        .returning((end_users::created_at, end_users::id))
        .get_results(conn)
        .await?;
    held.sort();
    let mut held = held.into_iter().map(|(_, customer)| customer);
    let Some(first) = held.next() else {
        // Erased a moment ago.
        return Ok(true);
    };
    for other in held {
        if !move_over(conn, tenant, other, first, most).await? {
            return Ok(true);
        }
    }
    diesel::update(end_users::table.find((key(tenant), id)))
        .set(end_users::unmerged.eq(false))
        .execute(conn)
        .await?;
    Ok(true)
}

/// Gives the first what another has. `false`: there is more of it.
async fn move_over(
    conn: &mut Conn,
    tenant: TenantId,
    other: Key,
    first: Key,
    most: u32,
) -> Result<bool, Fault> {
    let part: Vec<Key> = conversations::table
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::end_user_id.eq(other))
        .limit(most.into())
        .select(conversations::id)
        .load(conn)
        .await?;
    diesel::update(conversations::table)
        .filter(conversations::tenant_id.eq(key(tenant)))
        .filter(conversations::id.eq_any(&part))
        .set(conversations::end_user_id.eq(first))
        .execute(conn)
        .await?;
    if part.len() as u32 == most {
        return Ok(false);
    }
    diesel::update(leads::table)
        .filter(leads::tenant_id.eq(key(tenant)))
        .filter(leads::end_user_id.eq(other))
        .set(leads::end_user_id.eq(first))
        .execute(conn)
        .await?;
    let (name, email): (Option<String>, Option<String>) =
        diesel::update(end_users::table.find((key(tenant), other)))
            .set(end_users::same_as.eq(first))
            .returning((end_users::name, end_users::email))
            .get_result(conn)
            .await?;
    diesel::update(end_users::table.find((key(tenant), first)))
        .set((
            end_users::name.eq(coalesce_null(end_users::name, name)),
            end_users::email.eq(coalesce_null(end_users::email, email)),
        ))
        .execute(conn)
        .await?;
    Ok(true)
}
