//! Readings of a source beside the one that it is answered from.

use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::knowledge::{
    Draft, Edition, NewChunk, PageFailure, Progress, SourceStatus, SourceType,
};
use domain::{Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, held};
use super::knowledge::{forget_text, keep_text, raise_version};
use super::knowledge_index::Reading;
use super::{embeddings, jobs, json, knowledge_pages as pages, number};
use crate::fault::Fault;
use crate::schema::{knowledge_chunks as chunks, knowledge_sources as sources};
use crate::types::{Json, Key, Moment, key};

/// Chunks deleted at a time: a chat that wants to write meanwhile waits for a few milliseconds.
const PART: i64 = 100;

pub(super) async fn begin(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
) -> Result<Option<Draft>, Fault> {
    let generation: Option<i64> = diesel::update(sources::table.find((key(tenant), key(id))))
        .set((
            sources::drafts.eq(sources::drafts + 1),
            sources::draft.eq((sources::drafts + 1).nullable()),
        ))
        .returning(sources::drafts)
        .get_result(conn)
        .await
        .optional()?;
    Ok(generation.map(|generation| Draft {
        tenant_id: tenant,
        source_id: id,
        generation,
    }))
}

/// What a change of a draft needs to know of its source.
pub(super) struct Held {
    /// The draft.
    pub reading: Reading,
    /// What the source is answered from.
    pub live: i64,
    is_site: bool,
}

/// Holds a draft's source until the commit. `None`: it is gone, or has another draft by now, or none.
pub(super) async fn hold(conn: &mut Conn, draft: Draft) -> Result<Option<Held>, Fault> {
    let (tenant, source) = (key(draft.tenant_id), key(draft.source_id));
    let found: Option<(Key, i64, String)> = held!(
        sources::table
            .find((tenant, source))
            .filter(sources::draft.eq(draft.generation))
            .select((sources::bot_id, sources::generation, sources::source_type))
    )
    .first(conn)
    .await
    .optional()?;
    Ok(found.map(|(bot, live, source_type)| Held {
        reading: Reading {
            tenant,
            source,
            bot,
            generation: draft.generation,
        },
        live,
        is_site: source_type == SourceType::Url.as_str(),
    }))
}

pub(super) async fn append(
    conn: &mut Conn,
    draft: Draft,
    index: u32,
    chunks: &[NewChunk],
    at: Timestamp,
) -> Result<bool, Fault> {
    let Some(held) = hold(conn, draft).await? else {
        return Ok(false);
    };
    held.reading.keep(conn, index.into(), chunks, at).await?;
    Ok(true)
}

/// Only moves numbers: what the edition before leaves is swept later.
pub(super) async fn publish(
    conn: &mut Conn,
    draft: Draft,
    edition: &Edition,
    at: Timestamp,
) -> Result<bool, Fault> {
    let Some(Held {
        reading, is_site, ..
    }) = hold(conn, draft).await?
    else {
        return Ok(false);
    };
    let (tenant, id) = (draft.tenant_id, draft.source_id);
    // A bot that is being deleted takes the source along, or waits for us: either way, it is there.
    let revision = raise_version(conn, tenant, reading.bot)
        .await?
        .unwrap_or_default();
    diesel::update(sources::table.find((reading.tenant, reading.source)))
        .set((
            sources::generation.eq(draft.generation),
            sources::draft.eq(None::<i64>),
            sources::revision.eq(revision),
            sources::status.eq(SourceStatus::Ready.as_str()),
            sources::error.eq(None::<String>),
            sources::progress.eq(None::<Json>),
            sources::content_preview.eq(edition.content_preview.as_str()),
            edition
                .size_bytes
                .map(|size| sources::size_bytes.eq(number(size))),
            sources::chunk_count.eq(i64::from(edition.chunk_count)),
            edition
                .pages
                .map(|pages| sources::pages.eq(i64::from(pages))),
            sources::failures.eq(json(&edition.failures)?),
            is_site.then(|| sources::synced_at.eq(Moment(at))),
            sources::updated_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    match &edition.text {
        Some(text) => keep_text(conn, tenant, id, text).await?,
        None => forget_text(conn, tenant, id).await?,
    }
    jobs::have_embedded(conn, tenant, id, at).await?;
    have_swept(conn, tenant, id, at).await?;
    Ok(true)
}

pub(super) async fn discard(
    conn: &mut Conn,
    draft: Draft,
    failures: &[PageFailure],
    at: Timestamp,
) -> Result<bool, Fault> {
    let Some(Held {
        reading, is_site, ..
    }) = hold(conn, draft).await?
    else {
        return Ok(false);
    };
    diesel::update(sources::table.find((reading.tenant, reading.source)))
        .set((
            sources::draft.eq(None::<i64>),
            sources::error.eq(None::<String>),
            sources::progress.eq(None::<Json>),
            sources::failures.eq(json(&failures)?),
            is_site.then(|| sources::synced_at.eq(Moment(at))),
        ))
        .execute(conn)
        .await?;
    have_swept(conn, draft.tenant_id, draft.source_id, at).await?;
    Ok(true)
}

pub(super) async fn fail(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    error: &str,
    at: Timestamp,
) -> Result<bool, Fault> {
    let is_ready = sources::status.eq(SourceStatus::Ready.as_str());
    // A reading that has ended before stays as it ended.
    let is_being_read = sources::draft
        .is_not_null()
        .or(sources::progress.is_not_null())
        .or(sources::status.eq(SourceStatus::Processing.as_str()));
    let failed = diesel::update(sources::table.find((key(tenant), key(id))))
        .filter(is_being_read)
        .set((
            sources::draft.eq(None::<i64>),
            sources::status
                .eq(case_when(is_ready, sources::status).otherwise(SourceStatus::Failed.as_str())),
            sources::error.eq(error),
            sources::progress.eq(None::<Json>),
            sources::updated_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    if failed > 0 {
        have_swept(conn, tenant, id, at).await?;
        return Ok(true);
    }
    Ok(state(conn, tenant, id).await?.is_some())
}

pub(super) async fn set_progress(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    progress: Progress,
) -> Result<(), Fault> {
    // Told late, it would stay.
    diesel::update(sources::table.find((key(tenant), key(id))))
        .filter(sources::draft.is_not_null())
        .set(sources::progress.eq(json(&progress)?))
        .execute(conn)
        .await?;
    Ok(())
}

/// Leaves a job to delete what no reading needs any more, if there is any.
async fn have_swept(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    at: Timestamp,
) -> Result<(), Fault> {
    let Some((live, draft)) = state(conn, tenant, id).await? else {
        return Ok(());
    };
    if leftover(conn, tenant, id, live, draft).await?.is_some()
        || pages::is_any_left(conn, tenant, id, live).await?
    {
        jobs::have_swept(conn, tenant, id, at).await?;
    }
    Ok(())
}

/// What a source is answered from, and its draft.
async fn state(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
) -> Result<Option<(i64, Option<i64>)>, Fault> {
    let found = sources::table
        .find((key(tenant), key(id)))
        .select((sources::generation, sources::draft))
        .first(conn)
        .await
        .optional()?;
    Ok(found)
}

/// The first chunk of a reading that is neither the source's edition nor its draft. Numbers only grow, so what is
/// found is not wanted by anybody who begins or publishes meanwhile.
async fn leftover(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    live: i64,
    draft: Option<i64>,
) -> Result<Option<(i64, i64)>, Fault> {
    // Two ranges of the key: a search for all that is not equal would read every chunk of the edition.
    for (from, before) in [(0, live), (live + 1, draft.unwrap_or(i64::MAX))] {
        let first = chunks::table
            .filter(chunks::tenant_id.eq(key(tenant)))
            .filter(chunks::source_id.eq(key(id)))
            .filter(chunks::generation.ge(from))
            .filter(chunks::generation.lt(before))
            .order((chunks::generation, chunks::chunk_index))
            .select((chunks::generation, chunks::chunk_index))
            .first(conn)
            .await
            .optional()?;
        if first.is_some() {
            return Ok(first);
        }
    }
    Ok(None)
}

pub(super) async fn sweep(conn: &mut Conn, tenant: TenantId, id: SourceId) -> Result<bool, Fault> {
    let Some((live, draft)) = state(conn, tenant, id).await? else {
        return Ok(false);
    };
    let Some((generation, index)) = leftover(conn, tenant, id, live, draft).await? else {
        return Ok(pages::sweep(conn, tenant, id, live).await?
            || embeddings::sweep(conn, tenant, id).await?);
    };
    diesel::delete(chunks::table)
        .filter(chunks::tenant_id.eq(key(tenant)))
        .filter(chunks::source_id.eq(key(id)))
        .filter(chunks::generation.eq(generation))
        .filter(chunks::chunk_index.lt(index + PART))
        .execute(conn)
        .await?;
    Ok(true)
}
