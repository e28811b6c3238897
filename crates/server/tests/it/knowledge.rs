//! `/knowledge/sources` and `/knowledge/search`.

use botwright::domain::plans::Plan;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::support::{
    HOURS, Told, assert_id, column, delete, get, keys, make_bot, on_both, post, text, time,
};

on_both!(
    a_text_source_is_ready_at_once,
    chunks_hold_every_word,
    required_fields_are_named,
    fields_are_checked,
    the_longest_content_is_taken,
    lists_are_filtered_and_newest_first,
    a_deleted_source_is_gone,
    what_is_nobodys_is_not_found,
);

async fn a_text_source_is_ready_at_once(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(client, json!({ "name": "Customer Support Bot" })).await;
    let content = "Our company policies include: 1. Remote work is allowed up to 3 days per week. 2. All employees get 25 \
        vacation days per year. 3. Health insurance is provided for all full-time employees.";
    let body = json!({ "bot_id": bot["id"], "name": "Company Policies", "source_type": "text", "content": content });
    let answer = post(client, "/knowledge/sources", body).await;
    let made = answer.gives(201);
    assert_id(&made["id"]);
    assert_eq!(
        (&made["name"], &made["message"]),
        (
            &json!("Company Policies"),
            &json!("Knowledge source created successfully")
        )
    );
    let answer = get(client, &format!("/knowledge/sources/{}", text(made, "id"))).await;
    let data = answer.gives(200);
    assert_eq!(keys(data), ["chunks", "source"]);
    let source = &data["source"];
    for (field, value) in [
        ("id", made["id"].clone()),
        ("bot_id", bot["id"].clone()),
        ("bot_name", json!("Customer Support Bot")),
        ("name", json!("Company Policies")),
        ("source_type", json!("text")),
        ("content", json!(content)),
        ("file_path", Value::Null),
        ("status", json!("ready")),
        ("error", Value::Null),
        ("size_bytes", json!(content.len())),
        (
            "chunk_count",
            json!(data["chunks"].as_array().unwrap().len()),
        ),
    ] {
        assert_eq!(source[field], value, "{field}");
    }
    time(&source["created_at"]);
    for url_only in ["url", "pages", "failed_urls", "failures"] {
        assert!(source.get(url_only).is_none(), "{url_only}");
    }
    let chunk = &data["chunks"][0];
    assert_id(&chunk["id"]);
    time(&chunk["created_at"]);
    assert_eq!(
        (&chunk["chunk_index"], text(chunk, "content").is_empty()),
        (&json!(0), false)
    );
    let list = get(client, "/knowledge/sources").await;
    let listed = &list.lists()[0];
    let expected = [
        "bot_id",
        "bot_name",
        "content_preview",
        "created_at",
        "enabled",
        "file_path",
        "id",
        "name",
        "source_type",
        "status",
    ];
    assert_eq!(keys(listed), expected);
    assert_eq!(
        listed["content_preview"],
        content.chars().take(200).collect::<String>()
    );
    for field in [
        "id",
        "bot_id",
        "bot_name",
        "name",
        "source_type",
        "file_path",
        "created_at",
    ] {
        assert_eq!(listed[field], source[field], "{field}");
    }
}

async fn chunks_hold_every_word(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let paragraphs: Vec<_> = (0..300)
        .map(|n| format!("# Part {n}\n\nSentence {n} über Größe😀{n}. Wort{n} ends it."))
        .collect();
    let mut prose = paragraphs.join("\n\n");
    prose.push_str(&format!(
        "\n\n| a | b |\n|---|---|\n| cell1 | cell2 |\n\n- item1\n- item2\n\n{}",
        "longword".repeat(2_000)
    ));
    for content in [
        prose,
        "x".to_owned(),
        "  spaced \r\n\r\n out\t".to_owned(),
        "字".repeat(5_000),
    ] {
        let id = client.create_text(&bot, "Prose", &content).await.unwrap();
        let details = client.source(&id).await.unwrap();
        assert_eq!(
            details.source["content"],
            content.as_str(),
            "kept word for word"
        );
        let indexes: Vec<_> = details
            .chunks
            .iter()
            .map(|chunk| chunk["chunk_index"].as_u64().unwrap())
            .collect();
        assert_eq!(
            indexes,
            (0..details.chunks.len() as u64).collect::<Vec<_>>()
        );
        assert_eq!(details.source["chunk_count"], details.chunks.len());
        // Together: whatever is between words, and wherever a giant one is cut.
        let letters = |text: &str| {
            text.chars()
                .filter(|c| c.is_alphanumeric())
                .collect::<String>()
        };
        let whole: String = details
            .chunks
            .iter()
            .map(|chunk| letters(text(chunk, "content")))
            .collect();
        let (wanted, mut held) = (letters(&content), whole.as_str());
        // Chunks may overlap or repeat a heading: every piece must be found, in order.
        for word in content
            .split_whitespace()
            .map(letters)
            .filter(|word| !word.is_empty() && word.len() < 1_000)
        {
            let found = held
                .find(&word)
                .unwrap_or_else(|| panic!("'{word}' is missing"));
            held = &held[found + word.len()..];
        }
        assert!(whole.len() >= wanted.len());
    }
}

async fn required_fields_are_named(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(client, json!({})).await;
    let body = |source_type: &str| json!({ "bot_id": bot["id"], "name": "N", "source_type": source_type, "content": "words", "url": "http://127.0.0.1:1/" });
    for (source_type, field) in [
        ("text", "bot_id"),
        ("text", "name"),
        ("text", "source_type"),
        ("text", "content"),
        ("url", "url"),
        ("url", "name"),
    ] {
        for blank in [None, Some(Value::Null), Some(json!("")), Some(json!(" \n"))] {
            let mut body = body(source_type);
            match blank {
                Some(blank) => body[field] = blank,
                None => drop(body.as_object_mut().unwrap().remove(field)),
            }
            post(client, "/knowledge/sources", body)
                .await
                .refuses(400, &format!("Missing required field: {field}"));
        }
    }
    post(client, "/knowledge/sources", body("file"))
        .await
        .refuses(400, "Missing required field: file");
    assert!(get(client, "/knowledge/sources").await.lists().is_empty());
}

async fn fields_are_checked(server: &TestServer) {
    let client = &server.client;
    let bot = make_bot(client, json!({})).await;
    let good =
        json!({ "bot_id": bot["id"], "name": "N", "source_type": "text", "content": "words" });
    for (field, value) in [
        ("name", json!(5)),
        ("name", json!("😀".repeat(201))),
        ("name", json!("a\0b")),
        ("content", json!(["a"])),
        ("content", json!("a\0b")),
        ("source_type", json!("video")),
        ("source_type", json!("Text")),
        ("source_type", json!(1)),
        ("bot_id", json!(5)),
        ("include_subpages", json!("yes")),
        ("max_pages", json!("5")),
        ("max_pages", json!(-1)),
        ("max_pages", json!(1.5)),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(client, "/knowledge/sources", body).await;
        assert!(
            answer
                .refuses(400, &format!("Invalid field: {field}"))
                .contains(field),
            "{value}"
        );
    }
    let mut longest = good.clone();
    longest["name"] = "😀".repeat(200).into();
    post(client, "/knowledge/sources", longest).await.gives(201);
    for nobodys in ["bot-uuid-1", "018f0000-0000-7000-8000-000000000000"] {
        let mut body = good.clone();
        body["bot_id"] = nobodys.into();
        post(client, "/knowledge/sources", body)
            .await
            .refuses(404, "Bot not found");
    }
}

async fn the_longest_content_is_taken(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    // Four bytes each, and twelve in JSON that escapes them: the limit is in characters.
    let mut content = "😀 öffnen ".repeat(111_111);
    content.push('x');
    assert_eq!(content.chars().count(), 1_000_000);
    let id = client.create_text(&bot, "Long", &content).await.unwrap();
    let details = client.source(&id).await.unwrap();
    assert!(
        details.source["content"] == content.as_str(),
        "kept word for word"
    );
    assert_eq!(details.source["size_bytes"], content.len());
    content.push('y');
    let body =
        json!({ "bot_id": bot, "name": "Longer", "source_type": "text", "content": content });
    assert!(
        post(client, "/knowledge/sources", body)
            .await
            .refuses(400, "Invalid field: content")
            .contains("1000000")
    );
}

async fn lists_are_filtered_and_newest_first(server: &TestServer) {
    let client = &server.client;
    let first = text(&make_bot(client, json!({})).await, "id").to_owned();
    let second = text(&make_bot(client, json!({})).await, "id").to_owned();
    for (bot, name) in [(&first, "a"), (&second, "b"), (&first, "c")] {
        client.create_text(bot, name, "Some words.").await.unwrap();
    }
    client
        .upload(&second, "d.txt", b"Some words.".to_vec())
        .await
        .unwrap()
        .gives(201);
    for (query, names) in [
        (String::new(), vec!["d.txt", "c", "b", "a"]),
        ("per_page=3&page=2".into(), vec!["a"]),
        (format!("bot_id={first}"), vec!["c", "a"]),
        (format!("bot_id={second}&source_type=file"), vec!["d.txt"]),
        ("source_type=text".into(), vec!["c", "b", "a"]),
        ("source_type=url".into(), vec![]),
        ("bot_id=nonsense".into(), vec![]),
        ("bot_id=018f0000-0000-7000-8000-000000000000".into(), vec![]),
    ] {
        let answer = get(client, &format!("/knowledge/sources?{query}")).await;
        assert_eq!(column(answer.lists(), "name"), names, "{query}");
    }
    get(client, "/knowledge/sources?source_type=video")
        .await
        .refuses(400, "Invalid field: source_type");
}

async fn a_deleted_source_is_gone(server: &TestServer) {
    let client = &server.client;
    let bot = text(&make_bot(client, json!({})).await, "id").to_owned();
    let id = client.create_text(&bot, "Hours", HOURS).await.unwrap();
    assert!(
        !client
            .search(&bot, "opening hours")
            .await
            .unwrap()
            .results
            .is_empty()
    );
    let path = format!("/knowledge/sources/{id}");
    let answer = delete(client, &path).await;
    let expected = json!({ "success": true, "message": "Knowledge source deleted successfully" });
    assert_eq!((answer.status, &answer.body), (200, &expected));
    get(client, &path)
        .await
        .refuses(404, "Knowledge source not found");
    delete(client, &path)
        .await
        .refuses(404, "Knowledge source not found");
    assert!(
        client
            .search(&bot, "opening hours")
            .await
            .unwrap()
            .results
            .is_empty()
    );
}

async fn what_is_nobodys_is_not_found(server: &TestServer) {
    let client = &server.client;
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let their_bot = text(&make_bot(&stranger, json!({})).await, "id").to_owned();
    let theirs = stranger
        .create_text(&their_bot, "Secret", "Their words.")
        .await
        .unwrap();
    let mut bodies = Vec::new();
    for id in [
        "knowledge-uuid-1",
        "018f0000-0000-7000-8000-000000000000",
        theirs.as_str(),
    ] {
        let path = format!("/knowledge/sources/{id}");
        for answer in [get(client, &path).await, delete(client, &path).await] {
            answer.refuses(404, "Knowledge source not found");
            bodies.push(answer.text);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    let new =
        json!({ "bot_id": their_bot, "name": "N", "source_type": "text", "content": "Mine." });
    post(client, "/knowledge/sources", new)
        .await
        .refuses(404, "Bot not found");
    let search = json!({ "bot_id": their_bot, "query": "words" });
    post(client, "/knowledge/search", search)
        .await
        .refuses(404, "Bot not found");
    client
        .upload(&their_bot, "a.txt", b"Mine.".to_vec())
        .await
        .unwrap()
        .refuses(404, "Bot not found");
    assert_eq!(get(&stranger, "/knowledge/sources").await.lists().len(), 1);
}
