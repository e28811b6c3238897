use channels::Whatsapp;
use contracts::channels::{FakePlatform, FakeWhatsapp, Said, VERIFY_TOKEN};
use domain::channels::{ChannelAdapter, HookError};
use serde_json::json;

use crate::{challenge, messages};

const NUMBER: &str = "106540352242922";

async fn open() -> (Whatsapp, FakeWhatsapp) {
    let platform = FakeWhatsapp::start().await;
    (Whatsapp::new(&platform.base_url()).unwrap(), platform)
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
    assert!(received.messages.is_empty());
    for wrong in [
        challenge("subscribe", "another"),
        challenge("unsubscribe", VERIFY_TOKEN),
    ] {
        assert_eq!(
            adapter.receive(&connection, &wrong),
            Err(HookError::Unsigned)
        );
    }
}

#[tokio::test]
async fn one_request_may_hold_several_messages() {
    let (adapter, platform) = open().await;
    let message = |id, person| {
        platform.message(&Said {
            id,
            person,
            text: "Hello",
        })
    };
    let mut both = message(1, 2);
    let more = message(2, 2)["messages"][0].clone();
    both["messages"].as_array_mut().unwrap().push(more);
    let post = platform.events(NUMBER, &[both, message(3, 4)]);
    let found = messages(&adapter, &platform.connection(), &post);
    let ids: Vec<_> = found.iter().map(|message| &*message.id).collect();
    assert_eq!(ids, ["wamid.HBgL1", "wamid.HBgL2", "wamid.HBgL3"]);
    assert_eq!(found[2].conversation, "4");
    assert_eq!(found[0].from.name.as_deref(), Some("Zoë Example"));
}

#[tokio::test]
async fn choices_are_words() {
    let (adapter, platform) = open().await;
    let of = |rest: serde_json::Value| {
        let mut message = json!({"from": "2", "id": "wamid.1", "timestamp": "1700000000"});
        for (name, value) in rest.as_object().unwrap() {
            message[name] = value.clone();
        }
        let post = platform.events(NUMBER, &[json!({"messages": [message]})]);
        messages(&adapter, &platform.connection(), &post)
            .pop()
            .unwrap()
            .text
    };
    let button = json!({"type": "button", "button": {"payload": "x", "text": "Yes"}});
    assert_eq!(of(button), "Yes");
    let reply = json!({"type": "button_reply", "button_reply": {"id": "1", "title": "Monday"}});
    assert_eq!(
        of(json!({"type": "interactive", "interactive": reply})),
        "Monday"
    );
    let list = json!({"type": "list_reply", "list_reply": {"id": "1", "title": "Noon"}});
    assert_eq!(
        of(json!({"type": "interactive", "interactive": list})),
        "Noon"
    );
}
