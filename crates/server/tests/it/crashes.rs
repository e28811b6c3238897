//! kill -9: what was acknowledged is kept, and what was begun is finished.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use testkit::fakes::website::{Delivery, FakeWebsite};
use testkit::files;

use crate::program::Place;
use crate::support::{
    Told, eventually, get, make_bot, messages, post, read_source, say, text, usage,
};
use crate::websites::page;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_kept_sqlite() {
    what_was_acknowledged_is_kept(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_kept_postgres() {
    what_was_acknowledged_is_kept(Place::postgres().await).await;
}

async fn what_was_acknowledged_is_kept(place: Place) {
    let (_, key) = place.tenant("Ours");
    let (mut uploads, mut turns, mut bots) = (Vec::new(), Vec::new(), Vec::new());
    let large = "The quick brown fox jumps over the lazy dog. \n".repeat(50_000);
    // Not more often: a file that was begun this often counts as one that ends its reader.
    for round in 0..2 {
        let server = place.serve().await;
        let client = server.client(&key);
        bots.push(
            text(
                &make_bot(&client, json!({ "name": format!("{round}") })).await,
                "id",
            )
            .to_owned(),
        );
        for number in 0..4 {
            turns.push(say(&client, &format!("s{round}"), &format!("Message {number}?")).await);
        }
        for (name, words) in [
            ("large.txt", large.as_str()),
            ("small.md", "# Head\n\nSome words."),
            ("empty.txt", " "),
        ] {
            let answer = client
                .upload(&bots[0], name, words.as_bytes().to_vec())
                .await
                .unwrap();
            uploads.push(text(answer.gives(201), "id").to_owned());
        }
        // At once: the files are acknowledged, and hardly read.
        server.kill();
    }
    let server = place.serve().await;
    let client = server.client(&key);
    eventually(Duration::from_secs(30), "all files are read", async || {
        let list = get(&client, "/knowledge/sources?per_page=100").await;
        assert_eq!(list.lists().len(), uploads.len());
        list.lists()
            .iter()
            .all(|source| source["status"] != "processing")
    })
    .await;
    for (number, id) in uploads.iter().enumerate() {
        let source = client.source(id).await.unwrap().source;
        let expected = if number % 3 == 2 { "failed" } else { "ready" };
        assert_eq!(source["status"], expected, "{number}: {}", source["error"]);
    }
    for (round, bot) in bots.iter().enumerate() {
        get(&client, &format!("/bots/{bot}")).await.gives(200);
        let said = messages(&client, &format!("s{round}")).await;
        let expected: Vec<_> = turns[round * 4..round * 4 + 4]
            .iter()
            .flat_map(|turn| {
                [
                    text(&turn["user_message"], "message"),
                    text(&turn["bot_response"], "message"),
                ]
            })
            .collect();
        assert_eq!(
            said.iter()
                .map(|(_, message)| message.as_str())
                .collect::<Vec<_>>(),
            expected
        );
    }
    assert_eq!(usage(&client).await, [2, 2, 16]);
    server.stop().await;
}

/// A turn that died with its process is finished by the repeated request, and nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_keyed_request_is_done_once_also_across_a_kill() {
    let place = Place::new();
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    make_bot(&client, json!({})).await;
    let send = async |client: &testkit::Client| {
        let request = client
            .request(Method::POST, "/conversations/s/messages")
            .header("idempotency-key", "k");
        client
            .answer(request.json(&json!({ "message": "What?" })))
            .await
            .unwrap()
    };
    let first = send(&client).await;
    first.gives(200);
    server.kill();
    let server = place.serve().await;
    let client = server.client(&key);
    assert_eq!(send(&client).await.text, first.text);
    assert_eq!(messages(&client, "s").await.len(), 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_read_once_also_across_a_kill_sqlite() {
    a_site_is_read_once_also_across_a_kill(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_read_once_also_across_a_kill_postgres() {
    a_site_is_read_once_also_across_a_kill(Place::postgres().await).await;
}

async fn a_site_is_read_once_also_across_a_kill(place: Place) {
    const PAGES: usize = 60;
    let place = place.with("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8");
    let (_, key) = place.tenant("Ours");
    let site = FakeWebsite::start().await;
    let links: Vec<String> = (0..PAGES).map(|number| format!("/{number}")).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    site.put(
        "/",
        page("Shop", "The start of a shop with many pages.", &links),
    );
    for path in &links {
        let words = format!("The words of page {path} are these and no others.");
        let late = Delivery::Late(Duration::from_millis(40));
        site.put(path, page(path, &words, &[]).delivered(late));
    }
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = text(&make_bot(&client, json!({})).await, "id").to_owned();
    let source = json!({
        "bot_id": bot, "name": "Shop", "source_type": "url", "url": site.url("/"),
        "include_subpages": true, "max_pages": 100, "background": true,
    });
    let made = post(&client, "/knowledge/sources", source).await;
    let id = text(made.gives(201), "id").to_owned();
    eventually(Duration::from_secs(20), "some pages are read", async || {
        site.paths().len() > 20
    })
    .await;
    server.kill();
    let server = place.serve().await;
    let client = server.client(&key);
    let read = read_source(&client, &id).await;
    assert_eq!(
        (&read["status"], &read["pages"]),
        (&json!("ready"), &json!(PAGES + 1))
    );
    let whole = get(&client, &format!("/knowledge/sources/{id}")).await;
    let chunks = whole.gives(200)["chunks"].as_array().unwrap().clone();
    let mut urls: Vec<&str> = chunks.iter().map(|chunk| text(chunk, "url")).collect();
    urls.sort_unstable();
    urls.dedup();
    assert_eq!(
        (urls.len(), chunks.len()),
        (PAGES + 1, PAGES + 1),
        "each page once"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_harms_its_reader_fails_and_the_server_lives() {
    let place = Place::new();
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let bot = text(&make_bot(&client, json!({})).await, "id").to_owned();
    // Packed, it is a hundredth of the upload limit; unpacked, more than a reader may have.
    let body = format!("<w:document>{}</w:document>", "<w:p/>".repeat(30_000_000));
    let bomb = files::archive(&[("word/document.xml", &body)]);
    let upload = client.upload(&bot, "bomb.docx", bomb).await.unwrap();
    let id = text(upload.gives(201), "id").to_owned();
    let turn = say(&client, "s", "Hello?").await;
    assert!(!text(&turn["bot_response"], "message").is_empty());
    let read = read_source(&client, &id).await;
    assert_eq!(read["status"], "failed", "{read}");
    assert!(text(&read, "error").ends_with('.'), "{read}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_the_work_and_take_over_from_each_other() {
    let place = Place::postgres()
        .await
        .with("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8");
    let (_, key) = place.tenant("Ours");
    let (one, other) = (place.serve().await, place.serve().await);
    let client = one.client(&key);
    let bot = text(&make_bot(&client, json!({})).await, "id").to_owned();
    let mut sites = Vec::new();
    for _ in 0..6 {
        let site = FakeWebsite::start().await;
        let late = Delivery::Late(Duration::from_secs(5));
        site.put("/", page("Shop", "We sell tea.", &[]).delivered(late));
        let source = json!({
            "bot_id": bot, "name": "Shop", "source_type": "url", "url": site.url("/"),
            "background": true,
        });
        let made = post(&client, "/knowledge/sources", source).await;
        sites.push((text(made.gives(201), "id").to_owned(), site));
    }
    let asked = |site: &FakeWebsite| site.paths().iter().filter(|path| *path == "/").count();
    // One replica reads two sites at a time.
    eventually(Duration::from_secs(20), "four are being read", async || {
        sites.iter().filter(|(_, site)| asked(site) > 0).count() >= 4
    })
    .await;
    let client = other.client(&key);
    let list = get(&client, "/knowledge/sources").await;
    let waits = |source: &serde_json::Value| source["status"] == "processing";
    assert!(list.lists().iter().all(waits), "none was read before that");
    one.kill();
    for (id, site) in &sites {
        let read = read_source(&client, id).await;
        assert_eq!(
            (&read["status"], &read["chunk_count"]),
            (&json!("ready"), &json!(1))
        );
        assert!((1..=2).contains(&asked(site)), "{} times", asked(site));
    }
    other.stop().await;
}
