//! `multipart/form-data`: the fields, the names of files, and what a form stands for.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use testkit::TestServer;

use crate::support::{Told, get, on_both, read_source, text};
use crate::uploads::{bot, upload};

on_both!(
    the_form_is_checked,
    names_lose_their_folders,
    a_form_makes_any_source,
);

async fn the_form_is_checked(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let file = || Part::bytes(b"words".to_vec()).file_name("a.txt");
    let send = async |form: Form| {
        client
            .answer(
                client
                    .request(Method::POST, "/knowledge/upload")
                    .multipart(form),
            )
            .await
            .unwrap()
    };
    send(Form::new().part("file", file()))
        .await
        .refuses(400, "Missing required field: bot_id");
    send(Form::new().text("bot_id", " ").part("file", file()))
        .await
        .refuses(400, "Missing required field: bot_id");
    send(Form::new().text("bot_id", bot.clone()))
        .await
        .refuses(400, "Missing required field: file");
    send(
        Form::new()
            .text("bot_id", bot.clone())
            .text("file", "words"),
    )
    .await
    .refuses(400, "Missing required field: file");
    send(Form::new().text("bot_id", "nobodys").part("file", file()))
        .await
        .refuses(404, "Bot not found");
    // The order of the fields does not matter, nor do fields that nobody knows.
    send(
        Form::new()
            .part("file", file())
            .text("more", "x")
            .text("bot_id", bot.clone()),
    )
    .await
    .gives(201);
}

async fn names_lose_their_folders(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let long = format!("{}.txt", "n".repeat(300));
    for (given, kept) in [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("/abs/olute.md", "olute.md"),
        ("C:\\Users\\Ada\\notes.txt", "notes.txt"),
        ("<script>alert(1)<\\script>.txt", "script>.txt"),
        (
            "<img src=x onerror=alert(1)>.txt",
            "<img src=x onerror=alert(1)>.txt",
        ),
        ("Größe 日本語 😀.md", "Größe 日本語 😀.md"),
        ("'; DROP TABLE bots;--.csv", "'; DROP TABLE bots;--.csv"),
        ("%2e%2e%2fx.txt", "%2e%2e%2fx.txt"),
    ] {
        let answer = upload(client, &bot, given, "words").await;
        let made = answer.gives(201);
        assert_eq!(made["name"], kept);
        let answer = get(client, &format!("/knowledge/sources/{}", text(made, "id"))).await;
        assert_eq!(
            answer.gives(200)["source"]["file_path"],
            format!("/uploads/{kept}")
        );
    }
    let answer = upload(client, &bot, &long, "words").await;
    let name = text(answer.gives(201), "name").to_owned();
    assert!(
        name.chars().count() <= 200 && name.ends_with(".txt"),
        "{name}"
    );
    for nameless in ["folder/", "..\\"] {
        upload(client, &bot, nameless, "words")
            .await
            .refuses(400, "Missing required field: file");
    }
}

async fn a_form_makes_any_source(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let form = |source_type: &str| {
        Form::new()
            .text("bot_id", bot.clone())
            .text("name", "Named")
            .text("source_type", source_type.to_owned())
    };
    let send = async |form: Form| {
        client
            .answer(
                client
                    .request(Method::POST, "/knowledge/sources")
                    .multipart(form),
            )
            .await
            .unwrap()
    };
    let answer = send(form("file").part(
        "file",
        Part::bytes(b"Some words.".to_vec()).file_name("dir/a.txt"),
    ))
    .await;
    let made = answer.gives(201);
    assert_eq!(
        (&made["name"], &made["message"]),
        (
            &json!("Named"),
            &json!("Knowledge source created successfully")
        )
    );
    let source = read_source(client, text(made, "id")).await;
    assert_eq!(
        (&source["name"], &source["file_path"], &source["status"]),
        (&json!("Named"), &json!("/uploads/a.txt"), &json!("ready"))
    );
    let answer = send(form("text").text("content", "Some words.")).await;
    let source = client
        .source(text(answer.gives(201), "id"))
        .await
        .unwrap()
        .source;
    assert_eq!(
        (&source["source_type"], &source["content"]),
        (&json!("text"), &json!("Some words."))
    );
    send(form("file"))
        .await
        .refuses(400, "Missing required field: file");
    send(form("text"))
        .await
        .refuses(400, "Missing required field: content");
    send(form("url"))
        .await
        .refuses(400, "Missing required field: url");
    send(
        form("url")
            .text("url", "http://127.0.0.1:1/")
            .text("include_subpages", "perhaps"),
    )
    .await
    .refuses(400, "Invalid field: include_subpages");
    send(
        form("url")
            .text("url", "http://127.0.0.1:1/")
            .text("max_pages", "many"),
    )
    .await
    .refuses(400, "Invalid field: max_pages");
    send(form("text").text("content", "a\0b"))
        .await
        .refuses(400, "Invalid field: content");
}
