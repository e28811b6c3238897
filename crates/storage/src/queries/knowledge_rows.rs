//! Sources as they are listed.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::knowledge::{KnowledgeSource, NamedSource, SourceFilter, SourceStatus, SourceType};
use domain::paging::{Page, PageRequest};
use domain::{SourceId, TenantId};

use super::engine::{Conn, Db};
use super::{count, json, number, of_json, small, word};
use crate::fault::{Fault, Meaning};
use crate::schema::{bots, knowledge_sources as sources};
use crate::types::{Json, Key, Moment, key};

/// A source as it is shown.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sources, check_for_backend(Db))]
struct SourceRow {
    tenant_id: Key,
    id: Key,
    bot_id: Key,
    name: String,
    source_type: String,
    status: String,
    enabled: bool,
    error: Option<String>,
    content_preview: String,
    file_name: Option<String>,
    url: Option<String>,
    crawl: Option<Json>,
    pages: Option<i64>,
    failures: Json,
    size_bytes: i64,
    chunk_count: i64,
    progress: Option<Json>,
    synced_at: Option<Moment>,
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
            enabled: source.enabled,
            error: source.error.clone(),
            content_preview: source.content_preview.clone(),
            file_name: source.file_name.clone(),
            url: source.url.clone(),
            crawl: source.crawl.as_ref().map(json).transpose()?,
            pages: source.pages.map(i64::from),
            failures: json(&source.failures)?,
            size_bytes: number(source.size_bytes),
            chunk_count: source.chunk_count.into(),
            progress: source.progress.as_ref().map(json).transpose()?,
            synced_at: source.synced_at.map(Moment),
            created_at: Moment(source.created_at),
            updated_at: Moment(source.updated_at),
        })
    }
}

fn named((row, bot_name): (SourceRow, String)) -> Result<NamedSource, Fault> {
    let source = KnowledgeSource {
        id: row.id.0.into(),
        tenant_id: row.tenant_id.0.into(),
        bot_id: row.bot_id.0.into(),
        name: row.name,
        source_type: word(SourceType::parse, &row.source_type)?,
        status: word(SourceStatus::parse, &row.status)?,
        enabled: row.enabled,
        error: row.error,
        content_preview: row.content_preview,
        file_name: row.file_name,
        url: row.url,
        crawl: row.crawl.map(of_json).transpose()?,
        pages: row.pages.map(small),
        failures: of_json(row.failures)?,
        size_bytes: count(row.size_bytes),
        chunk_count: small(row.chunk_count),
        progress: row.progress.map(of_json).transpose()?,
        synced_at: row.synced_at.map(|at| at.0),
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
    };
    Ok(NamedSource { source, bot_name })
}

/// Keeps a source that nothing was read into yet. Its chunks and pages, if it comes with any, are of generation 0.
pub(super) async fn insert(
    conn: &mut Conn,
    source: &KnowledgeSource,
    revision: i64,
) -> Result<(), Fault> {
    diesel::insert_into(sources::table)
        .values((
            SourceRow::try_from(source)?,
            sources::revision.eq(revision),
            sources::generation.eq(0),
            sources::drafts.eq(0),
        ))
        .execute(conn)
        .await
        .or_exists()?;
    Ok(())
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

pub(super) async fn find(
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

pub(super) async fn list(
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
