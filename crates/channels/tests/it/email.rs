use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use channels::Email;
use contracts::channels::email::{HOOK_SECRET, OWN};
use contracts::channels::{FakeMail, FakePlatform, HOOK_URL, Said};
use domain::channels::{ChannelAdapter, ChannelError, HookError, Inbound, ReplyPath};
use egress::{Egress, Lookup};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::{messages, outbound};

const SAID: Said<'_> = Said {
    id: 1,
    person: 2,
    text: "When do you open?",
};

async fn open() -> (Email, FakeMail) {
    let platform = FakeMail::start().await;
    let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap();
    let adapter = Email::new(Arc::new(egress)).within(Duration::from_secs(2));
    (adapter, platform)
}

/// Knows no name.
struct Nowhere;

#[async_trait]
impl Lookup for Nowhere {
    async fn lookup(&self, _host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(Vec::new())
    }
}

mod promises {
    contracts::channel_contract!(super::open);
}

#[tokio::test]
async fn an_answer_is_a_mail_in_the_visitors_thread() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    let message = messages(&adapter, &connection, &platform.post(&SAID))
        .pop()
        .unwrap();
    assert_eq!(message.from.email.as_deref(), Some("p2@visitors.example"));
    assert_eq!(message.from.name.as_deref(), Some("Zoë Example"));
    let answer = outbound(&message.reply, "At nine.");
    for _ in 0..2 {
        adapter.send(&connection, &answer).await.unwrap();
    }
    let mails = platform.mails();
    let mail = &mails[0];
    assert_eq!((&*mail.from, &*mail.to), (OWN, "p2@visitors.example"));
    let header = |name: &str| mail.header(name).unwrap_or_default().to_owned();
    assert!(header("From").contains("The Shop") && header("From").contains(OWN));
    assert_eq!(header("Subject"), "Re: Opening hours");
    assert_eq!(header("In-Reply-To"), "<1.2@visitors.example>");
    assert_eq!(
        header("References"),
        "<thread.2@visitors.example> <1.2@visitors.example>"
    );
    assert_eq!(header("Auto-Submitted"), "auto-replied");
    assert!(header("Content-Type").starts_with("text/plain; charset=utf-8"));
    assert!(!header("Date").is_empty());
    let id = "<0190163d-8694-739b-aea5-966c26f8ad91@shop.example>";
    assert_eq!(header("Message-ID"), id);
    assert_eq!(
        mails[1].header("Message-ID"),
        Some(id),
        "the same at every attempt"
    );
}

#[tokio::test]
async fn a_thread_is_a_conversation_by_its_first_mail() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    let read = |headers: Value, person: u64| {
        let mut mail = platform.mail(&Said { person, ..SAID });
        mail["Headers"] = headers;
        messages(&adapter, &connection, &platform.signed(&mail))
            .pop()
            .unwrap()
    };
    let header = |name: &str, value: &str| json!({"Name": name, "Value": value});
    let first = read(json!([header("Message-ID", "<a@v.example>")]), 2);
    let by_references = read(
        json!([
            header("message-id", "<c@v.example>"),
            header("References", "<a@v.example>\r\n <b@shop.example>"),
            header("In-Reply-To", "<b@shop.example>"),
        ]),
        2,
    );
    let by_reply = read(
        json!([
            header("Message-ID", "<c@v.example>"),
            header("In-Reply-To", "<a@v.example>"),
        ]),
        2,
    );
    let strangers = read(
        json!([
            header("Message-ID", "<d@v.example>"),
            header("References", "<a@v.example>"),
        ]),
        3,
    );
    assert_eq!(first.conversation, by_references.conversation);
    assert_eq!(first.conversation, by_reply.conversation);
    assert_ne!(first.conversation, strangers.conversation);
    assert_eq!(by_references.id, by_reply.id);
    assert_ne!(first.id, by_reply.id);
}

#[tokio::test]
async fn a_mails_headers_can_not_write_ours() {
    let (adapter, platform) = open().await;
    let connection = platform.connection();
    let mut mail = platform.mail(&SAID);
    mail["Subject"] = json!("Hi\r\nBcc: all@v.example\r\n\r\nBody");
    mail["ReplyTo"] = json!("x@v.example>\r\nRCPT TO:<y@v.example");
    mail["Headers"][0]["Value"] = json!("<a\r\nBcc:all@v.example>");
    mail["Headers"][1]["Value"] = json!("<é@v.example> <a b> <ok@v.example> <<x>> <>");
    let message = messages(&adapter, &connection, &platform.signed(&mail))
        .pop()
        .unwrap();
    assert_eq!(message.reply.to, "p2@visitors.example");
    assert_eq!(message.reply.references, ["<ok@v.example>"]);
    adapter
        .send(&connection, &outbound(&message.reply, "At nine."))
        .await
        .unwrap();
    let sent = platform.mails().pop().unwrap();
    assert_eq!(sent.header("Bcc"), None);
    assert_eq!(sent.body, "At nine.");
    // A way back that was tampered with on its way is no way out either.
    for to in [
        "",
        "nobody",
        "a@b.example\r\nDATA",
        "a@b.example, c@d.example",
        "ü@b.example",
    ] {
        let reply = ReplyPath {
            to: to.into(),
            ..ReplyPath::default()
        };
        let error = adapter
            .send(&connection, &outbound(&reply, "Hi"))
            .await
            .unwrap_err()
            .error;
        assert!(matches!(error, ChannelError::Refused(_)), "{to}: {error:?}");
    }
}

#[tokio::test]
async fn answers_go_where_the_sender_wants_them_and_quote_no_old_ones() {
    let (adapter, platform) = open().await;
    let mut mail = platform.mail(&SAID);
    mail["ReplyTo"] = json!("zoe@home.example");
    mail["Subject"] = json!("RE: Opening hours");
    mail["StrippedTextReply"] = json!("And on Sunday?");
    mail["TextBody"] = json!("And on Sunday?\n\n> At nine.");
    let connection = platform.connection();
    let message = messages(&adapter, &connection, &platform.signed(&mail))
        .pop()
        .unwrap();
    assert_eq!(message.text, "And on Sunday?");
    assert_eq!(message.reply.to, "zoe@home.example");
    assert_eq!(message.from.id, "p2@visitors.example");
    // To another address, nothing is told of what was said before.
    mail["ReplyTo"] = json!("somebody@else.example");
    let other = messages(&adapter, &connection, &platform.signed(&mail));
    assert_ne!(other[0].conversation, message.conversation);
    adapter
        .send(&connection, &outbound(&message.reply, "Never."))
        .await
        .unwrap();
    assert_eq!(
        platform.mails()[0].header("Subject"),
        Some("RE: Opening hours")
    );
}

#[tokio::test]
async fn a_gateway_without_signatures_gives_the_secret_as_a_password() {
    let (adapter, platform) = open().await;
    let with = |authorization: &str| {
        let mut inbound: Inbound = platform.post(&SAID);
        inbound.headers = vec![("Authorization".into(), authorization.into())];
        adapter.receive(&platform.connection(), &inbound)
    };
    let basic = |pair: &str| format!("Basic {}", BASE64.encode(pair));
    assert_eq!(
        with(&basic(&format!("any:{HOOK_SECRET}")))
            .unwrap()
            .messages
            .len(),
        1
    );
    for wrong in [
        basic("any:another-secret-0123"),
        basic(HOOK_SECRET),
        basic("any:"),
        format!("Bearer {HOOK_SECRET}"),
        "Basic %%%".into(),
        "Basic".into(),
    ] {
        assert_eq!(with(&wrong), Err(HookError::Unsigned), "{wrong}");
    }
    let mut both = platform.post(&SAID);
    both.body.push(b' ');
    let right = basic(&format!("any:{HOOK_SECRET}"));
    both.headers.push(("Authorization".into(), right));
    let outcome = adapter.receive(&platform.connection(), &both);
    assert_eq!(
        outcome,
        Err(HookError::Unsigned),
        "a signature that is there must be right"
    );
}

#[tokio::test]
async fn the_guard_stands_before_every_connection() {
    let platform = FakeMail::start().await;
    let nowhere = json!("mail.shop.example");
    for (host, is_dead) in [
        (platform.settings()["smtp_host"].clone(), true),
        (nowhere, false),
    ] {
        let egress = Egress::with_lookup(Vec::new(), Arc::new(Nowhere)).unwrap();
        let adapter = Email::new(Arc::new(egress));
        let mut settings = platform.settings();
        settings["smtp_host"] = host;
        let connection = platform.with(&settings);
        let error = adapter.connect(&connection, HOOK_URL).await.unwrap_err();
        assert_eq!(matches!(error, ChannelError::Dead(_)), is_dead, "{error:?}");
        let reply = ReplyPath {
            to: "a@b.example".into(),
            ..ReplyPath::default()
        };
        adapter
            .send(&connection, &outbound(&reply, "Hi"))
            .await
            .unwrap_err();
    }
    assert_eq!(platform.dialogues(), 0);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_without_the_security_that_is_set() {
    let (adapter, platform) = open().await;
    let mut settings = platform.settings();
    settings["security"] = json!("starttls");
    let error = adapter
        .connect(&platform.with(&settings), HOOK_URL)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ChannelError::Dead("The mail server does not offer STARTTLS.".into())
    );
    settings["security"] = json!("tls");
    let error = adapter
        .connect(&platform.with(&settings), HOOK_URL)
        .await
        .unwrap_err();
    assert!(matches!(error, ChannelError::Later { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_never_ends_its_line_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        while socket.write_all(&[b'2'; 4096]).await.is_ok() {}
    });
    let (adapter, platform) = open().await;
    let mut settings = platform.settings();
    settings["smtp_port"] = json!(port);
    let connection = platform.with(&settings);
    let error = adapter.connect(&connection, HOOK_URL).await.unwrap_err();
    let told = "The mail server could not be reached, or broke the connection off.";
    assert_eq!(error, ChannelError::later(told), "not by the time-out");
}
