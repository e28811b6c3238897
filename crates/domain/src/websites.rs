//! Reading websites.

use std::time::Duration;

use async_trait::async_trait;

use crate::Result;
use crate::knowledge::PageFailure;
use crate::named::named;

named! {
    /// How far a crawl follows links from its start page.
    CrawlScope {
        /// Pages of the same scheme, host and port.
        Origin = "origin",
        /// Pages of the same registrable domain (`docs.example.com` from `www.example.com`).
        Domain = "domain",
        /// Pages of the same origin below the start page's folder.
        Path = "path",
    }
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrawlRequest {
    /// The page to start from, as the client gave it.
    pub url: String,
    /// Whether to follow links, within `scope`.
    pub include_subpages: bool,
    /// How far links are followed.
    pub scope: CrawlScope,
    /// The most pages to read, the first and those that have not changed included.
    pub max_pages: u32,
    /// How long the crawl may take; `None`: as long as somebody waits for an answer.
    pub time: Option<Duration>,
    /// The pages that an earlier crawl brought, in their order. They are asked for again, whether a link leads to
    /// them or not, and only sent if they have changed. What is not sent has no links: where the earlier crawl did
    /// not come to its end, marks without validators have the pages sent, and told by their content.
    pub known: Vec<KnownPage>,
}

/// A page that was read before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPage {
    /// Its address.
    pub url: String,
    /// What tells whether it has changed.
    pub mark: PageMark,
}

/// What tells whether a page has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageMark {
    /// The server's `ETag` (RFC 9110, 8.8.3).
    pub etag: Option<String>,
    /// The server's `Last-Modified` (RFC 9110, 8.8.2).
    pub last_modified: Option<String>,
    /// A digest of title and content: servers that give neither, or a new one every time, are common.
    pub content_hash: String,
}

/// A page that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPage {
    /// Its address, after redirects.
    pub url: String,
    /// Its title; the address where it has none.
    pub title: String,
    /// Its main content as Markdown: no menus, footers or cookie banners.
    pub markdown: String,
    /// What tells whether it has changed.
    pub mark: PageMark,
}

/// What a crawl finds, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A page that is new, or has changed.
    Page(WebPage),
    /// A known page that is as it was.
    Unchanged(KnownPage),
    /// A page that could not be read. A known one that could not be read for now, and one that vanished
    /// (404, 410), are both told so: `gone` tells which.
    Failed {
        /// Which, and why.
        failure: PageFailure,
        /// Whether the site says that there is no such page.
        gone: bool,
    },
}

/// Takes what a crawl finds while it goes on.
#[async_trait]
pub trait PageSink: Send {
    /// Takes a page. `discovered` is how many pages are known of by now, found or still waiting, up to the most
    /// that were asked for.
    ///
    /// # Errors
    /// Whatever makes it pointless to go on: the crawl ends with that.
    async fn take(&mut self, found: Found, discovered: u32) -> Result<()>;
}

/// All that a crawl found, for sites small enough to be held in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crawl {
    /// Pages, in the order in which they were found; the start page first.
    pub pages: Vec<WebPage>,
    /// Pages that could not be read.
    pub failures: Vec<PageFailure>,
}

#[async_trait]
impl PageSink for Crawl {
    async fn take(&mut self, found: Found, _discovered: u32) -> Result<()> {
        match found {
            Found::Page(page) => self.pages.push(page),
            Found::Failed { failure, .. } => self.failures.push(failure),
            // Whoever names known pages has them.
            Found::Unchanged(_) => {}
        }
        Ok(())
    }
}

/// Why a crawl ended early. The sentences are for the client.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// The address can't be a website's, or must not be asked for.
    #[error("{0}")]
    NotAllowed(String),
    /// The start page could not be read.
    #[error("{0}")]
    Unreadable(String),
    /// The sink would take no more.
    #[error(transparent)]
    Stopped(#[from] crate::Error),
}

/// Reads websites. Every request goes through the egress guard.
#[async_trait]
pub trait Crawler: Send + Sync {
    /// Reads a page, or a site from that page on. Pages are given to the sink in the order in which they were
    /// found, the start page first, whichever of them comes back first; two crawls of one site give the same.
    /// Pages that robots.txt excludes are never asked for and not told of.
    ///
    /// # Errors
    /// [`CrawlError`]; where the first page could not be read, the sink was given nothing.
    async fn crawl(
        &self,
        request: &CrawlRequest,
        sink: &mut dyn PageSink,
    ) -> Result<(), CrawlError>;
}
