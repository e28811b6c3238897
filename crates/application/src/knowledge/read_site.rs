use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::jobs::{Job, NextRun};
use domain::knowledge::{
    Draft, DraftPage, Edition, KnowledgeSource, PREVIEW_LEN, PageFailure, ProgressUnit,
    SourceStatus, Stage,
};
use domain::text::preview;
use domain::websites::{CrawlError, CrawlRequest, Found, KnownPage, PageSink};
use domain::{Error, Result};

use super::pacing::paced;
use super::publishing::{Teller, Writing};
use super::scrape::cut_page;
use crate::App;
use crate::jobs::{ATTEMPTS, JobEnd};

/// The longest that a crawl in the background takes. What is missing by then is told as failures.
const TIME: Duration = Duration::from_secs(6 * 3600);
/// A reading that was begun this often without an end fails for good. A large site may well meet some restarts.
const LEASES: u32 = 20;
/// Pages held in memory at a time while they are cut.
const PART: u32 = 50;
/// The most failures that are told; a site with more has one reason for all of them.
const FAILURES: usize = 1_000;

/// Reads a website, for the first time or again.
#[tracing::instrument(level = "debug", name = "knowledge.read_site", skip_all)]
pub(crate) async fn read_site(app: &App, job: &Job) -> Result<JobEnd> {
    let (tenant, id) = (job.tenant_id, job.source());
    if job.attempts > LEASES {
        let why = "The site could not be read: reading it failed again and again.";
        app.knowledge.fail(tenant, id, why, app.clock.now()).await?;
        return Ok(JobEnd::DONE);
    }
    let (Some(named), Some(draft)) = (
        app.knowledge.find(tenant, id).await?,
        app.knowledge.begin(tenant, id).await?,
    ) else {
        return Ok(JobEnd::DONE);
    };
    let source = named.source;
    let (Some(plan), Some(url)) = (source.crawl, source.url.clone()) else {
        return Ok(JobEnd::DONE);
    };
    let mut known = app.knowledge.known_pages(tenant, id).await?;
    if source.status != SourceStatus::Ready {
        // The reading before did not come to its end: pages are to be sent again for their links.
        for page in &mut known {
            (page.mark.etag, page.mark.last_modified) = (None, None);
        }
    }
    let mut reading = Reading::new(app, draft, &known);
    let request = CrawlRequest {
        url,
        include_subpages: plan.include_subpages,
        scope: plan.scope,
        max_pages: plan.max_pages,
        time: Some(TIME),
        known,
    };
    match app.crawler.crawl(&request, &mut reading).await {
        Ok(()) => finish(app, reading).await?,
        Err(CrawlError::Stopped(_)) if reading.is_overtaken => return Ok(JobEnd::DONE),
        Err(CrawlError::Stopped(error)) => return Err(error),
        // A site that is down for a minute is no reason to give up.
        Err(CrawlError::Unreadable(_)) if job.attempts < ATTEMPTS => {
            return Ok(JobEnd::later(app, job));
        }
        Err(CrawlError::Unreadable(why) | CrawlError::NotAllowed(why)) => {
            app.knowledge
                .fail(tenant, id, &why, app.clock.now())
                .await?;
        }
    }
    // Its owner may have changed how often meanwhile.
    let now = app.knowledge.find(tenant, id).await?;
    Ok(JobEnd::Done(
        now.and_then(|named| next_run(app, &named.source)),
    ))
}

/// When a site is to be read again.
pub(super) fn next_run(app: &App, source: &KnowledgeSource) -> Option<NextRun> {
    let hours = source.crawl?.resync_hours?;
    Some(NextRun {
        job_id: app.ids.uuid().into(),
        due: app.clock.now() + time::Duration::hours(hours.into()),
    })
}

/// Makes what was read searchable, unless it is what was there before.
async fn finish(app: &App, reading: Reading<'_>) -> Result<()> {
    let Reading {
        draft,
        failures,
        position: pages,
        ..
    } = reading;
    if !app.knowledge.has_changed(draft).await? {
        app.knowledge
            .discard(draft, &failures, app.clock.now())
            .await?;
        return Ok(());
    }
    let mut writing = Writing::new(app, draft, pages.into(), Some(ProgressUnit::Pages));
    let mut beginning = String::new();
    let (mut size, mut from) = (0, 0);
    loop {
        let part = app.knowledge.pages(draft, from, PART).await?;
        let Some((last, _)) = part.last() else { break };
        from = last + 1;
        for (position, page) in part {
            let document = cut_page(app, &page).await;
            size += document.text.len() as u64;
            if beginning.len() < PREVIEW_LEN * 4 {
                beginning.push_str(&document.text);
                beginning.push_str("\n\n");
            }
            if !writing.add(document.chunks).await? {
                return Ok(());
            }
            writing.tell((position + 1).into()).await?;
        }
    }
    let edition = Edition {
        text: None,
        content_preview: preview(beginning.trim_end(), PREVIEW_LEN).to_owned(),
        size_bytes: Some(size),
        chunk_count: 0,
        pages: Some(pages),
        failures,
    };
    writing.publish(edition).await?;
    Ok(())
}

/// Takes the pages of a crawl into a draft, one by one.
struct Reading<'a> {
    app: &'a App,
    draft: Draft,
    known: HashMap<String, KnownPage>,
    teller: Teller<'a>,
    position: u32,
    failures: Vec<PageFailure>,
    /// Somebody else reads the source anew, or it is gone.
    is_overtaken: bool,
}

impl<'a> Reading<'a> {
    fn new(app: &'a App, draft: Draft, known: &[KnownPage]) -> Self {
        let known = known.iter().map(|page| (page.url.clone(), page.clone()));
        Self {
            app,
            draft,
            known: known.collect(),
            teller: Teller::new(app, draft, Stage::Reading, ProgressUnit::Pages),
            position: 0,
            failures: Vec::new(),
            is_overtaken: false,
        }
    }

    async fn put(&mut self, page: DraftPage) -> Result<()> {
        let Self { app, draft, .. } = *self;
        let kept = paced(app, app.knowledge.put_page(draft, self.position, &page)).await?;
        if !kept {
            self.is_overtaken = true;
            return Err(Error::internal("the draft was overtaken"));
        }
        self.position += 1;
        Ok(())
    }
}

#[async_trait]
impl PageSink for Reading<'_> {
    async fn take(&mut self, found: Found, discovered: u32) -> Result<()> {
        match found {
            Found::Page(mut page) => {
                // Stores can't keep NUL.
                page.markdown = page.markdown.replace('\0', " ");
                page.title = page.title.replace('\0', " ");
                self.put(DraftPage::Read(page)).await?;
            }
            Found::Unchanged(page) => self.put(DraftPage::Same(page)).await?,
            Found::Failed { failure, gone } => {
                // A page that can't be had today is answered from as it was.
                let before = self.known.get(&failure.url).filter(|_| !gone).cloned();
                if let Some(page) = before {
                    self.put(DraftPage::Same(page)).await?;
                }
                if self.failures.len() < FAILURES {
                    self.failures.push(failure);
                }
            }
        }
        self.teller
            .tell(self.position.into(), discovered.into())
            .await
    }
}
