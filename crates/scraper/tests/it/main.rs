//! The crawler keeps its contract, and the guard holds.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod guard;
mod pages;

use std::sync::Arc;
use std::time::Duration;

use egress::Egress;
use scraper::{Options, SiteCrawler};

/// A crawler that may reach the fakes, and gives up sooner than in production.
async fn open() -> (SiteCrawler, ()) {
    let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap();
    let options = Options {
        page_time: Duration::from_secs(9),
        crawl_time: Duration::from_secs(40),
        ..Options::default()
    };
    (SiteCrawler::new(Arc::new(egress), options), ())
}

contracts::crawler_contract!(open);
