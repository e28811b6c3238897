//! The wall between tenants, route by route of the OpenAPI document, and the door before it.

use std::collections::BTreeSet;
use std::time::Duration;

use application::tenants;
use botwright::application;
use botwright::domain::TenantId;
use botwright::domain::keys::KeyKind;
use botwright::domain::plans::Plan;
use serde_json::json;
use testkit::{Answer, Client, TestServer};

use crate::description::Description;
use crate::routes::{
    AGENT_API, OWNED_SESSION, Owned, Route, Sees, TENANTS, agent_routes, routes, tenant_routes,
};
use crate::support::{
    Denied, Told, agent, agent_get, agent_of, eventually, get, make_bot, on_both, say, text,
};

on_both!(
    a_stranger_finds_nothing_on_any_route,
    a_child_is_found_below_its_parent_alone,
    one_name_in_two_tenants_is_two_conversations,
    no_route_opens_without_a_good_key,
    a_revoked_key_is_refused_within_five_seconds,
    a_suspended_tenant_is_refused_within_five_seconds,
);

async fn a_stranger_finds_nothing_on_any_route(server: &TestServer) {
    let routes = routes();
    let known = routes
        .iter()
        .map(|route| format!("{} {}{}", route.method, route.prefix, route.path));
    let description = Description::of(&server.url()).await;
    let described = description.operations().into_iter();
    assert_eq!(
        described
            .map(|operation| operation.name())
            .collect::<BTreeSet<_>>(),
        known.collect(),
        "every route of the document, and no other, is in the table"
    );

    let owned = Owned::make(&server.url(), &server.client).await;
    // A second bot of the owner's knows nothing of the first.
    let second = make_bot(&server.client, json!({ "name": "Second" })).await;
    let second = agent(server, text(&second, "id")).await;
    let before = owned.snapshot(&server.client).await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let bot = make_bot(&stranger, json!({ "name": "Strangers bot" })).await;
    let strangers = agent_of(&server.url(), &stranger, text(&bot, "id")).await;
    for route in &routes {
        let client = match route.prefix {
            AGENT_API => &strangers,
            _ => &stranger,
        };
        finds_nothing(server, &owned, client, route).await;
    }
    assert_eq!(
        owned.snapshot(&server.client).await,
        before,
        "the owner's data is as it was"
    );
    for route in &agent_routes() {
        finds_nothing(server, &owned, &second, route).await;
    }
    let after = owned.snapshot(&server.client).await;
    assert_eq!(after[TENANTS..], before[TENANTS..], "and the first bot's");
}

/// Below a parent of one's own, there is no child of another's.
async fn a_child_is_found_below_its_parent_alone(server: &TestServer) {
    let owned = Owned::make(&server.url(), &server.client).await;
    let before = owned.snapshot(&server.client).await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let theirs = Owned::make(&server.url(), &stranger).await;
    let own_bot = owned.bot.clone();
    let (own_loop, own_webhook) = (owned.agent_loop.clone(), owned.webhook.clone());
    let mixed = Owned {
        bot: theirs.bot,
        agent_loop: theirs.agent_loop,
        webhook: theirs.webhook,
        ..owned
    };
    let mut nested = 0;
    for route in &tenant_routes() {
        let children = [
            "/executions/{",
            "/deliveries/{",
            "/evaluations/{",
            "/customers/{",
            "/api-keys/{",
        ];
        if !children.iter().any(|child| route.path.contains(child)) {
            continue;
        }
        nested += 1;
        let answer = mixed.call(&stranger, route).await;
        assert_eq!(
            answer.status, 404,
            "{} {}: {}",
            route.method, route.path, answer.text
        );
    }
    assert!(nested >= 8, "{nested}");
    let whole = Owned {
        bot: own_bot,
        agent_loop: own_loop,
        webhook: own_webhook,
        ..mixed
    };
    let after = whole.snapshot(&server.client).await;
    assert_eq!(after, before, "the owner's data is as it was");
}

async fn finds_nothing(server: &TestServer, owned: &Owned, client: &Client, route: &Route) {
    let answer = owned.call(client, route).await;
    let called = format!("{} {}: {}", route.method, route.path, answer.text);
    match route.sees {
        Sees::NotFound if route.prefix == AGENT_API => {
            answer.denies(404);
        }
        Sees::NotFound => assert_eq!(
            (answer.status, &answer.body["success"]),
            (404, &json!(false)),
            "{called}"
        ),
        Sees::OwnOnly => assert!((200..300).contains(&answer.status), "{called}"),
    }
    for secret in [
        "Olga",
        "olga",
        &owned.talk,
        &owned.bot,
        &owned.source,
        &owned.webhook,
        OWNED_SESSION,
        "4711",
        &server.tenant_id,
        "Handbook",
    ] {
        assert!(!answer.text.contains(secret), "{called}");
    }
    if !route.query.is_empty() && answer.body["data"].is_array() {
        let data = answer.body["data"].as_array().unwrap();
        assert!(data.is_empty(), "{called}");
    }
}

async fn one_name_in_two_tenants_is_two_conversations(server: &TestServer) {
    let owned = Owned::make(&server.url(), &server.client).await;
    let before = owned.snapshot(&server.client).await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let bot = make_bot(&stranger, json!({})).await;
    let turn = say(&stranger, OWNED_SESSION, "What is the secret of the owner?").await;
    assert!(!turn.to_string().contains("4711"));
    let answer = get(&stranger, &format!("/conversations/{OWNED_SESSION}")).await;
    let data = answer.gives(200);
    assert_eq!(
        (
            &data["session"]["bot_id"],
            data["messages"].as_array().unwrap().len()
        ),
        (&bot["id"], 2)
    );
    assert_eq!(owned.snapshot(&server.client).await, before);
}

async fn no_route_opens_without_a_good_key(server: &TestServer) {
    let owned = Owned::make(&server.url(), &server.client).await;
    let before = owned.snapshot(&server.client).await;
    let unknown = botwright::domain::keys::ApiSecret::new(KeyKind::Tenant, [7; 32]);
    let url = server.url();
    for (client, error) in [
        (Client::without_key(&url), "Missing API key"),
        (Client::new(&url, "tk_wrong"), "Invalid API key"),
        // Well-formed, with a good checksum, and nobody's.
        (Client::new(&url, unknown.reveal()), "Invalid API key"),
    ] {
        for route in routes() {
            refused(&owned.call(&client, &route).await, &route, error);
        }
    }
    assert_eq!(owned.snapshot(&server.client).await, before);
}

#[track_caller]
fn refused(answer: &Answer, route: &Route, error: &str) {
    if route.prefix == AGENT_API {
        let told = text(answer.denies(401), "message");
        assert!(told.starts_with(error), "{told}");
    } else {
        answer.refuses(401, error);
    }
}

const SOON: Duration = Duration::from_secs(5);

async fn refused_on_every_route(client: &Client, owned: &Owned) {
    eventually(SOON, "the key is refused", async || {
        get(client, "/tenant/info").await.status == 401
    })
    .await;
    for route in routes() {
        refused(&owned.call(client, &route).await, &route, "Invalid API key");
    }
}

async fn a_revoked_key_is_refused_within_five_seconds(server: &TestServer) {
    let app = server.app();
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    let (key, secret) = tenants::create_key(app, tenant, None, "second")
        .await
        .unwrap();
    let second = Client::new(&server.url(), secret.reveal());
    let owned = Owned::make(&server.url(), &second).await;
    tenants::revoke_key(app, tenant, key.id).await.unwrap();
    refused_on_every_route(&second, &owned).await;
    get(&server.client, "/tenant/info").await.gives(200);
    assert_eq!(get(&server.client, "/bots").await.lists().len(), 1);
}

async fn a_suspended_tenant_is_refused_within_five_seconds(server: &TestServer) {
    let app = server.app();
    let tenant = TenantId::parse(&server.tenant_id).unwrap();
    let client = &server.client;
    let owned = Owned::make(&server.url(), client).await;
    let before = owned.snapshot(client).await;
    let other = server.another_tenant(Plan::Enterprise).await;
    tenants::suspend(app, tenant).await.unwrap();
    refused_on_every_route(client, &owned).await;
    get(&other, "/tenant/info").await.gives(200);
    tenants::resume(app, tenant).await.unwrap();
    eventually(SOON, "the key is taken again", async || {
        get(client, "/tenant/info").await.status == 200
    })
    .await;
    agent_get(&owned.agent, "/agent").await.grants();
    // All but the tenant's own time of change.
    assert_eq!(owned.snapshot(client).await[1..], before[1..]);
}
