//! Reading websites.

use async_trait::async_trait;

use crate::knowledge::PageFailure;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrawlRequest {
    /// The page to start from, as the client gave it.
    pub url: String,
    /// Whether to follow links of the same origin.
    pub include_subpages: bool,
    /// The most pages to read, the first included.
    pub max_pages: u32,
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
}

/// What a crawl brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crawl {
    /// Pages, in the order in which they were found; the start page first.
    pub pages: Vec<WebPage>,
    /// Pages that could not be read. Those that robots.txt excludes are never asked for and not in here.
    pub failures: Vec<PageFailure>,
}

/// Why nothing was read at all. The sentences are for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrawlError {
    /// The address can't be a website's, or must not be asked for.
    #[error("{0}")]
    NotAllowed(String),
    /// The start page could not be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Reads websites. Every request goes through the egress guard.
#[async_trait]
pub trait Crawler: Send + Sync {
    /// Reads a page, or a site from that page on.
    ///
    /// # Errors
    /// [`CrawlError`] where the first page could not be read.
    async fn crawl(&self, request: &CrawlRequest) -> Result<Crawl, CrawlError>;
}
