//! The crawler: the start page, and the site from it on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::websites::{CrawlError, CrawlRequest, Crawler, KnownPage, PageMark, PageSink};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::fetch::{Fetched, Fetcher, PageError, Read};
use crate::harvest::Harvest;
use crate::hosts::Hosts;
use crate::robots::Robots;
use crate::scope::Scope;
use crate::sitemaps::Sitemaps;
use crate::walk::{Plan, Walk};
use egress::{Egress, EgressError, MAX_REDIRECTS};

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Options {
    /// How the crawler calls itself. What stands before the first slash is its name in robots.txt.
    pub user_agent: String,
    /// For one page in all: robots.txt of a new origin, redirects, body and reading.
    pub page_time: Duration,
    /// For a whole crawl that somebody waits for.
    pub crawl_time: Duration,
    /// The most that is read of a page, after decompression, in bytes; what is beyond is cut off.
    pub max_page_bytes: usize,
    /// Requests to one host at a time, over all crawls.
    pub at_once: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: "BotwrightBot/0.1".to_owned(),
            // A page that hangs is given up within 20 seconds; the rest is for the way there and back.
            page_time: Duration::from_secs(18),
            crawl_time: Duration::from_secs(60),
            max_page_bytes: 5 * 1024 * 1024,
            at_once: 4,
        }
    }
}

/// Pages under way for each request at a time: some are asked for while others are read, or wait for their turn to
/// be handed over.
const WINDOW: usize = 4;

/// Reads websites through the egress guard, as their robots.txt allows.
pub struct SiteCrawler {
    fetcher: Arc<Fetcher>,
    options: Options,
}

/// The start page, wherever it was found.
struct Start {
    /// The addresses that were asked for; the last is the page's.
    asked: Vec<Url>,
    url: Url,
    /// `None`: it is as it was.
    page: Option<Box<Read>>,
}

impl SiteCrawler {
    /// A crawler whose every request goes through `egress`.
    pub fn new(egress: Arc<Egress>, options: Options) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let fetcher = Fetcher {
            egress,
            user_agent: options.user_agent.clone(),
            max_bytes: options.max_page_bytes,
            page_time: options.page_time,
            hosts: Hosts::new(options.at_once),
            readers: Arc::new(Semaphore::new(processors)),
        };
        Self {
            fetcher: Arc::new(fetcher),
            options,
        }
    }

    /// Reads the start page. Redirects may lead it to another site, whose robots.txt counts then.
    async fn start(
        &self,
        mut url: Url,
        request: &CrawlRequest,
        robots: &Robots,
        deadline: Instant,
    ) -> Result<Start, PageError> {
        let began = Instant::now();
        let mut asked = Vec::new();
        for _ in 0..=MAX_REDIRECTS {
            url.set_fragment(None);
            self.fetcher.egress.check(&url)?;
            let allowed = timeout_at(
                deadline.min(began + self.options.page_time),
                robots.may_ask(&url),
            );
            if !allowed.await.map_err(|_| EgressError::TimedOut)?? {
                let why = "The site's robots.txt does not allow this page to be read.";
                return Err(PageError::Unreadable(why.to_owned()));
            }
            asked.push(url.clone());
            // One time for the whole way to the page; whoever had to wait for a turn has some of it left.
            let time = self.options.page_time.saturating_sub(began.elapsed());
            let time = time.max(self.options.page_time / 4);
            let known = condition(request, &url);
            match self.fetcher.fetch(&url, known, time, deadline).await? {
                Fetched::Redirect(target) => url = target,
                Fetched::Unchanged => {
                    return Ok(Start {
                        asked,
                        url,
                        page: None,
                    });
                }
                Fetched::Page(page) if page.is_for_robots => {
                    return Ok(Start {
                        asked,
                        url,
                        page: Some(page),
                    });
                }
                Fetched::Page(_) => {
                    let why = "The page asks robots not to keep it (noindex).";
                    return Err(PageError::Unreadable(why.to_owned()));
                }
            }
        }
        Err(EgressError::TooManyRedirects.into())
    }
}

/// What is known of the start page, if it need not be sent again. Where no other page is known, nothing but its
/// links leads to the site.
fn condition<'a>(request: &'a CrawlRequest, url: &Url) -> Option<&'a PageMark> {
    let is_url = |page: &&KnownPage| page.url == url.as_str();
    let leads_on = !request.include_subpages || !request.known.iter().all(|page| is_url(&page));
    let known = request.known.iter().find(is_url)?;
    leads_on.then_some(&known.mark)
}

#[async_trait]
impl Crawler for SiteCrawler {
    async fn crawl(
        &self,
        request: &CrawlRequest,
        sink: &mut dyn PageSink,
    ) -> Result<(), CrawlError> {
        let deadline = Instant::now() + request.time.unwrap_or(self.options.crawl_time);
        let url = Url::parse(request.url.trim()).map_err(|_| {
            CrawlError::NotAllowed(
                "The address is not a valid URL; it looks like https://example.com/page."
                    .to_owned(),
            )
        })?;
        let egress = Arc::clone(&self.fetcher.egress);
        let robots = Arc::new(Robots::new(egress, &self.options.user_agent));
        let start =
            self.start(url, request, &robots, deadline)
                .await
                .map_err(|error| match error {
                    PageError::NotAllowed(why) => CrawlError::NotAllowed(why),
                    PageError::Gone(why) | PageError::Unreadable(why) => {
                        CrawlError::Unreadable(why)
                    }
                })?;
        let rules = robots.rules(&start.url).await;
        let plan = Plan {
            fetcher: Arc::clone(&self.fetcher),
            robots,
            scope: Scope::new(request.scope, &start.url),
            // A site that wants a pause between two requests wants them one at a time, too.
            window: match rules.delay() {
                Some(_) => 1,
                None => self.options.at_once.max(1) * WINDOW,
            },
            deadline,
        };
        let most = request.max_pages.max(1) as usize;
        let mut walk = Walk::new(plan, Harvest::new(sink, &request.known, most));
        if request.include_subpages {
            walk.expect(&start.asked, &request.known);
        }
        walk.begin(&start.url, start.page).await?;
        if request.include_subpages {
            walk.go(Sitemaps::new(&rules, &start.url)).await?;
        }
        Ok(())
    }
}
