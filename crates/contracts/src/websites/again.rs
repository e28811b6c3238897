//! Sites that were read before.

use domain::websites::{CrawlRequest, Crawler, Found, KnownPage, PageMark};

use super::{asked, fill, page, path_of, request, site, start_page, tell};
use crate::fakes::website::{FakeWebsite, Reply};

/// What a crawl told, in short: `=` for what has not changed, `!` and `?` for failures, gone or not.
fn short(told: &[(Found, u32)], site: &FakeWebsite) -> Vec<String> {
    told.iter()
        .map(|(found, _)| match found {
            Found::Page(page) => path_of(&page.url, site),
            Found::Unchanged(known) => format!("={}", path_of(&known.url, site)),
            Found::Failed { failure, gone } => {
                format!(
                    "{}{}",
                    if *gone { "!" } else { "?" },
                    path_of(&failure.url, site)
                )
            }
        })
        .collect()
}

/// The pages of a crawl, as whoever keeps them knows them afterwards.
fn known(told: &[(Found, u32)]) -> Vec<KnownPage> {
    told.iter()
        .filter_map(|(found, _)| match found {
            Found::Page(page) => Some(KnownPage {
                url: page.url.clone(),
                mark: page.mark.clone(),
            }),
            Found::Unchanged(known) => Some(known.clone()),
            Found::Failed { .. } => None,
        })
        .collect()
}

/// The next crawl of a site.
fn again(site: &FakeWebsite, told: &[(Found, u32)]) -> CrawlRequest {
    CrawlRequest {
        known: known(told),
        ..request(site.url("/"), 9)
    }
}

/// It is asked for with what is known of it; the answer 304 tells that it is as it was, its mark too.
pub async fn a_known_page_is_not_sent_again(crawler: &dyn Crawler) {
    let site = site(&[]).await;
    let date = "Fri, 02 Jan 2026 00:00:05 GMT";
    let start = start_page(&["/tag", "/date", "/both"]).header("etag", "\"0\"");
    let words = |path: &str| page(path, &format!("<p>Words of {path}.</p>"));
    site.put("/", start);
    site.put("/tag", words("/tag").header("etag", "W/\"1\""));
    site.put("/date", words("/date").header("last-modified", date));
    site.put(
        "/both",
        words("/both")
            .header("etag", "\"2\"")
            .header("last-modified", date),
    );
    let first = tell(crawler, &request(site.url("/"), 9)).await;
    assert_eq!(short(&first, &site), ["/", "/tag", "/date", "/both"]);
    let Found::Page(both) = &first[3].0 else {
        panic!("{first:?}")
    };
    assert_eq!(both.mark.etag.as_deref(), Some("\"2\""));
    assert_eq!(both.mark.last_modified.as_deref(), Some(date));
    let (sent, requests) = (site.sent(), site.requests().len());
    let second = tell(crawler, &again(&site, &first)).await;
    assert_eq!(short(&second, &site), ["=/", "=/tag", "=/date", "=/both"]);
    assert_eq!(known(&second), known(&first));
    // robots.txt and sitemap.xml, which are not there.
    assert!(site.sent() - sent < 100, "{} bytes", site.sent() - sent);
    let conditions = site.requests()[requests..]
        .iter()
        .filter(|request| request.headers.keys().any(|name| name.starts_with("if-")))
        .count();
    assert_eq!(conditions, 4);
}

/// Many servers give no validators, or new ones every time: the new ones are told.
pub async fn a_page_without_validators_is_told_by_its_content(crawler: &dyn Crawler) {
    let site = site(&["/a", "/b"]).await;
    fill(&site, &["/a"]);
    let b = |etag| page("B", "<p>Words of b.</p>").header("etag", etag);
    site.put("/b", b("\"1\""));
    let first = tell(crawler, &request(site.url("/"), 9)).await;
    site.put("/b", b("\"2\""));
    let second = tell(crawler, &again(&site, &first)).await;
    assert_eq!(short(&second, &site), ["=/", "=/a", "=/b"]);
    let Found::Unchanged(b) = &second[2].0 else {
        panic!("{second:?}")
    };
    assert_eq!(b.mark.etag.as_deref(), Some("\"2\""));
    assert_eq!(b.mark.content_hash, known(&first)[2].mark.content_hash);
}

/// By its words or by its title, with the new mark.
pub async fn a_known_page_that_changed_is_a_page(crawler: &dyn Crawler) {
    let site = site(&["/words", "/title", "/menu"]).await;
    let reply = |title: &str, words: &str, tag: &str| {
        let html = format!("<title>{title}</title><nav>{tag}</nav><main><p>{words}</p></main>");
        Reply::html(html).header("etag", tag)
    };
    site.put("/words", reply("Words", "Nine.", "\"1\""));
    site.put("/title", reply("Title", "Ten.", "\"1\""));
    site.put("/menu", reply("Menu", "Eleven.", "\"1\""));
    let first = tell(crawler, &request(site.url("/"), 9)).await;
    site.put("/words", reply("Words", "Nine o'clock.", "\"2\""));
    site.put("/title", reply("New title", "Ten.", "\"2\""));
    site.put("/menu", reply("Menu", "Eleven.", "\"2\""));
    let second = tell(crawler, &again(&site, &first)).await;
    assert_eq!(short(&second, &site), ["=/", "/words", "/title", "=/menu"]);
    let hash = |told: &[(Found, u32)], at: usize| known(told)[at].mark.content_hash.clone();
    for (at, same) in [(0, true), (1, false), (2, false), (3, true)] {
        assert_eq!(hash(&first, at) == hash(&second, at), same, "{at}");
    }
}

/// In their order, links or not, before what is new; and they use up the pages.
pub async fn known_pages_come_first_and_count(crawler: &dyn Crawler) {
    let site = site(&["/a", "/b"]).await;
    fill(&site, &["/a", "/b", "/c"]);
    let first = tell(crawler, &request(site.url("/"), 9)).await;
    // Nothing leads to /a and /b any more.
    site.put("/", start_page(&["/c"]));
    let second = tell(crawler, &again(&site, &first)).await;
    assert_eq!(short(&second, &site), ["/", "=/a", "=/b", "/c"]);
    for (most, expected) in [(3, &["/", "=/a", "=/b"][..]), (2, &["/", "=/a"])] {
        let request = CrawlRequest {
            max_pages: most,
            ..again(&site, &first)
        };
        assert_eq!(short(&tell(crawler, &request).await, &site), expected);
    }
}

/// One that fails for now may be back tomorrow, and counts as a page; what is gone makes room.
pub async fn known_pages_that_fail_keep_their_place(crawler: &dyn Crawler) {
    let site = site(&["/a", "/b", "/c"]).await;
    fill(&site, &["/a", "/b", "/c"]);
    let request = CrawlRequest {
        max_pages: 3,
        ..request(site.url("/"), 3)
    };
    let first = tell(crawler, &request).await;
    assert_eq!(short(&first, &site), ["/", "/a", "/b"]);
    let request = CrawlRequest {
        known: known(&first),
        ..request
    };
    site.put("/a", Reply::status(500));
    let second = tell(crawler, &request).await;
    assert_eq!(short(&second, &site), ["=/", "?/a", "=/b"]);
    assert!(second.iter().all(|(_, discovered)| *discovered == 3));
    site.put("/a", Reply::status(410));
    let third = tell(crawler, &request).await;
    assert_eq!(short(&third, &site), ["=/", "!/a", "=/b", "/c"]);
}

/// An address without a mark (one that failed the last time) is asked for like any other, and keeps no place.
pub async fn known_pages_without_a_mark_are_new(crawler: &dyn Crawler) {
    let site = site(&["/b"]).await;
    fill(&site, &["/a", "/b"]);
    let unmarked = |path| KnownPage {
        url: site.url(path),
        mark: PageMark::default(),
    };
    let request = CrawlRequest {
        known: vec![unmarked("/fails"), unmarked("/a")],
        ..request(site.url("/"), 3)
    };
    site.put("/fails", Reply::status(500));
    let told = tell(crawler, &request).await;
    assert_eq!(short(&told, &site), ["/", "?/fails", "/a", "/b"]);
}

/// A page that is not sent has no links. Whoever wants them (the last crawl did not come to its end, or more pages
/// are wanted now) leaves the validators out: the page is sent, and told by its content.
pub async fn known_pages_without_validators_lead_on(crawler: &dyn Crawler) {
    let site = FakeWebsite::start().await;
    site.put("/", start_page(&["/a"]).header("etag", "\"1\""));
    let a = page("A", "<p>Words of a.</p><a href='/b'>b</a>");
    site.put("/a", a.header("etag", "\"2\""));
    fill(&site, &["/b"]);
    let first = tell(crawler, &request(site.url("/"), 2)).await;
    let mut request = again(&site, &first);
    assert_eq!(short(&tell(crawler, &request).await, &site), ["=/", "=/a"]);
    for page in &mut request.known {
        (page.mark.etag, page.mark.last_modified) = (None, None);
    }
    assert_eq!(
        short(&tell(crawler, &request).await, &site),
        ["=/", "=/a", "/b"]
    );
}

/// Neither asked for nor told of: what robots.txt excludes by now, and what is not part of the site.
pub async fn known_pages_out_of_bounds_are_left_out(crawler: &dyn Crawler) {
    let other = FakeWebsite::start().await;
    fill(&other, &["/x"]);
    let site = site(&["/a", "/private"]).await;
    fill(&site, &["/a", "/private"]);
    let first = tell(crawler, &request(site.url("/"), 9)).await;
    site.put(
        "/robots.txt",
        Reply::text("User-agent: *\nDisallow: /private\n"),
    );
    let mut request = again(&site, &first);
    for url in [other.url("/x"), "nonsense".to_owned()] {
        request.known.push(KnownPage {
            url,
            mark: PageMark::default(),
        });
    }
    let before = asked(&site).len();
    let second = tell(crawler, &request).await;
    assert_eq!(short(&second, &site), ["=/", "=/a"]);
    assert_eq!(asked(&site).len() - before, 2);
    assert!(other.requests().is_empty());
}

/// Its links are all that leads to the site, so that it has to be sent.
pub async fn a_start_page_known_alone_still_leads_on(crawler: &dyn Crawler) {
    let site = FakeWebsite::start().await;
    site.put("/", start_page(&["/a"]).header("etag", "\"1\""));
    let first = tell(crawler, &request(site.url("/"), 1)).await;
    fill(&site, &["/a"]);
    let second = tell(crawler, &again(&site, &first)).await;
    assert_eq!(short(&second, &site), ["=/", "/a"]);
    // Where no links are followed, it need not.
    let sent = site.sent();
    let one = CrawlRequest {
        include_subpages: false,
        ..again(&site, &first)
    };
    assert_eq!(short(&tell(crawler, &one).await, &site), ["=/"]);
    assert!(site.sent() - sent < 100, "{} bytes", site.sent() - sent);
}

/// Also where one page has several addresses, and whether the server says 304 or sends them all.
pub async fn two_crawls_of_an_unchanged_site_find_the_same(crawler: &dyn Crawler) {
    for tag in [None, Some("\"1\"")] {
        let links = [
            "/a?sort=1",
            "/a?sort=2",
            "/b?x=1",
            "/b?x=2",
            "/copy",
            "/old",
        ];
        let site = site(&links).await;
        let put = |path: &str, head: &str, words: &str| {
            let html = format!("<head><title>List</title>{head}</head><main><p>{words}</p></main>");
            let reply = Reply::html(html);
            site.put(
                path,
                tag.map_or(reply.clone(), |tag| reply.header("etag", tag)),
            );
        };
        let canonical = format!("<link rel=canonical href='{}'>", site.url("/a"));
        put("/a?sort=1", &canonical, "First, second.");
        put("/a?sort=2", &canonical, "Second, first.");
        put("/b?x=1", "", "One.");
        put("/b?x=2", "", "Two.");
        put("/copy", "", "One.");
        site.put("/old", Reply::redirect("/b?x=1"));
        let first = tell(crawler, &request(site.url("/"), 9)).await;
        assert_eq!(short(&first, &site), ["/", "/a?sort=1", "/b?x=1", "/b?x=2"]);
        let second = tell(crawler, &again(&site, &first)).await;
        assert_eq!(
            short(&second, &site),
            ["=/", "=/a?sort=1", "=/b?x=1", "=/b?x=2"],
            "{tag:?}"
        );
    }
}
