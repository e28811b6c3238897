//! Events go out as the standard says, and nowhere else than they may.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::time::Duration;

use contracts::fakes::website::{Delivery, FakeWebsite, Reply, refused_url};
use contracts::store::given::id;
use domain::webhooks::{Answered, Post, SigningKey, WebhookSender};
use domain::{EventId, Timestamp};
use http::HeaderMap;
use http::header::HeaderName;
use sender::{HttpSender, Options};
use standardwebhooks::Webhook;
use time::OffsetDateTime;

const BODY: &str = r#"{"type":"message.received","data":{"text":"😀"}}"#;

fn sender(allow: &[&str]) -> HttpSender {
    let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
    let time = Duration::from_millis(500);
    HttpSender::new(allow, Options { time }).unwrap()
}

#[allow(
    clippy::disallowed_methods,
    reason = "the other implementation compares with the machine's clock"
)]
fn now() -> Timestamp {
    OffsetDateTime::now_utc()
}

async fn send(sender: &HttpSender, url: &str) -> Result<Answered, String> {
    let post = Post {
        url,
        id: id::<EventId>(),
        at: now(),
        body: BODY,
        keys: &[SigningKey::new([7; 32]), SigningKey::new([8; 32])],
    };
    sender.send(post).await
}

/// The published example of the standard's reference libraries, with a key of our length.
#[test]
fn the_signature_is_the_one_of_another_implementation() {
    for number in 0..50 {
        let key = SigningKey::new([number; 32]);
        let theirs = Webhook::new(&key.reveal()).unwrap();
        let body = BODY.repeat(number.into());
        let expected = theirs
            .sign("msg_1", 1_614_265_330, body.as_bytes())
            .unwrap();
        assert_eq!(
            egress::sign("msg_1", 1_614_265_330, &body, &[key.bytes()]),
            expected
        );
    }
}

#[tokio::test]
async fn whoever_knows_one_of_the_keys_can_check_an_event() {
    let site = FakeWebsite::start().await;
    site.put("/hook", Reply::text("Thanks"));
    let sent = send(&sender(&["127.0.0.0/8"]), &site.url("/hook")).await;
    let expected = Answered {
        status: 200,
        retry_after: None,
    };
    assert_eq!(sent, Ok(expected));
    let requests = site.requests();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(
        (request.method.as_str(), request.body.as_slice()),
        ("POST", BODY.as_bytes())
    );
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(request.headers["user-agent"].starts_with("Botwright-Webhooks/"));
    let header = |(name, value): (&String, &String)| {
        (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())
    };
    let headers: HeaderMap = request.headers.iter().map(header).collect();
    for (number, knows) in [(7, true), (8, true), (9, false)] {
        let webhook = Webhook::new(&SigningKey::new([number; 32]).reveal()).unwrap();
        assert_eq!(webhook.verify(&request.body, &headers).is_ok(), knows);
        assert!(webhook.verify(b"{}", &headers).is_err());
    }
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_a_sentence() {
    let site = FakeWebsite::start().await;
    site.put("/fails", Reply::status(500));
    site.put("/busy", Reply::status(503).header("retry-after", "7"));
    site.put("/hangs", Reply::hang());
    site.put(
        "/drips",
        Reply::text("x".repeat(900)).delivered(Delivery::Slow(1, Duration::from_millis(10))),
    );
    site.put(
        "/endless",
        Reply::text("x".repeat(9_000)).delivered(Delivery::Endless),
    );
    site.put("/moved", Reply::redirect("/fails"));
    let sender = sender(&["127.0.0.0/8"]);
    let status = |status, seconds: Option<u64>| {
        Ok(Answered {
            status,
            retry_after: seconds.map(Duration::from_secs),
        })
    };
    let late = || Err("The server took too long to answer.".to_owned());
    for (path, expected) in [
        ("/fails", status(500, None)),
        ("/busy", status(503, Some(7))),
        ("/hangs", late()),
        ("/drips", late()),
        // No more is read than is worth reading.
        ("/endless", status(200, None)),
        ("/moved", status(302, None)),
    ] {
        assert_eq!(send(&sender, &site.url(path)).await, expected, "{path}");
    }
    let refused = send(&sender, &refused_url().await).await;
    assert_eq!(refused, Err("The server could not be reached.".to_owned()));
    assert_eq!(
        site.paths().iter().filter(|path| *path == "/fails").count(),
        1
    );
}

#[tokio::test]
async fn nothing_is_sent_to_a_closed_address() {
    let site = FakeWebsite::start().await;
    site.put("/hook", Reply::text(""));
    let sender = sender(&[]);
    let port = site.url("").rsplit(':').next().unwrap().to_owned();
    for host in ["127.0.0.1", "0x7f.1", "localhost"] {
        let url = format!("http://{host}:{port}/hook");
        let sentence = send(&sender, &url).await.unwrap_err();
        assert!(sentence.contains("not allowed"), "{host}: {sentence}");
    }
    assert!(site.requests().is_empty());
    for wrong in [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/",
        "ftp://example.com/",
        "https://me:secret@example.com/",
        "example.com",
        "",
    ] {
        assert!(sender.check(wrong).is_err(), "{wrong}");
    }
    sender.check("https://example.com:8443/hook?a=b").unwrap();
}
