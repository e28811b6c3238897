//! Rules that hold for every endpoint: envelopes, bodies, content types, methods, routes, keys, pages.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, TestServer};

use crate::support::{Told, get, make_bot, on_both, post};

on_both!(
    a_missing_or_unknown_key_is_told_as_documented,
    the_key_may_come_as_a_bearer_token,
    an_unknown_route_is_not_found,
    a_wrong_method_is_told_the_right_ones,
    broken_bodies_are_refused,
    the_content_type_decides,
    every_answer_has_a_request_id,
    pages_outside_the_limits_are_refused,
    unknown_parameters_are_ignored,
    too_large_a_body_is_refused,
    nothing_internal_is_told,
);

async fn with_headers(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    let keyless = keyless(server);
    let mut request = keyless.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    keyless.answer(request).await.unwrap()
}

/// A client whose own key is not sent: its header is blank.
fn keyless(server: &TestServer) -> Client {
    Client::without_key(&server.url())
}

async fn a_missing_or_unknown_key_is_told_as_documented(server: &TestServer) {
    let answer = with_headers(server, "/bots", &[]).await;
    answer.refuses(401, "Missing API key");
    let mut wrong_checksum = server.api_key.clone();
    let last = if wrong_checksum.pop() == Some('a') {
        'b'
    } else {
        'a'
    };
    wrong_checksum.push(last);
    for key in ["tk_your_api_key_here", "tk_", "x", wrong_checksum.as_str()] {
        for header in [
            ("x-api-key", key.to_owned()),
            ("authorization", format!("Bearer {key}")),
        ] {
            let answer = with_headers(server, "/bots", &[(header.0, &header.1)]).await;
            let message = answer.refuses(401, "Invalid API key");
            assert_eq!(message, "API key not found or tenant inactive");
        }
    }
    with_headers(server, "/bots", &[("authorization", "Basic dTpw")])
        .await
        .refuses(401, "Missing API key");
}

async fn the_key_may_come_as_a_bearer_token(server: &TestServer) {
    for scheme in ["Bearer", "bearer"] {
        let value = format!("{scheme} {}", server.api_key);
        with_headers(server, "/tenant/info", &[("authorization", &value)])
            .await
            .gives(200);
    }
    with_headers(server, "/tenant/info", &[("x-api-key", &server.api_key)])
        .await
        .gives(200);
}

async fn an_unknown_route_is_not_found(server: &TestServer) {
    for path in [
        "/nothing",
        "/bots/a/b",
        "/",
        "",
        "/tenant",
        "/conversations/a/messages/b",
        "/v2/bots",
    ] {
        get(&server.client, path).await.refuses(404, "Not found");
    }
}

async fn a_wrong_method_is_told_the_right_ones(server: &TestServer) {
    for (method, path, allowed) in [
        (Method::POST, "/tenant/info", "GET"),
        (Method::DELETE, "/bots", "GET, POST"),
        (Method::POST, "/bots/a", "GET, PUT, PATCH, DELETE"),
        (Method::PATCH, "/conversations", "GET"),
        (Method::PUT, "/conversations/a/messages", "GET, POST"),
        (Method::GET, "/conversations/a/end", "POST"),
        (Method::PUT, "/analytics/overview", "GET"),
        (Method::GET, "/knowledge/upload", "POST"),
        (Method::GET, "/knowledge/scrape", "POST"),
        (Method::PUT, "/knowledge/sources", "GET, POST"),
        (Method::POST, "/knowledge/sources/a", "GET, PUT, DELETE"),
        (Method::GET, "/knowledge/sources/a/refresh", "POST"),
        (Method::POST, "/knowledge/sources/a/events", "GET"),
    ] {
        let answer = server
            .client
            .answer(server.client.request(method.clone(), path))
            .await
            .unwrap();
        answer.refuses(405, "Method not allowed");
        let mut told: Vec<_> = answer
            .header("allow")
            .split(", ")
            .filter(|method| *method != "HEAD")
            .collect();
        told.sort_unstable();
        let mut expected: Vec<_> = allowed.split(", ").collect();
        expected.sort_unstable();
        assert_eq!(told, expected, "{method} {path}");
    }
}

async fn body(
    server: &TestServer,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<reqwest::Body>,
) -> Answer {
    let mut request = server.client.request(Method::POST, path).body(body);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    server.client.answer(request).await.unwrap()
}

async fn broken_bodies_are_refused(server: &TestServer) {
    for broken in [
        "",
        "{",
        "{\"name\":",
        "nonsense",
        "[]",
        "\"text\"",
        "5",
        "null",
        "{} {}",
        "{\"name\": \"a\"} x",
    ] {
        let answer = body(server, "/bots", Some("application/json"), broken).await;
        answer.refuses(400, "Invalid request body");
    }
    let answer = body(
        server,
        "/bots",
        Some("application/json"),
        b"{\"name\": \"\xff\xfe\"}".to_vec(),
    )
    .await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    // A document that breaks off names no field, however far it got.
    let answer = body(
        server,
        "/conversations/s/messages",
        Some("application/json"),
        "{\"message\": \"a",
    )
    .await;
    answer.refuses(400, "Invalid request body");
}

async fn the_content_type_decides(server: &TestServer) {
    let bot = r#"{"name": "Bot", "channel_type": "webchat"}"#;
    for accepted in [
        None,
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("Application/JSON"),
    ] {
        body(server, "/bots", accepted, bot).await.gives(201);
    }
    for refused in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "multipart/form-data; boundary=x",
    ] {
        body(server, "/bots", Some(refused), bot)
            .await
            .refuses(415, "Unsupported media type");
    }
    body(server, "/knowledge/upload", Some("application/json"), "{}")
        .await
        .refuses(415, "Unsupported media type");
    let before = get(&server.client, "/bots").await;
    assert_eq!(before.lists().len(), 4, "what is refused makes nothing");
}

async fn every_answer_has_a_request_id(server: &TestServer) {
    let given = "mine-1.2:3_4";
    let answer = with_headers(server, "/bots", &[("x-request-id", given)]).await;
    assert_eq!((answer.status, answer.header("x-request-id")), (401, given));
    // One that could not stand in a log is replaced.
    let answer = with_headers(server, "/bots", &[("x-request-id", "a b\tc")]).await;
    assert!(
        !answer.header("x-request-id").is_empty() && !answer.header("x-request-id").contains(' ')
    );
    let ids = [
        get(&server.client, "/bots").await,
        get(&server.client, "/bots").await,
    ];
    assert_ne!(ids[0].header("x-request-id"), ids[1].header("x-request-id"));
}

async fn pages_outside_the_limits_are_refused(server: &TestServer) {
    let client = &server.client;
    for path in ["/bots", "/conversations", "/knowledge/sources"] {
        for wrong in [
            "page=0",
            "page=-1",
            "page=abc",
            "page=1.5",
            "page=",
            "page=99999999999999999999",
        ] {
            get(client, &format!("{path}?{wrong}"))
                .await
                .refuses(400, "Invalid field: page");
        }
        for wrong in [
            "per_page=0",
            "per_page=101",
            "per_page=-5",
            "per_page=x",
            "per_page=",
            "per_page=2e1",
        ] {
            get(client, &format!("{path}?{wrong}"))
                .await
                .refuses(400, "Invalid field: per_page");
        }
        for right in [
            "page=1&per_page=1",
            "per_page=100",
            "page=4294967295&per_page=100",
        ] {
            let answer = get(client, &format!("{path}?{right}")).await;
            assert!(answer.lists().is_empty());
        }
        let answer = get(client, path).await;
        assert!(answer.lists().is_empty());
        let pagination = json!({ "page": 1, "per_page": 20, "total": 0, "pages": 0, "has_prev": false, "has_next": false });
        assert_eq!(answer.body["pagination"], pagination, "{path}");
    }
}

async fn unknown_parameters_are_ignored(server: &TestServer) {
    let client = &server.client;
    for path in [
        "/tenant/info",
        "/tenant/usage",
        "/analytics/overview",
        "/analytics/conversations",
    ] {
        get(client, &format!("{path}?nothing=1&x[]=%20"))
            .await
            .gives(200);
    }
    for path in ["/bots", "/conversations", "/knowledge/sources"] {
        get(client, &format!("{path}?nothing=1&sort=name"))
            .await
            .lists();
    }
    make_bot(
        client,
        json!({ "id": "mine", "tenant_id": 5, "is_default": false, "extra": { "deep": [1] } }),
    )
    .await;
}

async fn too_large_a_body_is_refused(server: &TestServer) {
    let large = json!({ "name": "x", "channel_type": "webchat", "description": "d".repeat(2 * 1024 * 1024) });
    post(&server.client, "/bots", large)
        .await
        .refuses(413, "Payload too large");
}

async fn nothing_internal_is_told(server: &TestServer) {
    let client = &server.client;
    let answers = [
        get(client, "/bots/'%20OR%201=1--").await,
        get(client, "/conversations/'%3B%20DROP%20TABLE%20bots").await,
        get(client, "/bots?channel_type='").await,
        post(
            client,
            "/bots",
            json!({ "name": { "a": 1 }, "channel_type": [] }),
        )
        .await,
        post(client, "/knowledge/sources", Value::Null).await,
    ];
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{}", answer.text);
        let told = answer.text.to_lowercase();
        for word in [
            "select", "sqlite", "postgres", "diesel", "panicked", ".rs", "/tmp", "serde",
            "struct ", "actix",
        ] {
            assert!(!told.contains(word), "'{word}' is in {told}");
        }
    }
}
