//! Websites read in the background: progress, refreshing, reading again by itself.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::fakes::website::FakeWebsite;
use testkit::{Client, TestServer};

use crate::streaming;
use crate::support::{
    Told, delete, eventually, get, make_bot, on_both, post, put, read_source, say, text,
};
use crate::uploads::upload;
use crate::websites::{allowed, page};

on_both!(
    a_site_is_read_in_the_background: allowed,
    a_site_that_cannot_be_read_fails_and_says_why: allowed,
    a_refresh_takes_what_changed_and_drops_what_vanished: allowed,
    a_page_that_fails_for_now_is_kept: allowed,
    an_unchanged_site_is_not_sent_again: allowed,
    a_site_is_read_again_by_itself: allowed,
    progress_is_told_live: allowed,
    a_file_is_read_again,
    a_source_may_be_deleted_while_its_site_is_read: allowed,
    fields_are_checked: allowed,
);

async fn bot(server: &TestServer) -> String {
    text(&make_bot(&server.client, json!({})).await, "id").to_owned()
}

async fn shop() -> FakeWebsite {
    let site = FakeWebsite::start().await;
    site.put(
        "/",
        page(
            "Shop",
            "Our opening hours are 9 AM to 6 PM every day.",
            &["/returns", "/repairs"],
        ),
    );
    site.put(
        "/returns",
        page("Returns", "You can return any product within 30 days.", &[]),
    );
    site.put(
        "/repairs",
        page("Repairs", "We repair bicycles in our own workshop.", &[]),
    );
    site
}

async fn add(client: &Client, bot: &str, site: &FakeWebsite, more: Value) -> String {
    let mut body = json!({
        "bot_id": bot, "name": "Shop", "source_type": "url", "url": site.url("/"),
        "include_subpages": true, "background": true,
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let answer = post(client, "/knowledge/sources", body).await;
    let made = answer.gives(201);
    assert_eq!(
        (&made["source_type"], &made["status"]),
        (&json!("url"), &json!("processing"))
    );
    text(made, "id").to_owned()
}

fn path(id: &str) -> String {
    format!("/knowledge/sources/{id}")
}

async fn source(client: &Client, id: &str) -> Value {
    get(client, &path(id)).await.gives(200)["source"].clone()
}

/// Has a source read again, and waits for the end of it.
async fn refresh(client: &Client, id: &str) -> Value {
    let asked = post(client, &format!("{}/refresh", path(id)), json!({})).await;
    assert!(!asked.gives(200)["source"]["progress"].is_null());
    let mut now = Value::Null;
    eventually(Duration::from_secs(30), "it is read again", async || {
        now = source(client, id).await;
        now["progress"].is_null()
    })
    .await;
    now
}

async fn answer(client: &Client, session: &str, question: &str) -> String {
    text(
        &say(client, session, question).await["bot_response"],
        "message",
    )
    .to_owned()
}

async fn a_site_is_read_in_the_background(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, shop().await);
    let id = add(client, &bot, &site, json!({ "max_pages": 500 })).await;
    let read = read_source(client, &id).await;
    for (field, value) in [
        ("status", json!("ready")),
        ("pages", json!(3)),
        ("error", Value::Null),
        ("progress", Value::Null),
        ("failed_urls", json!([])),
        ("include_subpages", json!(true)),
        ("scope", json!("origin")),
        ("max_pages", json!(500)),
        ("resync_hours", Value::Null),
    ] {
        assert_eq!(read[field], value, "{field}");
    }
    assert!(read["synced_at"].is_string());
    let content = text(&read, "content");
    assert!(
        content.contains("9 AM") && content.contains("30 days") && content.contains("bicycles")
    );
    assert!(
        answer(client, "s", "Do you repair bicycles?")
            .await
            .contains("workshop")
    );
    let chunks = get(client, &path(&id)).await.gives(200)["chunks"].clone();
    for (index, chunk) in chunks.as_array().unwrap().iter().enumerate() {
        assert_eq!(chunk["chunk_index"], index);
        assert!(text(chunk, "url").starts_with(&site.url("/")));
    }
}

async fn a_site_that_cannot_be_read_fails_and_says_why(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, FakeWebsite::start().await);
    site.put(
        "/robots.txt",
        testkit::fakes::website::Reply::text("User-agent: *\nDisallow: /\n"),
    );
    let id = add(client, &bot, &site, json!({})).await;
    let read = read_source(client, &id).await;
    assert_eq!(read["status"], "failed");
    assert!(text(&read, "error").contains("robots.txt"), "{read}");
    assert!(read["progress"].is_null());
}

async fn a_refresh_takes_what_changed_and_drops_what_vanished(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, shop().await);
    let id = add(client, &bot, &site, json!({ "max_pages": 10 })).await;
    read_source(client, &id).await;
    site.put(
        "/",
        page(
            "Shop",
            "Our opening hours are 10 AM to 4 PM every day.",
            &["/returns", "/new"],
        ),
    );
    site.put("/repairs", testkit::fakes::website::Reply::status(404));
    site.put(
        "/new",
        page("Rental", "You can rent a tandem for a weekend.", &[]),
    );
    let now = refresh(client, &id).await;
    assert_eq!(
        (&now["status"], &now["pages"]),
        (&json!("ready"), &json!(3)),
        "{now}"
    );
    let content = text(&now, "content");
    assert!(content.contains("10 AM") && content.contains("tandem") && content.contains("30 days"));
    assert!(
        !content.contains("9 AM") && !content.contains("bicycles"),
        "{content}"
    );
    assert!(
        !answer(client, "a", "Do you repair bicycles?")
            .await
            .contains("workshop")
    );
    assert!(
        answer(client, "b", "Can I rent a tandem?")
            .await
            .contains("weekend")
    );
    assert_eq!(now["failed_urls"], json!([site.url("/repairs")]));
}

async fn a_page_that_fails_for_now_is_kept(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, shop().await);
    let id = add(client, &bot, &site, json!({ "max_pages": 10 })).await;
    let before = read_source(client, &id).await;
    site.put("/repairs", testkit::fakes::website::Reply::status(500));
    let now = refresh(client, &id).await;
    assert_eq!(
        (&now["pages"], &now["content"]),
        (&before["pages"], &before["content"])
    );
    assert_eq!(now["failed_urls"], json!([site.url("/repairs")]));
    // The whole site away: what was read before is answered from, and the reason is told.
    site.put("/", testkit::fakes::website::Reply::status(500));
    let asked = post(client, &format!("{}/refresh", path(&id)), json!({})).await;
    asked.gives(200);
    let mut now = Value::Null;
    eventually(Duration::from_secs(30), "the failure is told", async || {
        now = source(client, &id).await;
        !now["error"].is_null()
    })
    .await;
    assert_eq!(
        (&now["status"], &now["content"]),
        (&json!("ready"), &before["content"])
    );
    assert!(text(&now, "error").contains("500"), "{now}");
    assert!(
        answer(client, "s", "Do you repair bicycles?")
            .await
            .contains("workshop")
    );
}

async fn an_unchanged_site_is_not_sent_again(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, FakeWebsite::start().await);
    for (path, title, words) in [
        ("/", "Shop", "Our opening hours are 9 AM to 6 PM every day."),
        (
            "/returns",
            "Returns",
            "You can return any product within 30 days.",
        ),
    ] {
        let reply = page(title, words, &["/returns"]).header("etag", &format!("\"{title}\""));
        site.put(path, reply);
    }
    let id = add(client, &bot, &site, json!({ "max_pages": 10 })).await;
    let before = read_source(client, &id).await;
    let chunks = get(client, &path(&id)).await.gives(200)["chunks"].clone();
    let now = refresh(client, &id).await;
    // The very same chunks: nothing was cut, or would be embedded, again.
    assert_eq!(get(client, &path(&id)).await.gives(200)["chunks"], chunks);
    assert_eq!(
        (&now["pages"], &now["updated_at"]),
        (&before["pages"], &before["updated_at"])
    );
    assert_ne!(now["synced_at"], before["synced_at"]);
    let conditional = site
        .requests()
        .into_iter()
        .filter(|request| request.headers.contains_key("if-none-match"))
        .count();
    assert_eq!(conditional, 2);
}

async fn a_site_is_read_again_by_itself(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, shop().await);
    let id = add(
        client,
        &bot,
        &site,
        json!({ "max_pages": 10, "resync_hours": 24 }),
    )
    .await;
    let read = read_source(client, &id).await;
    assert_eq!(read["resync_hours"], 24);
    // An hour is long for a test: the store is asked what it would do then.
    let app = server.app();
    let due = app.clock.now() + time::Duration::hours(24) + time::Duration::minutes(1);
    let kinds: &[_] = &[botwright::domain::jobs::JobKind::ReadSite];
    let early = app.jobs.lease(
        kinds,
        app.clock.now() + time::Duration::hours(23),
        Duration::ZERO,
        &[],
    );
    assert_eq!(early.await.unwrap(), None);
    let job = app
        .jobs
        .lease(kinds, due, Duration::from_secs(60), &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.subject.to_string(), id);
    app.jobs.complete(&job, None).await.unwrap();
    // Switched on later, and off again.
    let changed = put(client, &path(&id), json!({ "resync_hours": 48 })).await;
    assert_eq!(changed.gives(200)["source"]["resync_hours"], 48);
    put(client, &path(&id), json!({ "resync_hours": null }))
        .await
        .gives(200);
    let late = app.clock.now() + time::Duration::days(30);
    assert_eq!(
        app.jobs
            .lease(kinds, late, Duration::ZERO, &[])
            .await
            .unwrap(),
        None
    );
}

async fn progress_is_told_live(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, shop().await);
    for path in ["/returns", "/repairs"] {
        let slow = testkit::fakes::website::Delivery::Late(Duration::from_secs(2));
        site.put(
            path,
            page(path, "Words of a page that comes late, and comes.", &[]).delivered(slow),
        );
    }
    let id = add(client, &bot, &site, json!({ "max_pages": 10 })).await;
    let request = client.request(Method::GET, &format!("{}/events", path(&id)));
    let answer = client.answer(request).await.unwrap();
    assert!(
        answer
            .header("content-type")
            .starts_with("text/event-stream")
    );
    let events = streaming::read(&answer.text);
    let (last, before) = events.split_last().unwrap();
    assert_eq!(last.0, "completed");
    let done = &last.1["data"]["source"];
    assert_eq!(
        (&done["status"], &done["pages"]),
        (&json!("ready"), &json!(3))
    );
    assert!(!before.is_empty(), "{events:?}");
    for (name, data) in before {
        let source = &data["data"]["source"];
        assert_eq!(
            (name.as_str(), &source["status"]),
            ("progress", &json!("processing"))
        );
        let progress = &source["progress"];
        assert!(["waiting", "reading", "indexing"].contains(&text(progress, "stage")));
        assert_eq!(progress["unit"], "pages");
        assert!(progress["done"].as_u64() <= progress["total"].as_u64());
    }
    // A source that is not being read: its state, and the end.
    let request = client.request(Method::GET, &format!("{}/events", path(&id)));
    let events = streaming::read(&client.answer(request).await.unwrap().text);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, "completed");
}

async fn a_file_is_read_again(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let made = upload(
        client,
        &bot,
        "a.md",
        "# Hours\n\nOur opening hours are 9 AM to 6 PM.\n",
    )
    .await;
    let id = text(made.gives(201), "id").to_owned();
    let before = read_source(client, &id).await;
    let now = refresh(client, &id).await;
    assert_eq!(
        (&now["status"], &now["content"]),
        (&json!("ready"), &before["content"])
    );
    let whole = get(client, &path(&id)).await;
    assert_eq!(
        whole.gives(200)["chunks"].as_array().unwrap().len(),
        before["chunk_count"]
    );
}

async fn a_source_may_be_deleted_while_its_site_is_read(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, shop().await);
    let slow = testkit::fakes::website::Delivery::Late(Duration::from_secs(2));
    site.put(
        "/returns",
        page("Returns", "Words that come late.", &[]).delivered(slow),
    );
    let id = add(client, &bot, &site, json!({ "max_pages": 10 })).await;
    eventually(Duration::from_secs(10), "it is being read", async || {
        site.paths().iter().any(|path| path == "/returns")
    })
    .await;
    delete(client, &path(&id)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    get(client, &path(&id))
        .await
        .refuses(404, "Knowledge source not found");
    assert_eq!(get(client, "/knowledge/sources").await.lists().len(), 0);
}

async fn fields_are_checked(server: &TestServer) {
    let client = &server.client;
    let (bot, site) = (bot(server).await, shop().await);
    for (field, value) in [
        ("max_pages", json!(0)),
        ("max_pages", json!(10_001)),
        ("resync_hours", json!(0)),
        ("resync_hours", json!(8761)),
        ("scope", json!("planet")),
    ] {
        let mut body = json!({
            "bot_id": bot, "name": "Shop", "source_type": "url", "url": site.url("/"), "background": true,
        });
        body[field] = value.clone();
        let refused = post(client, "/knowledge/sources", body).await;
        assert_eq!(refused.status, 400, "{field} {value}: {}", refused.text);
        assert!(refused.text.contains(field), "{}", refused.text);
    }
    assert!(
        site.paths().is_empty(),
        "nothing is fetched for a wrong request"
    );
}
