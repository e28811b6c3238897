//! A mail server that speaks plain SMTP (RFC 5321) on 127.0.0.1, and a mail gateway that posts Postmark's form of
//! JSON (<https://postmarkapp.com/developer/webhooks/inbound-webhook>).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::bots::ChannelType;
use domain::channels::{Connection, Inbound};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::api::{connection, posted, signature};
use super::{Delivered, FakePlatform, Fault, Limit, Said};

/// The secret that gateway and channel share.
pub const HOOK_SECRET: &str = "gateway-secret-0123";
/// The channel's own address.
pub const OWN: &str = "help@shop.example";

const PASSWORD: &str = "smtp-password-9";

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `MAIL FROM`.
    pub from: String,
    /// `RCPT TO`.
    pub to: String,
    /// The headers, unfolded.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: String,
}

impl Mail {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn read(from: &str, to: &str, data: &str) -> Self {
        let (head, body) = data.split_once("\r\n\r\n").expect("a head and a body");
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers = unfolded
            .split("\r\n")
            .filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut mail = Self {
            from: from.into(),
            to: to.into(),
            headers: headers.collect(),
            body: String::new(),
        };
        let bytes = match mail.header("Content-Transfer-Encoding") {
            Some("quoted-printable") => {
                let mode = quoted_printable::ParseMode::Strict;
                quoted_printable::decode(body.trim_end_matches("\r\n"), mode).unwrap()
            }
            Some("base64") => BASE64.decode(body.replace("\r\n", "")).unwrap(),
            _ => body.trim_end_matches("\r\n").as_bytes().to_vec(),
        };
        mail.body = String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
        mail
    }
}

#[derive(Default)]
struct State {
    planned: VecDeque<Option<Fault>>,
    mails: Vec<Mail>,
    dialogues: usize,
}

/// The mail server and gateway; it stops when dropped.
pub struct FakeMail {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _listening: JoinSet<()>,
}

impl FakeMail {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let mut listening = JoinSet::new();
        listening.spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            _listening: listening,
        }
    }

    /// What arrived, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().unwrap().mails.clone()
    }

    /// How often somebody connected.
    pub fn dialogues(&self) -> usize {
        self.state.lock().unwrap().dialogues
    }

    /// Settings of the channel, to be changed.
    pub fn settings(&self) -> Value {
        json!({
            "from": OWN,
            "from_name": "The Shop",
            "smtp_host": self.address.ip(),
            "smtp_port": self.address.port(),
            "smtp_user": "help",
            "security": "none",
        })
    }

    /// The channel with these settings.
    pub fn with(&self, settings: &Value) -> Connection {
        let credentials = json!({"smtp_password": PASSWORD, "hook_secret": HOOK_SECRET});
        connection(ChannelType::Email, settings, &credentials)
    }

    /// A mail, signed by the gateway.
    pub fn signed(&self, mail: &Value) -> Inbound {
        signed(mail)
    }

    /// A mail of plain text, in the gateway's form.
    pub fn mail(&self, said: &Said<'_>) -> Value {
        mail(said)
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        // A client that hangs up in the middle is its own affair.
        connections.spawn(async move {
            let _ = talk(socket, &state).await;
        });
    }
}

async fn talk(socket: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let fault = {
        let mut state = state.lock().unwrap();
        state.dialogues += 1;
        state.planned.pop_front().flatten()
    };
    let mut socket = BufReader::new(socket);
    let greeting = match fault {
        Some(Fault::HangUp) => return Ok(()),
        Some(Fault::Broken) => "421 mail.shop.example is closing",
        Some(Fault::Nonsense | Fault::Elsewhere) => {
            return say(&mut socket, "HTTP/1.1 400 Bad Request").await;
        }
        _ => "220 mail.shop.example ESMTP",
    };
    say(&mut socket, greeting).await?;
    if matches!(fault, Some(Fault::Endless)) {
        loop {
            say(&mut socket, "250-and so on").await?;
        }
    }
    let (mut is_known, mut from, mut to) = (false, String::new(), String::new());
    while let Some(line) = hear(&mut socket).await? {
        let inner = |line: &str| {
            let (_, rest) = line.split_once('<').unwrap_or_default();
            rest.split('>').next().unwrap_or_default().to_owned()
        };
        let command = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let answer = match &*command {
            "EHLO" => "250-mail.shop.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
            "AUTH" => {
                let expected = BASE64.encode(format!("\0help\0{PASSWORD}"));
                is_known = line == format!("AUTH PLAIN {expected}");
                match is_known && !matches!(fault, Some(Fault::DeadToken)) {
                    true => "235 2.7.0 Accepted",
                    false => "535 5.7.8 Bad credentials",
                }
            }
            "NOOP" | "RSET" => "250 OK",
            "MAIL" if !is_known => "530 5.7.0 Authentication required",
            "MAIL" if matches!(fault, Some(Fault::TooMany(_))) => "451 4.7.1 Too many messages",
            "MAIL" => {
                from = inner(&line);
                "250 OK"
            }
            "RCPT" if matches!(fault, Some(Fault::Blocked)) => "550 5.1.1 No such user",
            "RCPT" => {
                to = inner(&line);
                "250 OK"
            }
            "DATA" => {
                say(&mut socket, "354 Go on").await?;
                let Some(data) = data(&mut socket).await? else {
                    return Ok(());
                };
                let mail = Mail::read(&from, &to, &data);
                state.lock().unwrap().mails.push(mail);
                "250 2.0.0 Queued"
            }
            "QUIT" => {
                return say(&mut socket, "221 Bye").await;
            }
            _ => "500 What?",
        };
        say(&mut socket, answer).await?;
    }
    Ok(())
}

/// Everything up to the line with the dot, without the dots that stand for others (RFC 5321, 4.5.2).
async fn data(socket: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut data = String::new();
    while let Some(line) = hear(socket).await? {
        if line == "." {
            return Ok(Some(data));
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        data.push_str("\r\n");
    }
    Ok(None)
}

async fn hear(socket: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    if socket.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let line = line.strip_suffix("\r\n").expect("lines end with CRLF");
    Ok(Some(line.to_owned()))
}

async fn say(socket: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<()> {
    socket.write_all(format!("{line}\r\n").as_bytes()).await?;
    socket.flush().await
}

fn signed(mail: &Value) -> Inbound {
    let body = mail.to_string().into_bytes();
    let proof = signature(HOOK_SECRET, &body);
    posted(&[("X-Webhook-Signature", &proof)], body)
}

fn address(person: u64) -> String {
    format!("p{person}@visitors.example")
}

fn mail(said: &Said<'_>) -> Value {
    let id = format!("<{}.{}@visitors.example>", said.id, said.person);
    // A person's mails are one thread.
    let root = format!("<thread.{}@visitors.example>", said.person);
    json!({
        "FromName": "Zoë Example",
        "MessageStream": "inbound",
        "From": address(said.person),
        "FromFull": {"Email": address(said.person), "Name": "Zoë Example", "MailboxHash": ""},
        "To": OWN,
        "Subject": "Opening hours",
        "MessageID": format!("73e6d360-66eb-11e1-8e72-a8904824019{}", said.id % 10),
        "ReplyTo": "",
        "Date": "Tue, 14 Nov 2023 22:13:20 +0000",
        "TextBody": said.text,
        "HtmlBody": "<p>...</p>",
        "StrippedTextReply": "",
        "Headers": [
            {"Name": "Message-ID", "Value": id},
            {"Name": "References", "Value": root},
            {"Name": "MIME-Version", "Value": "1.0"},
        ],
        "Attachments": [],
    })
}

impl FakePlatform for FakeMail {
    fn connection(&self) -> Connection {
        self.with(&self.settings())
    }

    fn account(&self) -> &'static str {
        OWN
    }

    fn limit(&self) -> Option<Limit> {
        None
    }

    fn plan(&self, next: Option<Fault>) {
        self.state.lock().unwrap().planned.push_back(next);
    }

    fn post(&self, said: &Said<'_>) -> Inbound {
        signed(&mail(said))
    }

    fn noise(&self) -> Vec<Inbound> {
        let plain = mail(&Said {
            id: 9,
            person: 3,
            text: "not for us",
        });
        let with = |pointer: &str, value: Value| {
            let mut mail = plain.clone();
            *mail.pointer_mut(pointer).unwrap() = value;
            signed(&mail)
        };
        let header =
            |name: &str, value: &str| with("/Headers/2", json!({"Name": name, "Value": value}));
        vec![
            with("/FromFull/Email", json!("Help@Shop.example")),
            with("/FromFull/Email", json!("MAILER-DAEMON@mx.example")),
            with("/TextBody", json!(" \n")),
            header("Auto-Submitted", "auto-replied"),
            header("Precedence", "bulk"),
            header("List-Id", "<news.example>"),
            header("Return-Path", "<>"),
        ]
    }

    fn address(&self, person: u64) -> String {
        address(person)
    }

    fn delivered(&self) -> Vec<Delivered> {
        let read = |mail: Mail| Delivered {
            to: mail.to,
            text: mail.body,
        };
        self.mails().into_iter().map(read).collect()
    }

    fn typing(&self) -> usize {
        0
    }
}
