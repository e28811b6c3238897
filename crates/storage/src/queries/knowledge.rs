//! The port on sources, and how they come and go.

use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::jobs::{JobKind, NextRun};
use domain::knowledge::{
    Chunk, Draft, DraftPage, Edition, KnowledgeSource, KnowledgeSources, NamedSource, NewChunk,
    PageFailure, Progress, SourceChange, SourceContent, SourceCounts, SourceFilter, SourceStatus,
    Staged,
};
use domain::paging::{Page, PageRequest};
use domain::websites::{KnownPage, WebPage};
use domain::{BotId, Error, Resource, Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, Store};
use super::knowledge_index::{self, Reading};
use super::{
    count, jobs, knowledge_changes as changes, knowledge_drafts as drafts,
    knowledge_pages as pages, knowledge_rows as rows, run, word,
};
use crate::fault::{Fault, Meaning};
use crate::schema::{
    bots, knowledge_contents as contents, knowledge_files as files, knowledge_sources as sources,
};
use crate::types::{Key, key};

#[async_trait]
impl KnowledgeSources for Store {
    async fn create(
        &self,
        source: &KnowledgeSource,
        content: &SourceContent,
        next: Option<NextRun>,
    ) -> Result<()> {
        run!(
            self.write("knowledge.create", source.tenant_id),
            [source, content],
            |conn| { create(conn, &source, &content, next) }
        )
    }

    async fn stage(&self, source: &KnowledgeSource, staged: &Staged) -> Result<()> {
        run!(
            self.write("knowledge.stage", source.tenant_id),
            [source, staged],
            |conn| { stage(conn, &source, &staged) }
        )
    }

    async fn file(&self, tenant: TenantId, id: SourceId) -> Result<Option<Vec<u8>>> {
        run!(self.read("knowledge.file", tenant), [], |conn| file(
            conn, tenant, id
        ))
    }

    async fn update(
        &self,
        tenant: TenantId,
        id: SourceId,
        change: &SourceChange,
        next: Option<NextRun>,
        at: Timestamp,
    ) -> Result<Option<NamedSource>> {
        run!(self.write("knowledge.update", tenant), [change], |conn| {
            changes::update(conn, tenant, id, &change, next, at)
        })
    }

    async fn refresh(&self, tenant: TenantId, id: SourceId, next: NextRun) -> Result<bool> {
        run!(self.write("knowledge.refresh", tenant), [], |conn| {
            changes::refresh(conn, tenant, id, next)
        })
    }

    async fn begin(&self, tenant: TenantId, id: SourceId) -> Result<Option<Draft>> {
        run!(self.write("knowledge.begin", tenant), [], |conn| {
            drafts::begin(conn, tenant, id)
        })
    }

    async fn append(
        &self,
        draft: Draft,
        index: u32,
        chunks: &[NewChunk],
        at: Timestamp,
    ) -> Result<bool> {
        run!(
            self.write("knowledge.append", draft.tenant_id),
            [chunks],
            |conn| { drafts::append(conn, draft, index, &chunks, at) }
        )
    }

    async fn put_page(&self, draft: Draft, position: u32, page: &DraftPage) -> Result<bool> {
        run!(
            self.write("knowledge.put_page", draft.tenant_id),
            [page],
            |conn| { pages::put(conn, draft, position, &page) }
        )
    }

    async fn known_pages(&self, tenant: TenantId, id: SourceId) -> Result<Vec<KnownPage>> {
        run!(self.read("knowledge.known_pages", tenant), [], |conn| {
            pages::known(conn, tenant, id)
        })
    }

    async fn has_changed(&self, draft: Draft) -> Result<bool> {
        run!(
            self.read("knowledge.has_changed", draft.tenant_id),
            [],
            |conn| pages::have_changed(conn, draft)
        )
    }

    async fn pages(&self, draft: Draft, position: u32, limit: u32) -> Result<Vec<(u32, WebPage)>> {
        run!(self.read("knowledge.pages", draft.tenant_id), [], |conn| {
            pages::from(conn, draft, position, limit)
        })
    }

    async fn publish(&self, draft: Draft, edition: &Edition, at: Timestamp) -> Result<bool> {
        run!(
            self.write("knowledge.publish", draft.tenant_id),
            [edition],
            |conn| drafts::publish(conn, draft, &edition, at)
        )
    }

    async fn discard(&self, draft: Draft, failures: &[PageFailure], at: Timestamp) -> Result<bool> {
        run!(
            self.write("knowledge.discard", draft.tenant_id),
            [failures],
            |conn| drafts::discard(conn, draft, &failures, at)
        )
    }

    async fn fail(
        &self,
        tenant: TenantId,
        id: SourceId,
        error: &str,
        at: Timestamp,
    ) -> Result<bool> {
        run!(self.write("knowledge.fail", tenant), [error], |conn| {
            drafts::fail(conn, tenant, id, &error, at)
        })
    }

    async fn set_progress(&self, tenant: TenantId, id: SourceId, progress: Progress) -> Result<()> {
        run!(self.write("knowledge.set_progress", tenant), [], |conn| {
            drafts::set_progress(conn, tenant, id, progress)
        })
    }

    async fn sweep(&self, tenant: TenantId, id: SourceId) -> Result<bool> {
        run!(self.write("knowledge.sweep", tenant), [], |conn| {
            drafts::sweep(conn, tenant, id)
        })
    }

    async fn find(&self, tenant: TenantId, id: SourceId) -> Result<Option<NamedSource>> {
        run!(self.read("knowledge.find", tenant), [], |conn| {
            rows::find(conn, tenant, id)
        })
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
            rows::list(conn, tenant, filter, page)
        })
    }

    async fn counts(&self, tenant: TenantId, bot: BotId) -> Result<SourceCounts> {
        run!(self.read("knowledge.counts", tenant), [], |conn| counts(
            conn, tenant, bot
        ))
    }

    async fn delete(&self, tenant: TenantId, id: SourceId) -> Result<bool> {
        run!(self.write("knowledge.delete", tenant), [], |conn| delete(
            conn, tenant, id
        ))
    }
}

/// Raises the version of a bot's knowledge, and so holds the bot until the commit. `None`: no such bot.
pub(super) async fn raise_version(
    conn: &mut Conn,
    tenant: TenantId,
    bot: Key,
) -> QueryResult<Option<i64>> {
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
    next: Option<NextRun>,
) -> Result<(), Fault> {
    let (tenant, id) = (source.tenant_id, source.id);
    let reading = Reading {
        tenant: key(tenant),
        source: key(id),
        bot: key(source.bot_id),
        generation: 0,
    };
    let revision = raise_version(conn, tenant, reading.bot)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))?;
    rows::insert(conn, source, revision).await?;
    keep_text(conn, tenant, id, &content.text).await?;
    let at = source.created_at;
    reading.keep(conn, 0, &content.chunks, at).await?;
    for (position, page) in (0..).zip(&content.pages) {
        pages::keep(conn, &reading, 0, position, page).await?;
    }
    if let Some(next) = next {
        jobs::enqueue(conn, tenant, id, JobKind::ReadSite, next).await?;
    }
    jobs::have_embedded(conn, tenant, id, at).await
}

async fn stage(conn: &mut Conn, source: &KnowledgeSource, staged: &Staged) -> Result<(), Fault> {
    let (tenant, id) = (source.tenant_id, source.id);
    rows::insert(conn, source, 0)
        .await
        .or_missing(Resource::Bot)?;
    let kind = match &staged.file {
        Some(bytes) => {
            diesel::insert_into(files::table)
                .values((
                    files::tenant_id.eq(key(tenant)),
                    files::source_id.eq(key(id)),
                    files::bytes.eq(bytes.as_slice()),
                ))
                .execute(conn)
                .await?;
            JobKind::ReadFile
        }
        None => JobKind::ReadSite,
    };
    let run = NextRun {
        job_id: staged.job_id,
        due: source.created_at,
    };
    jobs::enqueue(conn, tenant, id, kind, run).await
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

/// Keeps a source's whole text, in the place of what it was.
pub(super) async fn keep_text(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    text: &str,
) -> Result<(), Fault> {
    diesel::insert_into(contents::table)
        .values((
            contents::tenant_id.eq(key(tenant)),
            contents::source_id.eq(key(id)),
            contents::content.eq(text),
        ))
        .on_conflict((contents::tenant_id, contents::source_id))
        .do_update()
        .set(contents::content.eq(text))
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets a source's whole text: it is that of its chunks from now on.
pub(super) async fn forget_text(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
) -> Result<(), Fault> {
    diesel::delete(contents::table.find((key(tenant), key(id))))
        .execute(conn)
        .await?;
    Ok(())
}

async fn content(conn: &mut Conn, tenant: TenantId, id: SourceId) -> Result<String, Fault> {
    let text: Option<String> = contents::table
        .find((key(tenant), key(id)))
        .select(contents::content)
        .first(conn)
        .await
        .optional()?;
    match text {
        Some(text) => Ok(text),
        None => knowledge_index::text_of(conn, tenant, id).await,
    }
}

async fn counts(conn: &mut Conn, tenant: TenantId, bot: BotId) -> Result<SourceCounts, Fault> {
    let rows: Vec<(String, i64)> = sources::table
        .filter(sources::tenant_id.eq(key(tenant)))
        .filter(sources::bot_id.eq(key(bot)))
        .group_by(sources::status)
        .select((sources::status, count_star()))
        .load(conn)
        .await?;
    let mut counts = SourceCounts::default();
    for (status, number) in rows {
        let counted = match word(SourceStatus::parse, &status)? {
            SourceStatus::Processing => &mut counts.processing,
            SourceStatus::Ready => &mut counts.ready,
            SourceStatus::Failed => &mut counts.failed,
        };
        *counted = count(number);
    }
    Ok(counts)
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
