//! Calls of agent loops that wait for their owner's word.

use std::time::Duration;

use botwright::domain::executions::{Step, StepStatus};
use botwright::domain::{ExecutionId, TenantId};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::fakes::openai::{Behaviour, FakeOpenAi};

use crate::agent_loops::{
    SOON, cancel_order, connected, get_order, looped, make, open, ran, shop, steps, told, until,
};
use crate::support::{
    Told, column, eventually, get, messages, on_both, patch, post, say, text, usage,
};

on_both!(
    knowledge_is_searched_and_a_message_sent_once_approved: open,
    a_rejected_call_is_not_made: open,
    a_call_is_approved_by_itself: open,
    an_approved_call_is_the_one_that_was_shown: open,
    a_trusted_execution_waits_for_nobody: open,
    a_visitors_words_are_told_to_no_server_unasked: open,
);

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
        late.refuses(409, "Execution not waiting");
    }
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
