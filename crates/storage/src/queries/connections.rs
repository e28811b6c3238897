use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::connections::{CONNECTIONS_MAX, Connection, ConnectionKind, Connections};
use domain::{BotId, ConnectionId, Error, Resource, Result, TenantId, Timestamp};

use super::engine::{Conn, Db, Store};
use super::{run, small, word};
use crate::fault::{Fault, Meaning};
use crate::schema::{bots, connections};
use crate::types::{Key, Moment, key};

#[async_trait]
impl Connections for Store {
    async fn create(&self, connection: &Connection) -> Result<()> {
        run!(
            self.write("connections.create", connection.tenant_id),
            [connection],
            |conn| create(conn, &connection)
        )
    }

    async fn find(&self, tenant: TenantId, id: ConnectionId) -> Result<Option<Connection>> {
        run!(self.read("connections.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn of_bot(&self, tenant: TenantId, bot: BotId) -> Result<Vec<Connection>> {
        run!(self.read("connections.of_bot", tenant), [], |conn| of_bot(
            conn, tenant, bot
        ))
    }

    async fn update(&self, connection: &Connection) -> Result<Option<Connection>> {
        run!(
            self.write("connections.update", connection.tenant_id),
            [connection],
            |conn| update(conn, &connection)
        )
    }

    async fn delete(&self, tenant: TenantId, id: ConnectionId) -> Result<bool> {
        run!(self.write("connections.delete", tenant), [], |conn| delete(
            conn, tenant, id
        ))
    }

    async fn record(
        &self,
        tenant: TenantId,
        id: ConnectionId,
        error: Option<&str>,
        at: Timestamp,
    ) -> Result<Option<u32>> {
        let error = error.map(str::to_owned);
        run!(self.write("connections.record", tenant), [error], |conn| {
            record(conn, tenant, id, error.as_deref(), at)
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = connections, check_for_backend(Db), treat_none_as_null = true)]
struct ConnectionRow {
    tenant_id: Key,
    id: Key,
    bot_id: Key,
    name: String,
    kind: String,
    base_url: Option<String>,
    model: Option<String>,
    credential: Option<Vec<u8>>,
    enabled: bool,
    failures: i64,
    error: Option<String>,
    failed_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

impl From<&Connection> for ConnectionRow {
    fn from(connection: &Connection) -> Self {
        Self {
            tenant_id: key(connection.tenant_id),
            id: key(connection.id),
            bot_id: key(connection.bot_id),
            name: connection.name.clone(),
            kind: connection.kind.as_str().to_owned(),
            base_url: connection.base_url.clone(),
            model: connection.model.clone(),
            credential: connection.credential.clone(),
            enabled: connection.enabled,
            failures: connection.failures.into(),
            error: connection.error.clone(),
            failed_at: connection.failed_at.map(Moment),
            created_at: Moment(connection.created_at),
            updated_at: Moment(connection.updated_at),
        }
    }
}

impl TryFrom<ConnectionRow> for Connection {
    type Error = Fault;

    fn try_from(row: ConnectionRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            bot_id: row.bot_id.0.into(),
            name: row.name,
            kind: word(ConnectionKind::parse, &row.kind)?,
            base_url: row.base_url,
            model: row.model,
            credential: row.credential,
            enabled: row.enabled,
            failures: small(row.failures),
            error: row.error,
            failed_at: row.failed_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

async fn create(conn: &mut Conn, connection: &Connection) -> Result<(), Fault> {
    // The bot's row is ours until the commit: whoever makes connections for it does so one by one.
    let bot = bots::table.find((key(connection.tenant_id), key(connection.bot_id)));
    let counted: Option<i64> = diesel::update(bot)
        .set(bots::connection_count.eq(bots::connection_count + 1))
        .returning(bots::connection_count)
        .get_result(conn)
        .await
        .optional()?;
    let count = counted.ok_or(Error::NotFound(Resource::Bot))?;
    diesel::insert_into(connections::table)
        .values(ConnectionRow::from(connection))
        .execute(conn)
        .await
        .or_exists()?;
    if count > CONNECTIONS_MAX as i64 {
        let most = format!("A bot can have {CONNECTIONS_MAX} integrations; delete one first.");
        return Err(Error::invalid("bot_id", most).into());
    }
    Ok(())
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Option<Connection>, Fault> {
    let row = connections::table
        .find((key(tenant), key(id)))
        .select(ConnectionRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Connection::try_from).transpose()
}

async fn of_bot(conn: &mut Conn, tenant: TenantId, bot: BotId) -> Result<Vec<Connection>, Fault> {
    let rows = connections::table
        .filter(connections::tenant_id.eq(key(tenant)))
        .filter(connections::bot_id.eq(key(bot)))
        .order((connections::created_at, connections::id))
        .select(ConnectionRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Connection::try_from).collect()
}

async fn update(conn: &mut Conn, connection: &Connection) -> Result<Option<Connection>, Fault> {
    let kept = ConnectionRow {
        failures: 0,
        error: None,
        failed_at: None,
        ..ConnectionRow::from(connection)
    };
    let row = connections::table.find((kept.tenant_id, kept.id));
    let row = diesel::update(row)
        .set(&kept)
        .returning(ConnectionRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(Connection::try_from).transpose()
}

async fn delete(conn: &mut Conn, tenant: TenantId, id: ConnectionId) -> Result<bool, Fault> {
    let Some(found) = find(conn, tenant, id).await? else {
        return Ok(false);
    };
    diesel::update(bots::table.find((key(tenant), key(found.bot_id))))
        .set(bots::connection_count.eq(bots::connection_count - 1))
        .execute(conn)
        .await?;
    let deleted = diesel::delete(connections::table.find((key(tenant), key(id))))
        .execute(conn)
        .await?;
    if deleted == 0 {
        // Somebody was faster, and has counted it.
        return Err(Fault::Again);
    }
    Ok(true)
}

async fn record(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
    error: Option<&str>,
    at: Timestamp,
) -> Result<Option<u32>, Fault> {
    let row = connections::table.find((key(tenant), key(id)));
    let failures: Option<i64> = match error {
        Some(error) => diesel::update(row)
            .set((
                connections::failures.eq(connections::failures + 1),
                connections::error.eq(error),
                connections::failed_at.eq(Moment(at)),
            ))
            .returning(connections::failures)
            .get_result(conn)
            .await
            .optional()?,
        None => diesel::update(row)
            .set((
                connections::failures.eq(0),
                connections::error.eq(None::<String>),
                connections::failed_at.eq(None::<Moment>),
            ))
            .returning(connections::failures)
            .get_result(conn)
            .await
            .optional()?,
    };
    Ok(failures.map(small))
}
