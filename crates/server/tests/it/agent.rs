//! The Agent API: one bot, and what hangs on it.

use application::App;
use botwright::application;
use botwright::domain::conversations::{Learned, Sentiment};
use botwright::domain::{ConversationId, TenantId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::agent_chat::{chat, knowing};
use crate::support::{
    ASK_HOURS, Denied, Told, agent, agent_get, agent_post, column, get, keys, make_bot, messages,
    on_both, post, put, text,
};

on_both!(
    conversations_are_filtered,
    what_people_think_is_kept_and_counted,
    visits_are_counted_once,
    orders_are_kept_once_and_attributed,
    people_and_their_addresses,
    knowledge_and_integrations,
    each_client_behind_a_proxy_has_its_own_rate: |builder| builder.setting("BOTWRIGHT_TRUSTED_PROXIES", "127.0.0.1"),
);

async fn learn(app: &App, tenant: &str, talk: &str, sentiment: Sentiment, product: &str) {
    let (tenant, talk) = (
        TenantId::parse(tenant).unwrap(),
        ConversationId::parse(talk).unwrap(),
    );
    let learned = Learned {
        sentiment: Some(sentiment),
        products: vec![product.to_owned()],
    };
    assert!(
        app.conversations
            .learn(tenant, talk, &learned)
            .await
            .unwrap()
    );
}

async fn conversations_are_filtered(server: &TestServer) {
    let (bot, agent) = knowing(server).await;
    for (session, channel) in [("1", "webchat"), ("2", "telegram"), ("3", "api")] {
        let path = format!("/conversations/{session}/messages");
        let body = json!({ "message": "Hi", "bot_id": bot, "channel": channel, "user_identifier": session });
        post(&server.client, &path, body).await.gives(200);
    }
    let elsewhere = text(&make_bot(&server.client, json!({})).await, "id").to_owned();
    let body = json!({ "message": "Hi", "bot_id": elsewhere });
    post(&server.client, "/conversations/other/messages", body)
        .await
        .gives(200);
    let listed = agent_get(&agent, "/conversations").await;
    let listed = listed.grants();
    assert_eq!(
        keys(&listed["meta"]),
        ["limit", "page", "total", "totalPages"]
    );
    assert_eq!(
        (&listed["meta"]["total"], &listed["meta"]["limit"]),
        (&json!(3), &json!(20))
    );
    let items = listed["data"].as_array().unwrap();
    assert_eq!(column(items, "source"), ["PREVIEW", "TELEGRAM", "EMBED"]);
    let talk = text(&items[2], "id").to_owned();
    let person = text(&items[2]["customer"], "id").to_owned();
    learn(
        server.app(),
        &server.tenant_id,
        &talk,
        Sentiment::Negative,
        "Blue Lamp",
    )
    .await;
    let order =
        json!({ "externalId": "1", "amount": 5, "currency": "EUR", "conversationId": talk });
    agent_post(&agent, "/orders", order).await.grants();
    let today = text(&items[0], "startedAt")[..10].to_owned();
    let found = async |query: &str| {
        let answer = agent_get(&agent, &format!("/conversations?{query}")).await;
        answer.grants()["meta"]["total"].as_u64().unwrap()
    };
    for (query, expected) in [
        ("source=EMBED", 1),
        ("source=PREVIEW", 1),
        ("source=WHATSAPP", 0),
        ("sentiment=NEGATIVE", 1),
        ("sentiment=POSITIVE", 0),
        ("product=blue%20LAMP", 1),
        ("product=lamp", 0),
        ("purchased=yes", 1),
        ("purchased=no", 2),
        (&format!("customerId={person}"), 1),
        ("customerId=nobody", 0),
        (&format!("startDate={today}&endDate={today}"), 3),
        ("startDate=2999-01-01", 0),
        ("endDate=2000-01-01T00:00:00Z", 0),
        (
            &format!("source=EMBED&purchased=yes&customerId={person}"),
            1,
        ),
        ("page=2&limit=250", 3),
    ] {
        assert_eq!(found(query).await, expected, "{query}");
    }
    let part = agent_get(&agent, "/conversations?page=2&limit=2").await;
    assert_eq!(part.grants()["data"].as_array().unwrap().len(), 1);
    for wrong in [
        "page=0",
        "limit=251",
        "limit=0",
        "page=x",
        "source=embed",
        "sentiment=sad",
        "purchased=maybe",
        "startDate=yesterday",
        "endDate=2026-13-01",
    ] {
        agent_get(&agent, &format!("/conversations?{wrong}"))
            .await
            .denies(400);
    }
    let shown = agent_get(&agent, &format!("/conversations/{talk}")).await;
    let shown = shown.grants();
    assert_eq!(
        (text(shown, "sentiment"), &shown["purchased"]),
        ("NEGATIVE", &json!(true))
    );
    for nobodys in ["nonsense", "018f0000-0000-7000-8000-000000000000"] {
        agent_get(&agent, &format!("/conversations/{nobodys}"))
            .await
            .denies(404);
        agent_get(&agent, &format!("/conversations/{nobodys}/messages"))
            .await
            .denies(404);
    }
}

async fn what_people_think_is_kept_and_counted(server: &TestServer) {
    let (_, agent) = knowing(server).await;
    let told_events = chat(&agent, json!({ "message": ASK_HOURS })).await;
    let talk = text(&told_events[0].data, "conversationId");
    let (question, answer) = (
        text(&told_events[0].data, "messageId"),
        text(&told_events.last().unwrap().data, "messageId"),
    );
    let think = async |message: &str, body: Value| {
        let path = format!("/v1/conversations/{talk}/messages/{message}/feedback");
        let request = agent.request_outside(Method::PATCH, &path).json(&body);
        agent.answer(request).await.unwrap()
    };
    let counted = async || {
        let analytics = agent_get(&agent, "/analytics").await;
        analytics.grants()["feedback"].clone()
    };
    for (word, positive, negative) in [("POSITIVE", 1, 0), ("NEGATIVE", 0, 1)] {
        let kept = think(answer, json!({ "feedback": word })).await;
        assert_eq!(text(kept.grants(), "feedback"), word);
        assert_eq!(
            counted().await,
            json!({ "positive": positive, "negative": negative })
        );
    }
    let listed = get(&server.client, "/conversations").await;
    let session = text(&listed.lists()[0], "session_id").to_owned();
    assert_eq!(messages(&server.client, &session).await.len(), 2);
    let shown = get(&server.client, &format!("/conversations/{session}")).await;
    assert_eq!(shown.gives(200)["messages"][1]["feedback"], "negative");
    let back = think(answer, json!({ "feedback": null })).await;
    assert_eq!(back.grants()["feedback"], Value::Null);
    assert_eq!(counted().await, json!({ "positive": 0, "negative": 0 }));
    for body in [
        json!({}),
        json!({ "feedback": "GOOD" }),
        json!({ "feedback": 5 }),
    ] {
        think(answer, body).await.denies(400);
    }
    for message in [question, "nonsense", "018f0000-0000-7000-8000-000000000000"] {
        think(message, json!({ "feedback": "POSITIVE" }))
            .await
            .denies(404);
    }
}

async fn visits_are_counted_once(server: &TestServer) {
    let (_, agent) = knowing(server).await;
    chat(&agent, json!({ "message": ASK_HOURS })).await;
    let visit = |id: &str, kind: &str| json!({ "id": id, "type": kind, "customerId": "zoe", "product": "Lamp" });
    let batch = json!({ "events": [visit("1", "chat_open"), visit("2", "cart_add"), visit("3", "checkout_start")] });
    let recorded = agent_post(&agent, "/events", batch.clone()).await;
    assert_eq!(recorded.grants(), &json!({ "received": 3, "recorded": 3 }));
    let recorded = agent_post(&agent, "/events", batch).await;
    assert_eq!(recorded.grants(), &json!({ "received": 3, "recorded": 0 }));
    let mut old = visit("4", "chat_open");
    old["timestamp"] = json!("2001-02-03T04:05:06+01:00");
    agent_post(&agent, "/events", json!({ "events": [old] }))
        .await
        .grants();
    let expected = json!({
        "chatOpens": 2, "conversations": 1, "messages": 2, "uniqueUsers": 1, "cartAdds": 1,
        "checkoutInitiations": 1, "feedback": { "positive": 0, "negative": 0 },
    });
    assert_eq!(agent_get(&agent, "/analytics").await.grants(), &expected);
    let past = agent_get(&agent, "/analytics?from=2001-02-03&to=2001-02-03T23:00:00Z").await;
    let past = past.grants();
    assert_eq!(
        (&past["chatOpens"], &past["messages"]),
        (&json!(1), &json!(0))
    );
    let many: Vec<_> = (0..101)
        .map(|id| visit(&id.to_string(), "chat_open"))
        .collect();
    for events in [
        json!({}),
        json!({ "events": [] }),
        json!({ "events": many }),
        json!({ "events": [{ "type": "chat_open" }] }),
        json!({ "events": [{ "id": "x" }] }),
        json!({ "events": [visit("x", "dance")] }),
        json!({ "events": [visit(&"x".repeat(129), "chat_open")] }),
        json!({ "events": [{ "id": "x", "type": "chat_open", "timestamp": "soon" }] }),
    ] {
        agent_post(&agent, "/events", events).await.denies(400);
    }
    let lost = json!({ "events": [{ "id": "x", "type": "chat_open",
        "conversationId": "018f0000-0000-7000-8000-000000000000" }] });
    agent_post(&agent, "/events", lost).await.denies(404);
    for wrong in ["from=x", "to=x", "from=2026-02-01&to=2026-01-01"] {
        agent_get(&agent, &format!("/analytics?{wrong}"))
            .await
            .denies(400);
        agent_get(&agent, &format!("/analytics/revenue?{wrong}"))
            .await
            .denies(400);
    }
}

async fn orders_are_kept_once_and_attributed(server: &TestServer) {
    let (_, agent) = knowing(server).await;
    let none = agent_get(&agent, "/analytics/revenue").await;
    assert_eq!(
        none.grants(),
        &json!({ "totalRevenue": "0", "orderCount": 0, "currency": null, "daily": [], "otherCurrencies": [] })
    );
    let identity = json!({ "email": "Zoe@Example.com" });
    let talked = chat(
        &agent,
        json!({ "message": ASK_HOURS, "identity": identity }),
    )
    .await;
    let talk = &talked[0].data["conversationId"];
    let order = json!({ "externalId": "A-1", "amount": "12.50", "currency": "eur",
        "customer": { "email": "zoe@example.com", "name": "Zoë" } });
    let made = agent_post(&agent, "/orders", order.clone()).await;
    assert_eq!(made.status, 201);
    let first = made.grants();
    assert_eq!(
        (text(first, "amount"), &first["amountMinor"]),
        ("12.50", &json!(1250))
    );
    assert_eq!(
        (text(first, "currency"), &first["conversationId"]),
        ("EUR", talk)
    );
    let again = agent_post(&agent, "/orders", order).await;
    assert_eq!((again.status, again.grants()), (200, first));
    for (id, amount, currency) in [("A-2", json!(750), "EUR"), ("A-3", json!("900"), "JPY")] {
        let order = json!({ "externalId": id, "amount": amount, "currency": currency });
        let made = agent_post(&agent, "/orders", order).await;
        assert_eq!(made.grants()["conversationId"], Value::Null);
    }
    let old = json!({ "externalId": "A-0", "amount": 100, "currency": "EUR",
        "orderedAt": "2001-02-03T04:05:06Z", "conversationId": talk });
    let old = agent_post(&agent, "/orders", old).await;
    assert_eq!(text(old.grants(), "orderedAt"), "2001-02-03T04:05:06Z");
    let listed = agent_get(&agent, "/orders").await;
    let listed = listed.grants();
    assert_eq!(listed["meta"], json!({ "skip": 0, "take": 20, "total": 4 }));
    let items = listed["data"].as_array().unwrap();
    assert_eq!(column(items, "externalId"), ["A-3", "A-2", "A-1", "A-0"]);
    let part = agent_get(&agent, "/orders?skip=1&take=2").await;
    let part = part.grants()["data"].as_array().unwrap();
    assert_eq!(column(part, "externalId"), ["A-2", "A-1"]);
    let revenue = agent_get(&agent, "/analytics/revenue?from=2026-01-01").await;
    let revenue = revenue.grants();
    assert_eq!(
        (text(revenue, "totalRevenue"), &revenue["orderCount"]),
        ("20.00", &json!(2))
    );
    assert_eq!(
        (
            text(revenue, "currency"),
            revenue["daily"].as_array().unwrap().len()
        ),
        ("EUR", 1)
    );
    assert_eq!(revenue["otherCurrencies"][0]["totalRevenue"], "900");
    let all = agent_get(&agent, "/analytics/revenue").await;
    assert_eq!(
        all.grants()["daily"][0],
        json!({ "date": "2001-02-03", "revenue": "1.00", "orderCount": 1 })
    );
    let order = |changes: Value| {
        let mut order = json!({ "externalId": "B", "amount": 1, "currency": "EUR" });
        order
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        order
    };
    for changes in [
        json!({ "externalId": null }),
        json!({ "externalId": "x".repeat(129) }),
        json!({ "amount": null }),
        json!({ "amount": -1 }),
        json!({ "amount": 1_000_000_000_000_001_u64 }),
        json!({ "amount": u64::MAX }),
        json!({ "amount": 1.5 }),
        json!({ "amount": "1.505" }),
        json!({ "amount": "-1" }),
        json!({ "currency": null }),
        json!({ "currency": "EURO" }),
        json!({ "customer": { "email": "nobody" } }),
        json!({ "orderedAt": "2026-01-01" }),
    ] {
        agent_post(&agent, "/orders", order(changes))
            .await
            .denies(400);
    }
    for talk in ["nonsense", "018f0000-0000-7000-8000-000000000000"] {
        let order = order(json!({ "conversationId": talk }));
        agent_post(&agent, "/orders", order).await.denies(404);
    }
    for wrong in ["take=0", "take=251", "skip=-1", "skip=x"] {
        agent_get(&agent, &format!("/orders?{wrong}"))
            .await
            .denies(400);
    }
}

async fn people_and_their_addresses(server: &TestServer) {
    let (_, agent) = knowing(server).await;
    for (name, email, consent) in [
        ("bob", "bob@example.com", Value::Null),
        ("Anna", "Anna@example.com", json!(true)),
    ] {
        let identity = json!({ "name": name, "email": email, "consent": consent });
        chat(&agent, json!({ "message": "Hi", "identity": identity })).await;
    }
    chat(
        &agent,
        json!({ "message": "Write to zoe@example.com, please." }),
    )
    .await;
    let list = async |path: &str| {
        agent_get(&agent, path).await.grants()["data"]
            .as_array()
            .unwrap()
            .clone()
    };
    for (sort, expected) in [
        ("a-z", ["Anna", "bob", "null"]),
        ("z-a", ["bob", "Anna", "null"]),
        ("oldest", ["bob", "Anna", "null"]),
        ("newest", ["null", "Anna", "bob"]),
    ] {
        let people = list(&format!("/customers?sortBy={sort}")).await;
        assert_eq!(column(&people, "name"), expected, "{sort}");
    }
    let anna = &list("/customers?sortBy=a-z").await[0];
    assert_eq!(
        keys(anna),
        ["createdAt", "email", "externalId", "id", "name", "source"]
    );
    assert_eq!(text(anna, "externalId"), "anna@example.com");
    // The same address is the same person.
    let identity = json!({ "email": "ANNA@example.com" });
    chat(
        &agent,
        json!({ "message": "Hi again", "identity": identity }),
    )
    .await;
    assert_eq!(list("/customers").await.len(), 3);
    let leads = list("/leads").await;
    assert_eq!(
        column(&leads, "email"),
        ["zoe@example.com", "anna@example.com", "bob@example.com"]
    );
    assert_eq!(
        column(&leads, "origin"),
        ["MESSAGE", "IDENTITY", "IDENTITY"]
    );
    assert_eq!(leads[1]["customerId"], anna["id"]);
    let emails = list("/emails").await;
    assert_eq!(
        keys(&emails[0]),
        ["collectedAt", "consent", "conversationId", "email"]
    );
    let consents: Vec<_> = emails
        .iter()
        .map(|email| email["consent"].clone())
        .collect();
    assert_eq!(consents, [Value::Null, json!(true), Value::Null]);
    let talk = leads[1]["conversationId"].clone();
    let form = json!({ "conversationId": talk, "email": "Amy@Example.com", "name": "Amy", "consent": true });
    let lead = agent_post(&agent, "/leads", form).await;
    assert_eq!(text(lead.grants(), "origin"), "FORM");
    assert_eq!(text(&list("/leads").await[0], "email"), "amy@example.com");
    for (form, status) in [
        (json!({ "conversationId": talk }), 400),
        (json!({ "email": "amy@example.com" }), 400),
        (json!({ "conversationId": talk, "email": "amy" }), 400),
        (
            json!({ "conversationId": "1", "email": "a@example.com" }),
            404,
        ),
        (json!({ "conversationId": talk, "email": 1 }), 400),
    ] {
        agent_post(&agent, "/leads", form).await.denies(status);
    }
    agent_get(&agent, "/customers?sortBy=name")
        .await
        .denies(400);
    for path in ["customers", "leads", "emails", "knowledge"] {
        agent_get(&agent, &format!("/{path}?limit=251"))
            .await
            .denies(400);
        let part = agent_get(&agent, &format!("/{path}?page=2&limit=1")).await;
        assert_eq!(part.grants()["meta"]["page"], 2, "{path}");
    }
}

async fn knowledge_and_integrations(server: &TestServer) {
    let (bot, agent) = knowing(server).await;
    let pairs = json!({ "bot_id": bot, "name": "FAQ", "source_type": "qa",
        "pairs": [{ "question": "When?", "answer": "Now." }] });
    post(&server.client, "/knowledge/sources", pairs)
        .await
        .gives(201);
    let listed = agent_get(&agent, "/knowledge").await;
    let sources = listed.grants()["data"].as_array().unwrap();
    assert_eq!(column(sources, "type"), ["QA", "TEXT"]);
    assert_eq!(column(sources, "status"), ["READY", "READY"]);
    let order = json!({ "externalId": "1", "amount": 100, "currency": "EUR" });
    agent_post(&agent, "/orders", order).await.grants();
    let answer = agent_get(&agent, "/integrations").await;
    let active = answer.grants()["data"].as_array().unwrap();
    assert_eq!(
        (
            column(active, "type"),
            column(active, "name"),
            column(active, "status")
        ),
        (
            vec!["CHANNEL", "ECOMMERCE"],
            vec!["EMBED", "SHOP"],
            vec!["ACTIVE", "ACTIVE"]
        )
    );
    put(
        &server.client,
        &format!("/bots/{bot}"),
        json!({ "is_active": false }),
    )
    .await;
    let answer = agent_get(&agent, "/integrations").await;
    assert_eq!(answer.grants()["data"], json!([]));
}

async fn each_client_behind_a_proxy_has_its_own_rate(server: &TestServer) {
    let bot = make_bot(&server.client, json!({})).await;
    let agent = agent(server, text(&bot, "id")).await;
    let from = async |address: &str| {
        let request = agent.request_outside(Method::GET, "/v1/agent");
        let request = request.header("x-forwarded-for", address);
        agent.answer(request).await.unwrap()
    };
    for left in (0..60).rev() {
        let answer = from("198.51.100.7").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-remaining"), left.to_string());
    }
    // What a client writes itself stands before what the proxy adds.
    let answer = from("192.0.2.1, 198.51.100.7").await;
    assert_eq!(answer.status, 429);
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(from("198.51.100.8").await.status, 200);
}
