//! Websites: `/knowledge/scrape` and the url type of `/knowledge/sources`.

use serde_json::json;
use testkit::fakes::website::{FakeWebsite, Reply};
use testkit::{Builder, TestServer};

use crate::support::{Told, assert_id, get, keys, make_bot, on_both, post, say, text};

on_both!(
    a_page_is_read: allowed,
    a_site_is_read_to_the_pages_asked_for: allowed,
    robots_are_respected: allowed,
    what_cannot_be_read_is_told: allowed,
    a_first_page_that_cannot_be_read_makes_no_source: allowed,
    a_url_source_is_a_website: allowed,
    fields_are_checked: allowed,
    the_bot_is_checked_before_anything_is_fetched: allowed,
    private_addresses_are_refused,
);

pub fn allowed(builder: Builder) -> Builder {
    builder.setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8")
}

pub fn page(title: &str, words: &str, links: &[&str]) -> Reply {
    let links: String = links
        .iter()
        .map(|link| format!("<li><a href=\"{link}\">More at {link}</a></li>"))
        .collect();
    Reply::html(format!(
        "<html><head><title>{title}</title></head><body><main><h1>{title}</h1><p>{words}</p><ul>{links}</ul></main></body></html>"
    ))
}

const WORDS: &str =
    "Our opening hours are Monday to Friday, 9 AM to 6 PM, and we are glad to see you in the shop.";

async fn site_of_four() -> FakeWebsite {
    let site = FakeWebsite::start().await;
    site.put(
        "/",
        page(
            "Start",
            WORDS,
            &[
                "/a",
                "/b",
                "/b#part",
                "/",
                "http://elsewhere.invalid/x",
                "mailto:a@example.com",
            ],
        ),
    );
    site.put(
        "/a",
        page(
            "Page A",
            "You can return any product within 30 days of the purchase.",
            &["/c", "/"],
        ),
    );
    site.put(
        "/b",
        page(
            "Page B",
            "Shipping within the country costs 5 euros and takes two days.",
            &["/a"],
        ),
    );
    site.put(
        "/c",
        page(
            "Page C",
            "We repair bicycles of every make in our own workshop.",
            &[],
        ),
    );
    site
}

fn pages_asked(site: &FakeWebsite) -> Vec<String> {
    let mut paths = site.paths();
    paths.retain(|path| path != "/robots.txt" && !path.ends_with(".xml"));
    paths.sort();
    paths
}

async fn bot(server: &TestServer) -> String {
    text(&make_bot(&server.client, json!({})).await, "id").to_owned()
}

async fn a_page_is_read(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, site_of_four().await);
    let url = site.url("/");
    let answer = post(
        client,
        "/knowledge/scrape",
        json!({ "bot_id": bot, "url": url }),
    )
    .await;
    let data = answer.gives(201);
    assert_eq!(
        keys(data),
        [
            "failed_urls",
            "failures",
            "id",
            "knowledge_chunks_created",
            "message",
            "pages_scraped"
        ]
    );
    assert_id(&data["id"]);
    assert_eq!(
        (
            &data["pages_scraped"],
            &data["failed_urls"],
            &data["failures"]
        ),
        (&json!(1), &json!([]), &json!([]))
    );
    assert_eq!(data["message"], "Website scraped successfully");
    assert_eq!(
        pages_asked(&site),
        ["/"],
        "subpages are not asked for unless wanted"
    );
    let answer = get(client, &format!("/knowledge/sources/{}", text(data, "id"))).await;
    let whole = answer.gives(200);
    let source = &whole["source"];
    for (field, value) in [
        ("source_type", json!("url")),
        ("status", json!("ready")),
        ("url", json!(url)),
        ("pages", json!(1)),
        ("failed_urls", json!([])),
        ("failures", json!([])),
        ("name", json!("Start")),
        ("chunk_count", data["knowledge_chunks_created"].clone()),
    ] {
        assert_eq!(source[field], value, "{field}");
    }
    assert!(source["file_path"].is_null() && text(source, "content").contains("9 AM to 6 PM"));
    assert_eq!(whole["chunks"][0]["url"], url);
    let turn = say(client, "s", "What are your opening hours?").await;
    assert!(
        text(&turn["bot_response"], "message").contains("9 AM to 6 PM"),
        "{turn}"
    );
    let list = get(client, "/knowledge/sources?source_type=url").await;
    assert_eq!(list.lists().len(), 1);
}

async fn a_site_is_read_to_the_pages_asked_for(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    for (max_pages, read) in [(1, 1), (2, 2), (3, 3), (20, 4)] {
        let site = site_of_four().await;
        let body = json!({ "bot_id": bot, "url": site.url("/"), "include_subpages": true, "max_pages": max_pages });
        let answer = post(client, "/knowledge/scrape", body).await;
        assert_eq!(answer.gives(201)["pages_scraped"], read, "{max_pages}");
        let asked = pages_asked(&site);
        let mut once = asked.clone();
        once.dedup();
        assert_eq!(
            (asked.len(), &once),
            (read, &asked),
            "each is asked for once: {asked:?}"
        );
    }
    // Five, where it is not said.
    let site = FakeWebsite::start().await;
    site.put(
        "/",
        page("Start", WORDS, &["/1", "/2", "/3", "/4", "/5", "/6", "/7"]),
    );
    for path in ["/1", "/2", "/3", "/4", "/5", "/6", "/7"] {
        site.put(path, page(path, WORDS, &[]));
    }
    let answer = post(
        client,
        "/knowledge/scrape",
        json!({ "bot_id": bot, "url": site.url("/"), "include_subpages": true }),
    )
    .await;
    assert_eq!(answer.gives(201)["pages_scraped"], 5);
}

async fn robots_are_respected(server: &TestServer) {
    let (bot, site) = (bot(server).await, site_of_four().await);
    site.put("/robots.txt", Reply::text("User-agent: *\nDisallow: /b\n"));
    let body =
        json!({ "bot_id": bot, "url": site.url("/"), "include_subpages": true, "max_pages": 20 });
    let answer = post(&server.client, "/knowledge/scrape", body).await;
    assert_eq!(answer.gives(201)["pages_scraped"], 3);
    assert_eq!(pages_asked(&site), ["/", "/a", "/c"]);
    let body = json!({ "bot_id": bot, "url": site.url("/b") });
    let answer = post(&server.client, "/knowledge/scrape", body).await;
    assert!(
        answer.refuses(400, "Invalid field: url").contains("robots"),
        "{}",
        answer.text
    );
}

async fn what_cannot_be_read_is_told(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, site_of_four().await);
    site.put("/b", Reply::status(500));
    site.put("/c", Reply::status(404));
    let body =
        json!({ "bot_id": bot, "url": site.url("/"), "include_subpages": true, "max_pages": 20 });
    let answer = post(client, "/knowledge/scrape", body).await;
    let data = answer.gives(201);
    assert_eq!(data["pages_scraped"], 2);
    let mut failed: Vec<_> = data["failed_urls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|url| url.as_str().unwrap())
        .collect();
    failed.sort_unstable();
    assert_eq!(failed, [site.url("/b"), site.url("/c")]);
    for failure in data["failures"].as_array().unwrap() {
        assert_eq!(keys(failure), ["reason", "url"]);
        assert!(text(failure, "reason").len() > 5);
    }
    let answer = get(client, &format!("/knowledge/sources/{}", text(data, "id"))).await;
    for field in ["failed_urls", "failures"] {
        assert_eq!(answer.gives(200)["source"][field], data[field]);
    }
}

async fn a_first_page_that_cannot_be_read_makes_no_source(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, FakeWebsite::start().await);
    site.put("/500", Reply::status(500));
    site.put("/empty", Reply::html(""));
    site.put("/picture", Reply::new("image/png", b"\x89PNG\r\n".to_vec()));
    site.put("/loop", Reply::redirect("/loop"));
    let refused = testkit::fakes::website::refused_url().await;
    let urls = [
        site.url("/missing"),
        site.url("/500"),
        site.url("/empty"),
        site.url("/picture"),
        site.url("/loop"),
        refused,
        "http://nowhere.invalid/".into(),
        "ftp://127.0.0.1/".into(),
        "file:///etc/passwd".into(),
        "not a url".into(),
        "http://".into(),
        "javascript:alert(1)".into(),
    ];
    for url in urls {
        for (path, body) in [
            ("/knowledge/scrape", json!({ "bot_id": bot, "url": url })),
            (
                "/knowledge/sources",
                json!({ "bot_id": bot, "name": "N", "source_type": "url", "url": url }),
            ),
        ] {
            post(client, path, body)
                .await
                .refuses(400, "Invalid field: url");
        }
    }
    assert!(get(client, "/knowledge/sources").await.lists().is_empty());
}

async fn a_url_source_is_a_website(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, site_of_four().await);
    let body = json!({
        "bot_id": bot, "name": "Our site", "source_type": "url", "url": site.url("/"), "include_subpages": true, "max_pages": 3,
    });
    let answer = post(client, "/knowledge/sources", body).await;
    let made = answer.gives(201);
    assert_eq!(
        (&made["name"], &made["message"]),
        (
            &json!("Our site"),
            &json!("Knowledge source created successfully")
        )
    );
    let answer = get(client, &format!("/knowledge/sources/{}", text(made, "id"))).await;
    let source = &answer.gives(200)["source"];
    assert_eq!(
        (&source["source_type"], &source["pages"], &source["name"]),
        (&json!("url"), &json!(3), &json!("Our site"))
    );
}

async fn fields_are_checked(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, site_of_four().await);
    for (field, value, error) in [
        ("bot_id", json!(null), "Missing required field: bot_id"),
        ("url", json!(null), "Missing required field: url"),
        ("url", json!("  "), "Missing required field: url"),
        ("url", json!(5), "Invalid field: url"),
        (
            "url",
            json!(format!("http://127.0.0.1/{}", "x".repeat(2_048))),
            "Invalid field: url",
        ),
        (
            "include_subpages",
            json!("true"),
            "Invalid field: include_subpages",
        ),
        ("max_pages", json!(0), "Invalid field: max_pages"),
        ("max_pages", json!(21), "Invalid field: max_pages"),
        ("max_pages", json!(-1), "Invalid field: max_pages"),
        ("max_pages", json!("5"), "Invalid field: max_pages"),
    ] {
        let mut body = json!({ "bot_id": bot, "url": site.url("/") });
        body[field] = value;
        post(client, "/knowledge/scrape", body)
            .await
            .refuses(400, error);
    }
    assert!(site.paths().is_empty());
    post(
        client,
        "/knowledge/scrape",
        json!({ "bot_id": bot, "url": site.url("/"), "max_pages": null, "include_subpages": null }),
    )
    .await
    .gives(201);
}

async fn the_bot_is_checked_before_anything_is_fetched(server: &TestServer) {
    let site = site_of_four().await;
    for bot in ["nobodys", "018f0000-0000-7000-8000-000000000000"] {
        let body = json!({ "bot_id": bot, "url": site.url("/") });
        post(&server.client, "/knowledge/scrape", body)
            .await
            .refuses(404, "Bot not found");
    }
    assert!(site.paths().is_empty());
}

async fn private_addresses_are_refused(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, site_of_four().await);
    let port = site.url("").rsplit(':').next().unwrap().to_owned();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
        "172.16.0.1",
        "[fe80::1]",
        "[fd00::1]",
    ];
    for host in hosts {
        let body = json!({ "bot_id": bot, "url": format!("http://{host}:{port}/") });
        let answer = post(client, "/knowledge/scrape", body).await;
        answer.refuses(400, "Invalid field: url");
    }
    assert!(site.paths().is_empty(), "nothing was asked for");
    assert!(get(client, "/knowledge/sources").await.lists().is_empty());
}
