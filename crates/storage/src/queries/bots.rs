use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::bots::{Bot, BotChanges, BotFilter, BotRole, Bots, ChannelType, Personality};
use domain::knowledge::KnowledgeState;
use domain::language::Language;
use domain::paging::{Page, PageRequest};
use domain::{BotId, Clash, Error, Limit, Resource, Result, TenantId, Timestamp};

use super::engine::{Conn, Db, Store};
use super::knowledge_index::StateRow;
use super::{count, number, optional_word, run, small, word};
use crate::fault::{Fault, Meaning};
use crate::schema::{bots, tenants};
use crate::types::{Key, Moment, key};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = bots, check_for_backend(Db))]
pub(super) struct BotRow {
    tenant_id: Key,
    pub id: Key,
    name: String,
    channel_type: String,
    description: Option<String>,
    welcome_message: Option<String>,
    system_prompt: Option<String>,
    language: String,
    personality: Option<String>,
    bot_role: Option<String>,
    is_active: bool,
    is_default: bool,
    evaluation_gate: bool,
    connection_count: i64,
    created_at: Moment,
    updated_at: Moment,
}

impl TryFrom<BotRow> for Bot {
    type Error = Fault;

    fn try_from(row: BotRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            name: row.name,
            channel_type: word(ChannelType::parse, &row.channel_type)?,
            description: row.description,
            welcome_message: row.welcome_message,
            system_prompt: row.system_prompt,
            language: word(Language::parse, &row.language)?,
            personality: optional_word(Personality::parse, row.personality.as_deref())?,
            bot_role: optional_word(BotRole::parse, row.bot_role.as_deref())?,
            is_active: row.is_active,
            is_default: row.is_default,
            evaluation_gate: row.evaluation_gate,
            connections: small(row.connection_count),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// What an update writes: the outer `None` leaves a column as it is, the inner one clears it.
#[derive(AsChangeset)]
#[diesel(table_name = bots)]
struct ChangedColumns {
    name: Option<String>,
    description: Option<Option<String>>,
    welcome_message: Option<Option<String>>,
    system_prompt: Option<Option<String>>,
    language: Option<&'static str>,
    personality: Option<Option<&'static str>>,
    bot_role: Option<Option<&'static str>>,
    is_active: Option<bool>,
    evaluation_gate: Option<bool>,
    updated_at: Moment,
}

#[async_trait]
impl Bots for Store {
    async fn create(&self, bot: &Bot, max: Option<u64>) -> Result<Bot> {
        run!(self.write("bots.create", bot.tenant_id), [bot], |conn| {
            create(conn, &bot, max)
        })
    }

    async fn find(&self, tenant: TenantId, id: BotId) -> Result<Option<Bot>> {
        run!(self.read("bots.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: BotFilter,
        page: PageRequest,
    ) -> Result<Page<Bot>> {
        run!(self.read("bots.list", tenant), [], |conn| {
            list(conn, tenant, filter, page)
        })
    }

    async fn all(&self, tenant: TenantId) -> Result<Vec<Bot>> {
        run!(self.read("bots.all", tenant), [], |conn| all(conn, tenant))
    }

    async fn update(
        &self,
        tenant: TenantId,
        id: BotId,
        changes: &BotChanges,
        at: Timestamp,
    ) -> Result<Option<Bot>> {
        run!(self.write("bots.update", tenant), [changes], |conn| {
            update(conn, tenant, id, &changes, at)
        })
    }

    async fn delete(&self, tenant: TenantId, id: BotId) -> Result<Option<Bot>> {
        run!(self.write("bots.delete", tenant), [], |conn| delete(
            conn, tenant, id
        ))
    }
}

async fn create(conn: &mut Conn, bot: &Bot, max: Option<u64>) -> Result<Bot, Fault> {
    // One statement checks the limit and takes the place, and locks the tenant's row until the commit.
    let bots = diesel::update(tenants::table.find(key(bot.tenant_id)))
        .filter(tenants::bot_count.lt(max.map_or(i64::MAX, number)))
        .set(tenants::bot_count.eq(tenants::bot_count + 1))
        .returning(tenants::bot_count)
        .get_result::<i64>(conn)
        .await
        .optional()?;
    let Some(bots) = bots else {
        return Err(refusal(conn, bot).await?.into());
    };
    let row = BotRow {
        tenant_id: key(bot.tenant_id),
        id: key(bot.id),
        name: bot.name.clone(),
        channel_type: bot.channel_type.as_str().to_owned(),
        description: bot.description.clone(),
        welcome_message: bot.welcome_message.clone(),
        system_prompt: bot.system_prompt.clone(),
        language: bot.language.as_str().to_owned(),
        personality: bot.personality.map(|p| p.as_str().to_owned()),
        bot_role: bot.bot_role.map(|r| r.as_str().to_owned()),
        is_active: bot.is_active,
        is_default: bots == 1,
        evaluation_gate: bot.evaluation_gate,
        connection_count: 0,
        created_at: Moment(bot.created_at),
        updated_at: Moment(bot.updated_at),
    };
    let kept = diesel::insert_into(bots::table)
        .values(row)
        .returning(BotRow::as_returning())
        .get_result(conn)
        .await
        .or_exists()?;
    kept.try_into()
}

/// Why there was no place for a bot. A request that is repeated at the limit finds what it made before.
async fn refusal(conn: &mut Conn, bot: &Bot) -> Result<Error, Fault> {
    if find(conn, bot.tenant_id, bot.id).await?.is_some() {
        return Ok(Error::Conflict(Clash::AlreadyExists));
    }
    let tenant: i64 = tenants::table
        .find(key(bot.tenant_id))
        .count()
        .get_result(conn)
        .await?;
    Ok(if tenant == 0 {
        Error::NotFound(Resource::Tenant)
    } else {
        Error::LimitReached(Limit::Bots)
    })
}

async fn find(conn: &mut Conn, tenant: TenantId, id: BotId) -> Result<Option<Bot>, Fault> {
    let row = bots::table
        .find((key(tenant), key(id)))
        .select(BotRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Bot::try_from).transpose()
}

/// The bot named, or else the tenant's default, with the state of its knowledge.
pub(super) async fn resolve(
    conn: &mut Conn,
    tenant: TenantId,
    id: Option<BotId>,
) -> Result<Option<(Bot, KnowledgeState)>, Fault> {
    let own = bots::table.filter(bots::tenant_id.eq(key(tenant)));
    let columns = (BotRow::as_select(), StateRow::as_select());
    let found: Option<(BotRow, StateRow)> = match id {
        Some(id) => {
            own.filter(bots::id.eq(key(id)))
                .select(columns)
                .first(conn)
                .await
        }
        None => {
            own.filter(bots::is_default.eq(true))
                .select(columns)
                .first(conn)
                .await
        }
    }
    .optional()?;
    found
        .map(|(row, knowledge)| Ok((row.try_into()?, knowledge.into())))
        .transpose()
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    filter: BotFilter,
    page: PageRequest,
) -> Result<Page<Bot>, Fault> {
    let matching = || {
        let mut query = bots::table
            .filter(bots::tenant_id.eq(key(tenant)))
            .into_boxed::<Db>();
        if let Some(channel) = filter.channel_type {
            query = query.filter(bots::channel_type.eq(channel.as_str()));
        }
        if let Some(is_active) = filter.is_active {
            query = query.filter(bots::is_active.eq(is_active));
        }
        query
    };
    let total: i64 = matching().count().get_result(conn).await?;
    let rows = matching()
        .order((bots::created_at.desc(), bots::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(BotRow::as_select())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(Bot::try_from)
            .collect::<Result<_, _>>()?,
        total: count(total),
    })
}

async fn all(conn: &mut Conn, tenant: TenantId) -> Result<Vec<Bot>, Fault> {
    let rows = bots::table
        .filter(bots::tenant_id.eq(key(tenant)))
        .order((bots::created_at.desc(), bots::id.desc()))
        .select(BotRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Bot::try_from).collect()
}

async fn update(
    conn: &mut Conn,
    tenant: TenantId,
    id: BotId,
    changes: &BotChanges,
    at: Timestamp,
) -> Result<Option<Bot>, Fault> {
    let row = diesel::update(bots::table.find((key(tenant), key(id))))
        .set(ChangedColumns {
            name: changes.name.clone(),
            description: changes.description.clone(),
            welcome_message: changes.welcome_message.clone(),
            system_prompt: changes.system_prompt.clone(),
            language: changes.language.map(Language::as_str),
            personality: changes.personality.map(|p| p.map(Personality::as_str)),
            bot_role: changes.bot_role.map(|r| r.map(BotRole::as_str)),
            is_active: changes.is_active,
            evaluation_gate: changes.evaluation_gate,
            updated_at: Moment(at),
        })
        .returning(BotRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(Bot::try_from).transpose()
}

async fn delete(conn: &mut Conn, tenant: TenantId, id: BotId) -> Result<Option<Bot>, Fault> {
    // The tenant's row first, as in `create`: whoever makes or deletes its bots does so one by one.
    diesel::update(tenants::table.find(key(tenant)))
        .set(tenants::bot_count.eq(tenants::bot_count))
        .execute(conn)
        .await?;
    let deleted = diesel::delete(bots::table.find((key(tenant), key(id))))
        .returning(BotRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    let Some(row) = deleted else {
        return Ok(None);
    };
    diesel::update(tenants::table.find(key(tenant)))
        .set(tenants::bot_count.eq(tenants::bot_count - 1))
        .execute(conn)
        .await?;
    if row.is_default {
        let oldest = bots::table
            .filter(bots::tenant_id.eq(key(tenant)))
            .order((bots::created_at, bots::id))
            .select(bots::id)
            .first::<Key>(conn)
            .await
            .optional()?;
        if let Some(oldest) = oldest {
            diesel::update(bots::table.find((key(tenant), oldest)))
                .set(bots::is_default.eq(true))
                .execute(conn)
                .await?;
        }
    }
    row.try_into().map(Some)
}
