use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::jobs::JobKind;
use domain::knowledge::{
    Chunk, KnowledgeSource, KnowledgeSources, NamedSource, PREVIEW_LEN, SourceContent,
    SourceFilter, SourceStatus, SourceType, StagedFile,
};
use domain::paging::{Page, PageRequest};
use domain::text::preview;
use domain::{BotId, Error, Resource, Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, Db, Store, insert_chunks};
use super::knowledge_index::{self, ChunkRow};
use super::{count, jobs, number, run, word};
use crate::fault::{Fault, Meaning};
use crate::schema::{
    bots, knowledge_contents as contents, knowledge_files as files, knowledge_sources as sources,
};
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl KnowledgeSources for Store {
    async fn create(&self, source: &KnowledgeSource, content: &SourceContent) -> Result<()> {
        run!(
            self.write("knowledge.create", source.tenant_id),
            [source, content],
            |conn| { create(conn, &source, &content) }
        )
    }

    async fn stage(&self, source: &KnowledgeSource, file: &StagedFile) -> Result<()> {
        run!(
            self.write("knowledge.stage", source.tenant_id),
            [source, file],
            |conn| { stage(conn, &source, &file) }
        )
    }

    async fn file(&self, tenant: TenantId, id: SourceId) -> Result<Option<Vec<u8>>> {
        run!(self.read("knowledge.file", tenant), [], |conn| file(
            conn, tenant, id
        ))
    }

    async fn finish(
        &self,
        tenant: TenantId,
        id: SourceId,
        content: &SourceContent,
        at: Timestamp,
    ) -> Result<bool> {
        run!(self.write("knowledge.finish", tenant), [content], |conn| {
            finish(conn, tenant, id, &content, at)
        })
    }

    async fn fail(
        &self,
        tenant: TenantId,
        id: SourceId,
        error: &str,
        at: Timestamp,
    ) -> Result<bool> {
        run!(self.write("knowledge.fail", tenant), [error], |conn| {
            fail(conn, tenant, id, &error, at)
        })
    }

    async fn find(&self, tenant: TenantId, id: SourceId) -> Result<Option<NamedSource>> {
        run!(self.read("knowledge.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn content(&self, tenant: TenantId, id: SourceId) -> Result<String> {
        run!(self.read("knowledge.content", tenant), [], |conn| {
            content(conn, tenant, id)
        })
    }

    async fn chunks(&self, tenant: TenantId, id: SourceId) -> Result<Vec<Chunk>> {
        run!(self.read("knowledge.chunks", tenant), [], |conn| {
            knowledge_index::chunks_of(conn, tenant, id)
        })
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: SourceFilter,
        page: PageRequest,
    ) -> Result<Page<NamedSource>> {
        run!(self.read("knowledge.list", tenant), [], |conn| {
            list(conn, tenant, filter, page)
        })
    }

    async fn delete(&self, tenant: TenantId, id: SourceId) -> Result<bool> {
        run!(self.write("knowledge.delete", tenant), [], |conn| delete(
            conn, tenant, id
        ))
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sources, check_for_backend(Db))]
struct SourceRow {
    tenant_id: Key,
    id: Key,
    bot_id: Key,
    name: String,
    source_type: String,
    status: String,
    error: Option<String>,
    content_preview: String,
    file_name: Option<String>,
    url: Option<String>,
    pages: Option<i64>,
    failures: Json,
    size_bytes: i64,
    chunk_count: i64,
    created_at: Moment,
    updated_at: Moment,
}

impl TryFrom<&KnowledgeSource> for SourceRow {
    type Error = Fault;

    fn try_from(source: &KnowledgeSource) -> Result<Self, Fault> {
        Ok(Self {
            tenant_id: key(source.tenant_id),
            id: key(source.id),
            bot_id: key(source.bot_id),
            name: source.name.clone(),
            source_type: source.source_type.as_str().to_owned(),
            status: source.status.as_str().to_owned(),
            error: source.error.clone(),
            content_preview: source.content_preview.clone(),
            file_name: source.file_name.clone(),
            url: source.url.clone(),
            pages: source.pages.map(i64::from),
            failures: Json(serde_json::to_value(&source.failures).map_err(Error::internal)?),
            size_bytes: number(source.size_bytes),
            chunk_count: source.chunk_count.into(),
            created_at: Moment(source.created_at),
            updated_at: Moment(source.updated_at),
        })
    }
}

fn named((row, bot_name): (SourceRow, String)) -> Result<NamedSource, Fault> {
    let small = |stored: i64| u32::try_from(stored).unwrap_or_default();
    let source = KnowledgeSource {
        id: row.id.0.into(),
        tenant_id: row.tenant_id.0.into(),
        bot_id: row.bot_id.0.into(),
        name: row.name,
        source_type: word(SourceType::parse, &row.source_type)?,
        status: word(SourceStatus::parse, &row.status)?,
        error: row.error,
        content_preview: row.content_preview,
        file_name: row.file_name,
        url: row.url,
        pages: row.pages.map(small),
        failures: serde_json::from_value(row.failures.0).map_err(Error::internal)?,
        size_bytes: count(row.size_bytes),
        chunk_count: small(row.chunk_count),
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
    };
    Ok(NamedSource { source, bot_name })
}

/// Raises the version of a bot's knowledge, and so holds the bot until the commit. `None`: no such bot.
async fn raise_version(conn: &mut Conn, tenant: TenantId, bot: Key) -> QueryResult<Option<i64>> {
    diesel::update(bots::table.find((key(tenant), bot)))
        .set(bots::knowledge_version.eq(bots::knowledge_version + 1))
        .returning(bots::knowledge_version)
        .get_result(conn)
        .await
        .optional()
}

async fn create(
    conn: &mut Conn,
    source: &KnowledgeSource,
    content: &SourceContent,
) -> Result<(), Fault> {
    let (tenant, bot) = (source.tenant_id, key(source.bot_id));
    let revision = raise_version(conn, tenant, bot)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))?;
    diesel::insert_into(sources::table)
        .values((SourceRow::try_from(source)?, sources::revision.eq(revision)))
        .execute(conn)
        .await
        .or_exists()?;
    keep_content(
        conn,
        tenant,
        source.id,
        source.bot_id,
        content,
        source.created_at,
    )
    .await
}

async fn keep_content(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    bot: BotId,
    content: &SourceContent,
    at: Timestamp,
) -> Result<(), Fault> {
    diesel::insert_into(contents::table)
        .values((
            contents::tenant_id.eq(key(tenant)),
            contents::source_id.eq(key(id)),
            contents::content.eq(content.text.as_str()),
        ))
        .execute(conn)
        .await?;
    let rows = (0..)
        .zip(&content.chunks)
        .map(|(index, (chunk, draft))| ChunkRow::new(tenant, id, bot, index, *chunk, draft, at))
        .collect();
    insert_chunks(conn, rows).await.or_exists()
}

async fn stage(conn: &mut Conn, source: &KnowledgeSource, file: &StagedFile) -> Result<(), Fault> {
    let tenant = source.tenant_id;
    diesel::insert_into(sources::table)
        .values((SourceRow::try_from(source)?, sources::revision.eq(0)))
        .execute(conn)
        .await
        .or_exists()
        .or_missing(Resource::Bot)?;
    diesel::insert_into(files::table)
        .values((
            files::tenant_id.eq(key(tenant)),
            files::source_id.eq(key(source.id)),
            files::bytes.eq(file.bytes.as_slice()),
        ))
        .execute(conn)
        .await?;
    let (kind, at) = (JobKind::ReadFile, source.created_at);
    jobs::enqueue(conn, tenant, file.job_id, kind, source.id, at).await
}

async fn file(conn: &mut Conn, tenant: TenantId, id: SourceId) -> Result<Option<Vec<u8>>, Fault> {
    let bytes = files::table
        .find((key(tenant), key(id)))
        .select(files::bytes)
        .first(conn)
        .await
        .optional()?;
    Ok(bytes)
}

async fn finish(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    content: &SourceContent,
    at: Timestamp,
) -> Result<bool, Fault> {
    let bot = diesel::update(sources::table.find((key(tenant), key(id))))
        .filter(sources::status.eq(SourceStatus::Processing.as_str()))
        .set((
            sources::status.eq(SourceStatus::Ready.as_str()),
            sources::content_preview.eq(preview(&content.text, PREVIEW_LEN)),
            sources::chunk_count.eq(number(content.chunks.len())),
            sources::updated_at.eq(Moment(at)),
        ))
        .returning(sources::bot_id)
        .get_result::<Key>(conn)
        .await
        .optional()?;
    let Some(bot) = bot else {
        return exists(conn, tenant, id).await;
    };
    // A bot that is being deleted takes the source along, or waits for us: either way, it is there.
    let revision = raise_version(conn, tenant, bot).await?.unwrap_or_default();
    diesel::update(sources::table.find((key(tenant), key(id))))
        .set(sources::revision.eq(revision))
        .execute(conn)
        .await?;
    keep_content(conn, tenant, id, bot.0.into(), content, at).await?;
    Ok(true)
}

async fn fail(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    error: &str,
    at: Timestamp,
) -> Result<bool, Fault> {
    let changed = diesel::update(sources::table.find((key(tenant), key(id))))
        .filter(sources::status.eq(SourceStatus::Processing.as_str()))
        .set((
            sources::status.eq(SourceStatus::Failed.as_str()),
            sources::error.eq(error),
            sources::updated_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    if changed > 0 {
        return Ok(true);
    }
    exists(conn, tenant, id).await
}

/// Whether there is a source whose reading has ended before: the first end holds.
async fn exists(conn: &mut Conn, tenant: TenantId, id: SourceId) -> Result<bool, Fault> {
    let found: i64 = sources::table
        .find((key(tenant), key(id)))
        .count()
        .get_result(conn)
        .await?;
    Ok(found > 0)
}

/// A source with the name of its bot.
macro_rules! with_bot {
    () => {
        sources::table
            .inner_join(
                bots::table.on(bots::tenant_id
                    .eq(sources::tenant_id)
                    .and(bots::id.eq(sources::bot_id))),
            )
            .select((SourceRow::as_select(), bots::name))
    };
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
) -> Result<Option<NamedSource>, Fault> {
    let found: Option<(SourceRow, String)> = with_bot!()
        .filter(sources::tenant_id.eq(key(tenant)))
        .filter(sources::id.eq(key(id)))
        .first(conn)
        .await
        .optional()?;
    found.map(named).transpose()
}

async fn content(conn: &mut Conn, tenant: TenantId, id: SourceId) -> Result<String, Fault> {
    let text: Option<String> = contents::table
        .find((key(tenant), key(id)))
        .select(contents::content)
        .first(conn)
        .await
        .optional()?;
    Ok(text.unwrap_or_default())
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    filter: SourceFilter,
    page: PageRequest,
) -> Result<Page<NamedSource>, Fault> {
    /// The same conditions for the count and for the page.
    macro_rules! matching {
        ($query:expr) => {{
            let mut query = $query
                .filter(sources::tenant_id.eq(key(tenant)))
                .into_boxed::<Db>();
            if let Some(bot) = filter.bot_id {
                query = query.filter(sources::bot_id.eq(key(bot)));
            }
            if let Some(source_type) = filter.source_type {
                query = query.filter(sources::source_type.eq(source_type.as_str()));
            }
            query
        }};
    }
    let total: i64 = matching!(sources::table).count().get_result(conn).await?;
    let rows: Vec<(SourceRow, String)> = matching!(with_bot!())
        .order((sources::created_at.desc(), sources::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows.into_iter().map(named).collect::<Result<_, _>>()?,
        total: count(total),
    })
}

async fn delete(conn: &mut Conn, tenant: TenantId, id: SourceId) -> Result<bool, Fault> {
    let deleted: Option<(Key, String)> =
        diesel::delete(sources::table.find((key(tenant), key(id))))
            .returning((sources::bot_id, sources::status))
            .get_result(conn)
            .await
            .optional()?;
    let Some((bot, status)) = deleted else {
        return Ok(false);
    };
    if status == SourceStatus::Ready.as_str() {
        raise_version(conn, tenant, bot).await?;
    }
    Ok(true)
}
