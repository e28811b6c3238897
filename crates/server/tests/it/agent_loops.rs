//! Agent loops: made, changed, and what they may not be.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::fakes::website::{FakeWebsite, Reply};
use testkit::{Builder, Client, TestServer};

use crate::support::{
    HOURS, Told, assert_id, bot_that_knows, column, delete, eventually, get, make_bot, on_both,
    patch, post, text, time,
};

on_both!(
    a_loop_is_made_shown_changed_and_deleted: open,
    what_cannot_be_a_loop_is_refused: open,
    a_secret_goes_to_no_other_address: open,
    changes_at_once_lose_nothing: open,
);

pub fn open(builder: Builder) -> Builder {
    builder.setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.1/32")
}

pub const SOON: Duration = Duration::from_secs(20);

pub const SECRET: &str = "Bearer very-secret";

/// A bot, and an integration of it that leads to a provider.
pub async fn connected(client: &Client, provider: &FakeOpenAi) -> (String, String) {
    let bot = bot_that_knows(client, HOURS).await;
    let body = json!({ "name": "Ours", "kind": "openai", "base_url": provider.base_url(), "model": "small" });
    let made = post(client, &format!("/bots/{bot}/integrations"), body).await;
    let integration = text(made.gives(201), "id").to_owned();
    (bot, integration)
}

/// A provider, a shop, and a loop with these fields beside its name, its instructions and its integration.
pub async fn looped(client: &Client, fields: Value) -> (FakeOpenAi, String) {
    let provider = FakeOpenAi::start().await;
    let (_, integration) = connected(client, &provider).await;
    let id = make(client, &integration, fields).await;
    (provider, id)
}

pub async fn make(client: &Client, integration: &str, fields: Value) -> String {
    let mut body = json!({ "name": "Order desk", "instructions": "Look after orders.", "integration_id": integration });
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let made = post(client, "/agent-loops", body).await;
    text(made.gives(201), "id").to_owned()
}

pub fn get_order(shop: &FakeWebsite) -> Value {
    json!({
        "type": "http", "name": "get_order", "description": "Gets an order.", "url": shop.url("/orders/{id}"),
        "parameters": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] },
        "headers": { "X-Shop": "ours" }, "secret_headers": { "Authorization": SECRET }, "acts": false,
    })
}

pub fn cancel_order(shop: &FakeWebsite) -> Value {
    json!({
        "type": "http", "name": "cancel_order", "description": "Cancels an order.", "method": "POST",
        "url": shop.url("/orders/{id}/cancel"),
        "parameters": {
            "type": "object", "required": ["id"],
            "properties": { "id": { "type": "string" }, "note": { "type": "string" } },
        },
    })
}

pub async fn shop() -> FakeWebsite {
    let shop = FakeWebsite::start().await;
    for id in ["7", "8"] {
        let order = json!({ "id": id, "state": "late" }).to_string();
        shop.put(
            &format!("/orders/{id}"),
            Reply::new("application/json", order),
        );
        shop.put(&format!("/orders/{id}/cancel"), Reply::text("Cancelled."));
    }
    shop
}

pub async fn run(client: &Client, id: &str, input: Value) -> String {
    let begun = post(
        client,
        &format!("/agent-loops/{id}/run"),
        json!({ "input": input }),
    )
    .await;
    text(begun.gives(201), "id").to_owned()
}

pub async fn seen(client: &Client, id: &str, execution: &str) -> Value {
    let path = format!("/agent-loops/{id}/executions/{execution}");
    get(client, &path).await.gives(200).clone()
}

/// The execution, once it stands so.
pub async fn until(client: &Client, id: &str, execution: &str, status: &str) -> Value {
    let mut found = Value::Null;
    eventually(SOON, status, async || {
        found = seen(client, id, execution).await;
        let is_open = ["queued", "running"].contains(&text(&found, "status"));
        assert!(is_open || found["status"] == status, "{found:#}");
        found["status"] == status
    })
    .await;
    found
}

pub async fn ran(client: &Client, id: &str, input: Value, status: &str) -> Value {
    let execution = run(client, id, input).await;
    until(client, id, &execution, status).await
}

pub fn steps(execution: &Value) -> &[Value] {
    execution["steps"].as_array().unwrap()
}

/// What the model was told by tools in its last turn.
pub fn told(provider: &FakeOpenAi) -> Vec<String> {
    let requests = provider.requests();
    let said = requests.last().unwrap().body["messages"]
        .as_array()
        .unwrap();
    let results = said.iter().filter(|said| said["role"] == "tool");
    results
        .map(|said| text(said, "content").to_owned())
        .collect()
}

async fn a_loop_is_made_shown_changed_and_deleted(server: &TestServer) {
    let client = &server.client;
    let (provider, shop) = (FakeOpenAi::start().await, shop().await);
    let (bot, integration) = connected(client, &provider).await;
    let body = json!({
        "name": "Order desk \u{1f600}", "description": "Late orders", "instructions": "Look after orders.",
        "bot_id": bot, "integration_id": integration,
        "tools": [get_order(&shop), cancel_order(&shop), { "type": "knowledge_search" }, { "type": "send_message" }],
        "limits": { "steps": 5 }, "approval": "always",
        "triggers": { "cron": "0 9 * * 1-5", "events": ["message.received"] },
    });
    let made = post(client, "/agent-loops", body).await.gives(201).clone();
    assert_id(&made["id"]);
    assert_eq!(
        (&made["bot_id"], &made["integration_id"]),
        (&json!(bot), &json!(integration))
    );
    assert_eq!(
        made["limits"],
        json!({ "steps": 5, "tokens": 50_000, "seconds": 300 })
    );
    assert_eq!(
        made["triggers"],
        json!({ "cron": "0 9 * * 1-5", "events": ["message.received"] })
    );
    let due = time(&made["next_run_at"]);
    assert_eq!((due.hour(), due.minute()), (9, 0));
    let tools = made["tools"].as_array().unwrap();
    assert_eq!(
        column(tools, "type"),
        ["http", "http", "knowledge_search", "send_message"]
    );
    let acts: Vec<_> = tools
        .iter()
        .map(|tool| tool["acts"].as_bool().unwrap())
        .collect();
    assert_eq!(acts, [false, true, false, true]);
    assert_eq!(tools[0]["http"]["secret_headers"], json!(["Authorization"]));
    let path = format!("/agent-loops/{}", text(&made, "id"));
    assert_eq!(get(client, &path).await.gives(200), &made);
    let listed = get(client, "/agent-loops?per_page=1").await;
    assert_eq!(listed.lists(), std::slice::from_ref(&made));

    let change =
        json!({ "name": "Desk", "description": null, "limits": { "tokens": 9 }, "enabled": false });
    let changed = patch(client, &path, change).await.gives(200).clone();
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Desk"), &Value::Null)
    );
    assert_eq!(
        changed["limits"],
        json!({ "steps": 5, "tokens": 9, "seconds": 300 })
    );
    assert_eq!(
        (&changed["tools"], &changed["approval"]),
        (&made["tools"], &json!("always"))
    );
    assert_eq!(changed["next_run_at"], Value::Null, "it is disabled");
    post(client, &format!("{path}/run"), json!({}))
        .await
        .refuses(403, "Agent loop is disabled");
    let change = json!({ "enabled": true, "integration_id": null, "triggers": { "cron": null } });
    let changed = patch(client, &path, change).await.gives(200).clone();
    assert_eq!(changed["integration_id"], Value::Null);
    assert_eq!(
        changed["triggers"],
        json!({ "cron": null, "events": ["message.received"] })
    );
    for answer in [get(client, &path).await, get(client, "/agent-loops").await] {
        assert!(!answer.text.contains("very-secret"), "{}", answer.text);
    }
    assert_eq!(delete(client, &path).await.body["success"], true);
    for gone in [
        get(client, &path).await,
        delete(client, &path).await,
        patch(client, &path, json!({})).await,
    ] {
        gone.refuses(404, "Agent loop not found");
    }
}

async fn what_cannot_be_a_loop_is_refused(server: &TestServer) {
    let client = &server.client;
    let (provider, shop) = (FakeOpenAi::start().await, shop().await);
    let (bot, integration) = connected(client, &provider).await;
    let plain = text(&make_bot(client, json!({ "name": "Plain" })).await, "id").to_owned();
    let hook = json!({ "name": "Hook", "kind": "webhook", "base_url": shop.url("/answer"), "api_key": "secret" });
    let hook = post(client, &format!("/bots/{plain}/integrations"), hook).await;
    let hook = text(hook.gives(201), "id").to_owned();
    let with = |fields: Value| {
        let mut body =
            json!({ "name": "Desk", "instructions": "Look.", "integration_id": integration });
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        body
    };
    let tool = |fields: Value| {
        let mut tool = get_order(&shop);
        tool.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        with(json!({ "tools": [tool] }))
    };
    let unknown = "01990000-0000-7000-8000-000000000000";
    for (body, error) in [
        (with(json!({ "name": " " })), "Missing required field: name"),
        (
            with(json!({ "name": "x".repeat(201) })),
            "Invalid field: name",
        ),
        (
            with(json!({ "instructions": null })),
            "Missing required field: instructions",
        ),
        (
            with(json!({ "instructions": "a\u{0}" })),
            "Invalid field: instructions",
        ),
        (
            with(json!({ "integration_id": null })),
            "Missing required field: bot_id",
        ),
        (
            with(json!({ "bot_id": plain })),
            "Invalid field: integration_id",
        ),
        (
            with(json!({ "integration_id": hook })),
            "Invalid field: integration_id",
        ),
        (
            with(json!({ "integration_id": null, "bot_id": plain })),
            "Invalid field: bot_id",
        ),
        (
            with(json!({ "approval": "sometimes" })),
            "Invalid field: approval",
        ),
        (
            with(json!({ "limits": { "steps": 0 } })),
            "Invalid field: limits.steps",
        ),
        (
            with(json!({ "limits": { "seconds": 3601 } })),
            "Invalid field: limits.seconds",
        ),
        (
            with(json!({ "limits": { "tokens": 0 } })),
            "Invalid field: limits.tokens",
        ),
        (
            with(json!({ "triggers": { "cron": "at nine" } })),
            "Invalid field: triggers.cron",
        ),
        (
            with(json!({ "triggers": { "cron": "0 0 30 2 *" } })),
            "Invalid field: triggers.cron",
        ),
        (
            with(json!({ "triggers": { "events": ["agent_loop.completed"] } })),
            "Invalid field: triggers.events",
        ),
        (
            with(json!({ "tools": [{}] })),
            "Missing required field: tools[0].type",
        ),
        (
            with(json!({ "tools": [{ "type": "shell" }] })),
            "Invalid field: tools[0].type",
        ),
        (
            with(json!({ "tools": [{ "type": "send_message" }, { "type": "send_message" }] })),
            "Invalid field: tools",
        ),
        (
            tool(json!({ "name": null })),
            "Missing required field: tools[0].name",
        ),
        (
            tool(json!({ "method": "TRACE" })),
            "Invalid field: tools[0].method",
        ),
        (
            tool(json!({ "url": "http://169.254.169.254/{id}" })),
            "Invalid field: tools[0].url",
        ),
        (
            tool(json!({ "url": "https://{id}/" })),
            "Invalid field: tools[0].url",
        ),
        (
            tool(
                json!({ "parameters": { "type": "object", "properties": { "id": { "type": 7 } }, "required": ["id"] } }),
            ),
            "Invalid field: tools[0].parameters",
        ),
        (
            tool(json!({ "parameters": doubling() })),
            "Invalid field: tools[0].parameters",
        ),
        (
            tool(json!({ "headers": { "Host": "other" } })),
            "Invalid field: tools[0].headers",
        ),
        (
            tool(json!({ "secret_headers": { "Authorization": null } })),
            "Invalid field: tools[0].secret_headers",
        ),
        (
            with(json!({ "tools": [{ "type": "openapi", "document": { "openapi": "2.0" } }] })),
            "Invalid field: tools[0].document",
        ),
    ] {
        let answer = post(client, "/agent-loops", body.clone()).await;
        answer.refuses(422, error);
    }
    let message = post(
        client,
        "/agent-loops",
        with(json!({ "integration_id": null, "bot_id": plain })),
    )
    .await;
    let message = message.refuses(422, "Invalid field: bot_id").to_owned();
    assert!(
        message.contains("BOTWRIGHT_LLM_PROVIDER"),
        "it says what to do: {message}"
    );
    for (body, error) in [
        (
            with(json!({ "integration_id": unknown })),
            "Integration not found",
        ),
        (with(json!({ "bot_id": unknown })), "Bot not found"),
    ] {
        post(client, "/agent-loops", body).await.refuses(404, error);
    }
    let id = make(client, &integration, json!({ "bot_id": bot })).await;
    let path = format!("/agent-loops/{id}");
    let patched = patch(client, &path, json!({ "integration_id": hook })).await;
    patched.refuses(422, "Invalid field: integration_id");
    for field in [
        "name",
        "instructions",
        "tools",
        "limits",
        "approval",
        "triggers",
        "enabled",
    ] {
        let emptied = patch(client, &path, json!({ field: null })).await;
        emptied.refuses(422, &format!("Missing required field: {field}"));
    }
    let large = json!({ "input": "x".repeat(40_000) });
    post(client, &format!("{path}/run"), large)
        .await
        .refuses(422, "Invalid field: input");
    get(client, &format!("{path}/executions?status=over"))
        .await
        .refuses(422, "Invalid field: status");
    get(client, &format!("{path}/executions?page=0"))
        .await
        .refuses(422, "Invalid field: page");
    for end in ["", "/cancel", "/approve", "/reject"] {
        let path = format!("{path}/executions/{unknown}{end}");
        let answer = match end {
            "" => get(client, &path).await,
            _ => post(client, &path, json!({})).await,
        };
        answer.refuses(404, "Execution not found");
    }
}

/// A schema that is small, and takes for ever to check anything against.
fn doubling() -> Value {
    let mut definitions = json!({ "d40": {} });
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/d{}", level + 1) });
        definitions[format!("d{level}")] = json!({ "allOf": [next, next] });
    }
    json!({ "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"],
        "allOf": [{ "$ref": "#/$defs/d0" }], "$defs": definitions })
}

async fn a_secret_goes_to_no_other_address(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let (provider, id) = looped(client, json!({ "tools": [get_order(&shop)] })).await;
    let path = format!("/agent-loops/{id}");
    let with = |fields: Value| {
        let mut tool = get_order(&shop);
        tool["secret_headers"] = json!({ "Authorization": null });
        tool.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({ "tools": [tool] })
    };
    let elsewhere = with(json!({ "url": shop.url("/elsewhere/{id}") }));
    patch(client, &path, elsewhere)
        .await
        .refuses(422, "Invalid field: tools[0].secret_headers");
    patch(
        client,
        &path,
        with(json!({ "description": "Finds an order." })),
    )
    .await
    .gives(200);
    provider.next(Behaviour::call("get_order", json!({ "id": "7" })));
    provider.next(Behaviour::answer("It is late."));
    ran(client, &id, Value::Null, "completed").await;
    assert_eq!(shop.requests()[0].headers["authorization"], SECRET);
}

/// What each changes stays, also of one object within the loop.
async fn changes_at_once_lose_nothing(server: &TestServer) {
    let client = &server.client;
    let (_provider, id) = looped(client, json!({})).await;
    let path = format!("/agent-loops/{id}");
    for round in 1..=20 {
        let changes = [
            json!({ "limits": { "steps": round } }),
            json!({ "limits": { "tokens": round } }),
            json!({ "limits": { "seconds": round } }),
        ];
        let changes = changes.map(|change| patch(client, &path, change));
        for changed in futures_util::future::join_all(changes).await {
            changed.gives(200);
        }
        let now = get(client, &path).await.gives(200)["limits"].clone();
        assert_eq!(
            now,
            json!({ "steps": round, "tokens": round, "seconds": round })
        );
    }
}
