//! `/tenant/info` and `/tenant/usage`.

use serde_json::json;
use testkit::TestServer;

use crate::support::{Told, assert_id, get, keys, make_bot, on_both, say, time};

on_both!(
    info_has_every_field,
    usage_has_every_field,
    usage_counts_what_is_stored,
);

async fn info_has_every_field(server: &TestServer) {
    let answer = get(&server.client, "/tenant/info").await;
    let info = answer.gives(200);
    assert_eq!(
        keys(info),
        [
            "created_at",
            "id",
            "is_active",
            "name",
            "plan",
            "updated_at"
        ]
    );
    assert_id(&info["id"]);
    assert_eq!(info["id"], server.tenant_id.as_str());
    assert_eq!(info["name"], "Test tenant");
    assert_eq!(info["plan"], "enterprise");
    assert_eq!(info["is_active"], true);
    assert!(time(&info["created_at"]) <= time(&info["updated_at"]));
}

async fn usage_has_every_field(server: &TestServer) {
    let answer = get(&server.client, "/tenant/usage").await;
    let expected = json!({
        "usage": { "bot_count": 0, "conversation_count": 0, "message_count": 0 },
        "limits": { "max_bots": null, "max_conversations_per_month": null, "max_messages_per_month": null },
        "utilization": { "bots": "0/unlimited", "conversations": "0/unlimited", "messages": "0/unlimited" },
    });
    assert_eq!(answer.gives(200), &expected);
}

async fn usage_counts_what_is_stored(server: &TestServer) {
    let client = &server.client;
    make_bot(client, json!({ "welcome_message": "Welcome!" })).await;
    make_bot(client, json!({ "is_active": false })).await;
    for session in ["a", "a", "b"] {
        say(client, session, "Is anybody here who knows about tractors?").await;
    }
    let answer = get(client, "/tenant/usage").await;
    let data = answer.gives(200);
    // Three turns of two messages, and a welcome in each conversation.
    assert_eq!(
        data["usage"],
        json!({ "bot_count": 2, "conversation_count": 2, "message_count": 8 })
    );
    let expected =
        json!({ "bots": "2/unlimited", "conversations": "2/unlimited", "messages": "8/unlimited" });
    assert_eq!(data["utilization"], expected);
}
