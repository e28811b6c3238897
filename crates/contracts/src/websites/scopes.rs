//! How far a crawl goes.

use domain::websites::{CrawlRequest, CrawlScope, Crawler};

use super::{collect, failed, fill, page, paths, request, site, start_page};
use crate::fakes::website::{FakeWebsite, Reply};

/// Other origins of the same registrable domain (here, where there is none, of the same host) belong to it, each
/// with a robots.txt of its own; other hosts do not.
pub async fn a_domain_is_more_than_an_origin(crawler: &dyn Crawler) {
    let docs = FakeWebsite::start().await;
    let down = FakeWebsite::start().await;
    let stranger = FakeWebsite::start_at("127.0.0.2:0").await;
    fill(&docs, &["/", "/a", "/private"]);
    docs.put(
        "/robots.txt",
        Reply::text("User-agent: *\nDisallow: /private\n"),
    );
    down.put("/robots.txt", Reply::status(503));
    fill(&down, &["/x"]);
    fill(&stranger, &["/"]);
    let links = [
        stranger.url("/"),
        docs.url("/private"),
        docs.url("/a"),
        down.url("/x"),
        "/b".to_owned(),
    ];
    let site = site(&links.each_ref().map(String::as_str)).await;
    fill(&site, &["/b"]);
    let request = CrawlRequest {
        scope: CrawlScope::Domain,
        ..request(site.url("/"), 9)
    };
    let crawl = collect(crawler, &request).await;
    assert_eq!(
        paths(&crawl, &site),
        ["/", &docs.url("/a"), "/b", &docs.url("/")]
    );
    assert_eq!(failed(&crawl, &site), [down.url("/x")]);
    assert!(
        crawl.failures[0].reason.contains("robots.txt"),
        "{:?}",
        crawl.failures
    );
    assert_eq!(docs.paths(), ["/robots.txt", "/a", "/"]);
    assert_eq!(down.paths(), ["/robots.txt"]);
    assert!(stranger.requests().is_empty());
    // What is not asked for stays with the origin.
    let origin = CrawlRequest {
        scope: CrawlScope::Origin,
        ..request
    };
    assert_eq!(paths(&collect(crawler, &origin).await, &site), ["/", "/b"]);
}

/// The folder of the start page and what is below: by links, by the sitemap, and by redirects.
pub async fn a_path_is_a_part_of_a_site(crawler: &dyn Crawler) {
    for start in ["/docs/intro.html", "/docs/"] {
        let site = FakeWebsite::start().await;
        let links = [
            "/",
            "/docs/a",
            "/documents",
            "../blog",
            "deep/b",
            "/docs/moved",
            "/docs/out",
        ];
        site.put(start, start_page(&links));
        fill(
            &site,
            &[
                "/",
                "/docs/a",
                "/documents",
                "/blog",
                "/docs/deep/b",
                "/docs/c",
                "/out",
            ],
        );
        site.put("/docs/moved", Reply::redirect("/docs/c"));
        site.put("/docs/out", Reply::redirect("/out"));
        let urls =
            ["/docs/d", "/blog/e"].map(|path| format!("<url><loc>{}</loc></url>", site.url(path)));
        let sitemap = format!("<urlset>{}</urlset>", urls.concat());
        site.put("/sitemap.xml", Reply::new("application/xml", sitemap));
        site.put("/docs/d", page("D", "<p>Words of d.</p>"));
        let request = CrawlRequest {
            scope: CrawlScope::Path,
            ..request(site.url(start), 9)
        };
        let crawl = collect(crawler, &request).await;
        let expected = [start, "/docs/a", "/docs/deep/b", "/docs/c", "/docs/d"];
        assert_eq!(paths(&crawl, &site), expected);
        assert_eq!(failed(&crawl, &site), ["/docs/out"]);
        for outside in ["/", "/documents", "/blog", "/out", "/blog/e"] {
            assert!(!site.paths().contains(&outside.to_owned()), "{outside}");
        }
    }
}
