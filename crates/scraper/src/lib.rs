//! Websites to pages: robots.txt, crawling.
//!
//! [`SiteCrawler`] keeps the port [`domain::websites::Crawler`]. Its requests go out by the guard, `egress`.

mod crawl;
mod directives;
mod fetch;
mod frontier;
mod harvest;
mod hosts;
mod links;
mod mark;
mod retry;
mod robots;
mod scope;
mod sitemap;
mod sitemaps;
mod walk;

pub use crawl::{Options, SiteCrawler};
