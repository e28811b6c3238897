//! For operators: health, metrics, the API's description, and what may stand in logs.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, TestServer};

use crate::program::Place;
use crate::support::{
    HOURS, Told, bot_that_knows, eventually, get, make_bot, on_both, post, say, text,
};

on_both!(
    health_is_told,
    metrics_are_for_this_machine,
    metrics_open_with_the_token: |builder| builder.setting("BOTWRIGHT_METRICS_TOKEN", "let-me-in"),
    metrics_count_requests_and_name_nobody,
    the_description_is_openapi_3_1,
    the_description_is_grouped_by_dialect,
    the_documentation_serves_itself,
    every_answer_has_a_request_id,
);

async fn outside(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    let client = Client::without_key(&server.url());
    let mut request = client.request_outside(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.answer(request).await.unwrap()
}

async fn health_is_told(server: &TestServer) {
    for path in ["/healthz", "/readyz"] {
        let answer = outside(server, path, &[]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(answer.body["status"].is_string());
    }
}

async fn metrics_are_for_this_machine(server: &TestServer) {
    assert_eq!(outside(server, "/metrics", &[]).await.status, 200);
    // A proxy on this machine passes on for somebody else.
    for header in [
        ("x-forwarded-for", "203.0.113.5"),
        ("forwarded", "for=203.0.113.5"),
        ("x-real-ip", "203.0.113.5"),
    ] {
        outside(server, "/metrics", &[header])
            .await
            .refuses(404, "Not found");
    }
    let headers = [
        ("x-forwarded-for", "203.0.113.5"),
        ("authorization", "Bearer let-me-in"),
    ];
    assert_eq!(
        outside(server, "/metrics", &headers).await.status,
        404,
        "there is no token"
    );
}

async fn metrics_open_with_the_token(server: &TestServer) {
    let proxied = ("x-forwarded-for", "203.0.113.5");
    assert_eq!(
        outside(
            server,
            "/metrics",
            &[proxied, ("authorization", "Bearer let-me-in")]
        )
        .await
        .status,
        200
    );
    for wrong in [
        "Bearer let-me-i",
        "Bearer let-me-in2",
        "Bearer ",
        "let-me-in",
        "Basic let-me-in",
    ] {
        assert_eq!(
            outside(server, "/metrics", &[proxied, ("authorization", wrong)])
                .await
                .status,
            404,
            "{wrong}"
        );
    }
    assert_eq!(outside(server, "/metrics", &[proxied]).await.status, 404);
}

async fn metrics_count_requests_and_name_nobody(server: &TestServer) {
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    say(client, "visitor-ada", "What are your opening hours?").await;
    get(client, "/no/such/route/secret-word").await;
    let answer = outside(server, "/metrics", &[]).await;
    assert!(answer.header("content-type").starts_with("text/plain"));
    let metrics = &answer.text;
    let line = |name: &str, labels: &[&str]| {
        metrics
            .lines()
            .find(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)))
            .map(str::to_owned)
    };
    let sent = line(
        "botwright_http_requests_total",
        &["method=\"POST\"", "messages", "status=\"200\""],
    );
    assert!(sent.is_some_and(|line| line.ends_with(" 1")), "{metrics}");
    assert!(line("botwright_http_request_seconds_bucket", &["le="]).is_some());
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        assert!(
            line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(),
            "{line}"
        );
    }
    for secret in [
        &bot,
        "visitor-ada",
        "secret-word",
        &server.tenant_id,
        &server.api_key,
        "opening",
        "Handbook",
    ] {
        assert!(!metrics.contains(secret), "{secret}");
    }
}

async fn the_description_is_openapi_3_1(server: &TestServer) {
    let document = outside(server, "/openapi.json", &[]).await.body;
    assert!(
        text(&document, "openapi").starts_with("3.1."),
        "{}",
        document["openapi"]
    );
    for field in ["title", "version"] {
        assert!(!text(&document["info"], field).is_empty());
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            assert!(
                ids.insert(text(operation, "operationId").to_owned()),
                "{at}: its operationId is there twice"
            );
            let declared: BTreeSet<_> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| {
                    assert_eq!(parameter["required"], true, "{at}");
                    text(parameter, "name")
                })
                .collect();
            let named: BTreeSet<_> = path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            assert_eq!(declared, named, "{at}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{at}"
            );
            assert!(
                responses
                    .values()
                    .all(|response| response["description"].is_string()),
                "{at}"
            );
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["schema"].is_object(), "{at}: {parameter}");
            }
            if path.starts_with("/api/v1") {
                assert!(
                    operation["security"].is_array() && responses.contains_key("401"),
                    "{at}"
                );
            }
        }
    }
    references(&document, &document);
}

/// Every reference leads somewhere, and every type is one of JSON schema's.
fn references(document: &Value, value: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = reference
                    .strip_prefix('#')
                    .unwrap_or_else(|| panic!("{reference}"));
                assert!(
                    document.pointer(pointer).is_some(),
                    "{reference} leads nowhere"
                );
            }
            assert!(
                !fields.contains_key("nullable"),
                "`nullable` is OpenAPI 3.0's: {value}"
            );
            fields
                .values()
                .for_each(|value| references(document, value));
        }
        Value::Array(items) => items.iter().for_each(|value| references(document, value)),
        _ => {}
    }
}

async fn the_documentation_serves_itself(server: &TestServer) {
    let page = outside(server, "/docs/", &[]).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let assets: Vec<_> = page
        .text
        .split(['"', '\''])
        .filter(|word| word.ends_with(".js") || word.ends_with(".css") || word.ends_with(".png"))
        .collect();
    assert!(assets.len() >= 3, "{}", page.text);
    for asset in assets {
        assert!(!asset.contains("//"), "{asset} is somebody else's");
        let path = format!("/docs/{}", asset.trim_start_matches("./"));
        let answer = outside(server, &path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let initializer = outside(server, "/docs/swagger-initializer.js", &[]).await;
    assert!(initializer.text.contains("/openapi.json"));
    // Both lead there.
    for path in ["/", "/docs"] {
        assert_eq!(outside(server, path, &[]).await.text, page.text, "{path}");
    }
}

async fn every_answer_has_a_request_id(server: &TestServer) {
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/openapi.json", 200),
        ("/docs/", 200),
        ("/nowhere", 404),
        ("/api/v1/bots", 401),
        ("/api/v1/nowhere", 404),
    ] {
        let answer = outside(server, path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        let given = outside(server, path, &[("x-request-id", "mine-1")]).await;
        assert_eq!(given.header("x-request-id"), "mine-1", "{path}");
    }
}

/// At the default level, with everything going wrong that a client can cause.
#[tokio::test(flavor = "multi_thread")]
async fn logs_hold_no_names_keys_or_words() {
    for format in ["text", "json"] {
        let place = Place::new().with("BOTWRIGHT_LOG_FORMAT", format);
        let (tenant, key) = place.tenant("Zaphod Tractors");
        let server = place.serve().await;
        let client = server.client(&key);
        let bot = text(
            &make_bot(
                &client,
                json!({ "name": "Marvin", "system_prompt": "Be gloomy." }),
            )
            .await,
            "id",
        )
        .to_owned();
        client
            .create_text(
                &bot,
                "Slartibartfast",
                "Fjords are built from nine to five.",
            )
            .await
            .unwrap();
        client
            .upload(&bot, "vogon.txt", b"Oh freddled gruntbuggly.".to_vec())
            .await
            .unwrap()
            .gives(201);
        let body = json!({ "message": "When are fjords built?", "user_name": "Trillian", "user_email": "ford@example.com" });
        post(&client, "/conversations/heartofgold/messages", body)
            .await
            .gives(200);
        post(
            &client,
            "/conversations/heartofgold/messages",
            json!({ "message": "Fjords\0" }),
        )
        .await;
        post(
            &client,
            "/bots",
            json!({ "name": 5, "channel_type": "gruntbuggly" }),
        )
        .await;
        post(
            &client,
            "/knowledge/scrape",
            json!({ "bot_id": bot, "url": "http://127.0.0.1:1/gruntbuggly" }),
        )
        .await;
        get(&client, "/bots?channel_type=gruntbuggly").await;
        get(&server.client("tk_gruntbuggly"), "/bots")
            .await
            .refuses(401, "Invalid API key");
        eventually(Duration::from_secs(10), "requests are logged", async || {
            server.errors().matches("/bots").count() >= 3
        })
        .await;
        let logged = server.errors();
        server.stop().await;
        assert!(logged.contains("botwright is listening"), "{logged}");
        assert!(
            logged.contains(&tenant),
            "whose request it was is told by the id"
        );
        if format == "json" {
            assert!(
                logged
                    .lines()
                    .all(|line| serde_json::from_str::<Value>(line).is_ok()),
                "{logged}"
            );
        }
        let logged = logged.to_lowercase();
        for word in [
            "zaphod",
            "marvin",
            "gloomy",
            "slartibartfast",
            "fjord",
            "freddled",
            "vogon",
            "trillian",
            "ford@example.com",
            "heartofgold",
            "gruntbuggly",
            &key[..12].to_lowercase(),
        ] {
            assert!(!logged.contains(word), "'{word}' is in the log:\n{logged}");
        }
    }
}

async fn the_description_is_grouped_by_dialect(server: &TestServer) {
    let document = outside(server, "/openapi.json", &[]).await.body;
    let groups = document["x-tagGroups"].as_array().unwrap();
    let names: Vec<_> = groups.iter().map(|group| text(group, "name")).collect();
    assert_eq!(names, ["Tenant API", "Platform API", "Agent API"]);
    let grouped = groups
        .iter()
        .flat_map(|group| group["tags"].as_array().unwrap());
    let grouped: BTreeSet<_> = grouped.map(|tag| tag.as_str().unwrap()).collect();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let tags = operation["tags"].as_array().unwrap();
            let [tag] = tags.as_slice() else {
                panic!("{method} {path}: {tags:?}");
            };
            let tag = tag.as_str().unwrap();
            assert!(grouped.contains(tag), "{method} {path}: {tag}");
            let is_agents = path.starts_with("/v1/");
            assert_eq!(tag.starts_with("Agent API"), is_agents, "{method} {path}");
        }
    }
}
