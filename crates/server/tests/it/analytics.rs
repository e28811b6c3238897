//! `/analytics`.

use botwright::domain::plans::Plan;
use serde_json::json;
use testkit::TestServer;
use time::Duration;

use crate::support::{
    Told, column, delete, get, keys, make_bot, on_both, post, put, say, text, time, usage,
};

on_both!(
    the_overview_has_every_field,
    the_breakdown_counts_three_ways,
    every_day_of_the_period_is_there,
    a_bot_that_is_not_the_tenants_has_none,
    the_period_is_checked,
    what_is_deleted_leaves_the_analytics_and_stays_used,
);

async fn the_overview_has_every_field(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(
        client,
        json!({ "name": "Customer Support Bot", "welcome_message": "Hi!" }),
    )
    .await;
    let second = make_bot(client, json!({ "name": "Second", "channel_type": "sms" })).await;
    put(
        client,
        &format!("/bots/{}", text(&second, "id")),
        json!({ "is_active": false }),
    )
    .await
    .gives(200);
    for session in ["a", "a", "b", "c"] {
        say(client, session, "What?").await;
    }
    post(client, "/conversations/c/end", json!({}))
        .await
        .gives(200);
    let stranger = server.another_tenant(Plan::Enterprise).await;
    make_bot(&stranger, json!({})).await;
    say(&stranger, "a", "What?").await;
    let answer = get(client, "/analytics/overview?period=7").await;
    let expected = json!({
        "total_bots": 2,
        "total_conversations": 3,
        "total_messages": 11,
        "active_conversations": 2,
        "period_days": 7,
        "bots": [
            { "id": second["id"], "name": "Second", "channel_type": "sms", "is_active": false },
            { "id": bot["id"], "name": "Customer Support Bot", "channel_type": "webchat", "is_active": true },
        ],
    });
    assert_eq!(answer.gives(200), &expected);
    assert_eq!(
        get(client, "/analytics/overview").await.gives(200)["period_days"],
        30
    );
}

async fn the_breakdown_counts_three_ways(server: &TestServer) {
    let client = &server.client;
    let first = text(&make_bot(client, json!({})).await, "id").to_owned();
    let second = text(
        &make_bot(client, json!({ "channel_type": "telegram" })).await,
        "id",
    )
    .to_owned();
    for (session, bot) in [("a", &first), ("b", &first), ("c", &second)] {
        post(
            client,
            &format!("/conversations/{session}/messages"),
            json!({ "message": "What?", "bot_id": bot }),
        )
        .await
        .gives(200);
    }
    post(client, "/conversations/b/end", json!({}))
        .await
        .gives(200);
    let answer = get(client, "/analytics/conversations?period=30").await;
    let data = answer.gives(200);
    assert_eq!(
        keys(data),
        ["breakdown", "period_days", "total_conversations"]
    );
    assert_eq!(
        (&data["total_conversations"], &data["period_days"]),
        (&json!(3), &json!(30))
    );
    let breakdown = &data["breakdown"];
    assert_eq!(keys(breakdown), ["by_channel", "by_day", "by_status"]);
    assert_eq!(
        breakdown["by_channel"],
        json!({ "webchat": 2, "telegram": 1 })
    );
    assert_eq!(
        breakdown["by_status"],
        json!({ "active": 2, "ended": 1, "abandoned": 0 })
    );
    let answer = get(client, &format!("/analytics/conversations?bot_id={second}")).await;
    let data = answer.gives(200);
    assert_eq!(
        (
            &data["total_conversations"],
            &data["breakdown"]["by_channel"]
        ),
        (&json!(1), &json!({ "telegram": 1 }))
    );
}

async fn every_day_of_the_period_is_there(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    say(client, "s", "What?").await;
    let answer = get(client, "/conversations/s").await;
    let began = time(&answer.gives(200)["session"]["started_at"]).date();
    for period in [1, 7, 30, 365] {
        let answer = get(client, &format!("/analytics/conversations?period={period}")).await;
        let data = answer.gives(200);
        let by_day = data["breakdown"]["by_day"].as_object().unwrap();
        assert_eq!(
            (by_day.len(), &data["period_days"]),
            (period, &json!(period))
        );
        let total: u64 = by_day.values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(data["total_conversations"], total);
        if period > 1 {
            // The day may have turned since; it was one of the last two.
            let day = |date: time::Date| by_day.get(&date.to_string()).cloned();
            assert_eq!(day(began), Some(json!(1)));
            assert_eq!(day(began - Duration::DAY), Some(json!(0)));
        }
    }
    assert_eq!(
        get(client, "/analytics/conversations").await.gives(200)["breakdown"]["by_day"]
            .as_object()
            .unwrap()
            .len(),
        30
    );
}

async fn a_bot_that_is_not_the_tenants_has_none(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({})).await;
    say(client, "s", "What?").await;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let theirs = text(&make_bot(&stranger, json!({})).await, "id").to_owned();
    say(&stranger, "s", "What?").await;
    for bot in [
        theirs.as_str(),
        "nonsense",
        "018f0000-0000-7000-8000-000000000000",
    ] {
        let answer = get(client, &format!("/analytics/conversations?bot_id={bot}")).await;
        let data = answer.gives(200);
        assert_eq!(
            (
                &data["total_conversations"],
                &data["breakdown"]["by_channel"]
            ),
            (&json!(0), &json!({})),
            "{bot}"
        );
    }
}

async fn the_period_is_checked(server: &TestServer) {
    for path in ["/analytics/overview", "/analytics/conversations"] {
        for wrong in ["0", "-1", "366", "x", "1.5", "", "99999999999"] {
            get(&server.client, &format!("{path}?period={wrong}"))
                .await
                .refuses(400, "Invalid field: period");
        }
        for right in [1, 365] {
            assert_eq!(
                get(&server.client, &format!("{path}?period={right}"))
                    .await
                    .gives(200)["period_days"],
                right
            );
        }
    }
}

async fn what_is_deleted_leaves_the_analytics_and_stays_used(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let other = text(&make_bot(client, json!({ "name": "Other" })).await, "id").to_owned();
    say(client, "gone", "What?").await;
    post(
        client,
        "/conversations/kept/messages",
        json!({ "message": "What?", "bot_id": other }),
    )
    .await
    .gives(200);
    delete(client, &format!("/bots/{bot}")).await;
    let answer = get(client, "/analytics/overview").await;
    let data = answer.gives(200);
    for (field, count) in [
        ("total_bots", 1),
        ("total_conversations", 1),
        ("total_messages", 2),
        ("active_conversations", 1),
    ] {
        assert_eq!(data[field], count, "{field}");
    }
    assert_eq!(column(data["bots"].as_array().unwrap(), "name"), ["Other"]);
    assert_eq!(
        get(client, "/analytics/conversations").await.gives(200)["total_conversations"],
        1
    );
    assert_eq!(usage(client).await, [1, 2, 4]);
}
