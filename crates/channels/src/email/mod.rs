//! E-mail: out by SMTP (RFC 5321) through the tenant's server, in by the webhook of a mail gateway.

mod inbound;
mod smtp;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::bots::ChannelType;
use domain::channels::{
    ChannelAdapter, ChannelCredentials, ChannelError, ChannelSettings, Connected, Connection,
    EmailCredentials, EmailSettings, HookError, Inbound, OutboundMessage, Received, ReplyPath,
    SendFailure, SendLimits, Sent,
};
use egress::Egress;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::{Address, Message};

use crate::parts::blank;
use crate::{proof, wrong_kind};

/// For a mail as a whole: servers make strangers wait before they greet them.
const TIME: Duration = Duration::from_secs(30);

/// Mailboxes.
pub struct Email {
    egress: Arc<Egress>,
    time: Duration,
}

impl Email {
    /// With the guard that says which mail servers may be reached.
    pub fn new(egress: Arc<Egress>) -> Self {
        Self { egress, time: TIME }
    }

    /// With so much time for a mail as a whole.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ChannelError>>,
    ) -> Result<T, ChannelError> {
        let ended = tokio::time::timeout(self.time, work).await;
        ended.unwrap_or_else(|_| {
            Err(ChannelError::later(
                "The mail server took too long to answer.",
            ))
        })
    }
}

#[async_trait]
impl ChannelAdapter for Email {
    fn kind(&self) -> ChannelType {
        ChannelType::Email
    }

    /// Every mail server has its own, and says so when they are reached.
    fn limits(&self) -> SendLimits {
        SendLimits::default()
    }

    /// The hook is set up by the tenant in the gateway's pages.
    async fn connect(&self, connection: &Connection, _: &str) -> Result<Connected, ChannelError> {
        let (settings, keys) = own(connection)?;
        self.in_time(smtp::check(&self.egress, settings, keys))
            .await?;
        Ok(Connected {
            account: settings.from.clone(),
        })
    }

    async fn disconnect(&self, connection: &Connection) -> Result<(), ChannelError> {
        own(connection).map(drop)
    }

    fn receive(&self, connection: &Connection, inbound: &Inbound) -> Result<Received, HookError> {
        let (settings, keys) = own(connection).map_err(|_| HookError::Unsigned)?;
        if !is_genuine(keys, inbound) {
            return Err(HookError::Unsigned);
        }
        let messages = inbound::read(&inbound.body, &settings.from)?;
        Ok(Received {
            messages: messages.into_iter().collect(),
            ..Received::default()
        })
    }

    async fn send(
        &self,
        connection: &Connection,
        message: &OutboundMessage,
    ) -> Result<Sent, SendFailure> {
        let (settings, keys) = own(connection)?;
        if message.text.trim().is_empty() {
            return Err(blank().into());
        }
        // A mail has one part.
        if message.skip > 0 {
            return Ok(Sent::default());
        }
        let to = address(&message.reply.to)?;
        let id = message_id(settings, &message.id);
        let mail = mail(settings, message, &to, &id)?;
        let sending = smtp::send(&self.egress, settings, keys, &to, &mail);
        self.in_time(sending).await?;
        Ok(Sent { ids: vec![id] })
    }

    /// Mail shows no such sign.
    async fn typing(&self, _: &Connection, _: &ReplyPath) -> Result<(), ChannelError> {
        Ok(())
    }
}

fn own(connection: &Connection) -> Result<(&EmailSettings, &EmailCredentials), ChannelError> {
    match (connection.settings(), connection.credentials()) {
        (ChannelSettings::Email(own), ChannelCredentials::Email(keys)) => Ok((own, keys)),
        _ => Err(wrong_kind()),
    }
}

/// By the gateway's signature of the body where there is one (`X-Webhook-Signature`, HMAC-SHA256 in hexadecimal
/// digits), else by the password in the hook's address (`https://any:SECRET@host/...`), which gateways send as HTTP
/// Basic (RFC 7617).
fn is_genuine(keys: &EmailCredentials, inbound: &Inbound) -> bool {
    if let Some(signature) = inbound.header("X-Webhook-Signature") {
        let signature = signature.strip_prefix("sha256=").unwrap_or(signature);
        return proof::is_signed(&keys.hook_secret, &[&inbound.body], signature);
    }
    let password = || {
        let given = inbound.header("Authorization")?.split_once(' ')?;
        let basic = Some(given).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))?;
        let pair = String::from_utf8(BASE64.decode(basic.1.trim()).ok()?).ok()?;
        pair.split_once(':')
            .map(|(_, password)| password.to_owned())
    };
    password().is_some_and(|given| proof::is_same(keys.hook_secret.expose(), &given))
}

/// The visitor's; what comes from a header may be anything.
fn address(text: &str) -> Result<Address, ChannelError> {
    let address = text.parse().ok().filter(|_| text.is_ascii());
    address
        .ok_or_else(|| ChannelError::Refused("The visitor's address can't be written to.".into()))
}

/// The same at every attempt: a mail whose receipt was not confirmed is sent again, and mailboxes show it once.
fn message_id(settings: &EmailSettings, id: &str) -> String {
    let domain = settings.from.rsplit('@').next().unwrap_or_default();
    format!("<{id}@{domain}>")
}

/// The answer as a mail of plain text, in the visitor's thread (RFC 5322, 3.6.4).
fn mail(
    settings: &EmailSettings,
    message: &OutboundMessage,
    to: &Address,
    id: &str,
) -> Result<Vec<u8>, ChannelError> {
    let invalid = |_| ChannelError::Invalid("The mail can't be written.".into());
    let from = settings.from.parse::<Address>();
    let from =
        from.map_err(|_| ChannelError::Dead("The sender's address can't be used.".into()))?;
    let reply = &message.reply;
    let mut mail = Message::builder()
        .from(Mailbox::new(settings.from_name.clone(), from))
        .to(Mailbox::new(None, to.clone()))
        .subject(subject(reply.subject.as_deref().unwrap_or_default()))
        .message_id(Some(id.to_owned()))
        .header(ContentType::TEXT_PLAIN)
        // So that an absent person's machine does not answer the answer, for ever (RFC 3834, 5).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-replied".into(),
        ));
    if let Some(answered) = &reply.message {
        let before = reply.references.iter().chain([answered]);
        let references: Vec<_> = before.map(String::as_str).collect();
        mail = mail
            .in_reply_to(answered.clone())
            .references(references.join(" "));
    }
    let mail = mail.body(message.text.clone()).map_err(invalid)?;
    Ok(mail.formatted())
}

fn subject(answered: &str) -> String {
    let answered = answered.trim();
    match answered.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("re:") => answered.to_owned(),
        _ => format!("Re: {answered}"),
    }
}
