//! What can't be read.

use domain::websites::{CrawlError, Crawler, Found};

use super::{page, paths, read, refused, request, site, tell, unreadable};
use crate::fakes::website::{Delivery, FakeWebsite, Reply, refused_url};

/// Each page that could not be read is listed with its address and a reason.
pub async fn failures_say_what_and_why(crawler: &dyn Crawler) {
    let site = site(&[
        "/gone", "/broken", "/cut", "/report", "/empty", "/away", "/a",
    ])
    .await;
    let away = FakeWebsite::start().await;
    site.put("/broken", Reply::status(500));
    site.put(
        "/cut",
        page("Cut", "<p>Half.</p>").delivered(Delivery::Cut(40)),
    );
    site.put("/report", Reply::new("application/pdf", "%PDF-1.7"));
    site.put("/empty", Reply::html("<html><body></body></html>"));
    site.put("/away", Reply::redirect(&away.url("/")));
    site.put("/a", page("A", "<p>Words of a.</p>"));
    let crawl = read(crawler, &site, 9).await;
    assert_eq!(paths(&crawl, &site), ["/", "/a"]);
    let failed: Vec<(String, &str)> = crawl
        .failures
        .iter()
        .map(|failure| {
            (
                failure.url.replace(&site.url(""), ""),
                failure.reason.as_str(),
            )
        })
        .collect();
    let urls: Vec<&str> = failed.iter().map(|(url, _)| url.as_str()).collect();
    assert_eq!(
        urls,
        ["/gone", "/broken", "/cut", "/report", "/empty", "/away"]
    );
    for (at, word) in [(0, "404"), (1, "500"), (3, "application/pdf")] {
        assert!(failed[at].1.contains(word), "{failed:?}");
    }
    assert!(
        failed.iter().all(|(_, reason)| reason.ends_with('.')),
        "{failed:?}"
    );
    assert!(away.requests().is_empty());
}

/// A page that can't be read makes room for another.
pub async fn failures_do_not_use_up_the_pages(crawler: &dyn Crawler) {
    let site = site(&["/1", "/2", "/3", "/a", "/b", "/c"]).await;
    for path in ["/a", "/b", "/c"] {
        site.put(path, page(path, &format!("<p>Words of {path}.</p>")));
    }
    let crawl = read(crawler, &site, 3).await;
    assert_eq!(paths(&crawl, &site), ["/", "/a", "/b"]);
    assert_eq!(crawl.failures.len(), 3);
}

/// Status, type, time, connection: the sentence names the cause.
pub async fn an_unreadable_start_page_says_why(crawler: &dyn Crawler) {
    let sentence = unreadable(crawler, Reply::status(404)).await;
    assert!(sentence.contains("404"), "{sentence}");
    let sentence = unreadable(crawler, Reply::new("image/png", "\u{89}PNG")).await;
    assert!(sentence.contains("image/png"), "{sentence}");
    let sentence = unreadable(
        crawler,
        page("A", "<p>Words.</p>").delivered(Delivery::Cut(9)),
    )
    .await;
    assert!(!sentence.is_empty());
    let error = refused(crawler, refused_url().await).await;
    assert!(
        matches!(&error, CrawlError::Unreadable(s) if s.ends_with('.')),
        "{error:?}"
    );
}

/// Neither what is no web address nor one with credentials.
pub async fn addresses_that_are_no_websites_are_not_allowed(crawler: &dyn Crawler) {
    for url in [
        "",
        "nonsense",
        "/path",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://",
        "http://a:b@127.0.0.1/",
    ] {
        let error = refused(crawler, url.to_owned()).await;
        assert!(
            matches!(&error, CrawlError::NotAllowed(s) if s.ends_with('.')),
            "{url}: {error:?}"
        );
    }
}

/// 404 and 410 say that there is no such page; everything else may pass.
pub async fn failures_tell_what_is_gone(crawler: &dyn Crawler) {
    let site = site(&["/404", "/410", "/500", "/403", "/cut"]).await;
    for status in [404, 410, 500, 403] {
        site.put(&format!("/{status}"), Reply::status(status));
    }
    site.put(
        "/cut",
        page("Cut", "<p>Half.</p>").delivered(Delivery::Cut(9)),
    );
    let told = tell(crawler, &request(site.url("/"), 9)).await;
    let gone: Vec<bool> = told
        .iter()
        .filter_map(|(found, _)| match found {
            Found::Failed { gone, .. } => Some(*gone),
            _ => None,
        })
        .collect();
    assert_eq!(gone, [true, true, false, false, false]);
}
