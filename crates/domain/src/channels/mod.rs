//! Channels: the platforms that a bot talks on, and the port to them.

mod fields;
pub mod inbox;
mod kept;
mod secret;
mod settings;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::bots::ChannelType;

pub use kept::{CHANNELS_MAX, CREDENTIALS, Channel, ChannelStatus, Channels};
pub use secret::Secret;
pub use settings::{
    ChannelCredentials, ChannelSettings, Connection, EmailCredentials, EmailSettings, MailSecurity,
    MessengerCredentials, MessengerSettings, SlackCredentials, TelegramCredentials,
    WhatsappCredentials, WhatsappSettings, read_kind,
};

/// The kinds that a channel can be made of; the others are places where conversations are said to be, which no
/// adapter reaches.
pub const CHANNEL_KINDS: [ChannelType; 6] = [
    ChannelType::Webchat,
    ChannelType::Telegram,
    ChannelType::Whatsapp,
    ChannelType::Messenger,
    ChannelType::Slack,
    ChannelType::Email,
];

/// What the platform says of the account that was connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The account's name, as the platform shows it: `@handle`, a phone number, a page, an address.
    pub account: String,
}

/// A request that came to a channel's hook.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The method, in upper case.
    pub method: String,
    /// The query's names and values, decoded.
    pub query: Vec<(String, String)>,
    /// Header names, in any case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte: signatures are over it.
    pub body: Vec<u8>,
    /// When it came: platforms sign the time of sending, so that a request can't be played back for ever.
    pub received_at: Timestamp,
}

impl Inbound {
    /// The value of a header that is there once. Twice is as good as none: two readers could take different ones.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(parameter, _)| parameter == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a genuine request to the hook held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The visitors' messages, in the platform's order. There may be none.
    pub messages: Vec<InboundMessage>,
    /// What the platform wants to read back, as plain text, with status 200: its challenge when the hook is set
    /// up. `None`: an empty 200.
    pub answer: Option<String>,
    /// The platform says that the tenant's credential is gone.
    pub disconnected: bool,
}

/// A visitor's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// The platform's id of the message, unique within the channel: a message that comes again has it again.
    pub id: String,
    /// The same for all messages of one conversation, and for no other within the channel.
    pub conversation: String,
    /// Who wrote it.
    pub from: Sender,
    /// What it says, not blank, as plain text.
    pub text: String,
    /// The visitor opened the chat and has not said anything: the text is the platform's (`/start`, the label of a
    /// button), and a welcome is the answer.
    pub opening: bool,
    /// When it was sent, where the platform says it. It is not kept: the order is that of arrival.
    #[serde(skip)]
    pub sent_at: Option<Timestamp>,
    /// Where the answer goes.
    pub reply: ReplyPath,
}

/// Who wrote a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The platform's id of the person, within the channel.
    pub id: String,
    /// How the person is called there.
    pub name: Option<String>,
    /// The e-mail address. Where it comes from a mail's header, nobody has proved it.
    pub email: Option<String>,
}

/// Where an answer goes. It is kept with the message that it answers, and only read by the adapter that made it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyPath {
    /// The chat, person or address.
    pub to: String,
    /// The thread within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The message that is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The messages before that, oldest first (RFC 5322, 3.6.4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The subject of what is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// A message to a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundMessage {
    /// Our id of the message, the same at every attempt: where the platform takes one, what arrives twice is
    /// recognised.
    pub id: String,
    /// Where it goes.
    pub reply: ReplyPath,
    /// The words, as plain text.
    pub text: String,
    /// How many parts went out in earlier attempts ([`SendFailure::sent`]); they are left out.
    pub skip: usize,
}

/// What went out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The platform's ids of the parts that were sent in this attempt, in their order.
    pub ids: Vec<String>,
}

/// A message did not go out, or not as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct SendFailure {
    /// The platform's ids of the parts that did go out in this attempt.
    pub sent: Vec<String>,
    /// Why the next one did not.
    #[source]
    pub error: ChannelError,
}

impl From<ChannelError> for SendFailure {
    /// Nothing went out.
    fn from(error: ChannelError) -> Self {
        Self {
            sent: Vec::new(),
            error,
        }
    }
}

/// What went wrong with a platform, by what is to be done. The sentences are for the tenant, and never hold a
/// secret or a visitor's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The credential is wrong, revoked, or lacks a right: nothing works until the tenant mends it.
    #[error("{0}")]
    Dead(String),
    /// This recipient can't be reached, now and later; others can.
    #[error("{0}")]
    Refused(String),
    /// It may work later.
    #[error("{reason}")]
    Later {
        /// How long the platform asked to wait.
        retry_after: Option<Duration>,
        /// What was in the way.
        reason: String,
    },
    /// The platform does not take this request; the same again does not help.
    #[error("{0}")]
    Invalid(String),
}

impl ChannelError {
    /// It may work later, and nobody said when.
    pub fn later(reason: impl Into<String>) -> Self {
        Self::Later {
            retry_after: None,
            reason: reason.into(),
        }
    }
}

/// Why nothing is taken from a request to the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The platform's signature or secret is missing, wrong, or too old.
    #[error("unsigned")]
    Unsigned,
    /// It is genuine, and not what the platform is documented to send.
    #[error("malformed: {0}")]
    Malformed(&'static str),
}

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests.
    pub count: u32,
    /// The time for them.
    pub per: Duration,
}

/// What a platform takes, by its documentation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendLimits {
    /// Parts of messages, to everybody.
    pub overall: Option<Rate>,
    /// Parts of messages, to one [`ReplyPath::to`].
    pub each: Option<Rate>,
}

/// A platform.
///
/// It keeps nothing between calls and tries nothing twice: retries are the business of the durable queue that
/// calls it. A request to the platform ends within ten seconds, a mail within thirty.
#[async_trait]
pub trait ChannelAdapter: Send + Sync {
    /// Which one, of [`CHANNEL_KINDS`]. Connections of other kinds are [`ChannelError::Invalid`] or
    /// [`HookError::Unsigned`].
    fn kind(&self) -> ChannelType;

    /// What the platform takes.
    fn limits(&self) -> SendLimits;

    /// Tries the credential, and has the platform send messages to `hook_url` where that can be asked of it. May be
    /// done again at any time.
    ///
    /// # Errors
    /// [`ChannelError`].
    async fn connect(
        &self,
        connection: &Connection,
        hook_url: &str,
    ) -> Result<Connected, ChannelError>;

    /// Undoes what [`ChannelAdapter::connect`] had the platform do.
    ///
    /// # Errors
    /// [`ChannelError`].
    async fn disconnect(&self, connection: &Connection) -> Result<(), ChannelError>;

    /// Reads a request to the hook, without any I/O. What is no visitor's words (the bot's own messages, other
    /// bots', receipts, edits, other accounts') is left out.
    ///
    /// # Errors
    /// [`HookError::Unsigned`] before anything of the body is believed; [`HookError::Malformed`].
    fn receive(&self, connection: &Connection, inbound: &Inbound) -> Result<Received, HookError>;

    /// Sends a message, in as many parts as the platform's limit asks for, in order. Parts end at a line's, word's
    /// or character's end, and hold every word.
    ///
    /// # Errors
    /// [`SendFailure`] with the parts that went out all the same.
    async fn send(
        &self,
        connection: &Connection,
        message: &OutboundMessage,
    ) -> Result<Sent, SendFailure>;

    /// Shows the visitor that an answer is being written, where the platform can. It passes by itself.
    ///
    /// # Errors
    /// [`ChannelError`], which may be ignored.
    async fn typing(&self, connection: &Connection, to: &ReplyPath) -> Result<(), ChannelError>;
}
