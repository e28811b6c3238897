//! What the port leaves to the crawler: what counts as content, and how a site is treated.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::fakes::website::{Delivery, FakeWebsite, Reply};
use contracts::websites::{collect, failed, page, paths, request, site};
use domain::websites::{Crawl, Crawler};
use egress::Egress;
use scraper::{Options, SiteCrawler};

fn crawler(options: Options) -> SiteCrawler {
    let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap();
    SiteCrawler::new(Arc::new(egress), options)
}

async fn crawl_with(options: Options, site: &FakeWebsite, max_pages: u32) -> Crawl {
    collect(&crawler(options), &request(site.url("/"), max_pages)).await
}

async fn crawl(site: &FakeWebsite, max_pages: u32) -> Crawl {
    crawl_with(Options::default(), site, max_pages).await
}

/// The Markdown of a page.
async fn markdown(reply: Reply) -> String {
    let site = FakeWebsite::start().await;
    site.put("/", reply);
    crawl(&site, 1).await.pages.remove(0).markdown
}

#[tokio::test]
async fn pages_without_marks_keep_their_content() {
    let html = "<body><div class='top-nav'><a href='/'>Home</a> <a href='/shop'>Shop</a></div>\
        <div class=hero><h1>Bakery</h1><p>Bread since 1902.</p></div>\
        <div id=menu><h2 id=our-menu>Our menu</h2><p>Rye bread 4 €</p><p>Roll 1 €</p></div>\
        <div class='cookie-consent'><h2>Cookies</h2><p>We bake cookies.</p></div>\
        <ul class='footer-links'><li><a href='/i'>Imprint</a></li></ul></body>";
    let text = markdown(Reply::html(html)).await;
    assert_eq!(
        text,
        "# Bakery\n\nBread since 1902.\n\n## Our menu\n\nRye bread 4 €\n\nRoll 1 €"
    );
}

#[tokio::test]
async fn banners_go_whoever_made_them() {
    let banners = [
        "<div id='CybotCookiebotDialog'>",
        "<div class='cookieBar'>",
        "<div id='onetrust-banner-sdk'>",
        "<div class='cky-consent-container'>",
        "<aside aria-label='cookies'>",
        "<div role='alertdialog'>",
        "<section id='usercentrics-root'>",
    ];
    for banner in banners {
        let end = banner.trim_start_matches('<').split(' ').next().unwrap();
        let html = format!(
            "<body>{banner}<p>We value your privacy.</p><button>Accept</button></{end}>\
             <div class=page><h1>Cookies</h1><p>Butter, sugar and flour, and half an hour.</p></div></body>"
        );
        assert_eq!(
            markdown(Reply::html(html)).await,
            "# Cookies\n\nButter, sugar and flour, and half an hour.",
            "{banner}"
        );
    }
}

#[tokio::test]
async fn a_heading_outside_of_the_content_is_kept() {
    let html = "<body><header><h1>Returns<a class=headerlink href='#r'>¶</a></h1><nav>Menu</nav></header>\
        <main><p>Send it back within 30 days.</p></main></body>";
    assert_eq!(
        markdown(Reply::html(html)).await,
        "# Returns\n\nSend it back within 30 days."
    );
}

#[tokio::test]
async fn questions_in_buttons_and_folded_answers_are_kept() {
    let html = "<main><h1>FAQ</h1><h3><button>Do you ship?</button></h3><div hidden><p>Yes, by mail.</p></div>\
        <details><summary>May I return it?</summary><p>Within a month.</p></details>\
        <dl><dt>Phone</dt><dd>555 0100</dd></dl><button>Send</button></main>";
    let text = markdown(Reply::html(html)).await;
    assert_eq!(
        text,
        "# FAQ\n\n### Do you ship?\n\nYes, by mail.\n\nMay I return it?\n\nWithin a month.\n\nPhone\n\n555 0100"
    );
}

#[tokio::test]
async fn tables_are_kept_whatever_their_shape() {
    let html = "<main><table><caption>Fees</caption><tr><th>Plan</th><th>Fee</th></tr>\
        <tr><td>A</td></tr><tr><td>B</td><td>1|2</td></tr></table>\
        <table><tr><td><table><tr><td>x</td><td>y</td></tr></table></td><td>Beside</td></tr></table></main>";
    let text = markdown(Reply::html(html)).await;
    assert!(
        text.starts_with("Fees\n\n| Plan | Fee |\n| ---- | --- |\n| A |  |\n| B | 1\\|2 |"),
        "{text}"
    );
    assert!(
        text.contains("| x | y |") && text.ends_with("Beside"),
        "{text}"
    );
}

#[tokio::test]
async fn text_reads_as_on_the_page() {
    let html = "<main><h2>1. First_steps</h2><p>Set site_name [here] in <a href='/x'>the file</a>, see \
        <b>bold</b><i>italic</i> a*b.</p><p><code>a_b [c]</code></p><pre class=language-rust>x_y [z]\n\n\n# no heading</pre></main>";
    let text = markdown(Reply::html(html)).await;
    assert_eq!(
        text,
        "## 1. First_steps\n\nSet site_name [here] in the file, see **bold***italic* a\\*b.\n\n`a_b [c]`\n\n\
         ```\nx_y [z]\n\n\n# no heading\n```"
    );
}

#[tokio::test]
async fn plain_text_and_markdown_are_taken_as_they_are() {
    let site = FakeWebsite::start().await;
    site.put("/", Reply::new("text/markdown", "# Read me\n\nA *word*."));
    let crawl = crawl(&site, 1).await;
    assert_eq!(crawl.pages[0].title, "Read me");
    assert_eq!(crawl.pages[0].markdown, "# Read me\n\nA *word*.");
    assert_eq!(markdown(Reply::text("Just text.\n")).await, "Just text.");
}

#[tokio::test]
async fn one_page_under_several_addresses_is_kept_once() {
    let site = site(&["/a?sort=1", "/a?sort=2", "/b", "/c"]).await;
    let canonical = format!("<link rel=canonical href='{}'>", site.url("/a"));
    for (path, words) in [
        ("/a?sort=1", "First, second."),
        ("/a?sort=2", "Second, first."),
    ] {
        let html =
            format!("<head><title>List</title>{canonical}</head><main><p>{words}</p></main>");
        site.put(path, Reply::html(html));
    }
    // A site that names one page for all does not mean it.
    for path in ["/b", "/c"] {
        let html = format!(
            "<head><title>{path}</title>{canonical}</head><main><p>Words of {path}.</p></main>"
        );
        site.put(path, Reply::html(html));
    }
    let crawl = crawl(&site, 9).await;
    assert_eq!(paths(&crawl, &site), ["/", "/a?sort=1", "/b", "/c"]);
}

#[tokio::test]
async fn a_page_that_sends_on_is_a_redirect() {
    let site = site(&["/old", "/a"]).await;
    site.put(
        "/old",
        Reply::html("<meta http-equiv=Refresh content=\"0; URL='/new'\"><p>Redirecting...</p>"),
    );
    site.put("/new", page("New", "<p>Here now.</p>"));
    site.put(
        "/a",
        Reply::html("<base href='/deep/'><main><p>Words.</p><a href='x'>x</a></main>"),
    );
    site.put("/deep/x", page("X", "<p>Deep words.</p>"));
    let crawl = crawl(&site, 9).await;
    assert_eq!(paths(&crawl, &site), ["/", "/new", "/a", "/deep/x"]);
}

#[tokio::test]
async fn the_crawler_says_who_it_is_and_follows_rules_for_it() {
    let site = site(&["/a", "/b"]).await;
    site.put(
        "/robots.txt",
        Reply::text("User-agent: *\nDisallow: /b\n\nUser-agent: TestBot\nDisallow: /a\n"),
    );
    site.put("/b", page("B", "<p>Words of b.</p>"));
    let options = Options {
        user_agent: "TestBot/2.0 (+https://example.com/bot)".into(),
        ..Options::default()
    };
    let crawl = crawl_with(options.clone(), &site, 5).await;
    assert_eq!(paths(&crawl, &site), ["/", "/b"]);
    assert!(
        site.requests()
            .iter()
            .all(|r| r.headers["user-agent"] == options.user_agent)
    );
}

#[tokio::test]
async fn a_crawl_delay_is_kept_as_far_as_the_time_allows() {
    let site = site(&["/a", "/b"]).await;
    site.put("/a", page("A", "<p>Words of a.</p>"));
    site.put("/b", page("B", "<p>Words of b.</p>"));
    for (delay, crawl_time, least) in [("0.3", 10, 600), ("1000", 2, 900)] {
        site.put(
            "/robots.txt",
            Reply::text(format!("User-agent: *\nCrawl-delay: {delay}\n")),
        );
        let options = Options {
            crawl_time: Duration::from_secs(crawl_time),
            ..Options::default()
        };
        let began = Instant::now();
        let crawl = crawl_with(options, &site, 3).await;
        assert_eq!(crawl.pages.len(), 3, "{crawl:?}");
        assert!(
            began.elapsed() >= Duration::from_millis(least),
            "{:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn a_crawl_ends_in_time_and_lists_what_is_missing() {
    let site = site(&["/a", "/b", "/c", "/d", "/e", "/f"]).await;
    site.put("/a", page("A", "<p>Words of a.</p>"));
    for path in ["/b", "/c", "/d", "/e"] {
        site.put(path, Reply::hang());
    }
    let options = Options {
        crawl_time: Duration::from_secs(1),
        ..Options::default()
    };
    let began = Instant::now();
    let crawl = crawl_with(options, &site, 20).await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(paths(&crawl, &site), ["/", "/a"]);
    assert_eq!(failed(&crawl, &site), ["/b", "/c", "/d", "/e", "/f"]);
}

#[tokio::test]
async fn a_host_that_hangs_altogether_is_given_up_within_20_seconds() {
    let crawler = crawler(Options::default());
    let site = FakeWebsite::start().await;
    let late = Reply::status(404).delivered(Delivery::Late(Duration::from_secs(6)));
    site.put("/robots.txt", late);
    site.put("/", Reply::hang());
    let request = request(site.url("/"), 5);
    let began = Instant::now();
    assert!(
        crawler
            .crawl(&request, &mut Crawl::default())
            .await
            .is_err()
    );
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}
