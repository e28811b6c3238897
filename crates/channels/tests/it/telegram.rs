use channels::Telegram;
use contracts::channels::{FakePlatform, FakeTelegram, HOOK_URL};
use domain::channels::{ChannelAdapter, ReplyPath};
use serde_json::{Value, json};

use crate::{messages, outbound};

async fn open() -> (Telegram, FakeTelegram) {
    let platform = FakeTelegram::start().await;
    (Telegram::new(&platform.base_url()).unwrap(), platform)
}

mod promises {
    contracts::channel_contract!(super::open);
}

/// A message in a group, with what the test changes.
fn in_group(changes: &Value) -> Value {
    let mut message = json!({
        "message_id": 365,
        "from": {"id": 1111, "is_bot": false, "first_name": "Ann"},
        "chat": {"id": -1_001_234_567_890_i64, "title": "Customers", "type": "supergroup"},
        "date": 1_441_645_532,
        "text": "/ask@shop_bot When do you open?",
    });
    for (name, value) in changes.as_object().unwrap() {
        message[name] = value.clone();
    }
    json!({"update_id": 10_000, "message": message})
}

#[tokio::test]
async fn the_webhook_is_set_for_messages_and_taken_back() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    adapter.connect(&connection, HOOK_URL).await.unwrap();
    let set = platform.calls().pop().unwrap();
    assert!(set.path.ends_with("/setWebhook"));
    assert_eq!(set.body["url"], HOOK_URL);
    assert_eq!(set.body["allowed_updates"], json!(["message"]));
    let secret = set.text("/secret_token");
    assert!(
        !connection
            .credentials()
            .expose()
            .to_string()
            .contains(&secret)
    );
    adapter.disconnect(&connection).await.unwrap();
    assert!(
        platform
            .calls()
            .pop()
            .unwrap()
            .path
            .ends_with("/deleteWebhook")
    );
}

#[tokio::test]
async fn a_group_is_answered_in_its_topic_and_at_the_message() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    adapter.connect(&connection, HOOK_URL).await.unwrap();
    let topic = json!({"message_thread_id": 9, "is_topic_message": true});
    let read = |changes: &Value| {
        let update = platform.update(&in_group(changes));
        messages(&adapter, &connection, &update).pop().unwrap()
    };
    let (plain, topic) = (read(&json!({})), read(&topic));
    // Each who speaks there has a conversation of their own.
    let ann = &plain.from.id;
    assert_eq!(plain.conversation, format!("-1001234567890:{ann}"));
    assert_eq!(topic.conversation, format!("-1001234567890:9:{ann}"));
    // Answers within a group make a thread id too, which is no topic's.
    let reply = read(&json!({"message_thread_id": 8, "reply_to_message": {"message_id": 8}}));
    assert_eq!(reply.conversation, plain.conversation);
    assert_eq!(plain.from.name.as_deref(), Some("Ann"));

    adapter
        .send(&connection, &outbound(&topic.reply, "At nine."))
        .await
        .unwrap();
    let sent = platform.calls().pop().unwrap().body;
    assert_eq!(sent["chat_id"], "-1001234567890");
    assert_eq!(sent["message_thread_id"], 9);
    assert_eq!(sent["reply_parameters"]["message_id"], 365);
    assert_eq!(sent.get("parse_mode"), None);
}

#[tokio::test]
async fn start_opens_a_chat() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    adapter.connect(&connection, HOOK_URL).await.unwrap();
    for (text, opening) in [
        ("/start", true),
        ("/start shop-42", true),
        ("/started?", false),
    ] {
        let update = platform.update(&in_group(&json!({"text": text})));
        let message = messages(&adapter, &connection, &update).pop().unwrap();
        assert_eq!((&*message.text, message.opening), (text, opening));
    }
}

#[tokio::test]
async fn words_with_a_picture_are_words() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    adapter.connect(&connection, HOOK_URL).await.unwrap();
    let picture = json!({"text": null, "caption": "Is it this one?", "photo": []});
    let update = platform.update(&in_group(&picture));
    assert_eq!(
        messages(&adapter, &connection, &update)[0].text,
        "Is it this one?"
    );
}

#[test]
fn an_endpoint_that_is_none_is_refused() {
    for base in [
        "",
        "api.telegram.org",
        "ftp://api.telegram.org",
        "https://a.example/?x=1",
    ] {
        assert!(Telegram::new(base).is_err(), "{base}");
    }
}

#[tokio::test]
async fn nobody_listening_is_later() {
    let (adapter, connection) = {
        let (_, platform) = open().await;
        let gone = contracts::fakes::website::refused_url().await;
        (Telegram::new(&gone).unwrap(), platform.connection())
    };
    let message = outbound(
        &ReplyPath {
            to: "1".into(),
            ..ReplyPath::default()
        },
        "Hello",
    );
    let failure = adapter.send(&connection, &message).await.unwrap_err();
    assert_eq!(failure.to_string(), "Telegram could not be reached.");
}
