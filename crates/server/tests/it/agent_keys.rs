//! The keys that open one bot, and what the Agent API says of it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, TestServer};

use crate::support::{
    Denied, HOURS, Told, agent, agent_get, column, delete, eventually, get, keys, make_bot,
    on_both, post, read_source, text,
};

on_both!(
    a_bots_key_is_shown_once_and_opens_that_bot,
    each_api_takes_its_own_keys_alone,
    a_revoked_key_of_a_bot_is_refused,
    keys_are_a_bots_own,
    a_repeated_request_for_a_key_shows_no_key_again,
    errors_are_told_in_the_agents_dialect,
    sixty_requests_a_minute_for_a_bot,
    the_agent_says_what_it_is,
);

const SOON: Duration = Duration::from_secs(5);

async fn a_bots_key_is_shown_once_and_opens_that_bot(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(client, json!({ "name": "Ada" })).await;
    let path = format!("/bots/{}/api-keys", text(&bot, "id"));
    let answer = post(client, &path, json!({ "name": "Shop" })).await;
    let made = answer.gives(201);
    let secret = text(made, "api_key");
    assert!(secret.starts_with("tb_pk_") && secret.len() == 6 + 49);
    assert!(secret.starts_with(text(made, "prefix")));
    assert_eq!(
        (&made["bot_id"], &made["name"]),
        (&bot["id"], &json!("Shop"))
    );
    let agent = Client::new(&server.url(), secret);
    assert_eq!(
        text(agent_get(&agent, "/agent").await.grants(), "name"),
        "Ada"
    );
    let listed = get(client, &path).await;
    assert!(!listed.text.contains(secret));
    let listed = listed.gives(200).as_array().unwrap();
    assert_eq!(column(listed, "id"), [text(made, "id")]);
    assert_eq!(
        keys(&listed[0]),
        [
            "bot_id",
            "created_at",
            "id",
            "last_used_at",
            "name",
            "prefix",
            "revoked_at"
        ]
    );
}

async fn each_api_takes_its_own_keys_alone(server: &TestServer) {
    let bot = make_bot(&server.client, json!({})).await;
    let agent = agent(server, text(&bot, "id")).await;
    for path in ["/bots", "/tenant/info", "/conversations/s"] {
        get(&agent, path).await.refuses(401, "Invalid API key");
    }
    agent_get(&server.client, "/agent").await.denies(401);
    let nobody = Client::without_key(&server.url());
    agent_get(&nobody, "/agent").await.denies(401);
    let forged = server.api_key.replacen("tk_", "tb_pk_", 1);
    let forged = Client::new(&server.url(), &forged);
    agent_get(&forged, "/agent").await.denies(401);
}

async fn a_revoked_key_of_a_bot_is_refused(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(client, json!({})).await;
    let path = format!("/bots/{}/api-keys", text(&bot, "id"));
    let (first, second) = (
        agent(server, text(&bot, "id")).await,
        agent(server, text(&bot, "id")).await,
    );
    let listed = get(client, &path).await;
    let oldest = text(&listed.gives(200)[1], "id").to_owned();
    let answer = delete(client, &format!("{path}/{oldest}")).await;
    assert_eq!(
        (answer.status, &answer.body["success"]),
        (200, &json!(true))
    );
    eventually(SOON, "the key is refused", async || {
        agent_get(&first, "/agent").await.status == 401
    })
    .await;
    agent_get(&second, "/agent").await.grants();
    let listed = get(client, &path).await;
    assert!(listed.gives(200)[1]["revoked_at"].is_string());
    delete(client, &format!("/bots/{}", text(&bot, "id"))).await;
    eventually(SOON, "a deleted bot's key is refused", async || {
        agent_get(&second, "/agent").await.status == 401
    })
    .await;
}

async fn keys_are_a_bots_own(server: &TestServer) {
    let client = &server.client;
    let (one, two) = (
        make_bot(client, json!({})).await,
        make_bot(client, json!({})).await,
    );
    agent(server, text(&one, "id")).await;
    let listed = get(client, &format!("/bots/{}/api-keys", text(&one, "id"))).await;
    let key = text(&listed.gives(200)[0], "id").to_owned();
    let of_two = format!("/bots/{}/api-keys", text(&two, "id"));
    assert_eq!(get(client, &of_two).await.gives(200), &json!([]));
    for wrong in [
        key.as_str(),
        "nonsense",
        "018f0000-0000-7000-8000-000000000000",
    ] {
        delete(client, &format!("{of_two}/{wrong}"))
            .await
            .refuses(404, "API key not found");
    }
    for (name, error) in [
        (json!({}), "Missing required field: name"),
        (json!({ "name": " " }), "Missing required field: name"),
        (json!({ "name": "x".repeat(201) }), "Invalid field: name"),
    ] {
        post(client, &of_two, name).await.refuses(400, error);
    }
    let nobodys = "/bots/018f0000-0000-7000-8000-000000000000/api-keys";
    get(client, nobodys).await.refuses(404, "Bot not found");
    post(client, nobodys, json!({ "name": "x" }))
        .await
        .refuses(404, "Bot not found");
}

async fn a_repeated_request_for_a_key_shows_no_key_again(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(client, json!({})).await;
    let path = format!("/bots/{}/api-keys", text(&bot, "id"));
    let send = async || {
        let request = client
            .request(Method::POST, &path)
            .header("idempotency-key", "once");
        let answer = client
            .answer(request.json(&json!({ "name": "x" })))
            .await
            .unwrap();
        text(answer.gives(201), "api_key").to_owned()
    };
    assert_ne!(send().await, send().await);
}

async fn errors_are_told_in_the_agents_dialect(server: &TestServer) {
    let bot = make_bot(&server.client, json!({})).await;
    let agent = agent(server, text(&bot, "id")).await;
    let answer = agent_get(&agent, "/nowhere").await;
    assert_eq!(answer.denies(404)["error"], "Not Found");
    let request = agent.request_outside(Method::DELETE, "/v1/agent");
    let answer = agent.answer(request).await.unwrap();
    assert_eq!(answer.denies(405)["error"], "Method Not Allowed");
    assert_eq!(answer.header("allow"), "GET");
    let nobody = Client::without_key(&server.url());
    let answer = agent_get(&nobody, "/agent").await;
    assert_eq!(answer.denies(401)["error"], "Unauthorized");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    // What only begins like the prefix is no part of it.
    let request = agent.request_outside(Method::GET, "/v1x");
    agent
        .answer(request)
        .await
        .unwrap()
        .refuses(404, "Not found");
}

async fn sixty_requests_a_minute_for_a_bot(server: &TestServer) {
    let (one, two) = (
        make_bot(&server.client, json!({})).await,
        make_bot(&server.client, json!({})).await,
    );
    let (first, second) = (
        agent(server, text(&one, "id")).await,
        agent(server, text(&one, "id")).await,
    );
    let other = agent(server, text(&two, "id")).await;
    for number in 0..60 {
        let agent = if number % 2 == 0 { &first } else { &second };
        assert_eq!(agent_get(agent, "/agent").await.status, 200, "{number}");
    }
    let refused = agent_get(&first, "/agent").await;
    assert_eq!(refused.denies(429)["error"], "Too Many Requests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=62).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    agent_get(&second, "/agent").await.denies(429);
    agent_get(&other, "/agent").await.grants();
    get(&server.client, "/tenant/info").await.gives(200);
}

async fn the_agent_says_what_it_is(server: &TestServer) {
    let bot = make_bot(&server.client, json!({ "name": "Ada", "language": "de" })).await;
    let id = text(&bot, "id");
    let agent = agent(server, id).await;
    let status =
        async || text(agent_get(&agent, "/agent").await.grants(), "trainingStatus").to_owned();
    assert_eq!(status().await, "UNTRAINED");
    let broken = server
        .client
        .upload(id, "broken.pdf", b"%PDF-1.7 and no more".to_vec())
        .await
        .unwrap();
    read_source(&server.client, text(broken.gives(201), "id")).await;
    assert_eq!(status().await, "FAILED");
    server
        .client
        .create_text(id, "Handbook", HOURS)
        .await
        .unwrap();
    assert_eq!(status().await, "TRAINED");
    let answer = agent_get(&agent, "/agent").await;
    let shown: &Value = answer.grants();
    assert_eq!(shown["id"], bot["id"]);
    assert_eq!(
        (
            text(shown, "name"),
            text(shown, "language"),
            text(shown, "model")
        ),
        ("Ada", "de", "extractive")
    );
}
