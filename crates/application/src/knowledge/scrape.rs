use domain::actors::Actor;
use domain::documents::{Document, FileKind};
use domain::knowledge::{
    CrawlPlan, DEFAULT_PAGES, KnowledgeSource, MAX_PAGES, MAX_RESYNC_HOURS, MAX_SITE_PAGES,
    Progress, ProgressUnit, SourceContent, SourceStatus, SourceType, Stage, Staged,
};
use domain::text::{self, no_nul};
use domain::websites::{Crawl, CrawlError, CrawlRequest, CrawlScope, WebPage};
use domain::{BotId, Error, Result, SourceId};
use validator::Validate;

use super::read_site::next_run;
use crate::App;

/// A website to answer from.
#[derive(Debug, Clone, Validate)]
pub struct NewSite {
    /// The bot that will answer from it.
    pub bot_id: BotId,
    /// The source's name; `None`: the start page's title, or the address.
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: Option<String>,
    /// Where to start.
    #[validate(length(min = 1, max = text::URL_MAX, message = "must be 1 to 2048 characters long"), custom(function = no_nul))]
    pub url: String,
    /// Whether to follow links.
    pub include_subpages: bool,
    /// How far.
    pub scope: CrawlScope,
    /// The most pages, the first included; `None`: five.
    pub max_pages: Option<u32>,
    /// After how many hours it is read again; `None`: only when asked.
    #[validate(range(min = 1, max = MAX_RESYNC_HOURS, message = "must be a whole number from 1 to 8760"))]
    pub resync_hours: Option<u32>,
}

impl NewSite {
    /// How it is read, with this many pages at most.
    fn plan(&self, most: u32) -> Result<CrawlPlan> {
        self.validate()?;
        let max_pages = self.max_pages.unwrap_or(DEFAULT_PAGES);
        if !(1..=most).contains(&max_pages) {
            return Err(Error::invalid(
                "max_pages",
                format!("must be a whole number from 1 to {most}"),
            ));
        }
        Ok(CrawlPlan {
            include_subpages: self.include_subpages,
            scope: self.scope,
            max_pages,
            resync_hours: self.resync_hours,
        })
    }
}

/// Reads a page or a site, and makes a source of it, which says what could not be read.
///
/// # Errors
/// [`Error::Invalid`] (`url`) where the first page can't be read, with the reason; no source is made then.
/// [`Error::NotFound`] (`Bot`), before anything is fetched.
#[tracing::instrument(level = "debug", name = "knowledge.scrape", skip_all)]
pub async fn scrape(
    app: &App,
    actor: &Actor,
    id: SourceId,
    new: NewSite,
) -> Result<KnowledgeSource> {
    let plan = new.plan(MAX_PAGES)?;
    super::check_bot(app, actor, new.bot_id).await?;
    let request = CrawlRequest {
        url: new.url,
        include_subpages: plan.include_subpages,
        scope: plan.scope,
        max_pages: plan.max_pages,
        time: None,
        known: Vec::new(),
    };
    let mut crawl = Crawl::default();
    app.crawler
        .crawl(&request, &mut crawl)
        .await
        .map_err(|error| match error {
            CrawlError::NotAllowed(why) | CrawlError::Unreadable(why) => Error::invalid("url", why),
            CrawlError::Stopped(error) => error,
        })?;
    let title = crawl
        .pages
        .first()
        .map_or(request.url.as_str(), |page| page.title.as_str());
    let name = new.name.unwrap_or_else(|| super::fitting_name(title));
    let mut whole = Document::default();
    for page in &crawl.pages {
        let read = cut_page(app, page).await;
        if !whole.text.is_empty() {
            whole.text.push_str("\n\n");
        }
        whole.text.push_str(&read.text);
        whole.chunks.extend(read.chunks);
    }
    let count = crawl.pages.len() as u32;
    let content = SourceContent {
        pages: crawl.pages,
        ..super::content(app, whole)
    };
    let source = super::ready(app, actor, id, new.bot_id, name, SourceType::Url, &content);
    let source = KnowledgeSource {
        url: Some(request.url),
        crawl: Some(plan),
        pages: Some(count),
        failures: crawl.failures,
        synced_at: Some(source.created_at),
        ..source
    };
    let next = next_run(app, &source);
    super::keep(app, actor, source, &content, next).await
}

/// Makes a source of a website that is read in the background, however large it is.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`] (`Bot`).
#[tracing::instrument(level = "debug", name = "knowledge.add_site", skip_all)]
pub async fn add_site(
    app: &App,
    actor: &Actor,
    id: SourceId,
    new: NewSite,
) -> Result<KnowledgeSource> {
    let plan = new.plan(MAX_SITE_PAGES)?;
    super::check_bot(app, actor, new.bot_id).await?;
    let name = new.name.unwrap_or_else(|| super::fitting_name(&new.url));
    let nothing = SourceContent::default();
    let source = KnowledgeSource {
        status: SourceStatus::Processing,
        url: Some(new.url),
        crawl: Some(plan),
        pages: Some(0),
        progress: Some(Progress {
            stage: Stage::Waiting,
            unit: ProgressUnit::Pages,
            done: 0,
            total: 1,
        }),
        ..super::ready(app, actor, id, new.bot_id, name, SourceType::Url, &nothing)
    };
    let staged = Staged {
        job_id: app.ids.uuid().into(),
        file: None,
    };
    super::stage(app, actor, source, staged).await
}

/// A page as a document of its own; each chunk keeps the page's address and stands under its title.
pub(super) async fn cut_page(app: &App, page: &WebPage) -> Document {
    // Stores can't keep NUL.
    let markdown = page.markdown.replace('\0', " ");
    let mut read = app.reader.cut(FileKind::Md, markdown).await;
    for chunk in &mut read.chunks {
        chunk.url = Some(page.url.clone());
        chunk.heading = match chunk.heading.take() {
            Some(heading) if heading.starts_with(&page.title) => Some(heading),
            Some(heading) => Some(format!("{} > {heading}", page.title)),
            None => Some(page.title.clone()),
        };
    }
    read
}
