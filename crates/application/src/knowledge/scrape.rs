use domain::actors::Actor;
use domain::documents::{Document, FileKind};
use domain::knowledge::{DEFAULT_PAGES, KnowledgeSource, MAX_PAGES, SourceType};
use domain::text::{self, no_nul};
use domain::websites::{Crawl, CrawlError, CrawlRequest};
use domain::{BotId, Error, Result, SourceId};
use validator::Validate;

use crate::App;

/// A website to answer from.
#[derive(Debug, Clone, Validate)]
pub struct NewScrape {
    /// The bot that will answer from it.
    pub bot_id: BotId,
    /// The source's name; `None`: the start page's title.
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: Option<String>,
    /// Where to start.
    #[validate(length(min = 1, max = text::URL_MAX, message = "must be 1 to 2048 characters long"), custom(function = no_nul))]
    pub url: String,
    /// Whether to follow links of the same origin.
    pub include_subpages: bool,
    /// The most pages, the first included; `None`: five.
    #[validate(range(min = 1, max = MAX_PAGES, message = "must be a whole number from 1 to 20"))]
    pub max_pages: Option<u32>,
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
    new: NewScrape,
) -> Result<KnowledgeSource> {
    new.validate()?;
    super::check_bot(app, actor, new.bot_id).await?;
    let request = CrawlRequest {
        url: new.url,
        include_subpages: new.include_subpages,
        max_pages: new.max_pages.unwrap_or(DEFAULT_PAGES),
    };
    let crawl = app.crawler.crawl(&request).await.map_err(|error| {
        let (CrawlError::NotAllowed(why) | CrawlError::Unreadable(why)) = error;
        Error::invalid("url", why)
    })?;
    let title = crawl
        .pages
        .first()
        .map_or(request.url.as_str(), |page| page.title.as_str());
    let name = new.name.unwrap_or_else(|| super::fitting_name(title));
    let document = document(app, &crawl).await;
    let content = super::content(app, document);
    let source = KnowledgeSource {
        url: Some(request.url),
        pages: Some(crawl.pages.len() as u32),
        failures: crawl.failures,
        ..super::ready(app, actor, id, new.bot_id, name, SourceType::Url, &content)
    };
    match app.knowledge.create(&source, &content).await {
        Ok(()) => Ok(source),
        Err(error) => super::made_before(app, actor, id, error).await,
    }
}

/// All pages as one document; each chunk keeps its page's address and stands under its page's title.
async fn document(app: &App, crawl: &Crawl) -> Document {
    let mut whole = Document::default();
    for page in &crawl.pages {
        // Stores can't keep NUL.
        let markdown = page.markdown.replace('\0', " ");
        let read = app.reader.cut(FileKind::Md, markdown).await;
        if !whole.text.is_empty() {
            whole.text.push_str("\n\n");
        }
        whole.text.push_str(&read.text);
        whole
            .chunks
            .extend(read.chunks.into_iter().map(|mut chunk| {
                chunk.url = Some(page.url.clone());
                chunk.heading = match chunk.heading {
                    Some(heading) if heading.starts_with(&page.title) => Some(heading),
                    Some(heading) => Some(format!("{} > {heading}", page.title)),
                    None => Some(page.title.clone()),
                };
                chunk
            }));
    }
    whole
}
