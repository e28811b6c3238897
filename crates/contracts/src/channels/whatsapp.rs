//! The WhatsApp Cloud API, as documented at <https://developers.facebook.com/docs/whatsapp/cloud-api>.

use domain::bots::ChannelType;
use domain::channels::{Connection, Inbound};
use serde_json::{Value, json};

use super::api::{
    Account, Call, Dialect, FakeApi, connection, graph_error, posted, reply, signature,
};
use super::{Delivered, Fault, Limit, Said};
use crate::fakes::website::Reply;

/// A number on WhatsApp.
pub type FakeWhatsapp = FakeApi<Whatsapp>;

const TOKEN: &str = "EAAJBwhatsappToken";
const SECRET: &str = "5f2c0d1e8a7b4c3d9e6f";
const NUMBER: &str = "106540352242922";

/// See [`FakeWhatsapp`].
#[derive(Debug, Default)]
pub struct Whatsapp;

impl FakeWhatsapp {
    /// A signed request with the values of changes to the number with this id.
    pub fn events(&self, phone_number_id: &str, values: &[Value]) -> Inbound {
        events(phone_number_id, values)
    }

    /// A message of text in the form of an event.
    pub fn message(&self, said: &Said<'_>) -> Value {
        message(said)
    }
}

fn events(phone_number_id: &str, values: &[Value]) -> Inbound {
    let change = |value: &Value| {
        let mut value = value.clone();
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] =
            json!({"display_phone_number": "15550783881", "phone_number_id": phone_number_id});
        json!({"field": "messages", "value": value})
    };
    let changes: Vec<_> = values.iter().map(change).collect();
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": changes}],
    });
    let body = body.to_string().into_bytes();
    let proof = format!("sha256={}", signature(SECRET, &body));
    posted(&[("X-Hub-Signature-256", &proof)], body)
}

fn message(said: &Said<'_>) -> Value {
    let from = said.person.to_string();
    json!({
        "contacts": [{"profile": {"name": "Zoë Example"}, "wa_id": from}],
        "messages": [{
            "from": from,
            "id": format!("wamid.HBgL{}", said.id),
            "timestamp": "1700000000",
            "type": "text",
            "text": {"body": said.text},
        }],
    })
}

impl Dialect for Whatsapp {
    const ACCOUNT: &'static str = "+1 555-078-3881";
    const LIMIT: Limit = Limit {
        max: 4096,
        size: |text| text.chars().count(),
    };

    fn connection(&self) -> Connection {
        let credentials = json!({
            "access_token": TOKEN, "app_secret": SECRET, "verify_token": super::VERIFY_TOKEN,
        });
        let settings = json!({"phone_number_id": NUMBER});
        connection(ChannelType::Whatsapp, &settings, &credentials)
    }

    fn answer(&self, call: &Call, account: &mut Account) -> Reply {
        if call.token.as_deref() != Some(TOKEN) {
            return self.fault(Fault::DeadToken);
        }
        if call.path == format!("/{NUMBER}") {
            return reply(
                200,
                &json!({
                    "id": NUMBER, "verified_name": "Shop", "display_phone_number": Self::ACCOUNT,
                }),
            );
        }
        if call.path != format!("/{NUMBER}/messages") {
            return graph_error(400, 100, Some(33));
        }
        if call.text("/messaging_product") != "whatsapp" {
            return graph_error(400, 100, None);
        }
        if call.text("/status") == "read" {
            return reply(200, &json!({"success": true}));
        }
        let (to, text) = (call.text("/to"), call.text("/text/body"));
        if to.is_empty() || text.is_empty() || (Self::LIMIT.size)(&text) > Self::LIMIT.max {
            return graph_error(400, 100, None);
        }
        let number = account.deliver(Delivered {
            to: to.clone(),
            text,
        });
        reply(
            200,
            &json!({
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": to}],
                "messages": [{"id": format!("wamid.OUT{number}")}],
            }),
        )
    }

    fn fault(&self, fault: Fault) -> Reply {
        match fault {
            Fault::DeadToken => graph_error(401, 190, Some(463)),
            Fault::Blocked => graph_error(400, 131_026, None),
            Fault::TooMany(wait) => {
                graph_error(429, 130_429, None).header("retry-after", &wait.to_string())
            }
            _ => graph_error(400, 100, None),
        }
    }

    fn post(&self, said: &Said<'_>, _: &Account) -> Inbound {
        events(NUMBER, &[message(said)])
    }

    fn noise(&self, _: &Account) -> Vec<Inbound> {
        let said = Said {
            id: 7,
            person: 3,
            text: "not for us",
        };
        let picture = json!({"messages": [{"from": "3", "id": "wamid.P", "timestamp": "1700000000",
            "type": "image", "image": {"mime_type": "image/jpeg", "sha256": "x", "id": "1"}}]});
        let reaction = json!({"messages": [{"from": "3", "id": "wamid.R", "timestamp": "1700000000",
            "type": "reaction", "reaction": {"message_id": "wamid.OUT1", "emoji": "👍"}}]});
        let status = |status: &str| {
            json!({"statuses": [{"id": "wamid.OUT1", "status": status,
            "timestamp": "1700000000", "recipient_id": "3"}]})
        };
        vec![
            events("999999999999999", &[message(&said)]),
            events(
                NUMBER,
                &[status("sent"), status("delivered"), status("read")],
            ),
            events(NUMBER, &[picture, reaction]),
        ]
    }

    fn address(&self, person: u64) -> String {
        person.to_string()
    }

    fn is_typing(&self, call: &Call) -> bool {
        call.text("/typing_indicator/type") == "text" && !call.text("/message_id").is_empty()
    }
}
