//! Agent loops: models that call tools until they are done.

use std::time::Duration;

use botwright::application::tenants;
use botwright::domain::executions::{Execution, Step, StepStatus, Trigger};
use botwright::domain::{AgentLoopId, ExecutionId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::fakes::website::{Delivery, FakeWebsite, Reply};
use testkit::{Builder, Client, TestServer};

use crate::program::Place;
use crate::support::{
    HOURS, Told, assert_id, bot_that_knows, column, delete, eventually, get, keys, make_bot,
    messages, on_both, patch, post, say, started_on_both, text, time, usage,
};

on_both!(
    a_loop_is_made_shown_changed_and_deleted: open,
    what_cannot_be_a_loop_is_refused: open,
    a_secret_goes_to_no_other_address: open,
    a_model_calls_tools_until_it_is_done: open,
    operations_of_a_document_are_tools: open,
    an_execution_is_begun_once: open,
    knowledge_is_searched_and_a_message_sent_once_approved: open,
    a_rejected_call_is_not_made: open,
    a_call_is_approved_by_itself: open,
    an_approved_call_is_the_one_that_was_shown: open,
    a_trusted_execution_waits_for_nobody: open,
    each_limit_stops_an_execution: open,
    a_cancelled_execution_begins_no_further_step: open,
    a_model_that_fails_ends_it: open,
    a_suspended_tenants_loops_do_nothing: open,
    changes_at_once_lose_nothing: open,
    what_a_model_does_wrong_it_is_told: open,
    a_schedule_begins_executions: open,
    a_visitors_message_begins_an_execution: open,
    a_visitors_words_are_told_to_no_server_unasked: open,
);

started_on_both!(
    the_guard_refuses_when_a_tool_is_called,
    the_operators_model_counts
);

fn open(builder: Builder) -> Builder {
    builder.setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.1/32")
}

const SOON: Duration = Duration::from_secs(20);
const SECRET: &str = "Bearer very-secret";

/// A bot, and an integration of it that leads to a provider.
async fn connected(client: &Client, provider: &FakeOpenAi) -> (String, String) {
    let bot = bot_that_knows(client, HOURS).await;
    let body = json!({ "name": "Ours", "kind": "openai", "base_url": provider.base_url(), "model": "small" });
    let made = post(client, &format!("/bots/{bot}/integrations"), body).await;
    let integration = text(made.gives(201), "id").to_owned();
    (bot, integration)
}

/// A provider, a shop, and a loop with these fields beside its name, its instructions and its integration.
async fn looped(client: &Client, fields: Value) -> (FakeOpenAi, String) {
    let provider = FakeOpenAi::start().await;
    let (_, integration) = connected(client, &provider).await;
    let id = make(client, &integration, fields).await;
    (provider, id)
}

async fn make(client: &Client, integration: &str, fields: Value) -> String {
    let mut body = json!({ "name": "Order desk", "instructions": "Look after orders.", "integration_id": integration });
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let made = post(client, "/agent-loops", body).await;
    text(made.gives(201), "id").to_owned()
}

fn get_order(shop: &FakeWebsite) -> Value {
    json!({
        "type": "http", "name": "get_order", "description": "Gets an order.", "url": shop.url("/orders/{id}"),
        "parameters": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] },
        "headers": { "X-Shop": "ours" }, "secret_headers": { "Authorization": SECRET }, "acts": false,
    })
}

fn cancel_order(shop: &FakeWebsite) -> Value {
    json!({
        "type": "http", "name": "cancel_order", "description": "Cancels an order.", "method": "POST",
        "url": shop.url("/orders/{id}/cancel"),
        "parameters": {
            "type": "object", "required": ["id"],
            "properties": { "id": { "type": "string" }, "note": { "type": "string" } },
        },
    })
}

async fn shop() -> FakeWebsite {
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

async fn run(client: &Client, id: &str, input: Value) -> String {
    let begun = post(
        client,
        &format!("/agent-loops/{id}/run"),
        json!({ "input": input }),
    )
    .await;
    text(begun.gives(201), "id").to_owned()
}

async fn seen(client: &Client, id: &str, execution: &str) -> Value {
    let path = format!("/agent-loops/{id}/executions/{execution}");
    get(client, &path).await.gives(200).clone()
}

/// The execution, once it stands so.
async fn until(client: &Client, id: &str, execution: &str, status: &str) -> Value {
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

async fn ran(client: &Client, id: &str, input: Value, status: &str) -> Value {
    let execution = run(client, id, input).await;
    until(client, id, &execution, status).await
}

fn steps(execution: &Value) -> &[Value] {
    execution["steps"].as_array().unwrap()
}

/// What the model was told by tools in its last turn.
fn told(provider: &FakeOpenAi) -> Vec<String> {
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
        .refuses(422, "Invalid field: enabled");
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

async fn a_model_calls_tools_until_it_is_done(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    shop.put("/hook", Reply::text("Thanks"));
    let hook = json!({ "url": shop.url("/hook"), "events": ["agent_loop.completed"] });
    post(client, "/webhooks", hook).await.gives(201);
    let (provider, id) = looped(client, json!({ "tools": [get_order(&shop)] })).await;
    provider.next(Behaviour::calls(&[
        ("get_order", json!({ "id": "7" })),
        ("get_order", json!({ "id": "8" })),
    ]));
    provider.next(Behaviour::answer("Both are late."));
    let done = ran(client, &id, json!({ "orders": [7, 8] }), "completed").await;
    assert_eq!(
        (&done["result"], &done["error"]),
        (&json!("Both are late."), &Value::Null)
    );
    assert_eq!(
        (&done["trigger"], &done["step_count"]),
        (&json!("call"), &json!(4))
    );
    assert_eq!(done["tokens"], json!({ "input": 22, "output": 8 }));
    assert!(time(&done["started_at"]) <= time(&done["ended_at"]));
    let steps = steps(&done);
    assert_eq!(column(steps, "type"), ["model", "tool", "tool", "model"]);
    assert_eq!(column(steps, "status"), ["done"; 4]);
    assert_eq!(
        (&steps[1]["tool"], &steps[1]["arguments"]),
        (&json!("get_order"), &json!({ "id": "7" }))
    );
    assert_eq!(
        steps[2]["result"],
        "HTTP 200\n{\"id\":\"8\",\"state\":\"late\"}"
    );
    assert_eq!(steps[0]["tokens"], json!({ "input": 11, "output": 5 }));
    assert_eq!(
        (&steps[3]["model"], &steps[3]["attempts"]),
        (&json!("fake"), &json!(1))
    );
    for step in steps {
        assert_id(&step["id"]);
        assert!(time(&step["started_at"]) <= time(&step["ended_at"]));
    }
    let asked = &provider.requests()[0].body;
    assert_eq!(asked["messages"][0]["content"], "Look after orders.");
    assert_eq!(asked["messages"][1]["content"], "{\"orders\":[7,8]}");
    assert!(told(&provider)[0].contains("late"));
    eventually(SOON, "its end is told", async || {
        shop.paths().contains(&"/hook".to_owned())
    })
    .await;
    let requests = shop.requests();
    for (request, step) in requests.iter().zip(&steps[1..3]) {
        assert_eq!(request.headers["authorization"], SECRET);
        assert_eq!(request.headers["idempotency-key"], text(step, "id"));
    }
    let sent: Value = serde_json::from_slice(&requests.last().unwrap().body).unwrap();
    assert_eq!(sent["type"], "agent_loop.completed");
    let execution = &sent["data"]["execution"];
    assert_eq!(
        (&execution["id"], &execution["status"]),
        (&done["id"], &json!("completed"))
    );
    assert_eq!(
        sent["data"]["agent_loop"],
        json!({ "id": id, "name": "Order desk" })
    );

    let path = format!("/agent-loops/{id}/executions");
    let listed = get(client, &format!("{path}?status=completed&per_page=5")).await;
    assert_eq!(column(listed.lists(), "id"), [text(&done, "id")]);
    assert!(!keys(&listed.lists()[0]).contains(&"steps"));
    assert!(
        get(client, &format!("{path}?status=failed"))
            .await
            .lists()
            .is_empty()
    );
    assert!(!get(client, &path).await.text.contains("very-secret"));
}

async fn operations_of_a_document_are_tools(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let document = json!({
        "openapi": "3.0.3", "servers": [{ "url": shop.url("") }],
        "paths": {
            "/orders/{id}": { "get": {
                "operationId": "getOrder", "summary": "Gets an order",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "$ref": "#/components/schemas/Id" } }],
            } },
            "/orders": { "delete": { "operationId": "deleteAll" } },
        },
        "components": { "schemas": { "Id": { "type": "string" } } },
    });
    let tool = json!({ "type": "openapi", "document": document, "operations": ["getOrder"],
        "secret_headers": { "Authorization": SECRET } });
    let (provider, id) = looped(client, json!({ "tools": [tool] })).await;
    let made = get(client, &format!("/agent-loops/{id}"))
        .await
        .gives(200)
        .clone();
    assert_eq!(
        column(made["tools"].as_array().unwrap(), "name"),
        ["getOrder"]
    );
    provider.next(Behaviour::call("getOrder", json!({ "id": "7" })));
    provider.next(Behaviour::answer("Late."));
    let done = ran(client, &id, json!("Order 7?"), "completed").await;
    assert!(text(&steps(&done)[1], "result").contains("late"));
    assert_eq!(shop.requests()[0].headers["authorization"], SECRET);
}

async fn an_execution_is_begun_once(server: &TestServer) {
    let client = &server.client;
    let (provider, id) = looped(client, json!({})).await;
    provider.always(Behaviour::answer("Done."));
    let begin = async || {
        let request = client.request(Method::POST, &format!("/agent-loops/{id}/run"));
        let request = request.header("idempotency-key", "once");
        client.answer(request).await.unwrap()
    };
    let (first, again) = (begin().await, begin().await);
    assert_eq!(first.gives(201), again.gives(201));
    until(client, &id, text(first.gives(201), "id"), "completed").await;
    assert_eq!(
        get(client, &format!("/agent-loops/{id}/executions"))
            .await
            .lists()
            .len(),
        1
    );
    assert_eq!(provider.requests().len(), 1);
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

async fn knowledge_is_searched_and_a_message_sent_once_approved(server: &TestServer) {
    let client = &server.client;
    let tools = json!({ "tools": [{ "type": "knowledge_search" }, { "type": "send_message" }] });
    let (provider, id) = looped(client, tools).await;
    provider.next(Behaviour::answer("Hello."));
    say(client, "session", "Hello?").await;
    let talk = get(client, "/conversations/session").await;
    let talk = text(&talk.gives(200)["session"], "id").to_owned();
    let before = usage(client).await;
    provider.next(Behaviour::call(
        "knowledge_search",
        json!({ "query": "When are you open?" }),
    ));
    let message = json!({ "conversation_id": talk, "text": "We open at nine." });
    provider.next(Behaviour::call("send_message", message.clone()));
    provider.next(Behaviour::answer("Told."));
    let waiting = ran(client, &id, Value::Null, "waiting_for_approval").await;
    let pending = &waiting["pending_call"];
    assert_eq!(
        (&pending["tool"], &pending["arguments"]),
        (&json!("send_message"), &message)
    );
    assert!(text(&steps(&waiting)[1], "result").contains("9 AM to 6 PM"));
    assert_eq!(
        messages(client, "session").await.len(),
        2,
        "nothing is sent yet"
    );
    let path = format!("/agent-loops/{id}/executions/{}", text(&waiting, "id"));
    let other = json!({ "step_id": steps(&waiting)[1]["id"] });
    post(client, &format!("{path}/approve"), other)
        .await
        .refuses(422, "Invalid field: step_id");
    let approval = json!({ "step_id": pending["step_id"] });
    let approved = post(client, &format!("{path}/approve"), approval).await;
    assert_eq!(approved.gives(200)["pending_call"], Value::Null);
    let done = until(client, &id, text(&waiting, "id"), "completed").await;
    assert_eq!(column(steps(&done), "status"), ["done"; 5]);
    let said = messages(client, "session").await;
    assert_eq!(said.len(), 3);
    assert_eq!(said[2], ("bot".to_owned(), "We open at nine.".to_owned()));
    assert_eq!(usage(client).await[2], before[2] + 1);
    for end in ["approve", "reject"] {
        let late = post(client, &format!("{path}/{end}"), json!({})).await;
        late.refuses(422, "Invalid field: status");
    }
}

/// However often its owner says so: a word on one call is none on the next.
async fn a_call_is_approved_by_itself(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let fields = json!({ "tools": [cancel_order(&shop)], "approval": "always" });
    let (provider, id) = looped(client, fields).await;
    provider.next(Behaviour::calls(&[
        ("cancel_order", json!({ "id": "7" })),
        ("cancel_order", json!({ "id": "8" })),
    ]));
    let waiting = ran(client, &id, Value::Null, "waiting_for_approval").await;
    let run = text(&waiting, "id");
    let path = format!("/agent-loops/{id}/executions/{run}");
    let (app, tenant) = (server.app(), TenantId::parse(&server.tenant_id).unwrap());
    let stale = app
        .executions
        .find(tenant, ExecutionId::parse(run).unwrap());
    let stale = stale.await.unwrap().unwrap();
    let steps = app.executions.steps(tenant, stale.id).await.unwrap();
    post(client, &format!("{path}/approve"), json!({}))
        .await
        .gives(200);
    eventually(SOON, "the other call waits", async || {
        let now = get(client, &path).await.gives(200).clone();
        now["pending_call"]["arguments"]["id"] == "8"
    })
    .await;
    // The same word again, from who has not seen that it was said.
    let again = Step {
        status: StepStatus::Approved,
        ..steps[1].clone()
    };
    assert!(!app.executions.resume(&stale, &again).await.unwrap());
    app.bell.ring();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        get(client, &path).await.gives(200)["status"],
        "waiting_for_approval"
    );
    assert_eq!(shop.paths(), ["/orders/7/cancel"]);
}

/// A turn of the operator's model is a message of the plan's.
async fn the_operators_model_counts(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let server = builder
        .setting("BOTWRIGHT_LLM_PROVIDER", "openai")
        .setting("BOTWRIGHT_LLM_BASE_URL", provider.base_url())
        .start()
        .await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let body = json!({ "name": "Desk", "instructions": "Look.", "bot_id": bot });
    let made = post(client, "/agent-loops", body).await;
    let id = text(made.gives(201), "id").to_owned();
    let before = usage(client).await;
    provider.next(Behaviour::answer("Nothing to do."));
    ran(client, &id, Value::Null, "completed").await;
    assert_eq!(usage(client).await[2], before[2] + 1);
}

async fn a_rejected_call_is_not_made(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let tools = json!({ "tools": [get_order(&shop), cancel_order(&shop)] });
    let (provider, id) = looped(client, tools).await;
    provider.next(Behaviour::call("get_order", json!({ "id": "7" })));
    provider.next(Behaviour::calls(&[
        ("cancel_order", json!({ "id": "7", "note": "late" })),
        ("get_order", json!({ "id": "8" })),
    ]));
    provider.next(Behaviour::answer("I leave it."));
    let waiting = ran(client, &id, json!("Look at 7."), "waiting_for_approval").await;
    assert_eq!(
        column(steps(&waiting), "status"),
        ["done", "done", "done", "waiting_for_approval", "pending"]
    );
    let path = format!("/agent-loops/{id}/executions/{}", text(&waiting, "id"));
    let reason = json!({ "reason": "It was sent today." });
    post(client, &format!("{path}/reject"), reason)
        .await
        .gives(200);
    let done = until(client, &id, text(&waiting, "id"), "completed").await;
    assert_eq!(
        column(steps(&done), "status")[3..],
        ["rejected", "done", "done"]
    );
    assert_eq!(
        told(&provider)[1],
        "Error: The owner rejected this call. It was sent today."
    );
    assert_eq!(shop.paths(), ["/orders/7", "/orders/8"]);
}

async fn an_approved_call_is_the_one_that_was_shown(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let fields = json!({ "tools": [cancel_order(&shop)], "approval": "always" });
    let (provider, id) = looped(client, fields).await;
    provider.next(Behaviour::call("cancel_order", json!({ "id": "7" })));
    provider.next(Behaviour::answer("Cancelled."));
    let waiting = ran(client, &id, Value::Null, "waiting_for_approval").await;
    let mut other = cancel_order(&shop);
    other["url"] = shop.url("/all/{id}").into();
    patch(
        client,
        &format!("/agent-loops/{id}"),
        json!({ "tools": [other] }),
    )
    .await
    .gives(200);
    let path = format!("/agent-loops/{id}/executions/{}", text(&waiting, "id"));
    post(client, &format!("{path}/approve"), json!({}))
        .await
        .gives(200);
    until(client, &id, text(&waiting, "id"), "completed").await;
    assert_eq!(shop.paths(), ["/orders/7/cancel"]);
}

async fn a_trusted_execution_waits_for_nobody(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let tools = json!({ "tools": [get_order(&shop), cancel_order(&shop)] });
    // Its arguments are its owner's: nothing was read before.
    let (provider, id) = looped(client, tools.clone()).await;
    provider.next(Behaviour::call("cancel_order", json!({ "id": "7" })));
    provider.next(Behaviour::answer("Cancelled."));
    ran(client, &id, json!("Cancel 7."), "completed").await;
    // Its owner says that it may.
    patch(
        client,
        &format!("/agent-loops/{id}"),
        json!({ "approval": "never" }),
    )
    .await
    .gives(200);
    provider.next(Behaviour::call("get_order", json!({ "id": "8" })));
    provider.next(Behaviour::call("cancel_order", json!({ "id": "8" })));
    provider.next(Behaviour::answer("Cancelled."));
    ran(client, &id, json!("See to 8."), "completed").await;
    assert_eq!(
        shop.paths(),
        ["/orders/7/cancel", "/orders/8", "/orders/8/cancel"]
    );
    let body: Value = serde_json::from_slice(&shop.requests()[0].body).unwrap();
    assert_eq!(body, json!({}));
}

async fn each_limit_stops_an_execution(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let late = Delivery::Late(Duration::from_secs(5));
    shop.put("/orders/9", Reply::text("Late").delivered(late));
    let provider = FakeOpenAi::start().await;
    let (_, integration) = connected(client, &provider).await;
    for (limits, order, reason, steps_begun) in [
        (
            json!({ "steps": 3 }),
            "7",
            "It reached its limit of 3 steps.",
            3,
        ),
        (
            json!({ "tokens": 40 }),
            "7",
            "It reached its limit of 40 tokens.",
            5,
        ),
        (
            json!({ "seconds": 1 }),
            "9",
            "It reached its limit of 1 seconds.",
            2,
        ),
    ] {
        provider.always(Behaviour::call("get_order", json!({ "id": order })));
        let fields = json!({ "tools": [get_order(&shop)], "limits": limits });
        let id = make(client, &integration, fields).await;
        let stopped = ran(client, &id, Value::Null, "stopped").await;
        assert_eq!(
            (&stopped["error"], &stopped["result"]),
            (&json!(reason), &Value::Null)
        );
        assert_eq!(stopped["step_count"], steps_begun, "{stopped:#}");
        let unfinished = ["pending", "running", "waiting_for_approval"];
        let mut statuses = column(steps(&stopped), "status").into_iter();
        assert!(
            statuses.all(|status| !unfinished.contains(&status)),
            "{stopped:#}"
        );
    }
    // The model's time is the execution's as well.
    provider.always(Behaviour::Hang);
    let id = make(client, &integration, json!({ "limits": { "seconds": 1 } })).await;
    let stopped = ran(client, &id, Value::Null, "stopped").await;
    assert_eq!(stopped["error"], "It reached its limit of 1 seconds.");
}

async fn a_cancelled_execution_begins_no_further_step(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let late = Delivery::Late(Duration::from_secs(1));
    shop.put("/orders/9", Reply::text("Late").delivered(late));
    shop.put("/hook", Reply::text("Thanks"));
    let hook = json!({ "url": shop.url("/hook"), "events": ["agent_loop.completed"] });
    post(client, "/webhooks", hook).await.gives(201);
    let (provider, id) = looped(client, json!({ "tools": [get_order(&shop)] })).await;
    let nine = ("get_order", json!({ "id": "9" }));
    provider.always(Behaviour::calls(&[
        nine,
        ("get_order", json!({ "id": "7" })),
    ]));
    let execution = run(client, &id, Value::Null).await;
    eventually(SOON, "the tool is called", async || {
        !shop.paths().is_empty()
    })
    .await;
    let path = format!("/agent-loops/{id}/executions/{execution}/cancel");
    let cancelled = post(client, &path, json!({})).await;
    assert_eq!(cancelled.gives(200)["status"], "cancelled");
    let mut seen = Value::Null;
    eventually(SOON, "what was under way is over", async || {
        seen = self::seen(client, &id, &execution).await;
        steps(&seen)[1]["status"] == "done"
    })
    .await;
    assert_eq!(column(steps(&seen), "status"), ["done", "done", "skipped"]);
    assert_eq!(
        (&seen["status"], provider.requests().len()),
        (&json!("cancelled"), 1)
    );
    eventually(SOON, "its end is told", async || shop.requests().len() == 2).await;
    let sent: Value = serde_json::from_slice(&shop.requests()[1].body).unwrap();
    assert_eq!(sent["data"]["execution"]["status"], "cancelled");
    let again = post(client, &path, json!({})).await;
    assert_eq!(again.gives(200)["ended_at"], seen["ended_at"]);
}

async fn a_model_that_fails_ends_it(server: &TestServer) {
    let client = &server.client;
    let (provider, id) = looped(client, json!({})).await;
    provider.always(Behaviour::status(401));
    let failed = ran(client, &id, Value::Null, "failed").await;
    assert_eq!(
        failed["error"],
        "No model answered (openai: refused: 401 test_error)."
    );
    assert_eq!(column(steps(&failed), "status"), ["failed"]);
    // The integration is told of it, as when it fails to answer a visitor.
    let loop_now = get(client, &format!("/agent-loops/{id}"))
        .await
        .gives(200)
        .clone();
    let integration = format!("/integrations/{}", text(&loop_now, "integration_id"));
    let found = get(client, &integration).await.gives(200).clone();
    assert!(text(&found, "error").contains("401"), "{found}");
    delete(client, &integration).await;
    let run = post(client, &format!("/agent-loops/{id}/run"), json!({})).await;
    run.refuses(422, "Invalid field: integration_id");
}

/// What its key may not do any more, its schedules and executions may not either.
async fn a_suspended_tenants_loops_do_nothing(server: &TestServer) {
    let client = &server.client;
    let (provider, id) = looped(client, json!({ "triggers": { "cron": "* * * * * *" } })).await;
    let (tenant, app) = (TenantId::parse(&server.tenant_id).unwrap(), server.app());
    provider.always(Behaviour::answer("Nothing to do."));
    eventually(SOON, "it runs", async || !provider.requests().is_empty()).await;
    tenants::suspend(app, tenant).await.unwrap();
    let id = AgentLoopId::parse(&id).unwrap();
    // Its schedule was due again while others' loops were begun.
    let agent_loop = app.agent_loops.find(tenant, id).await.unwrap().unwrap();
    let due = async || app.agent_loops.due(app.clock.now(), 100).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(due().await, []);
    let asked = provider.requests().len();
    let execution = app.ids.uuid().into();
    let now = app.clock.now();
    let waiting = Execution::of(&agent_loop, execution, Trigger::Event, Value::Null, now);
    app.executions.begin(&waiting).await.unwrap();
    app.bell.ring();
    eventually(SOON, "it fails", async || {
        let found = app.executions.find(tenant, execution).await.unwrap();
        found.unwrap().error.as_deref() == Some("The account is suspended.")
    })
    .await;
    assert_eq!(provider.requests().len(), asked);
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

async fn what_a_model_does_wrong_it_is_told(server: &TestServer) {
    let client = &server.client;
    let shop = shop().await;
    let tools = json!([get_order(&shop), { "type": "send_message" }]);
    let (provider, id) = looped(client, json!({ "tools": tools, "approval": "never" })).await;
    let words = |name: &str, arguments: &str| (name.to_owned(), arguments.to_owned());
    provider.next(Behaviour::Calls(vec![
        words("get_order", "{\"id\": "),
        words("get_order", "{\"id\": 7}"),
        words("drop_tables", "{}"),
        words(
            "send_message",
            "{\"conversation_id\": \"none\", \"text\": \"Hi\"}",
        ),
    ]));
    provider.next(Behaviour::answer("Sorry."));
    let done = ran(client, &id, Value::Null, "completed").await;
    assert_eq!(
        column(steps(&done), "status"),
        ["done", "failed", "failed", "failed", "failed", "done"]
    );
    let told = told(&provider);
    for (told, words) in
        told.iter()
            .zip(["JSON", "schema", "get_order, send_message", "conversation"])
    {
        assert!(
            told.starts_with("Error: ") && told.contains(words),
            "{told}"
        );
    }
    assert!(shop.requests().is_empty());
}

async fn a_schedule_begins_executions(server: &TestServer) {
    let client = &server.client;
    let (provider, id) = looped(client, json!({ "triggers": { "cron": "* * * * * *" } })).await;
    provider.always(Behaviour::answer("Looked."));
    let path = format!("/agent-loops/{id}/executions?status=completed");
    let mut found = Vec::new();
    eventually(SOON, "two are done", async || {
        found = get(client, &path).await.lists().to_vec();
        found.len() >= 2
    })
    .await;
    assert_eq!(column(&found[..2], "trigger"), ["cron"; 2]);
    let due = found
        .iter()
        .map(|done| time(&done["input"]["scheduled_at"]));
    let mut due: Vec<_> = due.collect();
    due.dedup();
    assert_eq!(due.len(), found.len(), "each time once");
    patch(
        client,
        &format!("/agent-loops/{id}"),
        json!({ "enabled": false }),
    )
    .await
    .gives(200);
}

/// A GET tells a server its arguments too: those that a visitor may have chosen wait for the owner's word.
async fn a_visitors_words_are_told_to_no_server_unasked(server: &TestServer) {
    let client = &server.client;
    let (provider, shop) = (FakeOpenAi::start().await, shop().await);
    let (bot, integration) = connected(client, &provider).await;
    let mut asks = get_order(&shop);
    asks.as_object_mut().unwrap().remove("acts");
    let fields = json!({ "tools": [asks], "triggers": { "events": ["message.received"] } });
    let id = make(client, &integration, fields).await;
    provider.always(Behaviour::call("get_order", json!({ "id": "7" })));
    let path = format!("/integrations/{integration}");
    let off = patch(client, &path, json!({ "enabled": false })).await;
    off.gives(200);
    let message = json!({ "message": "Look up order 7", "bot_id": bot });
    let path = "/conversations/session/messages";
    post(client, path, message).await.gives(200);
    let path = format!("/agent-loops/{id}/executions?status=waiting_for_approval");
    eventually(SOON, "it waits", async || {
        get(client, &path).await.lists().len() == 1
    })
    .await;
    assert!(shop.paths().is_empty());
}

async fn a_visitors_message_begins_an_execution(server: &TestServer) {
    let client = &server.client;
    let provider = FakeOpenAi::start().await;
    let (bot, integration) = connected(client, &provider).await;
    let fields = json!({ "tools": [{ "type": "send_message" }], "triggers": { "events": ["message.received"] } });
    let id = make(client, &integration, fields).await;
    let other = make_bot(client, json!({ "name": "Other" })).await;
    provider.always(Behaviour::answer("Hello."));
    let to_other = json!({ "message": "Hello?", "bot_id": other["id"] });
    post(client, "/conversations/other/messages", to_other)
        .await
        .gives(200);
    let message = json!({ "message": "Where is my order?", "bot_id": bot });
    let turn = post(client, "/conversations/session/messages", message).await;
    let turn = turn.gives(200).clone();
    let path = format!("/agent-loops/{id}/executions");
    let mut found = Vec::new();
    eventually(SOON, "it is done", async || {
        found = get(client, &path).await.lists().to_vec();
        found
            .first()
            .is_some_and(|found| found["status"] == "completed")
    })
    .await;
    assert_eq!((found.len(), &found[0]["trigger"]), (1, &json!("event")));
    let input = &found[0]["input"];
    assert_eq!(input["type"], "message.received");
    assert_eq!(input["data"]["message"]["id"], turn["user_message"]["id"]);
    // What a visitor says sends nothing without its owner's word.
    let talk = text(&input["data"], "conversation_id").to_owned();
    provider.always(Behaviour::call(
        "send_message",
        json!({ "conversation_id": talk, "text": "Hi" }),
    ));
    let message = json!({ "message": "And now?", "bot_id": bot });
    provider.next(Behaviour::answer("Well."));
    post(client, "/conversations/session/messages", message)
        .await
        .gives(200);
    eventually(SOON, "it waits", async || {
        let path = format!("{path}?status=waiting_for_approval");
        get(client, &path).await.lists().len() == 1
    })
    .await;
    assert_eq!(messages(client, "session").await.len(), 4);
}

/// A name is looked up when it is called: where it leads to what is closed, nothing is sent. The model is the operator's.
async fn the_guard_refuses_when_a_tool_is_called(builder: Builder) {
    let provider = FakeOpenAi::start().await;
    let inside = FakeWebsite::start().await;
    inside.put("/orders/7", Reply::text("A secret."));
    let builder = builder
        .setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.9/32")
        .setting("BOTWRIGHT_LLM_PROVIDER", "openai")
        .setting("BOTWRIGHT_LLM_BASE_URL", provider.base_url())
        .setting("BOTWRIGHT_LLM_MODEL", "small");
    let server = builder.start().await;
    let client = &server.client;
    let bot = make_bot(client, json!({})).await;
    let mut tool = get_order(&inside);
    tool["url"] = text(&tool, "url").replace("127.0.0.1", "localhost").into();
    let body =
        json!({ "name": "Desk", "instructions": "Look.", "bot_id": bot["id"], "tools": [tool] });
    let made = post(client, "/agent-loops", body).await;
    let id = text(made.gives(201), "id").to_owned();
    provider.next(Behaviour::call("get_order", json!({ "id": "7" })));
    provider.next(Behaviour::answer("I can't."));
    let done = ran(client, &id, Value::Null, "completed").await;
    let step = &steps(&done)[1];
    assert_eq!(
        (&step["status"], &step["result"]),
        (
            &json!("failed"),
            &json!("The address of this tool is not allowed.")
        )
    );
    assert!(inside.requests().is_empty());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_survives_a_kill_sqlite() {
    an_execution_survives_a_kill(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_survives_a_kill_postgres() {
    an_execution_survives_a_kill(Place::postgres().await).await;
}

/// Killed in the middle of a call, it goes on from there: no turn is taken again, and the call that was under way is
/// made again under the same key.
async fn an_execution_survives_a_kill(place: Place) {
    let place = place.with("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.1/32");
    let (_, key) = place.tenant("Ours");
    let shop = shop().await;
    let server = place.serve().await;
    let client = server.client(&key);
    let fields = json!({ "tools": [get_order(&shop), cancel_order(&shop)], "approval": "never" });
    let (provider, id) = looped(&client, fields).await;
    let late = Reply::text("Cancelled.").delivered(Delivery::Late(Duration::from_secs(30)));
    shop.put_turns("/orders/7/cancel", [late, Reply::text("Cancelled.")]);
    provider.next(Behaviour::call("get_order", json!({ "id": "7" })));
    provider.next(Behaviour::call("cancel_order", json!({ "id": "7" })));
    provider.always(Behaviour::answer("Cancelled."));
    let execution = run(&client, &id, Value::Null).await;
    eventually(SOON, "it is called", async || shop.requests().len() == 2).await;
    let before = seen(&client, &id, &execution).await;
    server.kill();
    let server = place.serve().await;
    let client = server.client(&key);
    let mut done = Value::Null;
    eventually(Duration::from_secs(40), "it is done", async || {
        done = seen(&client, &id, &execution).await;
        done["status"] == "completed"
    })
    .await;
    assert_eq!(
        steps(&done)[..3],
        steps(&before)[..3],
        "what was done stays done"
    );
    let attempts: Vec<_> = steps(&done)
        .iter()
        .map(|step| step["attempts"].as_u64())
        .collect();
    assert_eq!(attempts, [Some(1), Some(1), Some(1), Some(2), Some(1)]);
    assert_eq!(done["step_count"], 5);
    assert_eq!(provider.requests().len(), 3);
    assert_eq!(
        shop.paths(),
        ["/orders/7", "/orders/7/cancel", "/orders/7/cancel"]
    );
    let requests = shop.requests();
    let call_key = |request: usize| requests[request].headers["idempotency-key"].clone();
    assert_eq!(call_key(1), call_key(2));
    assert_ne!(call_key(0), call_key(1));
    server.stop().await;
}
