//! How a crawl tells of what it finds.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::websites::{Crawl, CrawlError, CrawlRequest, Crawler, Found, PageSink};
use domain::{Error, Result};

use super::{fill, page, request, site};
use crate::fakes::website::Delivery;

/// Keeps what it was told, and takes no more than so many.
struct Told {
    found: Vec<(Found, u32)>,
    at: Vec<Instant>,
    most: usize,
}

#[async_trait]
impl PageSink for Told {
    async fn take(&mut self, found: Found, discovered: u32) -> Result<()> {
        if self.found.len() >= self.most {
            return Err(Error::internal("the sink is full"));
        }
        self.found.push((found, discovered));
        self.at.push(Instant::now());
        Ok(())
    }
}

impl Told {
    fn new(most: usize) -> Self {
        let (found, at) = (Vec::new(), Vec::new());
        Self { found, at, most }
    }
}

/// All that a crawl tells of, with how many pages it knew of then.
pub(super) async fn tell(crawler: &dyn Crawler, request: &CrawlRequest) -> Vec<(Found, u32)> {
    let mut told = Told::new(usize::MAX);
    let ended = crawler.crawl(request, &mut told).await;
    ended.expect("the start page is readable");
    told.found
}

/// Not when all is done.
pub async fn pages_are_told_of_as_they_come(crawler: &dyn Crawler) {
    let site = site(&["/a", "/late"]).await;
    fill(&site, &["/a"]);
    let late = Delivery::Late(Duration::from_millis(800));
    site.put("/late", page("Late", "<p>Late words.</p>").delivered(late));
    let mut told = Told::new(usize::MAX);
    crawler
        .crawl(&request(site.url("/"), 9), &mut told)
        .await
        .unwrap();
    let [start, a, late] = told.at[..] else {
        panic!("three pages: {:?}", told.found);
    };
    assert!(
        late - start > Duration::from_millis(600),
        "{:?}",
        late - start
    );
    assert!(late - a > Duration::from_millis(400), "{:?}", late - a);
}

/// Soon, and with the sink's own error.
pub async fn a_sink_that_takes_no_more_ends_the_crawl(crawler: &dyn Crawler) {
    let links: Vec<String> = (0..200).map(|i| format!("/{i}")).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let site = site(&links).await;
    fill(&site, &links);
    for most in [0, 3] {
        let before = site.requests().len();
        let mut told = Told::new(most);
        let ended = crawler.crawl(&request(site.url("/"), 201), &mut told).await;
        let Err(CrawlError::Stopped(error)) = ended else {
            panic!("it is stopped: {ended:?}");
        };
        assert!(error.to_string().contains("the sink is full"), "{error}");
        assert_eq!(told.found.len(), most);
        let asked = site.requests().len() - before;
        assert!(asked < 100, "{asked} requests after the sink was full");
    }
    let all = crawler
        .crawl(&request(site.url("/"), 201), &mut Crawl::default())
        .await;
    all.unwrap();
}

/// Pages found and pages waiting, and never more than were asked for.
pub async fn discovered_counts_what_waits(crawler: &dyn Crawler) {
    let site = site(&["/a", "/gone", "/b"]).await;
    site.put(
        "/a",
        page(
            "A",
            "<p>Words of a.</p><a href='/c'>c</a><a href='/d'>d</a>",
        ),
    );
    fill(&site, &["/b", "/c", "/d"]);
    let discovered = async |most| {
        let told = tell(crawler, &request(site.url("/"), most)).await;
        told.into_iter()
            .map(|(_, discovered)| discovered)
            .collect::<Vec<_>>()
    };
    // The start page and its three links; two more with /a; one less with what is gone.
    assert_eq!(discovered(9).await, [4, 6, 5, 5, 5, 5]);
    assert_eq!(discovered(3).await, [3, 3, 3, 3]);
    assert_eq!(discovered(1).await, [1]);
}
