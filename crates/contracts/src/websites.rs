//! The promises of [`Crawler`].

use std::collections::HashSet;
use std::time::{Duration, Instant};

use domain::websites::{Crawl, CrawlError, CrawlRequest, Crawler};

use crate::fakes::website::{Delivery, FakeWebsite, Reply, refused_url};

/// Makes one test per promise of [`Crawler`]. `$open` is the path of an `async fn() -> (C, G)` that gives a
/// crawler which may reach 127.0.0.0/8, and what must live as long as it (`()` where there is nothing).
#[macro_export]
macro_rules! crawler_contract {
    ($open:path) => {
        $crate::crawler_contract!(@ $open:
            a_page_becomes_markdown,
            surroundings_are_left_out,
            the_start_page_counts_and_comes_first,
            without_subpages_one_page_is_read,
            links_of_the_same_origin_are_followed_in_order,
            each_address_is_asked_for_once,
            excluded_pages_are_never_asked_for,
            an_excluded_start_page_is_refused,
            a_robots_txt_that_fails_forbids_all,
            failures_say_what_and_why,
            failures_do_not_use_up_the_pages,
            an_unreadable_start_page_says_why,
            addresses_that_are_no_websites_are_not_allowed,
            redirects_lead_to_the_page,
            redirect_loops_end,
            a_hanging_page_is_given_up,
            a_page_over_the_limit_is_cut_off,
            packed_bombs_are_cut_off,
            a_page_of_scripts_is_not_stored_empty,
            any_charset_is_read,
            deep_nesting_is_survived,
            the_result_is_the_same_every_time,
        );
    };
    (@ $open:path: $($promise:ident,)+) => {$(
        #[tokio::test]
        async fn $promise() {
            let (crawler, _guard) = $open().await;
            $crate::websites::$promise(&crawler).await;
        }
    )+};
}

/// A page with a title, a menu and a footer around its content.
pub fn page(title: &str, content: &str) -> Reply {
    Reply::html(format!(
        "<!doctype html><html><head><title>{title}</title><script>track('tracker')</script></head><body>\
         <header><nav><ul><li><a href='/'>Menu entry</a></li></ul></nav></header>\
         <div id='cookie-banner'><p>We use biscuits.</p><button>Accept all</button></div>\
         <main><h1>{title}</h1>{content}</main>\
         <footer><p>Imprint below</p></footer></body></html>"
    ))
}

/// A site whose start page links to these paths.
pub async fn site(links: &[&str]) -> FakeWebsite {
    let site = FakeWebsite::start().await;
    let list: String = links
        .iter()
        .map(|link| format!("<li><a href='{link}'>To {link}</a></li>"))
        .collect();
    site.put(
        "/",
        page(
            "Start",
            &format!("<p>Welcome to the start page.</p><ul>{list}</ul>"),
        ),
    );
    site
}

fn request(url: String, max_pages: u32) -> CrawlRequest {
    CrawlRequest {
        url,
        include_subpages: max_pages > 1,
        max_pages,
    }
}

async fn read(crawler: &dyn Crawler, site: &FakeWebsite, max_pages: u32) -> Crawl {
    crawler
        .crawl(&request(site.url("/"), max_pages))
        .await
        .expect("the start page is readable")
}

async fn refused(crawler: &dyn Crawler, url: String) -> CrawlError {
    crawler
        .crawl(&request(url, 3))
        .await
        .expect_err("the start page is not readable")
}

async fn unreadable(crawler: &dyn Crawler, reply: Reply) -> String {
    let site = FakeWebsite::start().await;
    site.put("/", reply);
    match refused(crawler, site.url("/")).await {
        CrawlError::Unreadable(sentence) => sentence,
        CrawlError::NotAllowed(sentence) => panic!("it is unreadable, not forbidden: {sentence}"),
    }
}

fn paths(crawl: &Crawl, site: &FakeWebsite) -> Vec<String> {
    let root = site.url("");
    crawl
        .pages
        .iter()
        .map(|page| page.url.replace(&root, ""))
        .collect()
}

/// Requests for pages: what a crawler asks besides (robots.txt, sitemaps) is its own affair.
fn asked(site: &FakeWebsite) -> Vec<String> {
    let mut paths = site.paths();
    paths.retain(|path| path != "/robots.txt" && !path.ends_with(".xml"));
    paths
}

/// Headings, lists, tables and words stay; the title and the address are the page's.
pub async fn a_page_becomes_markdown(crawler: &dyn Crawler) {
    let site = FakeWebsite::start().await;
    let content = "<h2>Prices</h2><p>All prices are <b>net</b>.</p><ul><li>Red</li><li>Green</li></ul>\
        <table><thead><tr><th>Plan</th><th>Price</th></tr></thead>\
        <tbody><tr><td>Small</td><td>9 €</td></tr><tr><td>Large</td><td>19 €</td></tr></tbody></table>\
        <pre><code>let x_y = 1;</code></pre>";
    site.put("/", page("Our prices", content));
    let crawl = read(crawler, &site, 1).await;
    let [page] = crawl.pages.as_slice() else {
        panic!("one page: {crawl:?}")
    };
    assert_eq!(page.url, site.url("/"));
    assert_eq!(page.title, "Our prices");
    let lines: Vec<&str> = page.markdown.lines().map(str::trim).collect();
    assert!(lines.contains(&"# Our prices"), "{}", page.markdown);
    assert!(lines.contains(&"## Prices"), "{}", page.markdown);
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with(['-', '*']) && line.ends_with(" Red")),
        "{}",
        page.markdown
    );
    assert!(lines.contains(&"let x_y = 1;"), "{}", page.markdown);
    let row =
        |line: &&str| line.starts_with('|') && line.contains("Large") && line.contains("19 €");
    assert!(lines.iter().any(row), "{}", page.markdown);
}

/// No menu, header, footer, cookie banner or script is in the text.
pub async fn surroundings_are_left_out(crawler: &dyn Crawler) {
    let site = site(&[]).await;
    let crawl = read(crawler, &site, 1).await;
    let text = &crawl.pages[0].markdown;
    assert!(text.contains("Welcome to the start page."), "{text}");
    for surroundings in ["Menu entry", "biscuits", "Accept all", "Imprint", "tracker"] {
        assert!(!text.contains(surroundings), "{surroundings} is in: {text}");
    }
}

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
        url: site.url("/"),
        include_subpages: false,
        max_pages: 5,
    };
    let crawl = crawler.crawl(&request).await.unwrap();
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

/// It is unreadable, and the sentence says that it needs JavaScript.
pub async fn a_page_of_scripts_is_not_stored_empty(crawler: &dyn Crawler) {
    let app = "<html><head><title>App</title><script src='/app.js'></script></head><body>\
        <noscript>You need to enable JavaScript to run this app.</noscript><div id='root'></div></body></html>";
    let sentence = unreadable(crawler, Reply::html(app)).await;
    assert!(sentence.contains("JavaScript"), "{sentence}");
    let sentence = unreadable(crawler, Reply::html("<body><div></div></body>")).await;
    assert!(!sentence.contains("JavaScript"), "{sentence}");
}

/// By header, by meta element, by byte order mark, and without any of them.
pub async fn any_charset_is_read(crawler: &dyn Crawler) {
    let latin = |head: &str| {
        [
            head.as_bytes(),
            b"<main><p>Caf\xe9 cr\xe8me, d\xe9j\xe0 vu</p></main>",
        ]
        .concat()
    };
    let utf16: Vec<u8> = "\u{feff}<main><p>Café crème, déjà vu</p></main>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for reply in [
        Reply::new("text/html; charset=iso-8859-1", latin("")),
        Reply::new("text/html", latin("<meta charset=windows-1252>")),
        Reply::new("text/html", latin("")),
        Reply::new("text/html", utf16),
        Reply::new("text/html", "<main><p>Café crème, déjà vu</p></main>"),
    ] {
        let site = FakeWebsite::start().await;
        site.put("/", reply);
        let crawl = read(crawler, &site, 1).await;
        assert_eq!(crawl.pages[0].markdown, "Café crème, déjà vu");
        assert_eq!(
            crawl.pages[0].title,
            site.url("/"),
            "without a title it is the address"
        );
    }
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
    let failed: Vec<String> = crawl
        .failures
        .iter()
        .map(|f| f.url.replace(&site.url(""), ""))
        .collect();
    assert_eq!(failed, ["/x0", "/x1", "/x3"]);
}
