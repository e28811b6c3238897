use channels::Slack;
use contracts::channels::{FakePlatform, FakeSlack, HOOK_URL, NOW, Said};
use domain::channels::{ChannelAdapter, HookError};
use serde_json::{Value, json};
use time::Duration;

use crate::{messages, outbound};

async fn open() -> (Slack, FakeSlack) {
    let platform = FakeSlack::start().await;
    (Slack::new(&platform.base_url()).unwrap(), platform)
}

mod promises {
    contracts::channel_contract!(super::open);
}

fn mention(changes: &Value) -> Value {
    let mut event = json!({
        "type": "app_mention", "user": "U061F7AUR", "text": "<@U0BOT> when do you open?",
        "ts": "1700000000.000200", "channel": "C123ABC456", "event_ts": "1700000000.000200",
    });
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[tokio::test]
async fn the_hooks_challenge_is_answered_where_it_is_signed() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    let body = json!({"token": "Jhj5dZ", "challenge": "3eZbrw1a", "type": "url_verification"});
    let mut inbound = platform.signed(&body);
    let received = adapter.receive(&connection, &inbound).unwrap();
    assert_eq!(received.answer.as_deref(), Some("3eZbrw1a"));
    inbound
        .headers
        .retain(|(name, _)| name != "X-Slack-Signature");
    assert_eq!(
        adapter.receive(&connection, &inbound),
        Err(HookError::Unsigned)
    );
}

#[tokio::test]
async fn a_request_is_good_for_five_minutes() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    for (seconds, is_good) in [
        (0, true),
        (300, true),
        (-300, true),
        (301, false),
        (-301, false),
    ] {
        let mut inbound = platform.post(&Said {
            id: 1,
            person: 2,
            text: "Hello",
        });
        inbound.received_at = NOW + Duration::seconds(seconds);
        assert_eq!(
            adapter.receive(&connection, &inbound).is_ok(),
            is_good,
            "{seconds}"
        );
    }
}

#[tokio::test]
async fn a_mention_is_answered_in_its_thread() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    let read = |changes: &Value| {
        let inbound = platform.event(&mention(changes));
        messages(&adapter, &connection, &inbound).pop().unwrap()
    };
    let first = read(&json!({}));
    assert_eq!(first.text, "when do you open?");
    assert_eq!(first.id, "C123ABC456:1700000000.000200");
    let later = read(&json!({"ts": "1700000009.000100", "thread_ts": "1700000000.000200"}));
    assert_eq!(first.conversation, later.conversation);
    assert_ne!(first.id, later.id);

    adapter
        .send(&connection, &outbound(&first.reply, "At nine."))
        .await
        .unwrap();
    let sent = platform.calls().pop().unwrap().body;
    assert_eq!(sent["channel"], "C123ABC456");
    assert_eq!(sent["thread_ts"], "1700000000.000200");
}

#[tokio::test]
async fn a_direct_message_is_answered_beside_it() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    let post = platform.post(&Said {
        id: 1,
        person: 2,
        text: "Hello",
    });
    let message = messages(&adapter, &connection, &post).pop().unwrap();
    assert_eq!(message.conversation, "D2");
    adapter
        .send(&connection, &outbound(&message.reply, "At nine."))
        .await
        .unwrap();
    assert_eq!(platform.calls().pop().unwrap().body.get("thread_ts"), None);
}

#[tokio::test]
async fn an_app_that_is_removed_says_so() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    for (event, is_gone) in [
        (json!({"type": "app_uninstalled"}), true),
        (
            json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOT"]}}),
            true,
        ),
        (
            json!({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}),
            false,
        ),
        (mention(&json!({})), false),
    ] {
        let received = adapter
            .receive(&connection, &platform.event(&event))
            .unwrap();
        assert_eq!(received.disconnected, is_gone, "{event}");
    }
}

#[tokio::test]
async fn the_hook_is_not_asked_for_and_the_token_is_no_part_of_an_address() {
    let (adapter, platform) = open().await;
    adapter
        .connect(&platform.connection(), HOOK_URL)
        .await
        .unwrap();
    let calls = platform.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].path, "/auth.test");
}
