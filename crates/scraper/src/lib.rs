//! Websites to pages: egress guard, robots.txt, crawling.
//!
//! [`SiteCrawler`] keeps the port [`domain::websites::Crawler`]; [`Egress`] is the one way out for every request
//! that a tenant can cause, whoever makes it.

mod address;
mod crawl;
mod directives;
mod egress;
mod fetch;
mod frontier;
mod harvest;
mod hosts;
mod links;
mod lookup;
mod mark;
mod retry;
mod robots;
mod scope;
mod sitemap;
mod sitemaps;
mod walk;

pub use crawl::{Options, SiteCrawler};
pub use egress::{Ask, Egress, EgressError, Hop, MAX_REDIRECTS, Response};
pub use lookup::{Lookup, SystemLookup};
