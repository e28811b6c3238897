//! Settings of sources, and readings that are asked for.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::jobs::{JobKind, NextRun};
use domain::knowledge::{
    CrawlPlan, NamedSource, Progress, ProgressUnit, SourceChange, SourceStatus, SourceType, Stage,
};
use domain::{Result, SourceId, TenantId, Timestamp};

use super::engine::{Conn, held};
use super::knowledge::raise_version;
use super::{count, jobs, json, knowledge_rows as rows, of_json, word};
use crate::fault::Fault;
use crate::schema::{knowledge_pages as pages, knowledge_sources as sources};
use crate::types::{Json, Key, Moment, key};

pub(super) async fn update(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    change: &SourceChange,
    next: Option<NextRun>,
    at: Timestamp,
) -> Result<Option<NamedSource>, Fault> {
    let row = sources::table.find((key(tenant), key(id)));
    let before: Option<(Key, String, bool, Option<Json>)> = held!(row.select((
        sources::bot_id,
        sources::name,
        sources::enabled,
        sources::crawl
    )))
    .first(conn)
    .await
    .optional()?;
    let Some((bot, name, enabled, crawl)) = before else {
        return Ok(None);
    };
    let is_found_otherwise = change.name.as_ref().is_some_and(|new| *new != name)
        || change.enabled.is_some_and(|new| new != enabled);
    if is_found_otherwise {
        raise_version(conn, tenant, bot).await?;
    }
    let plan = crawl.map(of_json::<CrawlPlan>).transpose()?;
    let plan = plan.map(|plan| CrawlPlan {
        resync_hours: change.resync_hours.unwrap_or(plan.resync_hours),
        max_pages: change.max_pages.unwrap_or(plan.max_pages),
        ..plan
    });
    diesel::update(row)
        .set((
            change.name.as_ref().map(|name| sources::name.eq(name)),
            change.enabled.map(|enabled| sources::enabled.eq(enabled)),
            sources::crawl.eq(plan.as_ref().map(json).transpose()?),
            sources::updated_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    if change.max_pages.is_some() {
        // A page that is not sent again brings no links, and there is room for more of them now.
        diesel::update(pages::table)
            .filter(pages::tenant_id.eq(key(tenant)))
            .filter(pages::source_id.eq(key(id)))
            .set((
                pages::etag.eq(None::<String>),
                pages::last_modified.eq(None::<String>),
            ))
            .execute(conn)
            .await?;
    }
    if plan.is_some() && change.resync_hours.is_some() {
        jobs::reschedule(conn, tenant, id, JobKind::ReadSite, next, at).await?;
    }
    rows::find(conn, tenant, id).await
}

pub(super) async fn refresh(
    conn: &mut Conn,
    tenant: TenantId,
    id: SourceId,
    next: NextRun,
) -> Result<bool, Fault> {
    let row = sources::table.find((key(tenant), key(id)));
    let found: Option<(String, String, Option<i64>, i64)> = held!(row.select((
        sources::source_type,
        sources::status,
        sources::pages,
        sources::size_bytes
    )))
    .first(conn)
    .await
    .optional()?;
    let Some((source_type, status, pages, size)) = found else {
        return Ok(false);
    };
    let (kind, unit, total) = match word(SourceType::parse, &source_type)? {
        SourceType::File => (JobKind::ReadFile, ProgressUnit::Bytes, size),
        SourceType::Url => (JobKind::ReadSite, ProgressUnit::Pages, pages.unwrap_or(1)),
        SourceType::Text | SourceType::Qa => return Ok(true),
    };
    if !jobs::have_run(conn, tenant, id, kind, next).await? {
        return Ok(true);
    }
    let progress = Progress {
        stage: Stage::Waiting,
        unit,
        done: 0,
        total: count(total.max(1)),
    };
    // One that failed has nothing to be answered from: it is as if it were new.
    let is_new_again = status == SourceStatus::Failed.as_str();
    diesel::update(row)
        .set((
            sources::progress.eq(json(&progress)?),
            is_new_again.then(|| {
                (
                    sources::status.eq(SourceStatus::Processing.as_str()),
                    sources::error.eq(None::<String>),
                )
            }),
        ))
        .execute(conn)
        .await?;
    Ok(true)
}
