//! Channels: made, shown, changed, connected; and what comes to their hooks.

use botwright::domain::channels::{Connection, Inbound};
use contracts::channels::{
    FakeMail, FakeMessenger, FakePlatform, FakeSlack, FakeTelegram, FakeWhatsapp, Fault, Said,
    VERIFY_TOKEN, api,
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Builder, Client, TestServer};

use crate::support::{
    Denied, HOURS, Told, agent, agent_get, assert_id, bot_that_knows, column, delete, get, keys,
    make_bot, patch, post, started_on_both, text, time, usage,
};

started_on_both!(
    a_channel_is_made_shown_changed_and_deleted,
    what_can_not_be_taken_is_refused,
    channels_are_listed_in_pages,
    connecting_tells_what_came_of_it,
    a_changed_channel_is_connected_again,
    a_mail_password_goes_to_no_other_server,
    what_is_not_proved_stores_nothing,
    a_challenge_is_answered_before_connecting,
    an_agent_is_told_of_connected_channels,
    no_answer_holds_a_secret,
);

/// Where the server says it is.
pub const PUBLIC: &str = "https://bots.example";

/// Sets a server up whose Telegram is this one.
pub fn beside(builder: Builder, telegram: &FakeTelegram) -> Builder {
    builder
        .setting("BOTWRIGHT_TELEGRAM_URL", telegram.base_url())
        .setting("BOTWRIGHT_PUBLIC_URL", PUBLIC)
        .setting("BOTWRIGHT_EGRESS_ALLOW", "127.0.0.0/8")
}

/// A channel's body for a platform's account.
pub fn body(connection: &Connection) -> Value {
    json!({
        "type": connection.kind().as_str(),
        "name": "Ours",
        "settings": connection.settings().to_json(),
        "credentials": connection.credentials().expose(),
    })
}

/// Makes a channel of a platform's account.
pub async fn make(client: &Client, bot: &str, platform: &impl FakePlatform) -> Value {
    let path = format!("/bots/{bot}/channels");
    let made = post(client, &path, body(&platform.connection())).await;
    made.gives(201).clone()
}

/// Makes a channel and connects it; answers its id.
pub async fn connected(client: &Client, bot: &str, platform: &impl FakePlatform) -> String {
    let made = make(client, bot, platform).await;
    let id = text(&made, "id").to_owned();
    let now = connect(client, &id).await;
    assert_eq!(now["status"], "connected", "{now}");
    id
}

pub async fn connect(client: &Client, id: &str) -> Value {
    let tried = post(client, &format!("/channels/{id}/connect"), json!({})).await;
    tried.gives(200).clone()
}

pub async fn show(client: &Client, id: &str) -> Value {
    get(client, &format!("/channels/{id}"))
        .await
        .gives(200)
        .clone()
}

/// Sends a request to a channel's hook, as a platform does.
pub async fn hook(url: &str, id: &str, inbound: &Inbound) -> Answer {
    let client = Client::without_key(url);
    let method = Method::from_bytes(inbound.method.as_bytes()).unwrap();
    let pairs = inbound.query.iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={}", testkit::encode(value)))
        .collect();
    let mut request = client
        .request_outside(method, &format!("/hooks/{id}?{}", pairs.join("&")))
        .body(inbound.body.clone());
    for (name, value) in &inbound.headers {
        request = request.header(name, value);
    }
    client.answer(request).await.unwrap()
}

fn challenge(token: &str) -> Inbound {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Inbound {
        method: "GET".into(),
        query: vec![
            pair("hub.mode", "subscribe"),
            pair("hub.verify_token", token),
            pair("hub.challenge", "1158201444"),
        ],
        headers: Vec::new(),
        body: Vec::new(),
        received_at: contracts::channels::NOW,
    }
}

async fn a_channel_is_made_shown_changed_and_deleted(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let made = make(client, &bot, &telegram).await;
    assert_eq!(
        keys(&made),
        [
            "account",
            "bot_id",
            "created_at",
            "hook_path",
            "hook_url",
            "id",
            "name",
            "reason",
            "settings",
            "status",
            "type",
            "updated_at"
        ]
    );
    assert_id(&made["id"]);
    time(&made["created_at"]);
    let id = text(&made, "id");
    assert_eq!(
        (&made["type"], &made["name"], &made["status"]),
        (&json!("telegram"), &json!("Ours"), &json!("disconnected"))
    );
    assert_eq!(
        (&made["bot_id"], &made["reason"]),
        (&json!(bot), &Value::Null)
    );
    assert_eq!(made["hook_path"], format!("/hooks/{id}"));
    assert_eq!(made["hook_url"], format!("{PUBLIC}/hooks/{id}"));
    assert_eq!(show(client, id).await, made);
    let path = format!("/channels/{id}");
    let renamed = patch(client, &path, json!({ "name": "Renamed" })).await;
    assert_eq!(renamed.gives(200)["name"], "Renamed");
    let now = connect(client, id).await;
    assert_eq!(
        (&now["status"], &now["account"]),
        (&json!("connected"), &json!(telegram.account()))
    );
    let calls = telegram.calls();
    let set = calls.last().unwrap();
    assert!(set.path.ends_with("/setWebhook"));
    assert_eq!(set.text("/url"), format!("{PUBLIC}/hooks/{id}"));
    let off = post(client, &format!("{path}/disconnect"), json!({})).await;
    assert_eq!(off.gives(200)["status"], "disconnected");
    assert!(
        telegram
            .calls()
            .last()
            .unwrap()
            .path
            .ends_with("/deleteWebhook")
    );
    connect(client, id).await;
    assert_eq!(delete(client, &path).await.body["success"], true);
    assert!(
        telegram
            .calls()
            .last()
            .unwrap()
            .path
            .ends_with("/deleteWebhook")
    );
    for answer in [
        get(client, &path).await,
        delete(client, &path).await,
        patch(client, &path, json!({})).await,
        post(client, &format!("{path}/connect"), json!({})).await,
        post(client, &format!("{path}/disconnect"), json!({})).await,
        get(client, "/channels/none").await,
    ] {
        answer.refuses(404, "Channel not found");
    }
}

async fn what_can_not_be_taken_is_refused(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let path = format!("/bots/{bot}/channels");
    let good = body(&telegram.connection());
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (body, error) in [
        (with("type", Value::Null), "Missing required field: type"),
        (with("type", json!("pigeon")), "Invalid field: type"),
        (with("type", json!("instagram")), "Invalid field: type"),
        (with("name", json!(" ")), "Missing required field: name"),
        (with("name", json!("x".repeat(201))), "Invalid field: name"),
        (
            with("settings", json!({ "a": 1 })),
            "Invalid field: settings",
        ),
        (
            with("credentials", json!({})),
            "Missing required field: credentials.bot_token",
        ),
        (
            with("credentials", json!({ "bot_token": "secret" })),
            "Invalid field: credentials.bot_token",
        ),
    ] {
        let answer = post(client, &path, body).await;
        let sentence = answer.refuses(422, error);
        assert!(!sentence.contains("secret"), "{sentence}");
    }
    assert!(get(client, &path).await.lists().is_empty());
    for answer in [
        get(client, "/bots/none/channels").await,
        post(client, "/bots/none/channels", good).await,
    ] {
        answer.refuses(404, "Bot not found");
    }
    let made = make(client, &bot, &telegram).await;
    let path = format!("/channels/{}", text(&made, "id"));
    for (change, error) in [
        (json!({ "name": null }), "Missing required field: name"),
        (
            json!({ "settings": null }),
            "Missing required field: settings",
        ),
        (json!({ "settings": { "a": 1 } }), "Invalid field: settings"),
        (
            json!({ "credentials": { "bot_token": "x" } }),
            "Invalid field: credentials.bot_token",
        ),
    ] {
        patch(client, &path, change).await.refuses(422, error);
    }
    assert_eq!(show(client, text(&made, "id")).await, made);
}

async fn channels_are_listed_in_pages(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let path = format!("/bots/{bot}/channels");
    let mut ids = Vec::new();
    for _ in 0..20 {
        let made = make(client, &bot, &telegram).await;
        ids.insert(0, text(&made, "id").to_owned());
    }
    let one_more = post(client, &path, body(&telegram.connection())).await;
    one_more.refuses(422, "Invalid field: bot_id");
    let page = get(client, &format!("{path}?page=2&per_page=15")).await;
    assert_eq!(column(page.lists(), "id"), ids[15..]);
    assert_eq!(page.body["pagination"]["total"], 20);
    get(client, &format!("{path}?page=0"))
        .await
        .refuses(422, "Invalid field: page");
}

async fn connecting_tells_what_came_of_it(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let made = make(client, &bot, &telegram).await;
    let id = text(&made, "id");
    for fault in [Fault::DeadToken, Fault::Broken, Fault::HangUp] {
        telegram.plan(Some(fault));
        let tried = connect(client, id).await;
        assert_eq!(tried["status"], "error", "{fault:?}");
        assert!(text(&tried, "reason").ends_with('.'), "{tried}");
        assert_eq!(show(client, id).await, tried);
    }
    let now = connect(client, id).await;
    assert_eq!(
        (&now["status"], &now["reason"]),
        (&json!("connected"), &Value::Null)
    );
    telegram.plan(Some(Fault::Broken));
    let still = connect(client, id).await;
    assert_eq!(still["status"], "connected", "a fault that passes");
    assert!(still["reason"].is_string());
    telegram.plan(Some(Fault::Broken));
    let off = post(client, &format!("/channels/{id}/disconnect"), json!({})).await;
    let off = off.gives(200);
    assert_eq!(off["status"], "disconnected", "whatever the platform says");
    assert!(text(off, "reason").contains("not told"), "{off}");
    server.stop().await;
    let server = TestServer::builder()
        .setting("BOTWRIGHT_TELEGRAM_URL", telegram.base_url())
        .start()
        .await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let made = make(client, &bot, &telegram).await;
    assert_eq!(made["hook_url"], Value::Null);
    let tried = connect(client, text(&made, "id")).await;
    assert_eq!(tried["status"], "error");
    assert!(text(&tried, "reason").contains("public address"), "{tried}");
}

async fn a_changed_channel_is_connected_again(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let id = connected(client, &bot, &telegram).await;
    let path = format!("/channels/{id}");
    let same = json!({ "credentials": telegram.connection().credentials().expose() });
    let kept = patch(client, &path, same.clone()).await;
    assert_eq!(kept.gives(200)["status"], "connected");
    let other = json!({ "credentials": { "bot_token": "1:other" } });
    let changed = patch(client, &path, other).await;
    let changed = changed.gives(200);
    assert_eq!(changed["status"], "disconnected");
    assert!(text(changed, "reason").contains("connect it again"));
    let left = telegram.calls().pop().unwrap();
    assert!(left.path.ends_with("/deleteWebhook") && !left.path.contains("other"));
    assert_eq!(connect(client, &id).await["status"], "error");
    patch(client, &path, same).await.gives(200);
    assert_eq!(connect(client, &id).await["status"], "connected");
}

async fn a_mail_password_goes_to_no_other_server(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let mail = FakeMail::start().await;
    let made = make(client, &bot, &mail).await;
    let path = format!("/channels/{}", text(&made, "id"));
    let mut settings = mail.settings();
    settings["from_name"] = json!("Another name");
    let named = json!({ "settings": settings });
    patch(client, &path, named).await.gives(200);
    settings["smtp_host"] = json!("mail.elsewhere.example");
    let moved = json!({ "settings": settings });
    patch(client, &path, moved)
        .await
        .refuses(422, "Missing required field: credentials");
    let credentials = mail.connection().credentials().expose();
    let moved = json!({ "settings": settings, "credentials": credentials });
    let now = patch(client, &path, moved).await;
    assert_eq!(
        now.gives(200)["settings"]["smtp_host"],
        "mail.elsewhere.example"
    );
}

async fn what_is_not_proved_stores_nothing(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let id = connected(client, &bot, &telegram).await;
    let url = &server.url();
    let good = telegram.post(&Said {
        id: 1,
        person: 2,
        text: "When?",
    });
    let mut unsigned = good.clone();
    unsigned.headers.clear();
    let mut forged = good.clone();
    forged.headers[0].1.push('x');
    for inbound in [&unsigned, &forged] {
        hook(url, &id, inbound)
            .await
            .refuses(401, "Invalid signature");
    }
    let mut nonsense = good.clone();
    nonsense.body.truncate(9);
    hook(url, &id, &nonsense)
        .await
        .refuses(400, "Invalid request body");
    let mut large = good.clone();
    large.body = vec![b' '; 1024 * 1024 + 1];
    hook(url, &id, &large)
        .await
        .refuses(413, "Payload too large");
    let mut put = good.clone();
    put.method = "PUT".into();
    hook(url, &id, &put).await.refuses(404, "Not found");
    for unknown in ["0190163d-8694-739b-aea5-966c26f8ad91", "none"] {
        hook(url, unknown, &good)
            .await
            .refuses(404, "Channel not found");
    }
    for noise in telegram.noise() {
        let answer = hook(url, &id, &noise).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    }
    let path = format!("/channels/{id}/disconnect");
    post(client, &path, json!({})).await.gives(200);
    hook(url, &id, &good)
        .await
        .refuses(410, "Channel not connected");
    connect(client, &id).await;
    assert_eq!(usage(client).await, [1, 0, 0]);
    assert!(get(client, "/conversations").await.lists().is_empty());
    assert!(telegram.delivered().is_empty());
}

async fn a_challenge_is_answered_before_connecting(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let (whatsapp, messenger) = (FakeWhatsapp::start().await, FakeMessenger::start().await);
    let (one, other) = (
        make(client, &bot, &whatsapp).await,
        make(client, &bot, &messenger).await,
    );
    let url = &server.url();
    for channel in [&one, &other] {
        let id = text(channel, "id");
        let answer = hook(url, id, &challenge(VERIFY_TOKEN)).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "1158201444"));
        assert!(answer.header("content-type").starts_with("text/plain"));
        hook(url, id, &challenge("another verify token"))
            .await
            .refuses(401, "Invalid signature");
    }
    let slack = FakeSlack::start().await;
    let made = make(client, &bot, &slack).await;
    let challenge = json!({ "type": "url_verification", "challenge": "3eZbrw1aB" });
    let signed = slack_signed(&slack, &challenge);
    let answer = hook(url, text(&made, "id"), &signed).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "3eZbrw1aB"));
    // As old as the fake's clock: somebody plays it back.
    hook(url, text(&made, "id"), &slack.signed(&challenge))
        .await
        .refuses(401, "Invalid signature");
}

/// A request of Slack's, signed now.
pub fn slack_signed(slack: &FakeSlack, body: &Value) -> Inbound {
    let mut inbound = slack.signed(body);
    let stamp = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs()
        .to_string();
    let credentials = slack.connection().credentials().expose();
    let signed = [b"v0:", stamp.as_bytes(), b":", &inbound.body].concat();
    let proof = api::signature(text(&credentials, "signing_secret"), &signed);
    for (name, value) in &mut inbound.headers {
        match name.as_str() {
            "X-Slack-Request-Timestamp" => value.clone_from(&stamp),
            "X-Slack-Signature" => *value = format!("v0={proof}"),
            _ => {}
        }
    }
    inbound
}

async fn an_agent_is_told_of_connected_channels(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = bot_that_knows(client, HOURS).await;
    let agent = agent(&server, &bot).await;
    let list = async || agent_get(&agent, "/integrations").await.grants()["data"].clone();
    assert_eq!(list().await.as_array().unwrap().len(), 1);
    make(client, &bot, &telegram).await;
    let id = connected(client, &bot, &telegram).await;
    let listed = list().await;
    let listed = listed.as_array().unwrap();
    assert_eq!(column(listed, "name"), ["EMBED", "TELEGRAM"]);
    assert_eq!(column(listed, "type"), ["CHANNEL", "CHANNEL"]);
    assert_eq!(listed[1]["id"], id);
    patch(
        client,
        &format!("/bots/{bot}"),
        json!({ "is_active": false }),
    )
    .await
    .gives(200);
    assert_eq!(list().await, json!([]));
}

async fn no_answer_holds_a_secret(builder: Builder) {
    let telegram = FakeTelegram::start().await;
    let server = beside(builder, &telegram).start().await;
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let mail = FakeMail::start().await;
    let connections = [
        telegram.connection(),
        mail.connection(),
        FakeWhatsapp::start().await.connection(),
        FakeMessenger::start().await.connection(),
        FakeSlack::start().await.connection(),
    ];
    for connection in &connections {
        let path = format!("/bots/{bot}/channels");
        let made = post(client, &path, body(connection)).await;
        let path = format!("/channels/{}", text(made.gives(201), "id"));
        let answers = [
            get(client, &path).await,
            patch(client, &path, json!({ "name": "Other" })).await,
            get(client, &format!("/bots/{bot}/channels")).await,
            made,
        ];
        let secrets = connection.credentials().expose();
        for secret in secrets.as_object().unwrap().values() {
            let secret = secret.as_str().unwrap();
            assert!(answers.iter().all(|answer| !answer.text.contains(secret)));
        }
    }
}
