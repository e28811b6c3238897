//! `Idempotency-Key`: the first answer again, and nothing done twice.

use std::collections::HashMap;

use botwright::domain::plans::Plan;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Builder, Client, TestServer};
use tokio::task::JoinSet;

use crate::support::{
    Told, get, make_bot, messages, on_both, read_source, started_on_both, text, usage,
};

on_both!(
    a_repeated_post_gives_the_first_answer,
    another_request_with_the_key_is_refused,
    parallel_ones_are_done_once,
    keys_are_each_tenants_own,
    only_posts_are_kept,
    errors_are_answers_too,
    the_key_is_checked,
);
started_on_both!(it_holds_across_a_restart);

/// A POST as it goes over the wire, so that it can be repeated to the byte.
#[derive(Clone)]
struct Post {
    path: String,
    content_type: &'static str,
    body: String,
}

impl Post {
    fn json(path: &str, body: Value) -> Self {
        Self {
            path: path.to_owned(),
            content_type: "application/json",
            body: body.to_string(),
        }
    }

    fn upload(bot: &str, words: &str) -> Self {
        let body = format!(
            "--b\r\ncontent-disposition: form-data; name=\"bot_id\"\r\n\r\n{bot}\r\n--b\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{words}\r\n--b--\r\n"
        );
        Self {
            path: "/knowledge/upload".to_owned(),
            content_type: "multipart/form-data; boundary=b",
            body,
        }
    }

    async fn send(&self, client: &Client, key: &str) -> Answer {
        let request = client
            .request(Method::POST, &self.path)
            .header("idempotency-key", key);
        let request = request
            .header("content-type", self.content_type)
            .body(self.body.clone());
        client.answer(request).await.unwrap()
    }
}

/// One of each kind that makes something, the bot's first.
fn posts(bot: &str, words: &str) -> Vec<Post> {
    vec![
        Post::json("/bots", json!({ "name": words, "channel_type": "webchat" })),
        Post::json(
            "/conversations/s/messages",
            json!({ "message": words, "bot_id": bot }),
        ),
        Post::json(
            "/knowledge/sources",
            json!({ "bot_id": bot, "name": "N", "source_type": "text", "content": words }),
        ),
        Post::upload(bot, words),
    ]
}

async fn bot(server: &TestServer) -> String {
    text(&make_bot(&server.client, json!({})).await, "id").to_owned()
}

/// Bots, conversations, messages and sources that there are.
async fn figures(client: &Client) -> ([u64; 3], usize) {
    (
        usage(client).await,
        get(client, "/knowledge/sources").await.lists().len(),
    )
}

async fn a_repeated_post_gives_the_first_answer(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    for (number, post) in posts(&bot, "Some words.").into_iter().enumerate() {
        let key = format!("key-{number}");
        let first = post.send(client, &key).await;
        assert!([200, 201].contains(&first.status), "{}", first.text);
        let done = figures(client).await;
        if post.path == "/knowledge/upload" {
            // Also when the world has gone on: the answer is the first one, to the byte.
            read_source(client, text(&first.body["data"], "id")).await;
        }
        for _ in 0..3 {
            let again = post.send(client, &key).await;
            assert_eq!((again.status, &again.text), (first.status, &first.text));
            assert_eq!(again.header("content-type"), first.header("content-type"));
        }
        assert_eq!(figures(client).await, done, "{}", post.path);
        let other = post.send(client, &format!("other-{number}")).await;
        assert_ne!(other.text, first.text, "another key is another request");
    }
    assert_eq!(messages(client, "s").await.len(), 4);
}

async fn another_request_with_the_key_is_refused(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    for (number, post) in posts(&bot, "Some words.").into_iter().enumerate() {
        let key = format!("key-{number}");
        let first = post.send(client, &key).await;
        let done = figures(client).await;
        let mut other = post.clone();
        other.body = post.body.replace("Some words.", "Other words.");
        other
            .send(client, &key)
            .await
            .refuses(422, "Idempotency key reused");
        let mut elsewhere = post.clone();
        elsewhere.path = "/knowledge/search".to_owned();
        elsewhere
            .send(client, &key)
            .await
            .refuses(422, "Idempotency key reused");
        assert_eq!(figures(client).await, done);
        assert_eq!(post.send(client, &key).await.text, first.text);
    }
}

async fn parallel_ones_are_done_once(server: &TestServer) {
    let client = &server.client;
    let bot = bot(server).await;
    let before = figures(client).await;
    for (number, post) in posts(&bot, "Some words.").into_iter().enumerate() {
        let calls = (0..12).map(|_| {
            let (client, post) = (client.clone(), post.clone());
            async move { post.send(&client, &format!("key-{number}")).await }
        });
        let answers = calls.collect::<JoinSet<_>>().join_all().await;
        let mut given: HashMap<&str, usize> = HashMap::new();
        for answer in &answers {
            if answer.status == 409 {
                answer.refuses(409, "Request under way");
            } else {
                assert!([200, 201].contains(&answer.status), "{}", answer.text);
                *given.entry(&answer.text).or_default() += 1;
            }
        }
        assert_eq!(given.len(), 1, "one answer: {given:?}");
    }
    let ([bots, conversations, messages], sources) = before;
    assert_eq!(
        figures(client).await,
        ([bots + 1, conversations + 1, messages + 2], sources + 2)
    );
}

async fn keys_are_each_tenants_own(server: &TestServer) {
    let stranger = server.another_tenant(Plan::Enterprise).await;
    let post = Post::json("/bots", json!({ "name": "Bot", "channel_type": "webchat" }));
    let (mine, theirs) = (
        post.send(&server.client, "key").await,
        post.send(&stranger, "key").await,
    );
    assert_ne!(mine.gives(201)["id"], theirs.gives(201)["id"]);
    assert_eq!(get(&stranger, "/bots").await.lists().len(), 1);
}

async fn only_posts_are_kept(server: &TestServer) {
    let client = &server.client;
    let path = format!("/bots/{}", bot(server).await);
    for name in ["first", "second"] {
        let request = client
            .request(Method::PUT, &path)
            .header("idempotency-key", "key");
        client
            .answer(request.json(&json!({ "name": name })))
            .await
            .unwrap()
            .gives(200);
        let request = client
            .request(Method::GET, &path)
            .header("idempotency-key", "key");
        assert_eq!(
            client.answer(request).await.unwrap().gives(200)["name"],
            name
        );
    }
}

async fn errors_are_answers_too(server: &TestServer) {
    let client = &server.client;
    let post = Post::json("/conversations/s/messages", json!({ "message": "What?" }));
    let first = post.send(client, "key").await;
    first.refuses(404, "Bot not found");
    bot(server).await;
    assert_eq!(post.send(client, "key").await.text, first.text);
    post.send(client, "other").await.gives(200);
    for (number, path) in ["/bots", "/knowledge/sources", "/nowhere"]
        .into_iter()
        .enumerate()
    {
        let broken = Post {
            path: path.to_owned(),
            content_type: "application/json",
            body: "{".to_owned(),
        };
        let first = broken.send(client, &format!("broken-{number}")).await;
        let again = broken.send(client, &format!("broken-{number}")).await;
        assert_eq!((again.status, again.text), (first.status, first.text));
    }
}

async fn the_key_is_checked(server: &TestServer) {
    let client = &server.client;
    let post = Post::json("/bots", json!({ "name": "Bot", "channel_type": "webchat" }));
    for wrong in ["", " ", &"k".repeat(256)] {
        post.send(client, wrong)
            .await
            .refuses(400, "Invalid field: Idempotency-Key");
    }
    assert!(get(client, "/bots").await.lists().is_empty());
    post.send(client, &"k".repeat(255)).await.gives(201);
}

async fn it_holds_across_a_restart(builder: Builder) {
    let server = builder.start().await;
    let bot = bot(&server).await;
    let posts = posts(&bot, "Some words.");
    let mut first = Vec::new();
    for (number, post) in posts.iter().enumerate() {
        first.push(post.send(&server.client, &format!("key-{number}")).await);
    }
    let done = figures(&server.client).await;
    let server = server.restart().await;
    for (number, post) in posts.iter().enumerate() {
        let again = post.send(&server.client, &format!("key-{number}")).await;
        assert_eq!(
            (again.status, &again.text),
            (first[number].status, &first[number].text)
        );
    }
    assert_eq!(figures(&server.client).await, done);
    server.stop().await;
}
