//! A platform's API over HTTP, on 127.0.0.1: what all fakes of this kind have in common.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::channels::{Connection, Inbound};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Delivered, FakePlatform, Fault, Limit, NOW, Said};
use crate::fakes::website::{Delivery, Reply, Request, read_request, write_reply};

/// What one platform does differently from another.
pub trait Dialect: Default + Send + Sync + 'static {
    /// See [`FakePlatform::connection`].
    fn connection(&self) -> Connection;
    /// See [`FakePlatform::account`].
    const ACCOUNT: &'static str;
    /// See [`FakePlatform::limit`].
    const LIMIT: Limit;
    /// Answers a request as documented. `messages` is where what is sent is kept.
    fn answer(&self, call: &Call, account: &mut Account) -> Reply;
    /// Answers a request with an error, as documented.
    fn fault(&self, fault: Fault) -> Reply;
    /// See [`FakePlatform::post`].
    fn post(&self, said: &Said<'_>, account: &Account) -> Inbound;
    /// See [`FakePlatform::noise`].
    fn noise(&self, account: &Account) -> Vec<Inbound>;
    /// See [`FakePlatform::address`].
    fn address(&self, person: u64) -> String;
    /// See [`FakePlatform::typing`].
    fn is_typing(&self, call: &Call) -> bool;
}

/// A request to the API.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What follows `Bearer`.
    pub token: Option<String>,
    /// The body; `Null` where it was no JSON.
    pub body: Value,
}

impl Call {
    fn of(request: &Request) -> Self {
        let authorization = request.headers.get("authorization");
        let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
        let path = request.path.split('?').next().unwrap_or_default();
        Self {
            method: request.method.clone(),
            path: path.to_owned(),
            token: token.map(str::to_owned),
            body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
        }
    }

    /// A text of the body, empty where there is none.
    pub fn text(&self, pointer: &str) -> String {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    }
}

/// What the platform knows.
#[derive(Debug, Default)]
pub struct Account {
    /// The hook that it was told, where it can be told.
    pub hook: Option<Value>,
    /// What was sent.
    pub delivered: Vec<Delivered>,
}

impl Account {
    /// Keeps a message, and answers its number, from 1.
    pub fn deliver(&mut self, delivered: Delivered) -> usize {
        self.delivered.push(delivered);
        self.delivered.len()
    }
}

#[derive(Default)]
struct State {
    account: Account,
    planned: VecDeque<Option<Fault>>,
    calls: Vec<Call>,
}

#[derive(Default)]
struct Shared<D> {
    dialect: D,
    state: Mutex<State>,
}

impl<D> Shared<D> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The platform; it stops when dropped.
pub struct FakeApi<D> {
    address: SocketAddr,
    shared: Arc<Shared<D>>,
    _listening: JoinSet<()>,
}

impl<D: Dialect> FakeApi<D> {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::<D>::default());
        let mut listening = JoinSet::new();
        listening.spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            _listening: listening,
        }
    }

    /// Where its API is.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }
}

async fn serve<D: Dialect>(listener: TcpListener, shared: Arc<Shared<D>>) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A client that hangs up in the middle is its own affair.
        connections.spawn(async move {
            let _ = talk(connection, &shared).await;
        });
    }
}

async fn talk<D: Dialect>(connection: TcpStream, shared: &Shared<D>) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = BufReader::new(connection);
    while let Some(request) = read_request(&mut connection).await? {
        let reply = {
            let call = Call::of(&request);
            let mut state = shared.state();
            state.calls.push(call.clone());
            match state.planned.pop_front().flatten() {
                Some(fault) => common(fault).unwrap_or_else(|| shared.dialect.fault(fault)),
                None => shared.dialect.answer(&call, &mut state.account),
            }
        };
        if !write_reply(connection.get_mut(), reply).await? {
            break;
        }
    }
    Ok(())
}

/// Faults that are the same everywhere.
fn common(fault: Fault) -> Option<Reply> {
    match fault {
        Fault::HangUp => Some(Reply::text("{}").delivered(Delivery::Cut(0))),
        Fault::Nonsense => Some(Reply::html("<p>Welcome to the hotel's network.</p>")),
        Fault::Elsewhere => Some(Reply::redirect("/elsewhere")),
        Fault::Endless => Some(Reply::text([b'x'; 64 * 1024]).delivered(Delivery::Endless)),
        Fault::Broken => Some(Reply::status(500)),
        Fault::DeadToken | Fault::Blocked | Fault::TooMany(_) => None,
    }
}

impl<D: Dialect> FakePlatform for FakeApi<D> {
    fn connection(&self) -> Connection {
        self.shared.dialect.connection()
    }

    fn account(&self) -> &'static str {
        D::ACCOUNT
    }

    fn limit(&self) -> Option<Limit> {
        Some(D::LIMIT)
    }

    fn plan(&self, next: Option<Fault>) {
        self.shared.state().planned.push_back(next);
    }

    fn post(&self, said: &Said<'_>) -> Inbound {
        self.shared.dialect.post(said, &self.shared.state().account)
    }

    fn noise(&self) -> Vec<Inbound> {
        self.shared.dialect.noise(&self.shared.state().account)
    }

    fn address(&self, person: u64) -> String {
        self.shared.dialect.address(person)
    }

    fn delivered(&self) -> Vec<Delivered> {
        self.shared.state().account.delivered.clone()
    }

    fn typing(&self) -> usize {
        let state = self.shared.state();
        let typing = |call: &&Call| self.shared.dialect.is_typing(call);
        state.calls.iter().filter(typing).count()
    }
}

/// A status with a body of JSON.
pub(super) fn reply(status: u16, body: &Value) -> Reply {
    let mut reply = Reply::new("application/json", body.to_string());
    reply.status = status;
    reply
}

/// A request to a hook.
pub(super) fn posted(headers: &[(&str, &str)], body: Vec<u8>) -> Inbound {
    let json = ("Content-Type", "application/json");
    let headers = headers.iter().chain([&json]);
    Inbound {
        method: "POST".into(),
        query: Vec::new(),
        headers: headers.map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        body,
        received_at: NOW,
    }
}

/// HMAC-SHA256 in hexadecimal digits.
pub fn signature(key: &str, signed: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(signed);
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error of the Graph API.
pub(super) fn graph_error(status: u16, code: u64, subcode: Option<u64>) -> Reply {
    let mut error = json!({
        "message": format!("(#{code}) As the test asked"),
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "A1b2C3",
    });
    if let Some(subcode) = subcode {
        error["error_subcode"] = json!(subcode);
    }
    reply(status, &json!({ "error": error }))
}

/// A connection of these.
pub(super) fn connection(
    kind: domain::bots::ChannelType,
    settings: &Value,
    credentials: &Value,
) -> Connection {
    use domain::channels::{ChannelCredentials, ChannelSettings};
    let settings = ChannelSettings::read(kind, settings).unwrap();
    let credentials = ChannelCredentials::read(kind, credentials).unwrap();
    Connection::new(settings, credentials).unwrap()
}
