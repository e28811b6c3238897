//! Plans: limits under a race, usage to the figure, and the request rate.

use botwright::domain::plans::Plan;
use serde_json::{Value, json};
use testkit::{Answer, Builder, TestServer};
use tokio::task::JoinSet;

use crate::support::{Told, delete, get, make_bot, on_both, post, put, say, text, usage};

on_both!(
    a_hundred_creations_at_once_make_ten_bots: |builder| unhurried(builder, Plan::Professional, ""),
    the_documented_limit_is_told: |builder| builder.plan(Plan::Free),
    inactive_bots_count_and_deleted_ones_do_not: |builder| builder.plan(Plan::Free),
    messages_stop_at_the_limit: |builder| unhurried(builder, Plan::Starter, "messages_per_month = 9"),
    messages_stop_at_the_limit_in_a_race: |builder| unhurried(builder, Plan::Starter, "messages_per_month = 30"),
    conversations_stop_at_the_limit: |builder| unhurried(builder, Plan::Starter, "conversations_per_month = 3"),
    usage_is_told_against_the_plan: |builder| builder.plan(Plan::Professional),
    the_rate_is_a_minutes: |builder| builder.plan(Plan::Free),
    each_key_has_its_own_rate: |builder| builder.plan(Plan::Free),
);

/// On this plan without a request rate, with a line of its own in the settings file.
pub fn unhurried(builder: Builder, plan: Plan, change: &str) -> Builder {
    let file = format!(
        "[plans.{}]\nrequests_per_minute = 0\n{change}\n",
        plan.as_str()
    );
    builder.plan(plan).settings_file(&file)
}

async fn at_once<F: Future<Output = Answer> + Send + 'static>(
    calls: impl Iterator<Item = F>,
) -> Vec<Answer> {
    calls.collect::<JoinSet<_>>().join_all().await
}

fn with_status(answers: &[Answer], status: u16) -> Vec<&Answer> {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .collect()
}

async fn a_hundred_creations_at_once_make_ten_bots(server: &TestServer) {
    let answers = at_once((0..100).map(|number| {
        let client = server.client.clone();
        async move {
            post(
                &client,
                "/bots",
                json!({ "name": format!("{number}"), "channel_type": "webchat" }),
            )
            .await
        }
    }))
    .await;
    let (made, refused) = (with_status(&answers, 201), with_status(&answers, 403));
    assert_eq!((made.len(), refused.len()), (10, 90));
    for answer in refused {
        answer.refuses(403, "Bot limit reached for current plan");
    }
    assert_eq!(
        made.iter()
            .filter(|answer| answer.body["data"]["is_default"] == true)
            .count(),
        1
    );
    assert_eq!(usage(&server.client).await[0], 10);
    assert_eq!(get(&server.client, "/bots").await.lists().len(), 10);
}

async fn the_documented_limit_is_told(server: &TestServer) {
    make_bot(&server.client, json!({})).await;
    let answer = post(
        &server.client,
        "/bots",
        json!({ "name": "Second", "channel_type": "webchat" }),
    )
    .await;
    let expected = json!({
        "success": false,
        "error": "Bot limit reached for current plan",
        "message": "Upgrade your plan to create more bots",
    });
    assert_eq!((answer.status, &answer.body), (403, &expected));
    let answer = get(&server.client, "/tenant/usage").await;
    assert_eq!(
        answer.gives(200)["utilization"],
        json!({ "bots": "1/1", "conversations": "0/100", "messages": "0/1000" })
    );
}

async fn inactive_bots_count_and_deleted_ones_do_not(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    put(
        client,
        &format!("/bots/{bot}"),
        json!({ "is_active": false }),
    )
    .await
    .gives(200);
    let another = json!({ "name": "Second", "channel_type": "webchat" });
    post(client, "/bots", another.clone())
        .await
        .refuses(403, "Bot limit reached for current plan");
    delete(client, &format!("/bots/{bot}")).await;
    post(client, "/bots", another).await.gives(201);
    assert_eq!(usage(client).await, [1, 0, 0]);
}

async fn send(client: &testkit::Client, session: &str) -> Answer {
    post(
        client,
        &format!("/conversations/{session}/messages"),
        json!({ "message": "What?" }),
    )
    .await
}

async fn messages_stop_at_the_limit(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    for turn in 1..=4 {
        say(client, "s", "What?").await;
        assert_eq!(usage(client).await[2], turn * 2);
    }
    // There is room for a message, and none for its answer: a turn that is let in can be finished.
    send(client, "s")
        .await
        .refuses(403, "Message limit reached for current plan");
    send(client, "new")
        .await
        .refuses(403, "Message limit reached for current plan");
    assert_eq!(usage(client).await, [1, 1, 8]);
    get(client, "/conversations/new")
        .await
        .refuses(404, "Conversation not found");
    let answer = get(client, "/tenant/usage").await;
    assert_eq!(answer.gives(200)["utilization"]["messages"], "8/9");
}

async fn messages_stop_at_the_limit_in_a_race(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    let answers = at_once((0..40).map(|number| {
        let client = client.clone();
        async move { send(&client, &format!("s{}", number % 5)).await }
    }))
    .await;
    assert_eq!(
        (
            with_status(&answers, 200).len(),
            with_status(&answers, 403).len()
        ),
        (15, 25)
    );
    assert_eq!(usage(client).await[2], 30);
}

async fn conversations_stop_at_the_limit(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({ "welcome_message": "Welcome!" })).await;
    let answers = at_once((0..20).map(|number| {
        let client = client.clone();
        async move { send(&client, &format!("s{number}")).await }
    }))
    .await;
    let (taken, refused) = (with_status(&answers, 200), with_status(&answers, 403));
    assert_eq!((taken.len(), refused.len()), (3, 17));
    for answer in refused {
        answer.refuses(403, "Conversation limit reached for current plan");
    }
    assert_eq!(usage(client).await, [1, 3, 9]);
    // Those that are there go on.
    let list = get(client, "/conversations").await;
    for conversation in list.lists() {
        send(client, text(conversation, "session_id"))
            .await
            .gives(200);
    }
    assert_eq!(usage(client).await, [1, 3, 15]);
}

async fn usage_is_told_against_the_plan(server: &TestServer) {
    let client = &server.client;
    for _ in 0..5 {
        make_bot(client, json!({})).await;
    }
    say(client, "s", "What?").await;
    let answer = get(client, "/tenant/usage").await;
    let expected = json!({
        "usage": { "bot_count": 5, "conversation_count": 1, "message_count": 2 },
        "limits": { "max_bots": 10, "max_conversations_per_month": 5000, "max_messages_per_month": 50000 },
        "utilization": { "bots": "5/10", "conversations": "1/5000", "messages": "2/50000" },
    });
    assert_eq!(answer.gives(200), &expected);
    for (plan, limits) in [
        (
            Plan::Free,
            json!({ "max_bots": 1, "max_conversations_per_month": 100, "max_messages_per_month": 1_000 }),
        ),
        (
            Plan::Starter,
            json!({ "max_bots": 3, "max_conversations_per_month": 1_000, "max_messages_per_month": 10_000 }),
        ),
        (
            Plan::Enterprise,
            json!({ "max_bots": null, "max_conversations_per_month": null, "max_messages_per_month": null }),
        ),
    ] {
        let client = server.another_tenant(plan).await;
        assert_eq!(
            get(&client, "/tenant/usage").await.gives(200)["limits"],
            limits
        );
        assert_eq!(
            get(&client, "/tenant/info").await.gives(200)["plan"],
            plan.as_str()
        );
    }
    let enterprise = server.another_tenant(Plan::Enterprise).await;
    for _ in 0..5 {
        make_bot(&enterprise, json!({})).await;
    }
    let answer = get(&enterprise, "/tenant/usage").await;
    assert_eq!(
        answer.gives(200)["utilization"],
        json!({ "bots": "5/unlimited", "conversations": "0/unlimited", "messages": "0/unlimited" })
    );
}

async fn the_rate_is_a_minutes(server: &TestServer) {
    let client = &server.client;
    for number in 1..=60 {
        // Errors are requests, too.
        let answer = get(
            client,
            if number % 2 == 0 {
                "/tenant/info"
            } else {
                "/bots/nobodys"
            },
        )
        .await;
        assert_ne!(answer.status, 429, "request {number}");
        assert_eq!(answer.header("ratelimit-limit"), "60");
        assert_eq!(
            answer.header("ratelimit-remaining"),
            (60 - number).to_string()
        );
    }
    let answer = get(client, "/tenant/info").await;
    answer.refuses(429, "Rate limit exceeded");
    let seconds = |name: &str| answer.header(name).parse::<u64>().unwrap();
    assert!(
        (1..=62).contains(&seconds("retry-after")),
        "{}",
        seconds("retry-after")
    );
    assert!((1..=62).contains(&seconds("ratelimit-reset")));
    assert_eq!(
        (
            answer.header("ratelimit-limit"),
            answer.header("ratelimit-remaining")
        ),
        ("60", "0")
    );
    assert!(
        answer.header("ratelimit").contains("r=0")
            && answer.header("ratelimit-policy").contains("q=60")
    );
    // Whatever it would have been: the rate comes first. What is outside the API has none.
    post(client, "/bots", Value::Null)
        .await
        .refuses(429, "Rate limit exceeded");
    get(client, "/nowhere").await.refuses(404, "Not found");
}

async fn each_key_has_its_own_rate(server: &TestServer) {
    let rates = [
        (Plan::Free, "60"),
        (Plan::Starter, "120"),
        (Plan::Professional, "300"),
        (Plan::Enterprise, "1000"),
    ];
    for _ in 0..61 {
        get(&server.client, "/tenant/info").await;
    }
    get(&server.client, "/tenant/info")
        .await
        .refuses(429, "Rate limit exceeded");
    for (plan, rate) in rates {
        let client = server.another_tenant(plan).await;
        let answer = get(&client, "/tenant/info").await;
        answer.gives(200);
        assert_eq!(answer.header("ratelimit-limit"), rate);
    }
}
