//! Messenger, as documented at <https://developers.facebook.com/docs/messenger-platform>.

use domain::bots::ChannelType;
use domain::channels::{Connection, Inbound};
use serde_json::{Value, json};

use super::api::{
    Account, Call, Dialect, FakeApi, connection, graph_error, posted, reply, signature,
};
use super::{Delivered, Fault, Limit, Said};
use crate::fakes::website::Reply;

/// A page on Facebook.
pub type FakeMessenger = FakeApi<Messenger>;

const TOKEN: &str = "EAAJBpageToken";
const SECRET: &str = "7a1b2c3d4e5f6a7b8c9d";
const PAGE: &str = "1067280970047460";

/// See [`FakeMessenger`].
#[derive(Debug, Default)]
pub struct Messenger;

impl FakeMessenger {
    /// A signed request with events of the page with this id.
    pub fn events(&self, page: &str, messaging: &[Value]) -> Inbound {
        events(page, messaging)
    }

    /// A message of text in the form of an event.
    pub fn message(&self, said: &Said<'_>) -> Value {
        message(said)
    }
}

fn events(page: &str, messaging: &[Value]) -> Inbound {
    let entry = json!({"id": page, "time": 1_700_000_000_123_u64, "messaging": messaging});
    let body = json!({"object": "page", "entry": [entry]});
    let body = body.to_string().into_bytes();
    let proof = format!("sha256={}", signature(SECRET, &body));
    posted(&[("X-Hub-Signature-256", &proof)], body)
}

fn event(person: &str, rest: &Value) -> Value {
    let mut event = json!({
        "sender": {"id": person}, "recipient": {"id": PAGE}, "timestamp": 1_700_000_000_000_u64,
    });
    for (name, value) in rest.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn message(said: &Said<'_>) -> Value {
    let message = json!({"mid": format!("m_AbC{}", said.id), "text": said.text});
    event(&said.person.to_string(), &json!({ "message": message }))
}

impl Dialect for Messenger {
    const ACCOUNT: &'static str = "The Shop";
    const LIMIT: Limit = Limit {
        max: 2000,
        size: |text| text.chars().count(),
    };

    fn connection(&self) -> Connection {
        let credentials = json!({
            "page_access_token": TOKEN, "app_secret": SECRET, "verify_token": super::VERIFY_TOKEN,
        });
        let settings = json!({"page_id": PAGE});
        connection(ChannelType::Messenger, &settings, &credentials)
    }

    fn answer(&self, call: &Call, account: &mut Account) -> Reply {
        if call.token.as_deref() != Some(TOKEN) {
            return self.fault(Fault::DeadToken);
        }
        if call.path == "/me" {
            return reply(200, &json!({"id": PAGE, "name": Self::ACCOUNT}));
        }
        if call.path == format!("/{PAGE}/subscribed_apps") {
            account.hook = (call.method == "POST").then(|| call.body.clone());
            return reply(200, &json!({"success": true}));
        }
        let to = call.text("/recipient/id");
        if call.path != "/me/messages" || to.is_empty() {
            return graph_error(400, 100, None);
        }
        if !call.text("/sender_action").is_empty() {
            return reply(200, &json!({"recipient_id": to}));
        }
        let text = call.text("/message/text");
        let is_long = (Self::LIMIT.size)(&text) > Self::LIMIT.max;
        if call.text("/messaging_type") != "RESPONSE" || text.is_empty() || is_long {
            return graph_error(400, 100, None);
        }
        let number = account.deliver(Delivered {
            to: to.clone(),
            text,
        });
        reply(
            200,
            &json!({"recipient_id": to, "message_id": format!("m_OUT{number}")}),
        )
    }

    fn fault(&self, fault: Fault) -> Reply {
        match fault {
            Fault::DeadToken => graph_error(400, 190, Some(460)),
            Fault::Blocked => graph_error(400, 551, Some(1_545_041)),
            Fault::TooMany(wait) => {
                graph_error(400, 613, None).header("retry-after", &wait.to_string())
            }
            _ => graph_error(400, 100, None),
        }
    }

    fn post(&self, said: &Said<'_>, _: &Account) -> Inbound {
        events(PAGE, &[message(said)])
    }

    fn noise(&self, _: &Account) -> Vec<Inbound> {
        let said = Said {
            id: 7,
            person: 3,
            text: "not for us",
        };
        let echo =
            json!({"message": {"mid": "m_OUT1", "text": "Hello", "is_echo": true, "app_id": 1}});
        let picture = json!({"message": {"mid": "m_P", "attachments": [{"type": "image"}]}});
        let read = json!({"read": {"watermark": 1_700_000_000_000_u64}});
        let delivery =
            json!({"delivery": {"mids": ["m_OUT1"], "watermark": 1_700_000_000_000_u64}});
        vec![
            events("999", &[message(&said)]),
            events(PAGE, &[event(PAGE, &echo), event("3", &picture)]),
            events(PAGE, &[event("3", &read), event("3", &delivery)]),
        ]
    }

    fn address(&self, person: u64) -> String {
        person.to_string()
    }

    fn is_typing(&self, call: &Call) -> bool {
        call.text("/sender_action") == "typing_on"
    }
}
