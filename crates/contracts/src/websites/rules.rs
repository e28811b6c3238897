//! What sites ask of crawlers.

use std::time::{Duration, Instant};

use domain::websites::{CrawlError, Crawler};

use super::{asked, failed, fill, page, paths, read, refused, site};
use crate::fakes::website::{Delivery, Reply};

/// What robots.txt excludes is not asked for, not even by a redirect, and is no failure.
pub async fn excluded_pages_are_never_asked_for(crawler: &dyn Crawler) {
    let site = site(&["/private/x", "/open", "/sly"]).await;
    site.put(
        "/robots.txt",
        Reply::text("User-agent: *\nDisallow: /private/\n"),
    );
    site.put("/private/x", page("X", "<p>Not for crawlers.</p>"));
    site.put("/sly", Reply::redirect("/private/x"));
    site.put("/open", page("Open", "<p>For all.</p>"));
    let crawl = read(crawler, &site, 9).await;
    assert_eq!(paths(&crawl, &site), ["/", "/open"]);
    assert!(crawl.failures.is_empty(), "{:?}", crawl.failures);
    assert!(!asked(&site).contains(&"/private/x".to_owned()));
    let rules = site
        .paths()
        .iter()
        .filter(|path| *path == "/robots.txt")
        .count();
    assert_eq!(rules, 1, "robots.txt is asked for once");
}

/// The client learns that it is the site's own rule.
pub async fn an_excluded_start_page_is_refused(crawler: &dyn Crawler) {
    let site = site(&[]).await;
    site.put("/robots.txt", Reply::text("User-agent: *\nDisallow: /\n"));
    let CrawlError::Unreadable(sentence) = refused(crawler, site.url("/")).await else {
        panic!("it is unreadable");
    };
    assert!(sentence.contains("robots.txt"), "{sentence}");
    assert!(asked(&site).is_empty());
}

/// RFC 9309, 2.3.1.4: with a server error, everything is forbidden for now.
pub async fn a_robots_txt_that_fails_forbids_all(crawler: &dyn Crawler) {
    let site = site(&[]).await;
    site.put("/robots.txt", Reply::status(503));
    let sentence = refused(crawler, site.url("/")).await.to_string();
    assert!(
        sentence.contains("robots.txt") && sentence.contains("503"),
        "{sentence}"
    );
    assert!(asked(&site).is_empty());
}

/// `noindex`, on the page or in its headers: they are asked for, since nothing else tells it, and their links are
/// followed.
pub async fn pages_that_robots_should_not_keep_are_not_told_of(crawler: &dyn Crawler) {
    let site = site(&["/meta", "/header", "/a"]).await;
    fill(&site, &["/a", "/b", "/c"]);
    let meta = "<meta name=Robots content='NOINDEX'><main><p>Words.</p><a href='/b'>b</a></main>";
    site.put("/meta", Reply::html(meta));
    let other = page("Header", "<p>Other words.</p><a href='/c'>c</a>");
    site.put("/header", other.header("x-robots-tag", "noindex"));
    let crawl = read(crawler, &site, 9).await;
    assert_eq!(paths(&crawl, &site), ["/", "/a", "/b", "/c"]);
    assert!(crawl.failures.is_empty(), "{:?}", crawl.failures);
    // Whoever names such a page learns why it can't be had.
    let CrawlError::Unreadable(sentence) = refused(crawler, site.url("/meta")).await else {
        panic!("it is unreadable");
    };
    assert!(sentence.contains("noindex"), "{sentence}");
}

/// `nofollow`, of a whole page or a single link.
pub async fn links_that_robots_should_not_follow_are_not_followed(crawler: &dyn Crawler) {
    let site = site(&["/meta", "/header", "/link"]).await;
    fill(&site, &["/x", "/y", "/z", "/a"]);
    let meta = "<meta name=robots content='nofollow'><main><p>Words.</p><a href='/x'>x</a></main>";
    site.put("/meta", Reply::html(meta));
    let header = page("Header", "<p>Other words.</p><a href='/y'>y</a>");
    site.put("/header", header.header("x-robots-tag", "nofollow"));
    let link = "<p>More words.</p><a rel='ugc NoFollow' href='/z'>z</a><a rel=next href='/a'>a</a>";
    site.put("/link", page("Link", link));
    let crawl = read(crawler, &site, 9).await;
    assert_eq!(
        paths(&crawl, &site),
        ["/", "/meta", "/header", "/link", "/a"]
    );
    assert!(
        asked(&site)
            .iter()
            .all(|path| !["/x", "/y", "/z"].contains(&path.as_str()))
    );
}

fn busy(status: u16, seconds: &str) -> Reply {
    Reply::status(status).header("retry-after", seconds)
}

/// 429 and 503 with `Retry-After`: after the pause, and never a third time.
pub async fn a_server_that_asks_for_a_pause_is_asked_once_more(crawler: &dyn Crawler) {
    let site = site(&["/busy", "/always"]).await;
    let words = page("Busy", "<p>Words of a busy page.</p>");
    site.put_turns("/busy", [busy(429, "1"), words]);
    site.put("/always", busy(503, "1"));
    let began = Instant::now();
    let crawl = read(crawler, &site, 9).await;
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(paths(&crawl, &site), ["/", "/busy"]);
    assert_eq!(failed(&crawl, &site), ["/always"]);
    assert!(
        crawl.failures[0].reason.contains("503"),
        "{:?}",
        crawl.failures
    );
    let mut asked = asked(&site);
    asked.sort();
    assert_eq!(asked, ["/", "/always", "/always", "/busy", "/busy"]);
    // The start page, too.
    site.put_turns("/", [busy(503, "1"), page("Start", "<p>Welcome.</p>")]);
    assert_eq!(paths(&read(crawler, &site, 1).await, &site), ["/"]);
}

/// An hour is too long to wait for, and to ask before is not polite.
pub async fn a_server_that_asks_for_too_long_a_pause_is_left_alone(crawler: &dyn Crawler) {
    let site = site(&["/busy", "/a"]).await;
    fill(&site, &["/a"]);
    site.put("/busy", busy(429, "3600"));
    let began = Instant::now();
    let crawl = read(crawler, &site, 9).await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(paths(&crawl, &site), ["/", "/a"]);
    assert_eq!(failed(&crawl, &site), ["/busy"]);
    assert_eq!(asked(&site).len(), 3);
}

/// However many crawls there are: four requests at most.
pub async fn a_host_is_asked_a_few_things_at_a_time(crawler: &dyn Crawler) {
    let links: Vec<String> = (0..20).map(|i| format!("/{i}")).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let site = site(&links).await;
    for path in &links {
        let late = Delivery::Late(Duration::from_millis(30));
        site.put(
            path,
            page(path, &format!("<p>Words of {path}.</p>")).delivered(late),
        );
    }
    let crawls = [(); 3].map(|()| read(crawler, &site, 21));
    let [one, two, three] = crawls;
    let (one, two, three) = tokio::join!(one, two, three);
    assert_eq!((one.pages.len(), &two, &three), (21, &one, &one));
    let most = site.most_at_once();
    assert!((2..=4).contains(&most), "{most} at a time");
}
