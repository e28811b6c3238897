//! Telegram's Bot API, as documented at <https://core.telegram.org/bots/api>.

use domain::bots::ChannelType;
use domain::channels::{Connection, Inbound};
use serde_json::{Value, json};

use super::api::{Account, Call, Dialect, FakeApi, connection, posted, reply};
use super::{Delivered, Fault, Limit, Said};
use crate::fakes::website::Reply;

/// A bot on Telegram.
pub type FakeTelegram = FakeApi<Telegram>;

const TOKEN: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

/// See [`FakeTelegram`].
#[derive(Debug, Default)]
pub struct Telegram;

impl Telegram {
    /// An update of any kind, shown with the secret that the bot's webhook was set with.
    fn update(&self, update: &Value, account: &Account) -> Inbound {
        let hook = account.hook.as_ref().expect("a webhook that was set");
        let secret = hook["secret_token"].as_str().expect("a secret token");
        let headers = [("X-Telegram-Bot-Api-Secret-Token", secret)];
        posted(&headers, update.to_string().into_bytes())
    }
}

impl FakeTelegram {
    /// An update, as Telegram would send it.
    pub fn update(&self, update: &Value) -> Inbound {
        let secret = self
            .calls()
            .into_iter()
            .rev()
            .find(|call| call.path.ends_with("/setWebhook"));
        let account = Account {
            hook: secret.map(|call| call.body),
            ..Account::default()
        };
        Telegram.update(update, &account)
    }
}

/// A message in a private chat.
fn message(id: u64, person: u64, text: &str) -> Value {
    json!({
        "message_id": id,
        "from": {"id": person, "is_bot": false, "first_name": "Zoë", "last_name": "Example",
                 "username": "zoe", "language_code": "en"},
        "chat": {"id": person, "first_name": "Zoë", "type": "private"},
        "date": 1_700_000_000,
        "text": text,
    })
}

fn error(code: u16, description: &str) -> Value {
    json!({"ok": false, "error_code": code, "description": description})
}

impl Dialect for Telegram {
    const ACCOUNT: &'static str = "@shop_bot";
    const LIMIT: Limit = Limit {
        max: 4096,
        size: |text| text.encode_utf16().count(),
    };

    fn connection(&self) -> Connection {
        connection(
            ChannelType::Telegram,
            &json!({}),
            &json!({"bot_token": TOKEN}),
        )
    }

    fn answer(&self, call: &Call, account: &mut Account) -> Reply {
        let Some(method) = call.path.strip_prefix(&format!("/bot{TOKEN}/")) else {
            return self.fault(Fault::DeadToken);
        };
        let result = match method {
            "getMe" => json!({"id": 123_456, "is_bot": true, "first_name": "Shop",
                              "username": "shop_bot"}),
            "setWebhook" => {
                let secret = call.text("/secret_token");
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
                assert!((1..=256).contains(&secret.len()) && secret.chars().all(is_plain));
                account.hook = Some(call.body.clone());
                json!(true)
            }
            "deleteWebhook" => {
                account.hook = None;
                json!(true)
            }
            "sendChatAction" => json!(true),
            "sendMessage" => {
                let text = call.text("/text");
                if (Self::LIMIT.size)(&text) > Self::LIMIT.max {
                    return reply(400, &error(400, "Bad Request: message is too long"));
                }
                let number = account.deliver(Delivered {
                    to: call.text("/chat_id"),
                    text,
                });
                json!({"message_id": 1000 + number, "date": 1_700_000_000})
            }
            _ => return reply(404, &error(404, "Not Found: method not found")),
        };
        reply(200, &json!({"ok": true, "result": result}))
    }

    fn fault(&self, fault: Fault) -> Reply {
        match fault {
            Fault::DeadToken => reply(401, &error(401, "Unauthorized")),
            Fault::Blocked => reply(403, &error(403, "Forbidden: bot was blocked by the user")),
            Fault::TooMany(wait) => {
                let mut body = error(429, &format!("Too Many Requests: retry after {wait}"));
                body["parameters"] = json!({"retry_after": wait});
                reply(429, &body)
            }
            _ => reply(400, &error(400, "Bad Request")),
        }
    }

    fn post(&self, said: &Said<'_>, account: &Account) -> Inbound {
        let message = message(said.id, said.person, said.text);
        self.update(
            &json!({"update_id": 10_000 + said.id, "message": message}),
            account,
        )
    }

    fn noise(&self, account: &Account) -> Vec<Inbound> {
        let mut bot = message(2, 3, "I am a bot");
        bot["from"]["is_bot"] = json!(true);
        let mut sticker = message(3, 3, "");
        sticker.as_object_mut().unwrap().remove("text");
        sticker["sticker"] = json!({"file_id": "x", "width": 1, "height": 1});
        let edited = message(4, 3, "edited");
        let left = json!({"chat": {"id": 3, "type": "private"}, "date": 1,
                          "new_chat_member": {"status": "kicked"}});
        let updates = [
            json!({"update_id": 1, "message": bot}),
            json!({"update_id": 2, "message": sticker}),
            json!({"update_id": 3, "edited_message": edited}),
            json!({"update_id": 4, "my_chat_member": left}),
        ];
        updates
            .iter()
            .map(|update| self.update(update, account))
            .collect()
    }

    fn address(&self, person: u64) -> String {
        person.to_string()
    }

    fn is_typing(&self, call: &Call) -> bool {
        call.path.ends_with("/sendChatAction") && call.text("/action") == "typing"
    }
}
