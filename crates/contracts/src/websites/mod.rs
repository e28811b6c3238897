//! The promises of [`Crawler`].

mod again;
mod content;
mod failures;
mod limits;
mod links;
mod rules;
mod scopes;
mod sinks;

pub use again::*;
pub use content::*;
pub use failures::*;
pub use limits::*;
pub use links::*;
pub use rules::*;
pub use scopes::*;
pub use sinks::*;

use domain::websites::{Crawl, CrawlError, CrawlRequest, CrawlScope, Crawler};

use sinks::tell;

use crate::fakes::website::{FakeWebsite, Reply};

/// Makes one test per promise of [`Crawler`]. `$open` is the path of an `async fn() -> (C, G)` that gives a
/// crawler which may reach 127.0.0.0/8, and what must live as long as it (`()` where there is nothing).
#[macro_export]
macro_rules! crawler_contract {
    ($open:path) => {
        $crate::crawler_contract!(@ $open:
            a_page_becomes_markdown,
            surroundings_are_left_out,
            a_page_of_scripts_is_not_stored_empty,
            any_charset_is_read,
            packed_pages_are_unpacked,
            the_start_page_counts_and_comes_first,
            without_subpages_one_page_is_read,
            links_of_the_same_origin_are_followed_in_order,
            each_address_is_asked_for_once,
            redirects_lead_to_the_page,
            redirect_loops_end,
            the_result_is_the_same_every_time,
            a_sitemap_brings_what_no_link_leads_to,
            sitemaps_are_read_packed_and_through_an_index,
            a_domain_is_more_than_an_origin,
            a_path_is_a_part_of_a_site,
            excluded_pages_are_never_asked_for,
            an_excluded_start_page_is_refused,
            a_robots_txt_that_fails_forbids_all,
            pages_that_robots_should_not_keep_are_not_told_of,
            links_that_robots_should_not_follow_are_not_followed,
            a_server_that_asks_for_a_pause_is_asked_once_more,
            a_server_that_asks_for_too_long_a_pause_is_left_alone,
            a_host_is_asked_a_few_things_at_a_time,
            failures_say_what_and_why,
            failures_tell_what_is_gone,
            failures_do_not_use_up_the_pages,
            an_unreadable_start_page_says_why,
            addresses_that_are_no_websites_are_not_allowed,
            a_hanging_page_is_given_up,
            a_page_over_the_limit_is_cut_off,
            packed_bombs_are_cut_off,
            deep_nesting_is_survived,
            a_crawl_ends_in_the_time_given,
            pages_are_told_of_as_they_come,
            a_sink_that_takes_no_more_ends_the_crawl,
            discovered_counts_what_waits,
            a_known_page_is_not_sent_again,
            a_page_without_validators_is_told_by_its_content,
            a_known_page_that_changed_is_a_page,
            known_pages_come_first_and_count,
            known_pages_that_fail_keep_their_place,
            known_pages_without_a_mark_are_new,
            known_pages_without_validators_lead_on,
            known_pages_out_of_bounds_are_left_out,
            a_start_page_known_alone_still_leads_on,
            two_crawls_of_an_unchanged_site_find_the_same,
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
    site.put("/", start_page(links));
    site
}

/// A start page that links to these paths.
pub fn start_page(links: &[&str]) -> Reply {
    let list: String = links
        .iter()
        .map(|link| format!("<li><a href='{link}'>To {link}</a></li>"))
        .collect();
    let content = format!("<p>Welcome to the start page.</p><ul>{list}</ul>");
    page("Start", &content)
}

/// Puts a page with words of its own at each of these paths.
fn fill(site: &FakeWebsite, paths: &[&str]) {
    for path in paths {
        site.put(path, page(path, &format!("<p>Words of {path}.</p>")));
    }
}

/// A request for a site of the same origin; for one page, where there is but one wanted.
pub fn request(url: String, max_pages: u32) -> CrawlRequest {
    CrawlRequest {
        url,
        include_subpages: max_pages > 1,
        scope: CrawlScope::Origin,
        max_pages,
        time: None,
        known: Vec::new(),
    }
}

/// What a crawl brings whose start page is readable.
pub async fn collect(crawler: &dyn Crawler, request: &CrawlRequest) -> Crawl {
    let mut crawl = Crawl::default();
    let ended = crawler.crawl(request, &mut crawl).await;
    ended.expect("the start page is readable");
    crawl
}

async fn read(crawler: &dyn Crawler, site: &FakeWebsite, max_pages: u32) -> Crawl {
    collect(crawler, &request(site.url("/"), max_pages)).await
}

async fn refused(crawler: &dyn Crawler, url: String) -> CrawlError {
    let mut crawl = Crawl::default();
    let ended = crawler.crawl(&request(url, 3), &mut crawl).await;
    assert_eq!(crawl, Crawl::default(), "nothing is told of");
    ended.expect_err("the start page is not readable")
}

async fn unreadable(crawler: &dyn Crawler, reply: Reply) -> String {
    let site = FakeWebsite::start().await;
    site.put("/", reply);
    match refused(crawler, site.url("/")).await {
        CrawlError::Unreadable(sentence) => sentence,
        error => panic!("it is unreadable, and nothing else: {error:?}"),
    }
}

/// The paths of the pages, in order.
pub fn paths(crawl: &Crawl, site: &FakeWebsite) -> Vec<String> {
    let pages = crawl.pages.iter();
    pages.map(|page| path_of(&page.url, site)).collect()
}

/// The paths of the failures, in order.
pub fn failed(crawl: &Crawl, site: &FakeWebsite) -> Vec<String> {
    let failures = crawl.failures.iter();
    failures
        .map(|failure| path_of(&failure.url, site))
        .collect()
}

fn path_of(url: &str, site: &FakeWebsite) -> String {
    url.replace(&site.url(""), "")
}

/// Requests for pages: what a crawler asks besides (robots.txt, sitemaps) is its own affair.
fn asked(site: &FakeWebsite) -> Vec<String> {
    let mut paths = site.paths();
    paths.retain(|path| path != "/robots.txt" && !path.contains(".xml"));
    paths
}
