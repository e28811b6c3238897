//! A mail as a gateway posts it: Postmark's form of JSON
//! (<https://postmarkapp.com/developer/webhooks/inbound-webhook>).

use domain::Timestamp;
use domain::channels::{HookError, InboundMessage, ReplyPath, Sender};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc2822;

/// The most messages of a thread that are named in an answer; the first and the last count.
const REFERENCES_MAX: usize = 10;
/// The longest identifier of a mail that is believed, in bytes: a line's length (RFC 5322, 2.1.1).
const ID_MAX: usize = 998;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mail {
    from_full: Person,
    #[serde(default)]
    reply_to: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    date: String,
    #[serde(default, rename = "MessageID")]
    gateway_id: String,
    #[serde(default)]
    text_body: String,
    /// The text without what it answers, where the gateway found it.
    #[serde(default)]
    stripped_text_reply: String,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Person {
    email: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

/// The mail; `None`: a machine's, or one without text.
pub(super) fn read(body: &[u8], own: &str) -> Result<Option<InboundMessage>, HookError> {
    let mail: Mail = serde_json::from_slice(body).map_err(|_| HookError::Malformed("no mail"))?;
    let text = [&mail.stripped_text_reply, &mail.text_body]
        .into_iter()
        .find(|text| !text.trim().is_empty());
    let Some(text) = text else {
        return Ok(None);
    };
    let from = mail.from_full.email.trim().to_lowercase();
    if from.is_empty() || from == own.to_lowercase() || mail.is_automatic(&from) {
        return Ok(None);
    }
    let own_id = mail.ids("Message-ID").pop();
    let mut references = mail.ids("References");
    if references.is_empty() {
        references = mail.ids("In-Reply-To");
    }
    let id = own_id.as_ref().unwrap_or(&mail.gateway_id);
    if id.is_empty() {
        return Err(HookError::Malformed("a mail without an id"));
    }
    let root = references.first().unwrap_or(id);
    let reply_to = Some(mail.reply_to.trim()).filter(|address| is_address(address));
    let to = reply_to.map_or_else(|| from.clone(), str::to_owned);
    Ok(Some(InboundMessage {
        id: digest(&[id]),
        // With the sender, so that whoever knows a thread's id does not get into another's conversation; and with where
        // answers go, so that nobody is told what was said before at another address.
        conversation: digest(&[&from, &to, root]),
        text: text.trim().to_owned(),
        opening: false,
        sent_at: Timestamp::parse(mail.date.trim(), &Rfc2822).ok(),
        reply: ReplyPath {
            to,
            thread: None,
            references: shortened(references),
            message: own_id,
            subject: Some(one_line(&mail.subject)).filter(|subject| !subject.is_empty()),
        },
        from: Sender {
            id: from.clone(),
            name: Some(one_line(&mail.from_full.name)).filter(|name| !name.is_empty()),
            email: Some(from),
        },
    }))
}

impl Mail {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.trim())
    }

    /// Bounces, lists, and machines that answer: an answer to those would be answered by them (RFC 3834, 2).
    fn is_automatic(&self, from: &str) -> bool {
        let submitted = self.header("Auto-Submitted");
        let precedence = self
            .header("Precedence")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let local = from.split('@').next().unwrap_or_default();
        submitted.is_some_and(|how| !how.eq_ignore_ascii_case("no"))
            || ["bulk", "junk", "list", "auto_reply"].contains(&&*precedence)
            || self.header("List-Id").is_some()
            || self.header("Return-Path") == Some("<>")
            || ["mailer-daemon", "postmaster"].contains(&local)
    }

    /// The identifiers in a header, `<...>` each. They go into our own headers, so anything else is left out.
    fn ids(&self, name: &str) -> Vec<String> {
        let words = self.header(name).unwrap_or_default().split_whitespace();
        let is_id = |word: &&str| {
            let inner = word
                .strip_prefix('<')
                .and_then(|word| word.strip_suffix('>'));
            let is_plain = |id: &str| {
                id.bytes()
                    .all(|b| b.is_ascii_graphic() && !b"<>".contains(&b))
            };
            word.len() <= ID_MAX && inner.is_some_and(|id| !id.is_empty() && is_plain(id))
        };
        words.filter(is_id).map(str::to_owned).collect()
    }
}

fn is_address(text: &str) -> bool {
    text.is_ascii() && text.parse::<lettre::Address>().is_ok()
}

fn shortened(mut references: Vec<String>) -> Vec<String> {
    if references.len() > REFERENCES_MAX {
        let surplus = references.len() - REFERENCES_MAX;
        references.drain(1..=surplus);
    }
    references
}

/// Without anything that could begin another header.
fn one_line(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    line.trim().chars().take(500).collect()
}

/// Identifiers of mails are up to a line long; these are not.
fn digest(words: &[&str]) -> String {
    let mut digest = Sha256::new();
    for word in words {
        digest.update(word.as_bytes());
        digest.update([0]);
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
