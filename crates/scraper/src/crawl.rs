//! The crawler: the start page, and the site from it on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::websites::{Crawl, CrawlError, CrawlRequest, Crawler};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::egress::{Egress, EgressError, MAX_REDIRECTS};
use crate::fetch::{Fetched, Fetcher, PageError};
use crate::robots::{Robots, Rules};
use crate::walk::Walk;
use markup::Content;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Options {
    /// How the crawler calls itself. What stands before the first slash is its name in robots.txt.
    pub user_agent: String,
    /// For one page in all: robots.txt of a new origin, redirects, body and reading.
    pub page_time: Duration,
    /// For a whole crawl.
    pub crawl_time: Duration,
    /// The most that is read of a page, after decompression, in bytes; what is beyond is cut off.
    pub max_page_bytes: usize,
    /// Requests to one site at a time.
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

/// Reads websites through the egress guard, as their robots.txt allows.
pub struct SiteCrawler {
    pub(crate) fetcher: Fetcher,
    pub(crate) options: Options,
}

impl SiteCrawler {
    /// A crawler whose every request goes through `egress`.
    pub fn new(egress: Arc<Egress>, options: Options) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let fetcher = Fetcher {
            egress,
            user_agent: options.user_agent.clone(),
            max_bytes: options.max_page_bytes,
            readers: Arc::new(Semaphore::new(processors)),
        };
        Self { fetcher, options }
    }

    /// Reads the start page. Redirects may lead it to another site, whose robots.txt counts then.
    async fn start(
        &self,
        mut url: Url,
        robots: &Robots,
        asked: &mut Vec<Url>,
    ) -> Result<(Content, Arc<Rules>), PageError> {
        let deadline = Instant::now() + self.options.page_time;
        for _ in 0..=MAX_REDIRECTS {
            url.set_fragment(None);
            self.fetcher.egress.check(&url)?;
            let rules = timeout_at(deadline, robots.rules(&url))
                .await
                .map_err(|_| EgressError::TimedOut)?;
            match &*rules {
                Rules::Failed(error) => return Err(error.clone().into()),
                Rules::Unknown(why) => return Err(PageError::Unreadable(why.clone())),
                rules if !rules.allow(&url) => {
                    return Err(PageError::Unreadable(
                        "The site's robots.txt does not allow this page to be read.".to_owned(),
                    ));
                }
                _ => asked.push(url.clone()),
            }
            match self.fetcher.fetch(&url, deadline).await? {
                Fetched::Page(content) => return Ok((content, rules)),
                Fetched::Redirect(target) => url = target,
            }
        }
        Err(EgressError::TooManyRedirects.into())
    }
}

#[async_trait]
impl Crawler for SiteCrawler {
    async fn crawl(&self, request: &CrawlRequest) -> Result<Crawl, CrawlError> {
        let deadline = Instant::now() + self.options.crawl_time;
        let url = Url::parse(request.url.trim()).map_err(|_| {
            CrawlError::NotAllowed(
                "The address is not a valid URL; it looks like https://example.com/page."
                    .to_owned(),
            )
        })?;
        let robots = Robots::new(Arc::clone(&self.fetcher.egress), &self.options.user_agent);
        let mut asked = Vec::new();
        let (content, rules) = self
            .start(url, &robots, &mut asked)
            .await
            .map_err(|error| match error {
                PageError::NotAllowed(why) => CrawlError::NotAllowed(why),
                PageError::Unreadable(why) => CrawlError::Unreadable(why),
            })?;
        let most = request.max_pages.max(1) as usize;
        let mut walk = Walk::new(self, rules, most, deadline);
        walk.begin(asked, content);
        if request.include_subpages {
            walk.go().await;
        }
        Ok(walk.crawl)
    }
}
