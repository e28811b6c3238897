//! `/bots`.

use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{
    Told, assert_id, column, delete, get, keys, make_bot, on_both, post, put, text, time,
};

on_both!(
    the_documented_bot_is_made,
    what_is_not_given_has_its_default,
    a_required_field_is_named,
    a_wrong_type_is_named,
    lengths_count_characters,
    only_listed_words_are_taken,
    nul_is_refused,
    words_are_kept_as_they_are,
    lists_are_newest_first_and_in_pages,
    lists_are_filtered,
    what_is_nobodys_is_not_found,
);

const VIEW: [&str; 14] = [
    "bot_role",
    "channel_type",
    "created_at",
    "description",
    "evaluation_gate",
    "id",
    "is_active",
    "is_default",
    "language",
    "name",
    "personality",
    "system_prompt",
    "updated_at",
    "welcome_message",
];

async fn the_documented_bot_is_made(server: &TestServer) {
    let body = json!({
        "name": "Sales Assistant Bot",
        "channel_type": "webchat",
        "description": "Helps with sales inquiries and product information",
        "welcome_message": "Hello! I'm here to help you with any sales questions.",
        "system_prompt": "You are a knowledgeable sales assistant. Help customers with product information and guide them through the sales process.",
        "is_active": true,
        "language": "en",
        "personality": "friendly",
        "bot_role": "sales",
    });
    let answer = post(&server.client, "/bots", body.clone()).await;
    let made = answer.gives(201);
    assert_id(&made["id"]);
    assert_eq!(made["message"], "Bot created successfully");
    let answer = get(&server.client, &format!("/bots/{}", text(made, "id"))).await;
    let shown = answer.gives(200);
    assert_eq!(keys(shown), VIEW);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field} as made");
        assert_eq!(&shown[field], value, "{field} as shown");
    }
    assert_eq!(shown["id"], made["id"]);
    assert_eq!(time(&shown["created_at"]), time(&shown["updated_at"]));
    let list = get(
        &server.client,
        "/bots?page=1&per_page=10&channel_type=webchat",
    )
    .await;
    assert_eq!(list.lists(), std::slice::from_ref(shown));
}

async fn what_is_not_given_has_its_default(server: &TestServer) {
    let client = &server.client;
    let first = make_bot(client, json!({ "name": "Ada" })).await;
    // On creation, null counts as absent.
    let nulls = json!({
        "description": null, "welcome_message": null, "system_prompt": null, "is_active": null, "language": null,
        "personality": null, "bot_role": null,
    });
    let second = make_bot(client, nulls).await;
    for made in [&first, &second] {
        for field in ["description", "welcome_message", "personality", "bot_role"] {
            assert_eq!(made[field], Value::Null, "{field}");
        }
        assert_eq!(
            (&made["is_active"], &made["language"]),
            (&json!(true), &json!("en"))
        );
    }
    assert_eq!(
        (&first["is_default"], &second["is_default"]),
        (&json!(true), &json!(false))
    );
    assert!(
        text(&first, "system_prompt").contains("Ada"),
        "a prompt is composed: {first}"
    );
    let composed = json!({ "name": "Bo", "language": "de", "personality": "expert", "bot_role": "technical_support" });
    let prompt = text(&make_bot(client, composed).await, "system_prompt").to_owned();
    assert!(
        prompt.contains("Bo") && prompt.contains("German"),
        "{prompt}"
    );
    assert_ne!(prompt.replace("Bo", "Ada"), text(&first, "system_prompt"));
}

async fn a_required_field_is_named(server: &TestServer) {
    let client = &server.client;
    for field in ["name", "channel_type"] {
        for blank in [
            None,
            Some(Value::Null),
            Some(json!("")),
            Some(json!(" \t\n")),
        ] {
            let mut body = json!({ "name": "Support", "channel_type": "webchat" });
            match blank {
                Some(blank) => body[field] = blank,
                None => drop(body.as_object_mut().unwrap().remove(field)),
            }
            let answer = post(client, "/bots", body).await;
            let message = answer.refuses(400, &format!("Missing required field: {field}"));
            assert_eq!(
                message,
                format!("The '{field}' field is required when creating a bot")
            );
        }
    }
    assert!(get(client, "/bots").await.lists().is_empty());
}

async fn a_wrong_type_is_named(server: &TestServer) {
    let wrong = [json!(5), json!(true), json!([]), json!({})];
    for field in [
        "name",
        "channel_type",
        "description",
        "welcome_message",
        "system_prompt",
        "language",
        "personality",
        "bot_role",
    ] {
        for value in &wrong {
            let mut body = json!({ "name": "Support", "channel_type": "webchat" });
            body[field] = value.clone();
            let answer = post(&server.client, "/bots", body).await;
            assert!(
                answer
                    .refuses(400, &format!("Invalid field: {field}"))
                    .contains(field)
            );
        }
    }
    for value in [json!("true"), json!(1), json!([])] {
        let body = json!({ "name": "Support", "channel_type": "webchat", "is_active": value });
        post(&server.client, "/bots", body)
            .await
            .refuses(400, "Invalid field: is_active");
    }
}

async fn lengths_count_characters(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    for (field, most) in [
        ("name", 200),
        ("description", 2_000),
        ("welcome_message", 2_000),
        ("system_prompt", 20_000),
    ] {
        // An emoji is one character of four bytes, "é" one of two.
        for character in ["a", "é", "😀"] {
            let mut body = json!({ "name": "Support", "channel_type": "webchat" });
            body[field] = character.repeat(most).into();
            assert_eq!(
                post(client, "/bots", body.clone()).await.gives(201)[field],
                body[field]
            );
            put(
                client,
                &format!("/bots/{bot}"),
                json!({ field: character.repeat(most) }),
            )
            .await
            .gives(200);
            body[field] = character.repeat(most + 1).into();
            let answer = post(client, "/bots", body).await;
            assert!(
                answer
                    .refuses(400, &format!("Invalid field: {field}"))
                    .contains(&most.to_string())
            );
            let answer = put(
                client,
                &format!("/bots/{bot}"),
                json!({ field: character.repeat(most + 1) }),
            )
            .await;
            answer.refuses(400, &format!("Invalid field: {field}"));
        }
    }
}

async fn only_listed_words_are_taken(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let lists: [(&str, &[&str]); 4] = [
        (
            "channel_type",
            &[
                "webchat",
                "whatsapp",
                "telegram",
                "messenger",
                "instagram",
                "slack",
                "discord",
                "email",
                "sms",
                "api",
            ],
        ),
        ("language", &["en", "es", "fr", "de", "it", "pt"]),
        (
            "personality",
            &[
                "professional",
                "friendly",
                "helpful",
                "expert",
                "enthusiastic",
            ],
        ),
        (
            "bot_role",
            &[
                "customer_support",
                "sales",
                "technical_support",
                "general_assistant",
                "lead_generation",
                "appointment_booking",
            ],
        ),
    ];
    for (field, words) in lists {
        for word in words {
            assert_eq!(make_bot(client, json!({ field: word })).await[field], *word);
        }
        for wrong in ["fax", "EN", "Webchat", " en"] {
            let mut body = json!({ "name": "Support", "channel_type": "webchat" });
            body[field] = wrong.into();
            let answer = post(client, "/bots", body).await;
            let message = answer.refuses(400, &format!("Invalid field: {field}"));
            assert!(
                message.contains(field) && words.iter().all(|word| message.contains(word)),
                "{message}"
            );
            if field != "channel_type" {
                let answer = put(client, &format!("/bots/{bot}"), json!({ field: wrong })).await;
                answer.refuses(400, &format!("Invalid field: {field}"));
            }
        }
    }
}

async fn nul_is_refused(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    for field in ["name", "description", "welcome_message", "system_prompt"] {
        let mut body = json!({ "name": "Support", "channel_type": "webchat" });
        body[field] = "a\0b".into();
        post(client, "/bots", body)
            .await
            .refuses(400, &format!("Invalid field: {field}"));
        let answer = put(client, &format!("/bots/{bot}"), json!({ field: "a\0b" })).await;
        answer.refuses(400, &format!("Invalid field: {field}"));
    }
    for field in ["channel_type", "language", "personality", "bot_role"] {
        let mut body = json!({ "name": "Support", "channel_type": "webchat" });
        body[field] = "en\0".into();
        post(client, "/bots", body)
            .await
            .refuses(400, &format!("Invalid field: {field}"));
    }
}

async fn words_are_kept_as_they_are(server: &TestServer) {
    for words in [
        "  two  spaces ",
        "a\r\nb\tc\n",
        "日本語 العربية 👩‍👩‍👧 e\u{301}",
        "<b>\"'\\ %00 ${x}</b>",
        "\u{feff}bom\u{200b}",
    ] {
        let fields = json!({ "name": words, "description": words, "welcome_message": words, "system_prompt": words });
        let bot = make_bot(&server.client, fields.clone()).await;
        let answer = get(&server.client, &format!("/bots/{}", text(&bot, "id"))).await;
        for (field, value) in fields.as_object().unwrap() {
            assert_eq!(&answer.gives(200)[field], value);
        }
    }
}

async fn lists_are_newest_first_and_in_pages(server: &TestServer) {
    let client = &server.client;
    for name in ["1", "2", "3", "4", "5"] {
        make_bot(client, json!({ "name": name })).await;
    }
    let answer = get(client, "/bots").await;
    assert_eq!(column(answer.lists(), "name"), ["5", "4", "3", "2", "1"]);
    for (query, names, pages, has_prev, has_next) in [
        ("page=1&per_page=2", vec!["5", "4"], 3, false, true),
        ("page=2&per_page=2", vec!["3", "2"], 3, true, true),
        ("page=3&per_page=2", vec!["1"], 3, true, false),
        ("page=4&per_page=2", vec![], 3, true, false),
        ("per_page=5", vec!["5", "4", "3", "2", "1"], 1, false, false),
        ("per_page=1&page=5", vec!["1"], 5, true, false),
    ] {
        let answer = get(client, &format!("/bots?{query}")).await;
        assert_eq!(column(answer.lists(), "name"), names, "{query}");
        let pagination = &answer.body["pagination"];
        assert_eq!(pagination["total"], 5, "{query}");
        assert_eq!(pagination["pages"], pages, "{query}");
        assert_eq!(
            (&pagination["has_prev"], &pagination["has_next"]),
            (&json!(has_prev), &json!(has_next)),
            "{query}"
        );
    }
}

async fn lists_are_filtered(server: &TestServer) {
    let client = &server.client;
    for (name, channel, active) in [
        ("a", "webchat", true),
        ("b", "telegram", true),
        ("c", "webchat", false),
    ] {
        make_bot(
            client,
            json!({ "name": name, "channel_type": channel, "is_active": active }),
        )
        .await;
    }
    for (query, names) in [
        ("channel_type=webchat", vec!["c", "a"]),
        ("channel_type=telegram", vec!["b"]),
        ("channel_type=sms", vec![]),
        ("is_active=true", vec!["b", "a"]),
        // As the documented Python client sends it.
        ("is_active=True", vec!["b", "a"]),
        ("is_active=FALSE", vec!["c"]),
        ("is_active=False&channel_type=webchat", vec!["c"]),
        ("is_active=true&channel_type=webchat&per_page=1", vec!["a"]),
    ] {
        let answer = get(client, &format!("/bots?{query}")).await;
        assert_eq!(column(answer.lists(), "name"), names, "{query}");
        assert_eq!(answer.body["pagination"]["total"], names.len(), "{query}");
    }
    get(client, "/bots?channel_type=fax")
        .await
        .refuses(400, "Invalid field: channel_type");
    get(client, "/bots?is_active=perhaps")
        .await
        .refuses(400, "Invalid field: is_active");
}

async fn what_is_nobodys_is_not_found(server: &TestServer) {
    let client = &server.client;
    let stranger = server
        .another_tenant(botwright::domain::plans::Plan::Enterprise)
        .await;
    let theirs = text(
        &make_bot(&stranger, json!({ "name": "Theirs" })).await,
        "id",
    )
    .to_owned();
    let upper = theirs.to_uppercase();
    let mut bodies = Vec::new();
    for id in [
        "bot-uuid-1",
        "018f0000-0000-7000-8000-000000000000",
        "5",
        "%00",
        "a%2Fb",
        &theirs,
        &upper,
    ] {
        let path = format!("/bots/{id}");
        for answer in [
            get(client, &path).await,
            put(client, &path, json!({ "name": "Mine" })).await,
            delete(client, &path).await,
        ] {
            let message = answer.refuses(404, "Bot not found");
            assert_eq!(
                message,
                "The requested bot does not exist or you don't have access"
            );
            bodies.push(answer.text);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "nothing tells one kind from another");
    assert_eq!(
        get(&stranger, &format!("/bots/{theirs}")).await.gives(200)["name"],
        "Theirs"
    );
}
