use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::knowledge::{Chunk, ChunkDraft, IndexedSource, KnowledgeIndex, SourceStatus};
use domain::{BotId, ChunkId, Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, Db, Store};
use super::run;
use crate::fault::Fault;
use crate::schema::{bots, knowledge_chunks as chunks, knowledge_sources as sources};
use crate::types::{Key, Moment, key};

#[async_trait]
impl KnowledgeIndex for Store {
    async fn version(&self, tenant: TenantId, bot: BotId) -> Result<Option<i64>> {
        run!(self.read("index.version", tenant), [], |conn| version(
            conn, tenant, bot
        ))
    }

    async fn sources(&self, tenant: TenantId, bot: BotId) -> Result<Vec<IndexedSource>> {
        run!(self.read("index.sources", tenant), [], |conn| {
            ready_sources(conn, tenant, bot)
        })
    }

    async fn chunks_of(&self, tenant: TenantId, source: SourceId) -> Result<Vec<Chunk>> {
        run!(self.read("index.chunks_of", tenant), [], |conn| {
            chunks_of(conn, tenant, source)
        })
    }

    async fn chunks(&self, tenant: TenantId, ids: &[ChunkId]) -> Result<Vec<Chunk>> {
        run!(self.read("index.chunks", tenant), [ids], |conn| {
            chunks_by_id(conn, tenant, &ids)
        })
    }
}

/// A chunk as it is kept.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = chunks, check_for_backend(Db))]
pub(crate) struct ChunkRow {
    tenant_id: Key,
    source_id: Key,
    chunk_index: i64,
    id: Key,
    bot_id: Key,
    content: String,
    heading: Option<String>,
    page: Option<i64>,
    url: Option<String>,
    created_at: Moment,
}

impl ChunkRow {
    /// The chunk of a source at an index.
    pub(super) fn new(
        tenant: TenantId,
        source: SourceId,
        bot: BotId,
        index: i64,
        id: ChunkId,
        draft: &ChunkDraft,
        at: Timestamp,
    ) -> Self {
        Self {
            tenant_id: key(tenant),
            source_id: key(source),
            chunk_index: index,
            id: key(id),
            bot_id: key(bot),
            content: draft.content.clone(),
            heading: draft.heading.clone(),
            page: draft.page.map(i64::from),
            url: draft.url.clone(),
            created_at: Moment(at),
        }
    }
}

impl From<ChunkRow> for Chunk {
    fn from(row: ChunkRow) -> Self {
        let small = |stored: i64| u32::try_from(stored).unwrap_or_default();
        Self {
            id: row.id.0.into(),
            source_id: row.source_id.0.into(),
            index: small(row.chunk_index),
            draft: ChunkDraft {
                content: row.content,
                heading: row.heading,
                page: row.page.map(small),
                url: row.url,
            },
            created_at: row.created_at.0,
        }
    }
}

async fn version(conn: &mut Conn, tenant: TenantId, bot: BotId) -> Result<Option<i64>, Fault> {
    let version = bots::table
        .find((key(tenant), key(bot)))
        .select(bots::knowledge_version)
        .first(conn)
        .await
        .optional()?;
    Ok(version)
}

async fn ready_sources(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
) -> Result<Vec<IndexedSource>, Fault> {
    let rows: Vec<(Key, String, i64)> = sources::table
        .filter(sources::tenant_id.eq(key(tenant)))
        .filter(sources::bot_id.eq(key(bot)))
        .filter(sources::status.eq(SourceStatus::Ready.as_str()))
        .order((sources::created_at, sources::id))
        .select((sources::id, sources::name, sources::revision))
        .load(conn)
        .await?;
    let indexed = |(id, name, revision): (Key, String, i64)| IndexedSource {
        id: id.0.into(),
        name,
        revision,
    };
    Ok(rows.into_iter().map(indexed).collect())
}

/// All chunks of a source, in order.
pub(super) async fn chunks_of(
    conn: &mut Conn,
    tenant: TenantId,
    source: SourceId,
) -> Result<Vec<Chunk>, Fault> {
    let rows = chunks::table
        .filter(chunks::tenant_id.eq(key(tenant)))
        .filter(chunks::source_id.eq(key(source)))
        .order(chunks::chunk_index)
        .select(ChunkRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Chunk::from).collect())
}

async fn chunks_by_id(
    conn: &mut Conn,
    tenant: TenantId,
    ids: &[ChunkId],
) -> Result<Vec<Chunk>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    // SQLite takes so many parameters and no more.
    for ids in ids.chunks(1_000) {
        let rows = chunks::table
            .filter(chunks::tenant_id.eq(key(tenant)))
            .filter(chunks::id.eq_any(ids.iter().copied().map(key)))
            .select(ChunkRow::as_select())
            .load(conn)
            .await?;
        found.extend(rows.into_iter().map(Chunk::from));
    }
    Ok(found)
}
