//! Agent loops at work: models that call tools until they are done.

use std::time::Duration;

use botwright::application::tenants;
use botwright::domain::executions::{Execution, Trigger};
use botwright::domain::{AgentLoopId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::fakes::website::{Delivery, FakeWebsite, Reply};
use testkit::{Builder, TestServer};

use crate::agent_loops::{
    SECRET, SOON, cancel_order, connected, get_order, looped, make, open, ran, run, seen, shop,
    steps, told, until,
};
use crate::program::Place;
use crate::support::{
    HOURS, Told, assert_id, bot_that_knows, column, delete, eventually, get, keys, make_bot,
    messages, on_both, patch, post, started_on_both, text, time, usage,
};

on_both!(
    a_model_calls_tools_until_it_is_done: open,
    operations_of_a_document_are_tools: open,
    an_execution_is_begun_once: open,
    each_limit_stops_an_execution: open,
    a_cancelled_execution_begins_no_further_step: open,
    a_model_that_fails_ends_it: open,
    a_suspended_tenants_loops_do_nothing: open,
    an_inactive_bots_loops_do_nothing: open,
    what_a_model_does_wrong_it_is_told: open,
    a_schedule_begins_executions: open,
    a_visitors_message_begins_an_execution: open,
);

started_on_both!(
    the_guard_refuses_when_a_tool_is_called,
    the_operators_model_counts
);

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

/// What its owner switched off begins nothing, and what was begun goes no further.
async fn an_inactive_bots_loops_do_nothing(server: &TestServer) {
    let client = &server.client;
    let (provider, id) = looped(client, json!({})).await;
    let path = format!("/agent-loops/{id}");
    let bot = text(get(client, &path).await.gives(200), "bot_id").to_owned();
    patch(
        client,
        &format!("/bots/{bot}"),
        json!({ "is_active": false }),
    )
    .await
    .gives(200);
    post(client, &format!("{path}/run"), json!({}))
        .await
        .refuses(403, "Bot is inactive");
    let change = json!({ "triggers": { "cron": "* * * * * *" } });
    patch(client, &path, change).await.gives(200);
    let mut failed = Vec::new();
    eventually(SOON, "it fails", async || {
        let path = format!("{path}/executions?status=failed");
        failed = get(client, &path).await.lists().to_vec();
        !failed.is_empty()
    })
    .await;
    assert_eq!(text(&failed[0], "error"), "The bot is inactive.");
    assert!(provider.requests().is_empty());
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
