//! The pages of a website, as they were last read. Those that were last seen before the edition that the source is
//! answered from are of no use any more, and wait to be swept.

use diesel::dsl::{case_when, exists};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use domain::knowledge::{Draft, DraftPage, SourceStatus};
use domain::websites::{KnownPage, PageMark, WebPage};
use domain::{Error, Result, SourceId, TenantId};

use super::engine::Conn;
use super::knowledge_drafts::{Held, hold};
use super::knowledge_index::Reading;
use super::small;
use crate::fault::Fault;
use crate::schema::{knowledge_pages as pages, knowledge_sources as sources};
use crate::types::{Key, key};

/// Pages deleted at a time: each may be large.
const PART: i64 = 100;

#[derive(Insertable)]
#[diesel(table_name = pages)]
struct PageRow<'a> {
    tenant_id: Key,
    source_id: Key,
    url: &'a str,
    position: i64,
    added: i64,
    seen: i64,
    changed: i64,
    etag: Option<&'a str>,
    last_modified: Option<&'a str>,
    content_hash: &'a str,
    title: &'a str,
    markdown: &'a str,
}

type MarkColumns = (Option<String>, Option<String>, String);

fn mark((etag, last_modified, content_hash): MarkColumns) -> PageMark {
    PageMark {
        etag,
        last_modified,
        content_hash,
    }
}

/// The pages of a source.
macro_rules! of_source {
    ($tenant:expr, $source:expr) => {
        pages::table
            .filter(pages::tenant_id.eq(key($tenant)))
            .filter(pages::source_id.eq(key($source)))
    };
}

/// Keeps a page as a reading of a source that is answered from `live` found it.
pub(super) async fn keep(
    conn: &mut Conn,
    reading: &Reading,
    live: i64,
    position: i64,
    page: &WebPage,
) -> Result<(), Fault> {
    let generation = reading.generation;
    let row = PageRow {
        tenant_id: reading.tenant,
        source_id: reading.source,
        url: &page.url,
        position,
        added: generation,
        seen: generation,
        changed: generation,
        etag: page.mark.etag.as_deref(),
        last_modified: page.mark.last_modified.as_deref(),
        content_hash: &page.mark.content_hash,
        title: &page.title,
        markdown: &page.markdown,
    };
    // One that waits to be swept is as good as none.
    let added = case_when(pages::seen.ge(live), pages::added).otherwise(generation);
    diesel::insert_into(pages::table)
        .values(row)
        .on_conflict((pages::tenant_id, pages::source_id, pages::url))
        .do_update()
        .set((
            pages::position.eq(excluded(pages::position)),
            pages::added.eq(added),
            pages::seen.eq(excluded(pages::seen)),
            pages::changed.eq(excluded(pages::changed)),
            pages::etag.eq(excluded(pages::etag)),
            pages::last_modified.eq(excluded(pages::last_modified)),
            pages::content_hash.eq(excluded(pages::content_hash)),
            pages::title.eq(excluded(pages::title)),
            pages::markdown.eq(excluded(pages::markdown)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn put(
    conn: &mut Conn,
    draft: Draft,
    position: u32,
    page: &DraftPage,
) -> Result<bool, Fault> {
    let Some(Held { reading, live, .. }) = hold(conn, draft).await? else {
        return Ok(false);
    };
    match page {
        DraftPage::Read(page) => keep(conn, &reading, live, position.into(), page).await?,
        DraftPage::Same(page) => see_again(conn, draft, live, position, page).await?,
    }
    Ok(true)
}

async fn see_again(
    conn: &mut Conn,
    draft: Draft,
    live: i64,
    position: u32,
    page: &KnownPage,
) -> Result<(), Fault> {
    let PageMark {
        etag,
        last_modified,
        content_hash,
    } = &page.mark;
    let row = pages::table.find((key(draft.tenant_id), key(draft.source_id), &page.url));
    let seen = diesel::update(row)
        .filter(pages::seen.ge(live))
        .set((
            pages::position.eq(i64::from(position)),
            pages::seen.eq(draft.generation),
            pages::etag.eq(etag),
            pages::last_modified.eq(last_modified),
            pages::content_hash.eq(content_hash),
        ))
        .execute(conn)
        .await?;
    if seen == 0 {
        return Err(Error::internal("a page is said to be as it was, but was not known").into());
    }
    Ok(())
}

pub(super) async fn known(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
) -> Result<Vec<KnownPage>, Fault> {
    let rows: Vec<(String, MarkColumns)> = of_source!(tenant, id)
        .inner_join(
            sources::table.on(sources::tenant_id
                .eq(pages::tenant_id)
                .and(sources::id.eq(pages::source_id))
                .and(sources::generation.le(pages::seen))),
        )
        .order((pages::position, pages::url))
        .select((
            pages::url,
            (pages::etag, pages::last_modified, pages::content_hash),
        ))
        .load(conn)
        .await?;
    let known = |(url, columns)| KnownPage {
        url,
        mark: mark(columns),
    };
    Ok(rows.into_iter().map(known).collect())
}

pub(super) async fn have_changed(conn: &mut Conn, draft: Draft) -> Result<bool, Fault> {
    let (tenant, id, generation) = (draft.tenant_id, draft.source_id, draft.generation);
    let found: Option<(i64, String)> = sources::table
        .find((key(tenant), key(id)))
        .filter(sources::draft.eq(generation))
        .select((sources::generation, sources::status))
        .first(conn)
        .await
        .optional()?;
    let Some((live, status)) = found else {
        return Ok(false);
    };
    if status != SourceStatus::Ready.as_str() {
        return Ok(true);
    }
    let is_other = pages::seen.eq(generation).and(pages::changed.gt(live));
    let is_gone = pages::seen
        .ge(live)
        .and(pages::seen.lt(generation))
        .and(pages::added.le(live));
    let differing = of_source!(tenant, id).filter(is_other.or(is_gone));
    Ok(diesel::select(exists(differing)).get_result(conn).await?)
}

pub(super) async fn from(
    conn: &mut Conn,
    draft: Draft,
    position: u32,
    limit: u32,
) -> Result<Vec<(u32, WebPage)>, Fault> {
    let rows: Vec<(i64, String, String, String, MarkColumns)> =
        of_source!(draft.tenant_id, draft.source_id)
            .filter(pages::seen.eq(draft.generation))
            .filter(pages::position.ge(i64::from(position)))
            .order(pages::position)
            .limit(limit.into())
            .select((
                pages::position,
                pages::url,
                pages::title,
                pages::markdown,
                (pages::etag, pages::last_modified, pages::content_hash),
            ))
            .load(conn)
            .await?;
    let page = |(position, url, title, markdown, columns)| {
        let page = WebPage {
            url,
            title,
            markdown,
            mark: mark(columns),
        };
        (small(position), page)
    };
    Ok(rows.into_iter().map(page).collect())
}

/// Whether there are pages that are of no use any more.
pub(super) async fn is_any_left(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    live: i64,
) -> Result<bool, Fault> {
    let left = of_source!(tenant, id).filter(pages::seen.lt(live));
    Ok(diesel::select(exists(left)).get_result(conn).await?)
}

/// Deletes some of the pages that are of no use any more. `true`: there may be more.
pub(super) async fn sweep(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    live: i64,
) -> Result<bool, Fault> {
    let left: Vec<String> = of_source!(tenant, id)
        .filter(pages::seen.lt(live))
        .order((pages::seen, pages::position))
        .limit(PART)
        .select(pages::url)
        .load(conn)
        .await?;
    // Asked again: one of them may have been found again meanwhile.
    diesel::delete(pages::table)
        .filter(pages::tenant_id.eq(key(tenant)))
        .filter(pages::source_id.eq(key(id)))
        .filter(pages::seen.lt(live))
        .filter(pages::url.eq_any(&left))
        .execute(conn)
        .await?;
    Ok(!left.is_empty())
}
