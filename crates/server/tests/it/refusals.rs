//! What is answered is as described, and every error that the description names is one that the operation answers with, for each operation of each API.
//!
//! What is in the description comes from there, so an operation that is added is tested as it is described. 401 and
//! 404 are [`crate::isolation`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use botwright::domain::plans::Plan;
use reqwest::Method;
use serde_json::json;
use testkit::fakes::openai::{Behaviour, FakeOpenAi};
use testkit::{Answer, Builder, Client, TestServer};

use crate::description::{Description, Operation, phrase};
use crate::limits::unhurried;
use crate::program::Place;
use crate::routes::{AGENT_API, Owned, Sees, routes};
use crate::support::{
    HOURS, Told, agent, agent_post, bot_that_knows, eventually, make_bot, on_both, patch, post,
    put, say, text,
};

on_both!(
    what_is_answered_is_as_described: behind_a_proxy,
    what_is_not_found_is_described,
    every_body_is_read_alike,
    fields_that_do_not_fit_are_named: behind_a_proxy,
    parameters_that_do_not_fit_are_named: behind_a_proxy,
    a_path_is_utf_8,
    an_idempotency_key_is_of_one_request,
    the_rate_comes_first: |builder| builder.plan(Plan::Free).settings_file("[plans.free]\nrequests_per_minute = 1\n"),
    what_may_not_be_done_now_is_403: |builder| unhurried(builder, Plan::Starter, "messages_per_month = 3"),
);

/// Where clients say their addresses.
fn behind_a_proxy(builder: Builder) -> Builder {
    builder.setting("BOTWRIGHT_TRUSTED_PROXIES", "127.0.0.1")
}

/// Each operation, called by its owner: what is deleted, last.
async fn what_is_answered_is_as_described(server: &TestServer) {
    let owned = Owned::make(&server.url(), &server.client).await;
    let description = Description::of(&server.url()).await;
    let mut all = description.operations();
    all.sort_by_key(|operation| operation.method == Method::DELETE);
    let mut done = 0;
    for operation in all {
        let client = if operation.is_agents() {
            &owned.agent
        } else {
            &server.client
        };
        let answer = owned.call(client, &operation.route()).await;
        let contradictions = description.contradictions(&operation, &answer);
        let (name, status) = (operation.name(), answer.status);
        assert!(
            contradictions.is_empty(),
            "{name}: {status}: {contradictions:#?}"
        );
        done += usize::from(status < 300);
    }
    assert!(done >= 80, "{done} answered with success");
}

async fn what_is_not_found_is_described(server: &TestServer) {
    let finding = routes()
        .into_iter()
        .filter(|route| matches!(route.sees, Sees::NotFound));
    let finding: BTreeSet<_> = finding
        .map(|route| format!("{} {}{}", route.method, route.prefix, route.path))
        .collect();
    assert_eq!(Description::of(&server.url()).await.with("404"), finding);
}

/// Every operation that takes JSON refuses what is none, is too large, or of another type, before it looks at anything else.
async fn every_body_is_read_alike(server: &TestServer) {
    let description = Description::of(&server.url()).await;
    let bot = bot_that_knows(&server.client, HOURS).await;
    let agent = agent(server, &bot).await;
    let mut operations = 0;
    for operation in description.operations() {
        if operation.body().is_null() {
            continue;
        }
        operations += 1;
        let client = if operation.is_agents() {
            &agent
        } else {
            &server.client
        };
        let send = async |kind: &str, body: String| {
            let request = client.request_outside(operation.method.clone(), operation.path);
            let request = request.header("content-type", kind);
            client.answer(request.body(body)).await.unwrap()
        };
        for broken in ["{", "[]", "1"] {
            let answer = send("application/json", broken.into()).await;
            let phrase = phrase(&operation, &answer, 400);
            assert!(phrase.starts_with("Invalid request body"), "{phrase}");
        }
        let answer = send("application/json", String::new()).await;
        // Some bodies may be left out.
        assert!(matches!(answer.status, 400 | 404), "{}", operation.name());
        let answer = send("text/plain", "{}".into()).await;
        phrase(&operation, &answer, 415);
        let large = format!("{{{}}}", " ".repeat(40_000_000));
        let answer = send("application/json", large).await;
        phrase(&operation, &answer, 413);
    }
    assert!(operations >= 25, "{operations}");
}

/// Each field of each body, with a value of another type, and without it where it is required.
async fn fields_that_do_not_fit_are_named(server: &TestServer) {
    let description = Description::of(&server.url()).await;
    let owned = Owned::make(&server.url(), &server.client).await;
    let (mut fields, mut required) = (0, 0);
    for operation in description.operations() {
        let schema = description.resolved(operation.body());
        let mut route = operation.route();
        let client = if operation.is_agents() {
            &owned.agent
        } else {
            &server.client
        };
        let good = route.body.clone().unwrap_or_else(|| json!({}));
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let types = description.types(field);
            let wrong = match types.contains("object") {
                _ if types.is_empty() => continue,
                true => json!(5),
                false => json!({ "a": 1 }),
            };
            fields += 1;
            let mut body = good.clone();
            body[name] = wrong;
            route.body = Some(body);
            let answer = owned.call(client, &route).await;
            let phrase = phrase(&operation, &answer, operation.unfit());
            let expected = format!("Invalid field: {name}");
            assert!(
                phrase.starts_with(&expected),
                "{}: {phrase}",
                operation.name()
            );
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            required += 1;
            let name = name.as_str().unwrap();
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(name);
            route.body = Some(body);
            let answer = owned.call(client, &route).await;
            let phrase = phrase(&operation, &answer, operation.unfit());
            let expected = format!("Missing required field: {name}");
            assert!(
                phrase.starts_with(&expected),
                "{}: {phrase}",
                operation.name()
            );
        }
    }
    assert!(fields >= 100 && required >= 20, "{fields}, {required}");
}

/// Parameters that take any words.
const FREE: [&str; 4] = ["bot_id", "channel", "product", "customerId"];

/// Each parameter of each list, with words that it does not take, and out of its bounds.
async fn parameters_that_do_not_fit_are_named(server: &TestServer) {
    let description = Description::of(&server.url()).await;
    let owned = Owned::make(&server.url(), &server.client).await;
    let mut parameters = 0;
    for operation in description.operations() {
        let mut route = operation.route();
        let client = if operation.is_agents() {
            &owned.agent
        } else {
            &server.client
        };
        for parameter in operation.parameters("query") {
            let name = text(parameter, "name");
            let mut wrong = vec!["nonsense".to_owned()];
            if let Some(most) = parameter["schema"]["maximum"].as_f64() {
                wrong.push((most + 1.0).to_string());
            }
            if let Some(least) = parameter["schema"]["minimum"].as_f64() {
                wrong.push((least - 1.0).to_string());
            }
            if FREE.contains(&name) {
                continue;
            }
            parameters += 1;
            for wrong in wrong {
                let query = format!("{name}={wrong}");
                route.query = query.leak();
                let answer = owned.call(client, &route).await;
                let phrase = phrase(&operation, &answer, operation.unfit());
                let expected = format!("Invalid field: {name}");
                assert!(
                    phrase.starts_with(&expected),
                    "{}: {phrase}",
                    operation.name()
                );
            }
            let twice = format!("{name}=1&{name}=1");
            route.query = twice.leak();
            let answer = owned.call(client, &route).await;
            phrase(&operation, &answer, operation.unfit());
        }
    }
    assert!(parameters >= 40, "{parameters}");
}

async fn a_path_is_utf_8(server: &TestServer) {
    for operation in Description::of(&server.url()).await.operations() {
        if operation.parameters("path").is_empty() {
            continue;
        }
        let client = &server.client;
        let request = client.request_outside(operation.method.clone(), &operation.path_of("%FF"));
        let answer = client.answer(request).await.unwrap();
        assert!(phrase(&operation, &answer, 400).starts_with("Invalid path"));
    }
}

/// A keyed request of nothing that there is.
async fn keyed(client: &Client, operation: &Operation<'_>, key: &str) -> Answer {
    let path = operation.path_of("018f0000-0000-7000-8000-000000000000");
    let request = client.request_outside(operation.method.clone(), &path);
    let request = request.header("idempotency-key", key).json(&json!({}));
    client.answer(request).await.unwrap()
}

async fn an_idempotency_key_is_of_one_request(server: &TestServer) {
    let client = &server.client;
    let description = Description::of(&server.url()).await;
    let bots = description.operations();
    let bots = bots
        .iter()
        .find(|operation| operation.name() == "POST /api/v1/bots");
    keyed(client, bots.unwrap(), "first").await;
    let mut takes_keys = BTreeSet::new();
    for operation in description.operations() {
        let headers = operation.parameters("header");
        if headers
            .iter()
            .all(|header| header["name"] != "Idempotency-Key")
        {
            continue;
        }
        let answer = keyed(client, &operation, &"k".repeat(1_000)).await;
        let refused = phrase(&operation, &answer, 400);
        assert!(
            refused.starts_with("Invalid field: Idempotency-Key"),
            "{refused}"
        );
        if operation.path != "/api/v1/bots" {
            let answer = keyed(client, &operation, "first").await;
            let refused = phrase(&operation, &answer, 422);
            assert_eq!(refused, "Idempotency key reused", "{}", operation.name());
        }
        takes_keys.insert(operation.name());
    }
    assert_eq!(description.with("409"), takes_keys);
}

/// Each operation that takes a key, asked again while the first request with it is still being done.
async fn what_is_under_way_is_not_begun_again(place: Place) {
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let description = Description::of(&server.url).await;
    let mut all = description.operations();
    all.retain(|operation| operation.answers("409"));
    for (number, operation) in all.iter().enumerate() {
        keyed(&client, operation, &number.to_string()).await;
    }
    let not_done = "UPDATE idempotency_keys SET status = NULL, under_way = TRUE";
    place.execute(not_done).await;
    for (number, operation) in all.iter().enumerate() {
        let answer = keyed(&client, operation, &number.to_string()).await;
        assert_eq!(phrase(operation, &answer, 409), "Request under way");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_not_begun_again_in_sqlite() {
    what_is_under_way_is_not_begun_again(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_not_begun_again_in_postgres() {
    what_is_under_way_is_not_begun_again(Place::postgres().await).await;
}

/// Whatever would have come of it.
async fn the_rate_comes_first(server: &TestServer) {
    let owner = server.another_tenant(Plan::Enterprise).await;
    let bot = make_bot(&owner, json!({})).await;
    let agents = crate::support::agent_of(&server.url(), &owner, text(&bot, "id")).await;
    for _ in 0..60 {
        let request = agents.request_outside(Method::GET, "/v1/agent");
        assert_eq!(agents.answer(request).await.unwrap().status, 200);
    }
    crate::support::get(&server.client, "/tenant/info")
        .await
        .gives(200);
    for operation in Description::of(&server.url()).await.operations() {
        let client = if operation.is_agents() {
            &agents
        } else {
            &server.client
        };
        let request = client.request_outside(operation.method.clone(), &operation.path_of("none"));
        let answer = client.answer(request).await.unwrap();
        let refused = phrase(&operation, &answer, 429);
        assert!(refused.starts_with("Rate limit exceeded"), "{refused}");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert_eq!(answer.header("ratelimit-remaining"), "0");
    }
}

/// Each operation that a plan or a switch can forbid. (502 is [`crate::providers`]'s.)
async fn what_may_not_be_done_now_is_403(server: &TestServer) {
    let client = &server.client;
    let description = Description::of(&server.url()).await;
    let mut forbidden = BTreeMap::new();
    let mut refused = |operation: &str, answer: &Answer, error: &str| {
        let all = description.operations();
        let operation = all.iter().find(|known| known.name() == operation).unwrap();
        let phrase = phrase(operation, answer, 403);
        assert!(phrase.starts_with(error), "{phrase}");
        forbidden.insert(operation.name(), ());
    };
    let bot = bot_that_knows(client, HOURS).await;
    let agent = agent(server, &bot).await;
    let models = json!({ "name": "Models", "kind": "openai", "base_url": "https://models.invalid/v1", "enabled": false });
    let models = post(client, &format!("/bots/{bot}/integrations"), models).await;
    let agent_loop = json!({ "name": "Loop", "instructions": "Do.", "enabled": false,
        "integration_id": models.gives(201)["id"] });
    let agent_loop = post(client, "/agent-loops", agent_loop).await;
    let agent_loop = format!("/agent-loops/{}", text(agent_loop.gives(201), "id"));
    let webhook = json!({ "url": "https://webhooks.invalid/", "events": ["message.received"] });
    let webhook = post(client, "/webhooks", webhook).await;
    let webhook = format!("/webhooks/{}", text(webhook.gives(201), "id"));

    let run = "POST /api/v1/agent-loops/{agent_loop_id}/run";
    let answer = post(client, &format!("{agent_loop}/run"), json!({})).await;
    refused(run, &answer, "Agent loop is disabled");
    patch(client, &agent_loop, json!({ "enabled": true }))
        .await
        .gives(200);
    patch(client, &webhook, json!({ "enabled": false }))
        .await
        .gives(200);
    let answer = post(client, &format!("{webhook}/test"), json!({})).await;
    refused(
        "POST /api/v1/webhooks/{webhook_id}/test",
        &answer,
        "Webhook is disabled",
    );

    let (send, chat) = (
        "POST /api/v1/conversations/{session_id}/messages",
        "POST /v1/chat",
    );
    let message = json!({ "message": "What?" });
    say(client, "session", "What?").await;
    for (is_active, error) in [(true, "Message limit reached"), (false, "Bot is inactive")] {
        let change = json!({ "is_active": is_active });
        put(client, &format!("/bots/{bot}"), change)
            .await
            .gives(200);
        let answer = post(client, "/conversations/session/messages", message.clone()).await;
        refused(send, &answer, error);
        let answer = agent_post(&agent, "/chat", message.clone()).await;
        refused(chat, &answer, error);
    }
    let answer = post(client, &format!("{agent_loop}/run"), json!({})).await;
    refused(run, &answer, "Bot is inactive");
    for _ in 0..2 {
        make_bot(client, json!({})).await;
    }
    let another = json!({ "name": "Fourth", "channel_type": "webchat" });
    let answer = post(client, "/bots", another).await;
    refused("POST /api/v1/bots", &answer, "Bot limit reached");
    assert_eq!(description.with("403"), forbidden.into_keys().collect());
    assert_eq!(description.with("502"), BTreeSet::from([send.to_owned()]));
}

/// Operations that need no more than what tells who asks.
const KNOWN: [&str; 2] = [
    "GET /api/v1/tenant/info",
    "POST /api/v1/bots/{bot_id}/api-keys",
];

/// A store that has lost its tables: each operation says that something is wrong, and not what.
async fn a_fault_of_the_store_is_told_and_not_shown(place: Place) {
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    let owned = Owned::make(&server.url, &client).await;
    place.ruin().await;
    for operation in Description::of(&server.url).await.operations() {
        let route = operation.route();
        let client = match route.prefix {
            AGENT_API => &owned.agent,
            _ => &client,
        };
        if KNOWN.contains(&operation.name().as_str()) {
            continue;
        }
        let answer = owned.call(client, &route).await;
        let told = phrase(&operation, &answer, 500);
        assert!(told.starts_with("Internal"), "{}: {told}", operation.name());
        for word in ["table", "column", "SELECT", "sql", "relation"] {
            assert!(
                !answer.text.contains(word),
                "{}: {}",
                operation.name(),
                answer.text
            );
        }
    }
    assert!(server.errors().contains("internal error"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_sqlite_is_told_and_not_shown() {
    a_fault_of_the_store_is_told_and_not_shown(Place::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_postgres_is_told_and_not_shown() {
    a_fault_of_the_store_is_told_and_not_shown(Place::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_so() {
    let provider = FakeOpenAi::start().await;
    provider.always(Behaviour::Slow {
        text: "One word after the other, until all is told.".to_owned(),
        pause: Duration::from_millis(500),
    });
    let place = Place::new()
        .with("BOTWRIGHT_LLM_PROVIDER", "openai")
        .with("BOTWRIGHT_LLM_BASE_URL", &provider.base_url());
    let (_, key) = place.tenant("Ours");
    let server = place.serve().await;
    let client = server.client(&key);
    make_bot(&client, json!({})).await;
    let description = Description::of(&server.url).await;
    let mut connected = Vec::new();
    for operation in description.operations() {
        let client = Client::without_key(&server.url);
        let request = client.request_outside(Method::GET, "/healthz");
        client.answer(request).await.unwrap();
        connected.push((operation, client));
    }
    let under_way = tokio::spawn(async move { say(&client, "session", "What?").await });
    let within = Duration::from_secs(10);
    eventually(within, "the provider is asked", async || {
        !provider.requests().is_empty()
    })
    .await;
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    for (operation, client) in connected {
        let request = client.request_outside(operation.method.clone(), operation.path);
        let answer = client.answer(request).await.unwrap();
        let told = phrase(&operation, &answer, 503);
        assert!(told.starts_with("Service unavailable"), "{told}");
        assert!(answer.header("retry-after").parse::<u64>().is_ok());
    }
    under_way.await.unwrap();
}
