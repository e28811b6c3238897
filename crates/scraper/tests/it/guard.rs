//! Every request of the crawler goes by the egress guard.

use std::sync::Arc;

use contracts::fakes::website::{FakeWebsite, Reply};
use contracts::websites::{collect, request};
use domain::websites::{Crawl, CrawlError, Crawler};
use egress::Egress;
use scraper::{Options, SiteCrawler};

fn crawler(egress: Egress) -> SiteCrawler {
    SiteCrawler::new(Arc::new(egress), Options::default())
}

/// One page, or why it can't be had.
async fn read(crawler: &SiteCrawler, url: &str) -> Result<(), CrawlError> {
    let request = request(url.to_owned(), 1);
    crawler.crawl(&request, &mut Crawl::default()).await
}

#[tokio::test]
async fn a_closed_address_is_refused_with_a_sentence() {
    let crawler = crawler(Egress::new(Vec::new()).unwrap());
    for url in [
        "http://127.0.0.1/",
        "http://0251.0376.0251.0376/",
        "http://[::1]/",
    ] {
        let error = read(&crawler, url).await.unwrap_err();
        let CrawlError::NotAllowed(sentence) = error else {
            panic!("{url}: {error:?}");
        };
        assert!(
            !sentence.contains(|c: char| c.is_ascii_digit()),
            "{url}: {sentence}"
        );
    }
}

#[tokio::test]
async fn a_redirect_to_a_closed_address_is_refused() {
    let inside = FakeWebsite::start_at("127.0.0.2:0").await;
    inside.put("/", Reply::html("<p>Inside.</p>"));
    let site = FakeWebsite::start().await;
    site.put("/", Reply::html("<p>Words.</p><a href='/to'>to</a>"));
    let targets = [
        inside.url("/"),
        "http://[::1]/".into(),
        "file:///etc/passwd".into(),
        "http://a:b@127.0.0.1/".into(),
    ];
    for target in targets {
        site.put("/to", Reply::redirect(&target));
        let egress = Egress::new(vec!["127.0.0.1/32".parse().unwrap()]).unwrap();
        let crawler = crawler(egress);
        let error = read(&crawler, &site.url("/to")).await.unwrap_err();
        assert!(
            matches!(error, CrawlError::NotAllowed(_)),
            "{target}: {error:?}"
        );
        let crawl = collect(&crawler, &request(site.url("/"), 3)).await;
        assert_eq!(crawl.failures.len(), 1, "{target}: {crawl:?}");
    }
    assert!(inside.requests().is_empty());
}
