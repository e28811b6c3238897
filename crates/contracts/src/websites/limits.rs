//! Pages without end, in time, size or depth.

use std::time::{Duration, Instant};

use domain::websites::{CrawlRequest, Crawler};

use super::{collect, failed, page, paths, read, request, site, unreadable};
use crate::fakes::website::{Delivery, FakeWebsite, Reply};

/// Within 20 seconds, and the rest of the site is read.
pub async fn a_hanging_page_is_given_up(crawler: &dyn Crawler) {
    let site = site(&["/hang", "/drip", "/a"]).await;
    site.put("/hang", Reply::hang());
    let drip = page("Drip", "<p>Words.</p>").delivered(Delivery::Slow(1, Duration::from_secs(1)));
    site.put("/drip", drip.clone());
    site.put("/a", page("A", "<p>Words of a.</p>"));
    let began = Instant::now();
    let crawl = read(crawler, &site, 4).await;
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(paths(&crawl, &site), ["/", "/a"]);
    assert_eq!(crawl.failures.len(), 2, "{:?}", crawl.failures);
    let began = Instant::now();
    unreadable(crawler, drip).await;
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

/// What came before the limit of 5 MB is kept.
pub async fn a_page_over_the_limit_is_cut_off(crawler: &dyn Crawler) {
    let site = FakeWebsite::start().await;
    let filler = format!("<!-- {} -->", "nothing to see here, ".repeat(1000)).repeat(300);
    let body =
        format!("<title>Big</title><main><p>First words.</p>{filler}<p>Last words.</p></main>");
    site.put("/", Reply::html(body));
    let crawl = read(crawler, &site, 1).await;
    assert!(crawl.pages[0].markdown.contains("First words."));
    assert!(!crawl.pages[0].markdown.contains("Last words."));
    let line = Reply::text("All work and no play.\n".repeat(1000)).delivered(Delivery::Endless);
    site.put("/", line);
    let crawl = read(crawler, &site, 1).await;
    assert!(crawl.pages[0].markdown.len() <= 6_000_000);
}

/// The limit counts what comes out of the packing.
pub async fn packed_bombs_are_cut_off(crawler: &dyn Crawler) {
    let site = site(&["/bomb", "/packed"]).await;
    site.put("/bomb", Reply::gzip_bomb(200 << 20));
    site.put(
        "/packed",
        page("Packed", "<p>Words that were packed.</p>").gzipped(),
    );
    let crawl = read(crawler, &site, 5).await;
    assert_eq!(paths(&crawl, &site), ["/", "/packed"]);
    assert!(crawl.pages[1].markdown.contains("Words that were packed."));
}

/// Whatever a page is made of, the process stays up and answers soon.
pub async fn deep_nesting_is_survived(crawler: &dyn Crawler) {
    let site = site(&["/divs", "/lists", "/tables", "/letters", "/a"]).await;
    site.put("/divs", Reply::html("<div>".repeat(100_000)));
    site.put("/lists", Reply::html("<ul><li>x".repeat(100_000)));
    site.put("/tables", Reply::html("<table><tr><td>x".repeat(100_000)));
    site.put("/letters", Reply::html("<b><i><p>x".repeat(100_000)));
    site.put("/a", page("A", "<p>Words of a.</p>"));
    let began = Instant::now();
    let crawl = read(crawler, &site, 9).await;
    assert!(paths(&crawl, &site).contains(&"/a".to_owned()));
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

/// However much there is to read, and slowly; what is missing is told of.
pub async fn a_crawl_ends_in_the_time_given(crawler: &dyn Crawler) {
    let site = site(&["/a", "/hang", "/b"]).await;
    site.put("/a", page("A", "<p>Words of a.</p>"));
    site.put("/hang", Reply::hang());
    site.put("/b", page("B", "<p>Words of b.</p>"));
    let request = CrawlRequest {
        time: Some(Duration::from_secs(1)),
        ..request(site.url("/"), 9)
    };
    let began = Instant::now();
    let crawl = collect(crawler, &request).await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(paths(&crawl, &site)[..2], ["/", "/a"]);
    assert!(failed(&crawl, &site).contains(&"/hang".to_owned()));
    assert_eq!(crawl.pages.len() + crawl.failures.len(), 4, "{crawl:?}");
}
