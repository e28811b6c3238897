//! What no well-behaved client sends. Every request is answered with the documented envelope and a 4xx, and
//! the server and its store are as they were.

use serde_json::json;
use testkit::{Client, TestServer};
use tokio::io::AsyncWriteExt;

use crate::raw::{self, RawAnswer};
use crate::support::{HOURS, Told, bot_that_knows, get, keys, on_both, say, usage};

on_both!(
    broken_http_is_refused,
    hostile_bodies_are_refused,
    hostile_forms_are_refused,
    hostile_paths_and_queries_are_refused,
    a_body_that_never_comes_costs_nobody_else_anything,
);

/// A server with something to lose, and what it looked like.
async fn figures(server: &TestServer) -> (String, [u64; 3]) {
    let client = &server.client;
    let mut seen = String::new();
    for path in [
        "/bots",
        "/conversations",
        "/knowledge/sources",
        "/conversations/kept",
        "/analytics/overview",
    ] {
        let answer = get(client, path).await;
        assert_eq!(answer.status, 200);
        seen.push_str(&answer.text);
    }
    (seen, usage(client).await)
}

async fn unharmed(server: &TestServer, attack: impl AsyncFnOnce(&str)) {
    let bot = bot_that_knows(&server.client, HOURS).await;
    say(&server.client, "kept", "When do you open?").await;
    let before = figures(server).await;
    attack(&bot).await;
    assert_eq!(figures(server).await, before, "the store is as it was");
    let outside = Client::without_key(&server.url());
    for path in ["/healthz", "/readyz"] {
        let answer = outside
            .answer(outside.request_outside(reqwest::Method::GET, path))
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// The documented envelope with a 4xx.
#[track_caller]
fn refused(answer: &RawAnswer, what: &str) {
    let shown: String = what.chars().take(120).collect();
    assert!(
        (400..500).contains(&answer.status),
        "{shown}: {} {}",
        answer.status,
        answer.body
    );
    assert_eq!(
        keys(&answer.json()),
        ["error", "message", "success"],
        "{shown}: {} {}",
        answer.head,
        answer.body
    );
    assert_eq!(answer.json()["success"], false);
    assert!(
        answer.head.contains("x-request-id: "),
        "{shown}: {}",
        answer.head
    );
}

/// What the HTTP library refuses before there is a request: no envelope, but a 4xx or the end of the connection.
async fn turned_away(server: &TestServer, bytes: &[u8], what: &str) {
    let mut connection = raw::connect(server).await;
    let _ = connection.write_all(bytes).await;
    let _ = connection.shutdown().await;
    let mut said = Vec::new();
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut connection, &mut said);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(20), reading)
        .await
        .unwrap_or_else(|_| panic!("{what}: it ends"));
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 4"),
        "{what}: {said}"
    );
}

async fn broken_http_is_refused(server: &TestServer) {
    unharmed(server, async |_| {
        let key = &server.api_key;
        let body = r#"{"name": "Bot", "channel_type": "webchat"}"#;
        let length = body.len();
        for (what, request) in [
            ("no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00".to_owned()),
            ("no version", "GET /api/v1/bots\r\n\r\n".to_owned()),
            ("a version of nobody", "GET /api/v1/bots HTTP/9.9\r\n\r\n".to_owned()),
            ("a space in the target", format!("GET /api/v1/bots and HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\n\r\n")),
            ("a header without a colon", format!("GET /api/v1/bots HTTP/1.1\r\nhost x\r\nx-api-key: {key}\r\n\r\n")),
            ("a control character in a header", format!("GET /api/v1/bots HTTP/1.1\r\nhost: x\r\nx-a: a\0b\r\nx-api-key: {key}\r\n\r\n")),
            ("too many headers", format!("GET /api/v1/bots HTTP/1.1\r\nx-api-key: {key}\r\n{}\r\n", "x-a: b\r\n".repeat(5_000))),
            ("a huge header", format!("GET /api/v1/bots HTTP/1.1\r\nx-api-key: {key}\r\nx-a: {}\r\n\r\n", "a".repeat(1_000_000))),
            ("a length that is none", format!("POST /api/v1/bots HTTP/1.1\r\nx-api-key: {key}\r\ncontent-length: many\r\n\r\n{body}")),
            ("a negative length", format!("POST /api/v1/bots HTTP/1.1\r\nx-api-key: {key}\r\ncontent-length: -1\r\n\r\n{body}")),
            ("two lengths", format!("POST /api/v1/bots HTTP/1.1\r\nx-api-key: {key}\r\ncontent-length: {length}\r\ncontent-length: 5\r\n\r\n{body}")),
            ("a length and chunks", format!("POST /api/v1/bots HTTP/1.1\r\nx-api-key: {key}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")),
            ("an encoding of nobody", format!("POST /api/v1/bots HTTP/1.1\r\nx-api-key: {key}\r\ntransfer-encoding: nonsense\r\n\r\n{body}")),
        ] {
            turned_away(server, request.as_bytes(), what).await;
        }
        for (what, request) in [
            ("a length beyond the body", format!("content-length: {}\r\n\r\n{body}", length + 10)),
            ("a length before the end of the JSON", format!("content-length: 10\r\n\r\n{body}")),
            ("a chunk that is cut off", format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n{}", &body[..20])),
            ("chunks without an end", format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n")),
            ("a chunk size that is none", format!("transfer-encoding: chunked\r\n\r\nxyz\r\n{body}\r\n0\r\n\r\n")),
            ("a body that says gzip", format!("content-encoding: gzip\r\ncontent-length: {length}\r\n\r\n\x1f{}", &body[1..])),
        ] {
            let request = format!("POST /api/v1/bots HTTP/1.1\r\nhost: x\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n{request}");
            // Without a whole body there may be no answer: the client is gone. With one there is the envelope.
            turned_away(server, request.as_bytes(), what).await;
        }
    })
    .await;
}

async fn json_request(server: &TestServer, method: &str, target: &str, body: &[u8]) -> RawAnswer {
    let length = format!("content-length: {}", body.len());
    let mut request = raw::head(
        server,
        method,
        target,
        &["content-type: application/json", &length],
    );
    request.extend_from_slice(body);
    raw::exchange(server, &request).await
}

async fn hostile_bodies_are_refused(server: &TestServer) {
    unharmed(server, async |bot| {
        let deep = 100_000;
        let mut bodies: Vec<Vec<u8>> = [
            "",
            " ",
            "{",
            "}",
            "[",
            "]",
            "nul",
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1e400",
            "\"",
            "\"text\"",
            "[]",
            "[{}]",
            "[[[]]]",
            "{}{}",
            "{]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{'a':1}",
            "{\"name\":\"x\",}",
            "NaN",
            "Infinity",
            "\\u0000",
            "<xml/>",
            "a=b&c=d",
            "--boundary",
            "{\"name\":\"\\ud800\",\"channel_type\":\"webchat\"}",
            "{\"name\":\"\\x\",\"channel_type\":\"webchat\"}",
            "{\"name\":\"a\nb\",\"channel_type\":\"webchat\"}",
            "{\"name\":\"a\",\"name\":\"b\",\"channel_type\":\"webchat\"}",
            "\u{feff}{}",
            "{\"message\":\"\"}",
            "{\"message\":{\"$ne\":null}}",
            "{\"message\":[\"a\"]}",
            "{\"message\":12345678901234567890}",
        ]
        .iter()
        .map(|body| body.as_bytes().to_vec())
        .collect();
        bodies.push("[".repeat(deep).into_bytes());
        bodies.push(format!("{}1{}", "[".repeat(deep), "]".repeat(deep)).into_bytes());
        bodies.push(format!("{{\"name\":{}1{}}}", "[".repeat(deep), "]".repeat(deep)).into_bytes());
        bodies.push("{\"a\":".repeat(deep).into_bytes());
        bodies.push(
            format!(
                "{{\"extra\":{}1{}}}",
                "{\"a\":".repeat(deep),
                "}".repeat(deep)
            )
            .into_bytes(),
        );
        bodies.push(b"{\"name\":\"\xff\xfe\",\"channel_type\":\"webchat\"}".to_vec());
        bodies.push(b"\xff\xfe{\0}\0".to_vec());
        bodies.push(vec![0; 1_000]);
        bodies.push((0..=255).collect());
        bodies.push(format!("{{\"name\":{}}}", "9".repeat(100_000)).into_bytes());
        bodies.push(format!("{{\"{}\":1}}", "k".repeat(500_000)).into_bytes());
        let targets = [
            ("POST", "/api/v1/bots".to_owned()),
            ("POST", "/api/v1/conversations/kept/messages".to_owned()),
            ("POST", "/api/v1/knowledge/sources".to_owned()),
            ("POST", "/api/v1/knowledge/scrape".to_owned()),
            ("POST", "/api/v1/knowledge/search".to_owned()),
        ];
        for (method, target) in &targets {
            for body in &bodies {
                let answer = json_request(server, method, target, body).await;
                refused(
                    &answer,
                    &format!(
                        "{method} {target} {}",
                        String::from_utf8_lossy(&body[..body.len().min(60)])
                    ),
                );
            }
        }
        // Objects of unknown fields alone are a change of nothing, and so none of these.
        let path = format!("/api/v1/bots/{bot}");
        for body in bodies.iter().filter(|body| {
            ![&b"{\"message"[..], b"{\"k", b"{\"extra"]
                .iter()
                .any(|known| body.starts_with(known))
        }) {
            let answer = json_request(server, "PUT", &path, body).await;
            refused(
                &answer,
                &format!(
                    "PUT {}",
                    String::from_utf8_lossy(&body[..body.len().min(60)])
                ),
            );
        }
        for (field, value) in [
            ("name", json!({ "$gt": "" })),
            ("is_active", json!("true; DROP TABLE bots")),
            ("language", json!("en'--")),
            ("channel_type", json!("webchat\u{0}")),
            ("bot_role", json!(["sales"])),
            ("personality", json!({})),
        ] {
            let mut body = json!({ "name": "Bot", "channel_type": "webchat" });
            body[field] = value;
            refused(
                &json_request(server, "POST", "/api/v1/bots", body.to_string().as_bytes()).await,
                field,
            );
        }
    })
    .await;
}

async fn form(server: &TestServer, content_type: &str, body: &[u8]) -> RawAnswer {
    let (kind, length) = (
        format!("content-type: {content_type}"),
        format!("content-length: {}", body.len()),
    );
    let mut request = raw::head(
        server,
        "POST",
        "/api/v1/knowledge/upload",
        &[&kind, &length],
    );
    request.extend_from_slice(body);
    raw::exchange(server, &request).await
}

async fn hostile_forms_are_refused(server: &TestServer) {
    unharmed(server, async |bot| {
        let part = |head: &str, body: &str| format!("--b\r\n{head}\r\n\r\n{body}\r\n");
        let bot_part = part("content-disposition: form-data; name=\"bot_id\"", bot);
        let file_part = part("content-disposition: form-data; name=\"file\"; filename=\"a.txt\"", "Some words.");
        let bounded = "multipart/form-data; boundary=b";
        for (what, content_type, body) in [
            ("no boundary", "multipart/form-data", format!("{bot_part}{file_part}--b--")),
            ("an empty boundary", "multipart/form-data; boundary=", format!("{bot_part}{file_part}--b--")),
            ("another boundary", "multipart/form-data; boundary=other", format!("{bot_part}{file_part}--b--")),
            ("a boundary of a thousand", &format!("multipart/form-data; boundary={}", "b".repeat(1_000)), format!("{bot_part}{file_part}--b--")),
            ("another kind of parts", "multipart/mixed; boundary=b", format!("{bot_part}{file_part}--b--")),
            ("nothing", bounded, String::new()),
            ("only the end", bounded, "--b--\r\n".to_owned()),
            ("no end", bounded, format!("{bot_part}{file_part}")),
            ("cut in the file", bounded, format!("{bot_part}--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nSome")),
            ("cut in a head", bounded, format!("{bot_part}--b\r\ncontent-dispo")),
            ("no blank line", bounded, "--b\r\ncontent-disposition: form-data; name=\"file\"\r\n--b--\r\n".to_owned()),
            ("a part without a name", bounded, format!("{}{}--b--\r\n", part("content-disposition: form-data", bot), part("content-disposition: form-data; filename=\"a.txt\"", "x"))),
            ("a part without a disposition", bounded, format!("{}--b--\r\n", part("x-a: b", bot))),
            ("a thousand fields", bounded, format!("{}{bot_part}{file_part}--b--\r\n", part("content-disposition: form-data; name=\"x\"", "y").repeat(1_000))),
            ("a giant field", bounded, format!("{}{bot_part}{file_part}--b--\r\n", part("content-disposition: form-data; name=\"x\"", &"y".repeat(5_000_000)))),
            ("a giant head", bounded, format!("--b\r\ncontent-disposition: form-data; name=\"{}\"\r\n\r\nx\r\n--b--\r\n", "n".repeat(200_000))),
            ("JSON", bounded, json!({ "bot_id": bot }).to_string()),
            ("a bot that is none", bounded, format!("{}{file_part}--b--\r\n", part("content-disposition: form-data; name=\"bot_id\"", "' OR 1=1"))),
            ("a file with no name", bounded, format!("{bot_part}{}--b--\r\n", part("content-disposition: form-data; name=\"file\"", "x"))),
            ("a file with a folder's name", bounded, format!("{bot_part}{}--b--\r\n", part("content-disposition: form-data; name=\"file\"; filename=\"../..\"", "x"))),
        ] {
            refused(&form(server, content_type, body.as_bytes()).await, what);
        }
        let mut noise = b"--b\r\ncontent-disposition: form-data; name=\"bot_id\"\r\n\r\n\xff\xfe\xfd\r\n".to_vec();
        noise.extend_from_slice(format!("{file_part}--b--\r\n").as_bytes());
        refused(&form(server, bounded, &noise).await, "a field that is no text");
    })
    .await;
}

async fn hostile_paths_and_queries_are_refused(server: &TestServer) {
    unharmed(server, async |_| {
        let long = "a".repeat(20_000);
        let mut targets: Vec<String> = [
            "/api/v1/bots/%",
            "/api/v1/bots/%zz",
            "/api/v1/bots/%f",
            "/api/v1/bots/%ff",
            "/api/v1/bots/%00",
            "/api/v1/bots/..%2f..%2fetc",
            "/api/v1/bots/../bots/x",
            "/api/v1//bots",
            "/api/v1/bots//",
            "/api/v1/bots/",
            "/api/v1/./bots",
            "/api/v1/%62ots/x",
            "/API/V1/bots",
            "/api/v1/bots;x=1",
            "/api/v1/conversations/%ff",
            "/api/v1/conversations/%00",
            "/api/v1/conversations/%c0%80",
            "/api/v1/conversations/nobodys%e2%80",
            "/api/v1/knowledge/sources/%27%20OR%201=1",
            "/api/v1/bots/{bot_id}",
            "/api/v1/bots/*",
            "/../../etc/passwd",
            "/.env",
            "/.git/config",
            "/wp-login.php",
            "/api/v1/bots?page=%",
            "/api/v1/bots?page=%ff",
            "/api/v1/bots?page=1&page=2",
            "/api/v1/bots?page=00x",
            "/api/v1/bots?page=%31%00",
            "/api/v1/bots?per_page=1e3",
            "/api/v1/bots?page=18446744073709551616",
            "/api/v1/bots?page=%2B",
            "/api/v1/bots?is_active=",
            "/api/v1/bots?is_active=1%20OR%201",
            "/api/v1/bots?channel_type=web%00chat",
            "/api/v1/conversations?status=%27",
            "/api/v1/knowledge/sources?source_type=..",
            "/api/v1/analytics/overview?period=30%27",
            "/api/v1/analytics/conversations?period=NaN",
        ]
        .map(str::to_owned)
        .to_vec();
        targets.extend(
            [
                "/api/v1/bots/",
                "/api/v1/conversations/",
                "/api/v1/knowledge/sources/",
                "/",
            ]
            .map(|path| format!("{path}{long}")),
        );
        targets.push(format!("/api/v1{}", "/a".repeat(5_000)));
        targets.push(format!("/api/v1/bots?page={long}"));
        for target in &targets {
            refused(
                &raw::exchange(
                    server,
                    &raw::head(server, "GET", target, &["connection: close"]),
                )
                .await,
                target,
            );
        }
        for target in [
            "/docs/../../etc/passwd",
            "/docs/%2e%2e/%2e%2e/Cargo.toml",
            "/docs/nothing",
        ] {
            let answer = raw::exchange(
                server,
                &raw::head(server, "GET", target, &["connection: close"]),
            )
            .await;
            assert_eq!(answer.status, 404, "{target}: {}", answer.body);
        }
        for method in ["TRACE", "CONNECT", "PROPFIND", "BREW", "PATCH", "OPTIONS"] {
            let answer = raw::exchange(
                server,
                &raw::head(server, method, "/api/v1/bots", &["connection: close"]),
            )
            .await;
            refused(&answer, method);
            assert_eq!(answer.status, 405, "{method}");
        }
        for header in [
            "x-api-key: again",
            "authorization: Bearer \u{e9}",
            "accept: \u{7f}",
            "content-type: ;;;",
            "idempotency-key: \u{e9}",
        ] {
            let request = raw::head(
                server,
                "POST",
                "/api/v1/bots",
                &[header, "content-length: 2"],
            );
            let answer = raw::exchange(server, &[request.as_slice(), b"{}"].concat()).await;
            assert!(
                (400..500).contains(&answer.status),
                "{header}: {}",
                answer.body
            );
        }
    })
    .await;
}

/// A hundred clients that promise a body and send none, while others are served.
async fn a_body_that_never_comes_costs_nobody_else_anything(server: &TestServer) {
    unharmed(server, async |_| {
        let mut idle = Vec::new();
        for _ in 0..100 {
            let mut connection = raw::connect(server).await;
            let head = raw::head(
                server,
                "POST",
                "/api/v1/bots",
                &["content-type: application/json", "content-length: 1000"],
            );
            connection.write_all(&head).await.unwrap();
            idle.push(connection);
        }
        for _ in 0..20 {
            get(&server.client, "/tenant/info").await.gives(200);
        }
    })
    .await;
}
