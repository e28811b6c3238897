//! Tools called over HTTP.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use caller::HttpCaller;
use contracts::fakes::website::{FakeWebsite, Reply};
use domain::tools::{HttpCall, HttpMethod, HttpTool, RESULT_MAX, ToolCaller};
use domain::{Error, StepId};
use egress::Egress;
use serde_json::{Value, json};

const STEP: StepId = StepId(uuid::Uuid::from_u128(7));

fn caller() -> HttpCaller {
    let allow = vec!["127.0.0.1/32".parse().unwrap()];
    HttpCaller::new(Arc::new(Egress::new(allow).unwrap()))
}

fn tool(method: HttpMethod, url: String) -> HttpTool {
    HttpTool {
        name: "orders".into(),
        description: "Orders.".into(),
        method,
        url,
        parameters: json!({
            "type": "object",
            "properties": { "id": { "type": "string", "pattern": "^[a-z0-9]+$" }, "note": { "type": "string" } },
            "required": ["id"],
        }),
        query: Vec::new(),
        headers: BTreeMap::from([("X-Shop".into(), "ours".into())]),
        secret_headers: BTreeMap::new(),
        acts: true,
    }
}

async fn call(tool: &HttpTool, arguments: Value) -> Result<String, String> {
    let secrets = BTreeMap::from([("Authorization".into(), "Bearer secret".into())]);
    let call = HttpCall {
        tool,
        secrets: &secrets,
        arguments: &arguments,
        step: STEP,
        within: Duration::from_millis(500),
    };
    caller().call(call).await
}

#[tokio::test]
async fn a_call_is_one_request_with_the_steps_key() {
    let shop = FakeWebsite::start().await;
    shop.put(
        "/orders/7",
        Reply::new("application/json", "{\"state\": \"sent\"}"),
    );
    let tool = tool(HttpMethod::Post, shop.url("/orders/{id}"));
    let answer = call(&tool, json!({ "id": "7", "note": "é" })).await;
    assert_eq!(answer.unwrap(), "HTTP 200\n{\"state\": \"sent\"}");
    let requests = shop.requests();
    let [request] = &requests[..] else {
        panic!("one request")
    };
    assert_eq!(request.method, "POST");
    assert_eq!(request.body, "{\"note\":\"é\"}".as_bytes());
    let header = |name: &str| request.headers[name].clone();
    assert_eq!(header("idempotency-key"), STEP.to_string());
    assert_eq!(header("authorization"), "Bearer secret");
    assert_eq!(
        (header("x-shop"), header("content-type")),
        ("ours".into(), "application/json".into())
    );
}

#[tokio::test]
async fn what_does_not_fit_the_schema_is_not_sent() {
    let shop = FakeWebsite::start().await;
    let tool = tool(HttpMethod::Get, shop.url("/orders/{id}"));
    for arguments in [
        json!({}),
        json!({ "id": 7 }),
        json!({ "id": "../x" }),
        json!("7"),
    ] {
        let refused = call(&tool, arguments.clone()).await.unwrap_err();
        assert!(refused.contains("schema"), "{arguments}: {refused}");
    }
    assert!(shop.requests().is_empty());
}

#[tokio::test]
async fn whatever_comes_back_is_told() {
    let shop = FakeWebsite::start().await;
    shop.put("/status", Reply::status(500));
    shop.put("/away", Reply::redirect("http://127.0.0.2/"));
    shop.put("/image", Reply::new("image/png", vec![0xff, 0xfe, 0]));
    shop.put("/large", Reply::text("x".repeat(100_000)));
    shop.put("/hang", Reply::hang());
    let get = async |id: &str| {
        let tool = tool(HttpMethod::Get, shop.url("/{id}"));
        call(&tool, json!({ "id": id })).await
    };
    assert!(get("status").await.unwrap().starts_with("HTTP 500\n"));
    assert!(
        get("away").await.unwrap().starts_with("HTTP 302\n"),
        "it is not followed"
    );
    assert_eq!(
        get("image").await.unwrap(),
        "HTTP 200\n[image/png, which is no text]"
    );
    let large = get("large").await.unwrap();
    assert!(large.len() < RESULT_MAX + 20 && large.ends_with("[cut off]"));
    assert!(get("hang").await.is_err());
    assert_eq!(shop.requests().len(), 5);
}

#[tokio::test]
async fn what_is_closed_is_refused_when_it_is_made_and_when_it_is_called() {
    for url in [
        "http://127.0.0.2/{id}",
        "http://[::1]/{id}",
        "http://169.254.169.254/{id}",
        "ftp://example.com/{id}",
    ] {
        let tool = tool(HttpMethod::Get, url.into());
        let refused = caller().check(&tool, "tools[0]");
        assert!(
            matches!(refused, Err(Error::Invalid { field, .. }) if field == "tools[0].url"),
            "{url}"
        );
        assert!(call(&tool, json!({ "id": "a" })).await.is_err(), "{url}");
    }
    let named = tool(HttpMethod::Get, "http://localhost:1/{id}".into());
    assert!(call(&named, json!({ "id": "a" })).await.is_err());
}

#[tokio::test]
async fn a_tool_that_can_never_be_called_is_refused() {
    let good = tool(HttpMethod::Get, "https://shop.example/{id}".into());
    assert!(caller().check(&good, "tools[0]").is_ok());
    let header = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let wrong = [
        (
            "parameters",
            HttpTool {
                parameters: json!({ "type": "object", "properties": { "id": { "type": 7 } } }),
                ..good.clone()
            },
        ),
        (
            "parameters",
            HttpTool {
                parameters: json!({ "type": "object", "$ref": "https://example.com/s.json" }),
                ..good.clone()
            },
        ),
        (
            "headers",
            HttpTool {
                headers: header("no header", "x"),
                ..good.clone()
            },
        ),
        (
            "headers",
            HttpTool {
                headers: header("x", "a\nb"),
                ..good.clone()
            },
        ),
        (
            "url",
            HttpTool {
                url: "/orders/{id}".into(),
                ..good.clone()
            },
        ),
    ];
    for (expected, tool) in wrong {
        let expected = format!("tools[0].{expected}");
        match caller().check(&tool, "tools[0]") {
            Err(Error::Invalid { field, .. }) => assert_eq!(field, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}
