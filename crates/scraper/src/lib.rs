//! Websites to pages: egress guard, robots.txt, crawling.
//!
//! [`SiteCrawler`] keeps the port [`domain::websites::Crawler`]; [`Egress`] is the one way out for every request
//! that a tenant can cause, whoever makes it.

mod address;
mod crawl;
mod egress;
mod fetch;
mod links;
mod lookup;
mod robots;
mod sitemap;
mod walk;

pub use crawl::{Options, SiteCrawler};
pub use egress::{Ask, Egress, EgressError, Hop, MAX_REDIRECTS, Response};
pub use lookup::{Lookup, SystemLookup};
