use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::bots::ChannelType;
use domain::leads::{Contact, Customer, CustomerOrder, Lead, Leads, Origin};
use domain::paging::{Page, PageRequest};
use domain::{BotId, ConversationId, Error, Resource, Result, TenantId, Timestamp};

use super::end_users::EndUserRow;
use super::engine::{Conn, Db, Store};
use super::{count, run, word};
use crate::fault::Fault;
use crate::schema::functions::{coalesce_null, lower};
use crate::schema::{conversations, end_users, leads};
use crate::types::{Key, Moment, key};

#[async_trait]
impl Leads for Store {
    async fn customers(
        &self,
        tenant: TenantId,
        bot: BotId,
        order: CustomerOrder,
        page: PageRequest,
    ) -> Result<Page<Customer>> {
        run!(self.read("leads.customers", tenant), [], |conn| customers(
            conn, tenant, bot, order, page
        ))
    }

    async fn keep(
        &self,
        tenant: TenantId,
        bot: BotId,
        conversation: ConversationId,
        contact: &Contact,
        name: Option<&str>,
        at: Timestamp,
    ) -> Result<Lead> {
        let name = name.map(str::to_owned);
        run!(self.write("leads.keep", tenant), [contact, name], |conn| {
            let place = (bot, conversation);
            keep_in_bot(conn, tenant, place, &contact, name.as_deref(), at)
        })
    }

    async fn leads(&self, tenant: TenantId, bot: BotId, page: PageRequest) -> Result<Page<Lead>> {
        run!(self.read("leads.leads", tenant), [], |conn| list(
            conn, tenant, bot, page
        ))
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = leads, check_for_backend(Db))]
struct LeadRow {
    id: Key,
    end_user_id: Key,
    conversation_id: Key,
    email: String,
    name: Option<String>,
    origin: String,
    consent: Option<bool>,
    created_at: Moment,
}

impl TryFrom<LeadRow> for Lead {
    type Error = Fault;

    fn try_from(row: LeadRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            end_user_id: row.end_user_id.0.into(),
            conversation_id: row.conversation_id.0.into(),
            email: row.email,
            name: row.name,
            origin: word(Origin::parse, &row.origin)?,
            consent: row.consent,
            created_at: row.created_at.0,
        })
    }
}

/// Keeps an address that was given in a conversation; of one that the bot knows, only what is said of it anew.
pub(super) async fn keep(
    conn: &mut Conn,
    tenant: TenantId,
    conversation: ConversationId,
    contact: &Contact,
    name: Option<&str>,
    at: Timestamp,
) -> Result<(), Fault> {
    let (bot, end_user): (Key, Key) = conversations::table
        .find((key(tenant), key(conversation)))
        .select((conversations::bot_id, conversations::end_user_id))
        .first(conn)
        .await?;
    diesel::insert_into(leads::table)
        .values((
            leads::tenant_id.eq(key(tenant)),
            leads::id.eq(key(contact.lead_id)),
            leads::bot_id.eq(bot),
            leads::end_user_id.eq(end_user),
            leads::conversation_id.eq(key(conversation)),
            leads::email.eq(contact.email.as_str()),
            leads::name.eq(name),
            leads::origin.eq(contact.origin.as_str()),
            leads::consent.eq(contact.consent),
            leads::created_at.eq(Moment(at)),
        ))
        .on_conflict((leads::tenant_id, leads::bot_id, leads::email))
        .do_update()
        .set((
            leads::name.eq(coalesce_null(excluded(leads::name), leads::name)),
            leads::consent.eq(coalesce_null(excluded(leads::consent), leads::consent)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// As [`keep`], if the conversation is the bot's.
async fn keep_in_bot(
    conn: &mut Conn,
    tenant: TenantId,
    (bot, conversation): (BotId, ConversationId),
    contact: &Contact,
    name: Option<&str>,
    at: Timestamp,
) -> Result<Lead, Fault> {
    let is_bots = conversations::table
        .find((key(tenant), key(conversation)))
        .filter(conversations::bot_id.eq(key(bot)));
    if !diesel::select(exists(is_bots)).get_result(conn).await? {
        return Err(Error::NotFound(Resource::Conversation).into());
    }
    keep(conn, tenant, conversation, contact, name, at).await?;
    let kept: LeadRow = leads::table
        .filter(leads::tenant_id.eq(key(tenant)))
        .filter(leads::bot_id.eq(key(bot)))
        .filter(leads::email.eq(contact.email.as_str()))
        .select(LeadRow::as_select())
        .first(conn)
        .await?;
    kept.try_into()
}

async fn customers(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    order: CustomerOrder,
    page: PageRequest,
) -> Result<Page<Customer>, Fault> {
    macro_rules! of_bot {
        () => {
            end_users::table
                .filter(end_users::tenant_id.eq(key(tenant)))
                .filter(end_users::bot_id.eq(key(bot)))
        };
    }
    let total: i64 = of_bot!().count().get_result(conn).await?;
    let query = of_bot!()
        .limit(page.limit())
        .offset(page.offset())
        .select((
            EndUserRow::as_select(),
            end_users::channel,
            end_users::created_at,
        ))
        .into_boxed::<Db>();
    let nameless = end_users::name.is_null();
    let name = lower(end_users::name);
    let query = match order {
        CustomerOrder::NameAscending => query.order((nameless, name.asc(), end_users::id)),
        CustomerOrder::NameDescending => query.order((nameless, name.desc(), end_users::id)),
        CustomerOrder::Oldest => query.order((end_users::created_at, end_users::id)),
        CustomerOrder::Newest => query.order((end_users::created_at.desc(), end_users::id.desc())),
    };
    let rows: Vec<(EndUserRow, String, Moment)> = query.load(conn).await?;
    let customer = |(end_user, channel, created_at): (EndUserRow, String, Moment)| {
        Ok(Customer {
            end_user: end_user.into(),
            channel: word(ChannelType::parse, &channel)?,
            created_at: created_at.0,
        })
    };
    Ok(Page {
        items: rows
            .into_iter()
            .map(customer)
            .collect::<Result<_, Fault>>()?,
        total: count(total),
    })
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    page: PageRequest,
) -> Result<Page<Lead>, Fault> {
    macro_rules! of_bot {
        () => {
            leads::table
                .filter(leads::tenant_id.eq(key(tenant)))
                .filter(leads::bot_id.eq(key(bot)))
        };
    }
    let total: i64 = of_bot!().count().get_result(conn).await?;
    let rows = of_bot!()
        .order((leads::created_at.desc(), leads::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(LeadRow::as_select())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(Lead::try_from)
            .collect::<Result<_, _>>()?,
        total: count(total),
    })
}
