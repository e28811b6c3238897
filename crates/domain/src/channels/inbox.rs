//! What visitors wrote and waits for its answer: the durable queue between the hooks and the platforms.

use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{InboundMessage, ReplyPath, Sender};
use crate::text::{END_USER_FIELD_MAX, MESSAGE_MAX, SESSION_ID_MAX, preview};
use crate::{ChannelId, MessageId, Result, TenantId, Timestamp};

/// The most messages that may wait in a channel; beyond, platforms are asked to come again.
pub const WAITING_MAX: i64 = 5_000;
/// How long a message may wait for its answer: nobody wants one that comes later.
pub const WAITS_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long it is known which messages came: platforms repeat for some days at most.
pub const KNOWN_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// The first pause after a failure; it doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause that is not the platform's own wish.
const PAUSE_MAX: Duration = Duration::from_secs(10 * 60);
/// The longest that a platform's own wish is followed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// The longest id of a platform's that is kept as it is, in bytes.
const PLATFORM_ID_MAX: usize = 200;

/// The name of a conversation of a channel: at most 128 characters, the same for the same conversation, and no other
/// channel's.
pub fn session_id(channel: ChannelId, conversation: &str) -> String {
    let most = SESSION_ID_MAX as usize - "00000000-0000-0000-0000-000000000000:".len();
    format!("{channel}:{}", short(conversation, most))
}

/// The channel that a conversation of this name is in, if it is in one.
pub fn channel_of(session_id: &str) -> Option<ChannelId> {
    let (channel, _) = session_id.split_once(':')?;
    ChannelId::parse(channel)
}

/// A platform's id as it is kept: itself, or where it is long, what stands for it.
pub fn platform_id(id: &str) -> String {
    short(id, PLATFORM_ID_MAX)
}

fn short(id: &str, most: usize) -> String {
    if id.len() <= most && !id.contains('\0') {
        return id.to_owned();
    }
    let hash: [u8; 32] = Sha256::digest(id).into();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A platform's message as the product takes it: without NUL, which no store keeps, and no longer than a visitor's
/// message may be. `None`: nothing is left of it.
pub fn acceptable(message: InboundMessage) -> Option<InboundMessage> {
    let whole = |text: String| text.replace('\0', "");
    let cut = |text: String, most: u64| preview(whole(text).trim(), most as usize).to_owned();
    let (from, reply) = (message.from, message.reply);
    let text = cut(message.text, MESSAGE_MAX);
    let name = from.name.map(|name| cut(name, END_USER_FIELD_MAX));
    (!text.is_empty()).then(|| InboundMessage {
        id: whole(message.id),
        conversation: whole(message.conversation),
        from: Sender {
            id: platform_id(&from.id),
            name: name.filter(|name| !name.is_empty()),
            email: from.email.map(whole),
        },
        text,
        reply: ReplyPath {
            to: whole(reply.to),
            thread: reply.thread.map(whole),
            message: reply.message.map(whole),
            references: reply.references.into_iter().map(whole).collect(),
            subject: reply.subject.map(whole),
        },
        ..message
    })
}

/// How long to wait after so many attempts. `noise` spreads what failed together over a fifth of the time.
pub fn pause(attempts: u32, wish: Option<Duration>, noise: u8) -> Duration {
    let doubled = PAUSE_MIN.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let pause = doubled.min(PAUSE_MAX);
    let spread = pause + pause * u32::from(noise) / (5 * 255);
    spread.max(wish.unwrap_or_default().min(RETRY_AFTER_MAX))
}

/// Who has as much under way as they may.
#[derive(Debug, Clone, Default)]
pub struct Busy {
    /// Channels: a platform that hangs holds up no other.
    pub channels: Vec<ChannelId>,
    /// Tenants: however many channels one has, there is room for others.
    pub tenants: Vec<TenantId>,
}

/// A message on its way into the queue.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Our id for it: that of the visitor's message in the conversation.
    pub id: MessageId,
    /// The conversation's [`session_id`].
    pub session_id: String,
    /// The platform's id, as [`platform_id`] has it.
    pub platform_id: String,
    /// What came.
    pub message: InboundMessage,
}

/// A conversation that one worker answers in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationLease {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The channel that it is in.
    pub channel_id: ChannelId,
    /// Its [`session_id`].
    pub session_id: String,
    /// Tells this lease from those before and after it.
    pub number: u64,
}

/// A message that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Our id for it.
    pub id: MessageId,
    /// What came.
    pub message: InboundMessage,
    /// How many times its answer was tried to be made and sent.
    pub attempts: u32,
    /// How many parts of the answer have been sent.
    pub parts: u32,
    /// When it came.
    pub received_at: Timestamp,
    /// It is the bot's own and only to be sent: its text is [`InboundMessage::text`].
    pub is_own: bool,
}

/// How an attempt to answer a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is sent.
    Answered,
    /// There will be none, for this reason.
    GivenUp(String),
    /// It is to be tried again, because of this.
    Again(String),
}

/// An attempt to answer a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The message.
    pub id: MessageId,
    /// How many parts of the answer have been sent, in all attempts.
    pub parts: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// What visitors wrote, in order for each conversation.
///
/// Workers lease conversations, not messages: so one conversation has one worker, order needs no further locks, and one
/// that is slow holds up no other. A worker that dies loses its lease. In channels that are not connected, all waits.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Keeps what came to a channel, in its order, each message once, by its platform's id: all or nothing. Answers
    /// how many were new; `None`: the channel is gone or not connected, and nothing is kept.
    async fn receive(
        &self,
        tenant: TenantId,
        channel: ChannelId,
        arrivals: &[Arrival],
        at: Timestamp,
    ) -> Result<Option<u32>>;

    /// Of the conversations in connected channels, the `busy` ones' left out, in which something waits that is due, and that
    /// nobody has leased: the one that is due longest, leased until `now + lease`.
    async fn lease(
        &self,
        now: Timestamp,
        lease: Duration,
        busy: &Busy,
    ) -> Result<Option<ConversationLease>>;

    /// Holds on to a conversation. `false`: it is gone, or somebody else has it.
    async fn extend(
        &self,
        lease: &ConversationLease,
        now: Timestamp,
        time: Duration,
    ) -> Result<bool>;

    /// The oldest message that waits.
    async fn next(&self, lease: &ConversationLease) -> Result<Option<Waiting>>;

    /// Keeps what came of an attempt. The words of a message that waits no more are forgotten.
    async fn record(&self, lease: &ConversationLease, attempt: &Attempt) -> Result<()>;

    /// Gives a conversation back; what waits in it is due then. The lease must still be held for it to count.
    async fn release(&self, lease: &ConversationLease, again_at: Timestamp) -> Result<()>;

    /// Gives all conversations back. For a start when no other process can be at work on them.
    async fn release_all(&self) -> Result<()>;

    /// Gives up what has waited since before `waiting`, forgets messages from before `known` and conversations without
    /// any; of all tenants, at most `most` of each. Answers how many in all.
    async fn sweep(&self, waiting: Timestamp, known: Timestamp, most: u32) -> Result<u64>;
}

/// Tells those who answer in channels that there may be something to answer.
pub trait InboxBell: Send + Sync {
    /// There is something to answer.
    fn ring(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_named_after_channel_and_conversation() {
        let (one, other) = (
            uuid::Uuid::from_u128(1).into(),
            uuid::Uuid::from_u128(2).into(),
        );
        let long = "x".repeat(128);
        let longer = "x".repeat(129);
        let names = [
            session_id(one, "42"),
            session_id(other, "42"),
            session_id(one, "43"),
            session_id(one, &long),
            session_id(one, &longer),
            session_id(one, "4\u{0}2"),
        ];
        for (at, name) in names.iter().enumerate() {
            assert!(name.len() <= 128 && !name.contains('\0'), "{name}");
            assert!(!names[..at].contains(name), "{name}");
        }
        assert_eq!(names[0], format!("{one}:42"));
        assert_eq!(session_id(one, &long), names[3]);
    }

    #[test]
    fn messages_are_cut_to_what_is_taken() {
        let message = |text: &str| InboundMessage {
            id: "1".into(),
            conversation: "1".into(),
            from: Sender {
                id: "7".into(),
                name: Some(" \0".into()),
                email: None,
            },
            text: text.into(),
            opening: false,
            sent_at: None,
            reply: ReplyPath::default(),
        };
        let taken = acceptable(message(&"ä\0".repeat(9_000))).unwrap();
        assert_eq!(taken.text, "ä".repeat(8_000));
        assert_eq!(taken.from.name, None);
        assert_eq!(acceptable(message(" \0\n")), None);
    }

    #[test]
    fn pauses_grow_and_follow_the_platforms_wish() {
        let seconds = |attempts, wish: Option<u64>, noise| {
            pause(attempts, wish.map(Duration::from_secs), noise).as_millis()
        };
        assert_eq!(seconds(1, None, 0), 1_000);
        assert_eq!(seconds(4, None, 0), 8_000);
        assert_eq!(seconds(4, None, 255), 9_600);
        assert_eq!(seconds(99, None, 0), 600_000);
        assert_eq!(seconds(1, Some(30), 0), 30_000);
        assert_eq!(seconds(1, Some(999_999), 0), 3_600_000);
    }
}
