use channels::Messenger;
use contracts::channels::{FakeMessenger, FakePlatform, HOOK_URL, Said, VERIFY_TOKEN};
use domain::bots::ChannelType;
use domain::channels::{ChannelAdapter, ChannelError, ChannelSettings, Connection, HookError};
use serde_json::json;

use crate::{challenge, messages};

const PAGE: &str = "1067280970047460";

async fn open() -> (Messenger, FakeMessenger) {
    let platform = FakeMessenger::start().await;
    (Messenger::new(&platform.base_url()).unwrap(), platform)
}

mod promises {
    contracts::channel_contract!(super::open);
}

#[tokio::test]
async fn the_hooks_challenge_is_answered_for_the_right_token_only() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    let received = adapter
        .receive(&connection, &challenge("subscribe", VERIFY_TOKEN))
        .unwrap();
    assert_eq!(received.answer.as_deref(), Some("1158201444"));
    let wrong = challenge("subscribe", "another");
    assert_eq!(
        adapter.receive(&connection, &wrong),
        Err(HookError::Unsigned)
    );
}

#[tokio::test]
async fn the_page_is_joined_to_the_app_and_taken_out() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    adapter.connect(&connection, HOOK_URL).await.unwrap();
    let joined = platform.calls().pop().unwrap();
    assert_eq!(joined.path, format!("/{PAGE}/subscribed_apps"));
    let fields = json!(["messages", "messaging_postbacks"]);
    assert_eq!(joined.body["subscribed_fields"], fields);
    adapter.disconnect(&connection).await.unwrap();
    assert_eq!(platform.calls().pop().unwrap().method, "DELETE");
}

#[tokio::test]
async fn another_pages_token_is_told_from_the_start() {
    let (adapter, platform) = open().await;
    let settings = json!({"page_id": "42"});
    let settings = ChannelSettings::read(ChannelType::Messenger, &settings).unwrap();
    let credentials = platform.connection().credentials().clone();
    let connection = Connection::new(settings, credentials).unwrap();
    let error = adapter.connect(&connection, HOOK_URL).await.unwrap_err();
    assert!(matches!(error, ChannelError::Dead(_)), "{error:?}");
}

#[tokio::test]
async fn one_request_may_hold_several_messages_and_buttons_are_words() {
    let (adapter, platform) = open().await;
    let button = |title: &str, payload: &str, mid: Option<&str>| {
        let mut event = platform.message(&Said {
            id: 0,
            person: 5,
            text: "",
        });
        event.as_object_mut().unwrap().remove("message");
        event["postback"] = json!({"title": title, "payload": payload});
        if let Some(mid) = mid {
            event["postback"]["mid"] = json!(mid);
        }
        event
    };
    let post = platform.events(
        PAGE,
        &[
            platform.message(&Said {
                id: 1,
                person: 2,
                text: "One",
            }),
            platform.message(&Said {
                id: 2,
                person: 3,
                text: "Two",
            }),
            button("Get started", "GET_STARTED", Some("m_B1")),
            button("Opening hours", "HOURS", None),
        ],
    );
    let found = messages(&adapter, &platform.connection(), &post);
    let told: Vec<_> = found
        .iter()
        .map(|m| (&*m.id, &*m.text, m.opening))
        .collect();
    assert_eq!(
        told,
        [
            ("m_AbC1", "One", false),
            ("m_AbC2", "Two", false),
            ("m_B1", "Get started", true),
            ("5:1700000000000", "Opening hours", false),
        ]
    );
}
