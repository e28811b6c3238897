//! Where a crawl goes.

use std::collections::HashSet;
use std::time::Duration;

use domain::websites::{CrawlRequest, Crawler};

use super::{asked, collect, failed, fill, page, paths, read, request, site, unreadable};
use crate::fakes::website::{Delivery, FakeWebsite, Reply};

/// No more pages than asked for, the first included.
pub async fn the_start_page_counts_and_comes_first(crawler: &dyn Crawler) {
    let site = site(&["/a", "/b", "/c", "/d"]).await;
    for path in ["/a", "/b", "/c", "/d"] {
        site.put(path, page(path, &format!("<p>The text of {path}.</p>")));
    }
    let crawl = read(crawler, &site, 3).await;
    assert_eq!(paths(&crawl, &site), ["/", "/a", "/b"]);
    assert!(crawl.failures.is_empty(), "{:?}", crawl.failures);
}

/// Links are followed only where the client wants it.
pub async fn without_subpages_one_page_is_read(crawler: &dyn Crawler) {
    let site = site(&["/a"]).await;
    site.put("/a", page("A", "<p>More.</p>"));
    let request = CrawlRequest {
        include_subpages: false,
        ..request(site.url("/"), 5)
    };
    let crawl = collect(crawler, &request).await;
    assert_eq!(crawl.pages.len(), 1);
    assert_eq!(asked(&site), ["/"]);
}

/// Breadth first, in the order of the document; other hosts, ports and schemes are left alone.
pub async fn links_of_the_same_origin_are_followed_in_order(crawler: &dyn Crawler) {
    let other = site(&[]).await;
    let elsewhere = other.url("/");
    let port = elsewhere.rsplit(':').next().unwrap_or_default().to_owned();
    let site = site(&[
        &elsewhere,
        "/b",
        "mailto:a@example.com",
        "javascript:void(0)",
        &format!("http://localhost:{port}"),
        "a?x=1",
    ])
    .await;
    site.put("/b", page("B", "<p>Words of b.</p><a href='/c'>c</a>"));
    site.put("/a?x=1", page("A", "<p>Words of a.</p><a href='/d'>d</a>"));
    site.put("/c", page("C", "<p>Words of c.</p>"));
    site.put("/d", page("D", "<p>Words of d.</p>"));
    let crawl = read(crawler, &site, 9).await;
    assert_eq!(paths(&crawl, &site), ["/", "/b", "/a?x=1", "/c", "/d"]);
    assert!(other.requests().is_empty());
}

/// Fragments and tracking parameters make no other page, and neither does a second link.
pub async fn each_address_is_asked_for_once(crawler: &dyn Crawler) {
    let site = site(&[
        "/",
        "#top",
        "/a",
        "/a#b",
        "/a?utm_source=x",
        "/a?fbclid=1#c",
        "/old",
    ])
    .await;
    site.put(
        "/a",
        page(
            "A",
            "<p>Words of a.</p><a href='/'>back</a><a href='/a'>again</a>",
        ),
    );
    site.put("/old", Reply::redirect("/a"));
    let crawl = read(crawler, &site, 9).await;
    assert_eq!(paths(&crawl, &site), ["/", "/a"]);
    let asked = asked(&site);
    let different: HashSet<&String> = asked.iter().collect();
    assert_eq!(asked.len(), different.len(), "{asked:?}");
}

/// The page's address is the one that answered; subpages are those of its origin.
pub async fn redirects_lead_to_the_page(crawler: &dyn Crawler) {
    let target = site(&["/a"]).await;
    target.put("/a", page("A", "<p>Words of a.</p>"));
    let from = FakeWebsite::start().await;
    from.put("/", Reply::redirect(&target.url("/")));
    let crawl = read(crawler, &from, 5).await;
    assert_eq!(crawl.pages[0].url, target.url("/"));
    assert_eq!(paths(&crawl, &target), ["/", "/a"]);
}

/// Five redirects are enough for anybody.
pub async fn redirect_loops_end(crawler: &dyn Crawler) {
    let site = site(&["/loop", "/chain/0"]).await;
    site.put("/loop", Reply::redirect("/loop"));
    for i in 0..20 {
        site.put(
            &format!("/chain/{i}"),
            Reply::redirect(&format!("/chain/{}", i + 1)),
        );
    }
    let crawl = read(crawler, &site, 5).await;
    assert_eq!(crawl.pages.len(), 1);
    assert!(site.requests().len() < 15, "{:?}", site.paths());
    let sentence = unreadable(crawler, Reply::redirect("/")).await;
    assert!(sentence.contains("redirect"), "{sentence}");
}

/// However the requests overtake each other.
pub async fn the_result_is_the_same_every_time(crawler: &dyn Crawler) {
    let site = site(&["/a", "/b", "/c", "/d", "/e"]).await;
    for (i, path) in ["/a", "/b", "/c", "/d", "/e"].into_iter().enumerate() {
        let content =
            format!("<p>Words of {path}.</p><a href='/x{i}'>x</a><a href='{path}/y'>y</a>");
        let pause = Duration::from_millis(40 * (5 - i as u64));
        site.put(path, page(path, &content).delivered(Delivery::Late(pause)));
        site.put(
            &format!("{path}/y"),
            page("Y", &format!("<p>Below {path}.</p>")),
        );
    }
    site.put("/c", Reply::redirect("/a/y"));
    let crawl = read(crawler, &site, 8).await;
    assert_eq!(
        paths(&crawl, &site),
        ["/", "/a", "/b", "/d", "/e", "/a/y", "/b/y", "/d/y"]
    );
    assert_eq!(failed(&crawl, &site), ["/x0", "/x1", "/x3"]);
}

fn sitemap(site: &FakeWebsite, paths: &[&str]) -> Reply {
    let pages = paths.iter().map(|path| {
        let url = site.url(path);
        format!("<url><loc>{url}</loc><lastmod>2026-01-01</lastmod></url>")
    });
    let pages: String = pages.collect();
    Reply::new("application/xml", format!("<urlset>{pages}</urlset>"))
}

/// After what links lead to, and only where there is room.
pub async fn a_sitemap_brings_what_no_link_leads_to(crawler: &dyn Crawler) {
    let site = site(&["/a"]).await;
    fill(&site, &["/a", "/lonely", "/hidden"]);
    site.put("/sitemap.xml", sitemap(&site, &["/lonely", "/a"]));
    assert_eq!(
        paths(&read(crawler, &site, 9).await, &site),
        ["/", "/a", "/lonely"]
    );
    assert_eq!(paths(&read(crawler, &site, 2).await, &site), ["/", "/a"]);
    // The one that robots.txt names counts.
    let named = format!("Sitemap: {}", site.url("/other.xml"));
    site.put("/robots.txt", Reply::text(named));
    site.put("/other.xml", sitemap(&site, &["/hidden"]));
    assert_eq!(
        paths(&read(crawler, &site, 9).await, &site),
        ["/", "/a", "/hidden"]
    );
}

/// As files of gzip, and as many of them as a large site has.
pub async fn sitemaps_are_read_packed_and_through_an_index(crawler: &dyn Crawler) {
    let site = site(&[]).await;
    let numbers = 0..8;
    let parts: String = numbers
        .clone()
        .map(|i| {
            format!(
                "<sitemap><loc>{}</loc></sitemap>",
                site.url(&format!("/{i}.xml.gz"))
            )
        })
        .collect();
    let index = format!("<sitemapindex>{parts}</sitemapindex>");
    site.put("/sitemap.xml", Reply::new("application/xml", index));
    let mut expected = vec!["/".to_owned()];
    for i in numbers {
        let path = format!("/page/{i}");
        fill(&site, &[&path]);
        let packed = sitemap(&site, &[&path]).gzipped().body;
        site.put(
            &format!("/{i}.xml.gz"),
            Reply::new("application/gzip", packed),
        );
        expected.push(path);
    }
    assert_eq!(paths(&read(crawler, &site, 20).await, &site), expected);
}
