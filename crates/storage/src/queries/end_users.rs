use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::conversations::{EndUser, EndUserDetails};
use domain::{EndUserId, TenantId, Timestamp};

use super::engine::Conn;
use crate::fault::Fault;
use crate::schema::end_users;
use crate::schema::functions::{coalesce, coalesce_null};
use crate::types::{Key, Moment, key};

#[derive(Queryable, Selectable)]
#[diesel(table_name = end_users, check_for_backend(super::engine::Db))]
pub(super) struct EndUserRow {
    id: Key,
    identifier: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

impl From<EndUserRow> for EndUser {
    fn from(row: EndUserRow) -> Self {
        Self {
            id: row.id.0.into(),
            identifier: row.identifier,
            name: row.name,
            email: row.email,
        }
    }
}

/// Keeps the person of a new conversation, and answers its id: whoever gave the same identifier to the
/// same bot on the same channel is the same person, with the name and address given last; or the one that this one
/// turned out to be.
pub(super) async fn keep(
    conn: &mut Conn,
    tenant: TenantId,
    bot: Key,
    channel: &str,
    id: EndUserId,
    details: &EndUserDetails,
    at: Timestamp,
) -> Result<Key, Fault> {
    let may_be_another = details.user_identifier.is_some() || details.user_email.is_some();
    let (face, kept): (Key, Key) = diesel::insert_into(end_users::table)
        .values((
            end_users::tenant_id.eq(key(tenant)),
            end_users::id.eq(key(id)),
            end_users::bot_id.eq(bot),
            end_users::channel.eq(channel),
            end_users::identifier.eq(details.user_identifier.as_deref()),
            end_users::name.eq(details.user_name.as_deref()),
            end_users::email.eq(details.user_email.as_deref()),
            end_users::created_at.eq(Moment(at)),
            end_users::unmerged.eq(may_be_another),
        ))
        .on_conflict((
            end_users::tenant_id,
            end_users::bot_id,
            end_users::channel,
            end_users::identifier,
        ))
        .do_update()
        .set((
            end_users::name.eq(coalesce_null(excluded(end_users::name), end_users::name)),
            end_users::email.eq(coalesce_null(excluded(end_users::email), end_users::email)),
        ))
        .returning((end_users::id, coalesce(end_users::same_as, end_users::id)))
        .get_result(conn)
        .await?;
    if kept != face {
        let (name, email) = (&details.user_name, &details.user_email);
        diesel::update(end_users::table.find((key(tenant), kept)))
            .set((
                end_users::name.eq(coalesce_null(name.as_deref(), end_users::name)),
                end_users::email.eq(coalesce_null(email.as_deref(), end_users::email)),
            ))
            .execute(conn)
            .await?;
    }
    Ok(kept)
}
