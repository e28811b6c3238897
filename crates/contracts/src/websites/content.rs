//! What a page becomes.

use domain::websites::Crawler;

use super::{page, read, site, unreadable};
use crate::fakes::website::{FakeWebsite, Reply};

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

/// gzip and brotli, which is what browsers are sent.
pub async fn packed_pages_are_unpacked(crawler: &dyn Crawler) {
    for reply in [
        page("Packed", "<p>Words that were packed.</p>").gzipped(),
        page("Packed", "<p>Words that were packed.</p>").brotli(),
    ] {
        let site = FakeWebsite::start().await;
        site.put("/", reply);
        let text = &read(crawler, &site, 1).await.pages[0].markdown;
        assert!(text.contains("Words that were packed."), "{text}");
        let accepted = &site.requests()[1].headers["accept-encoding"];
        assert!(
            accepted.contains("gzip") && accepted.contains("br"),
            "{accepted}"
        );
    }
}
