use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::bots::ChannelType;
use domain::channels::{CHANNELS_MAX, Channel, ChannelSettings, ChannelStatus, Channels};
use domain::events::Event;
use domain::paging::{Page, PageRequest};
use domain::{BotId, ChannelId, Clash, Error, Resource, Result, TenantId};

use super::engine::{Conn, Db, Store, held};
use super::{count, number, outbox, run, word};
use crate::fault::{Fault, Meaning};
use crate::schema::{bots, channels};
use crate::scope::Scope;
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl Channels for Store {
    async fn create(&self, channel: &Channel) -> Result<()> {
        run!(
            self.write("channels.create", channel.tenant_id),
            [channel],
            |conn| create(conn, &channel)
        )
    }

    async fn find(&self, tenant: TenantId, id: ChannelId) -> Result<Option<Channel>> {
        run!(self.read("channels.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn find_for_hook(&self, id: ChannelId) -> Result<Option<Channel>> {
        run!(
            self.read("channels.find_for_hook", Scope::System),
            [],
            |conn| find_for_hook(conn, id)
        )
    }

    async fn of_bot(
        &self,
        tenant: TenantId,
        bot: BotId,
        page: PageRequest,
    ) -> Result<Page<Channel>> {
        run!(self.read("channels.of_bot", tenant), [], |conn| of_bot(
            conn, tenant, bot, page
        ))
    }

    async fn update(&self, channel: &Channel, event: Option<&Event>) -> Result<Option<Channel>> {
        let event = event.cloned();
        run!(
            self.write("channels.update", channel.tenant_id),
            [channel, event],
            |conn| update(conn, &channel, event.as_ref().as_ref())
        )
    }

    async fn delete(&self, tenant: TenantId, id: ChannelId) -> Result<bool> {
        run!(self.write("channels.delete", tenant), [], |conn| delete(
            conn, tenant, id
        ))
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = channels, check_for_backend(Db), treat_none_as_null = true)]
struct ChannelRow {
    tenant_id: Key,
    id: Key,
    bot_id: Key,
    kind: String,
    name: String,
    settings: Json,
    credentials: Vec<u8>,
    status: String,
    reason: Option<String>,
    account: Option<String>,
    version: i64,
    created_at: Moment,
    updated_at: Moment,
}

impl From<&Channel> for ChannelRow {
    fn from(channel: &Channel) -> Self {
        Self {
            tenant_id: key(channel.tenant_id),
            id: key(channel.id),
            bot_id: key(channel.bot_id),
            kind: channel.kind().as_str().to_owned(),
            name: channel.name.clone(),
            settings: Json(channel.settings.to_json()),
            credentials: channel.credentials.clone(),
            status: channel.status.as_str().to_owned(),
            reason: channel.reason.clone(),
            account: channel.account.clone(),
            version: number(channel.version),
            created_at: Moment(channel.created_at),
            updated_at: Moment(channel.updated_at),
        }
    }
}

impl TryFrom<ChannelRow> for Channel {
    type Error = Fault;

    fn try_from(row: ChannelRow) -> Result<Self, Fault> {
        let kind = word(ChannelType::parse, &row.kind)?;
        Ok(Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            bot_id: row.bot_id.0.into(),
            name: row.name,
            settings: ChannelSettings::read(kind, &row.settings.0).map_err(Error::internal)?,
            credentials: row.credentials,
            status: word(ChannelStatus::parse, &row.status)?,
            reason: row.reason,
            account: row.account,
            version: count(row.version),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

async fn create(conn: &mut Conn, channel: &Channel) -> Result<(), Fault> {
    let (tenant, bot) = (key(channel.tenant_id), key(channel.bot_id));
    // Holding the bot's row, so that no two take the last place.
    let found: Option<Key> = held!(bots::table.find((tenant, bot)).select(bots::id))
        .first(conn)
        .await
        .optional()?;
    found.ok_or(Error::NotFound(Resource::Bot))?;
    if find(conn, channel.tenant_id, channel.id).await?.is_some() {
        return Err(Error::Conflict(Clash::AlreadyExists).into());
    }
    let there: i64 = channels::table
        .filter(channels::tenant_id.eq(tenant))
        .filter(channels::bot_id.eq(bot))
        .count()
        .get_result(conn)
        .await?;
    if there >= i64::from(CHANNELS_MAX) {
        let problem = format!("A bot can have {CHANNELS_MAX} channels; delete one first.");
        return Err(Error::invalid("bot_id", problem).into());
    }
    diesel::insert_into(channels::table)
        .values(ChannelRow::from(channel))
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
}

async fn find(conn: &mut Conn, tenant: TenantId, id: ChannelId) -> Result<Option<Channel>, Fault> {
    let row = channels::table
        .find((key(tenant), key(id)))
        .select(ChannelRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Channel::try_from).transpose()
}

async fn find_for_hook(conn: &mut Conn, id: ChannelId) -> Result<Option<Channel>, Fault> {
    let row = channels::table
        .filter(channels::id.eq(key(id)))
        .select(ChannelRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Channel::try_from).transpose()
}

async fn of_bot(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    page: PageRequest,
) -> Result<Page<Channel>, Fault> {
    let own = || {
        channels::table
            .filter(channels::tenant_id.eq(key(tenant)))
            .filter(channels::bot_id.eq(key(bot)))
    };
    let total: i64 = own().count().get_result(conn).await?;
    let rows = own()
        .order((channels::created_at.desc(), channels::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(ChannelRow::as_select())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(Channel::try_from)
            .collect::<Result<_, _>>()?,
        total: count(total),
    })
}

async fn update(
    conn: &mut Conn,
    channel: &Channel,
    event: Option<&Event>,
) -> Result<Option<Channel>, Fault> {
    let kept = ChannelRow {
        version: number(channel.version + 1),
        ..ChannelRow::from(channel)
    };
    let row = channels::table.find((kept.tenant_id, kept.id));
    let row = diesel::update(row.filter(channels::version.eq(number(channel.version))))
        .set(&kept)
        .returning(ChannelRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    if let (Some(_), Some(event)) = (&row, event) {
        outbox::tell(conn, event).await?;
    }
    row.map(Channel::try_from).transpose()
}

async fn delete(conn: &mut Conn, tenant: TenantId, id: ChannelId) -> Result<bool, Fault> {
    let deleted = diesel::delete(channels::table.find((key(tenant), key(id))))
        .execute(conn)
        .await?;
    Ok(deleted > 0)
}
