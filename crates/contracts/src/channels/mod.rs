//! What every channel promises: one clause, one function, named after its promise; and the platforms to promise it
//! to, which speak as their documentation says, faults included.

pub mod api;
pub mod email;
mod messenger;
mod slack;
mod telegram;
mod whatsapp;

use domain::Timestamp;
use domain::bots::ChannelType;
use domain::channels::{
    ChannelAdapter, ChannelError, Connection, HookError, Inbound, InboundMessage, OutboundMessage,
    ReplyPath, SendFailure, Sent,
};
use time::macros::datetime;

pub use email::FakeMail;
pub use messenger::FakeMessenger;
pub use slack::FakeSlack;
pub use telegram::FakeTelegram;
pub use whatsapp::FakeWhatsapp;

/// When it is, for requests to hooks.
pub const NOW: Timestamp = datetime!(2023-11-14 22:13:20 UTC);
/// What Meta's hooks are set up with.
pub const VERIFY_TOKEN: &str = "my own verify token";
/// Where a channel's hook is.
pub const HOOK_URL: &str = "https://bots.example/hooks/1";

/// What a visitor writes. Ids are small numbers; a platform makes its own form of them.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Of the message.
    pub id: u64,
    /// Of the person.
    pub person: u64,
    /// The words.
    pub text: &'a str,
}

/// What reached a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Whom: [`FakePlatform::address`].
    pub to: String,
    /// The words, as the visitor sees them.
    pub text: String,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The credential is wrong or revoked.
    DeadToken,
    /// The person can't be reached.
    Blocked,
    /// Too many requests; so many seconds are to be waited.
    TooMany(u64),
    /// The platform has a fault of its own.
    Broken,
    /// The connection ends without an answer.
    HangUp,
    /// An answer that is not the platform's.
    Nonsense,
    /// A redirect.
    Elsewhere,
    /// An answer without an end.
    Endless,
}

/// The longest text that a platform takes.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// How much.
    pub max: usize,
    /// In which measure.
    pub size: fn(&str) -> usize,
}

/// A platform with an account of a tenant's.
pub trait FakePlatform: Send + Sync {
    /// The tenant's account.
    fn connection(&self) -> Connection;
    /// The account's name.
    fn account(&self) -> &'static str;
    /// The longest text.
    fn limit(&self) -> Option<Limit>;
    /// What happens to the next request for which nothing is planned yet; `None`: it is answered.
    fn plan(&self, next: Option<Fault>);
    /// The genuine request to the hook with a visitor's message.
    fn post(&self, said: &Said<'_>) -> Inbound;
    /// Genuine requests that hold nobody's words to the bot.
    fn noise(&self) -> Vec<Inbound>;
    /// How the platform addresses a person's chat.
    fn address(&self, person: u64) -> String;
    /// What reached visitors, oldest first.
    fn delivered(&self) -> Vec<Delivered>;
    /// How often it was told that the bot is typing.
    fn typing(&self) -> usize;
}

/// Runs the clauses on an adapter and its platform, which `$open`, an async function, makes as a pair.
#[macro_export]
macro_rules! channel_contract {
    ($open:path) => {
        $crate::channel_contract!(@each $open,
            connecting_names_the_account
            a_dead_credential_is_told_from_a_passing_fault
            a_visitors_message_is_received
            a_repeated_message_has_its_id_again
            a_conversation_is_a_persons
            what_is_not_genuine_is_refused
            noise_is_no_message
            genuine_nonsense_is_no_panic
            an_answer_reaches_the_visitor
            every_character_arrives
            a_long_answer_arrives_in_parts
            what_went_out_is_not_sent_again
            a_message_without_words_is_invalid
            a_visitor_who_can_not_be_reached_is_refused
            a_busy_platform_is_later
            typing_is_shown_or_nothing
            another_kinds_connection_is_refused
            nothing_told_holds_a_secret
        );
    };
    (@each $open:path, $($promise:ident)+) => {$(
        #[tokio::test]
        async fn $promise() {
            let (adapter, platform) = $open().await;
            $crate::channels::$promise(&adapter, &platform).await;
        }
    )+};
}

/// Connects, as every channel does before anything comes to its hook.
async fn connected(adapter: &impl ChannelAdapter, platform: &impl FakePlatform) -> Connection {
    let connection = platform.connection();
    adapter
        .connect(&connection, HOOK_URL)
        .await
        .expect("a connection");
    connection
}

/// The one message of a genuine request.
fn received(
    adapter: &impl ChannelAdapter,
    connection: &Connection,
    inbound: &Inbound,
) -> InboundMessage {
    let received = adapter
        .receive(connection, inbound)
        .expect("a genuine request");
    assert_eq!((received.answer, received.disconnected), (None, false));
    let [message] = <[_; 1]>::try_from(received.messages).expect("one message");
    message
}

/// An answer to a message.
fn answer(reply: &ReplyPath, text: &str) -> OutboundMessage {
    OutboundMessage {
        id: "0190163d-8694-739b-aea5-966c26f8ad91".into(),
        reply: reply.clone(),
        text: text.into(),
        skip: 0,
    }
}

/// Connects, and answers a visitor's message.
async fn answered(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
    fault: Option<Fault>,
    text: &str,
) -> Result<Sent, SendFailure> {
    let connection = connected(adapter, platform).await;
    let said = Said {
        id: 1,
        person: 2,
        text: "When do you open?",
    };
    let message = received(adapter, &connection, &platform.post(&said));
    platform.plan(fault);
    adapter
        .send(&connection, &answer(&message.reply, text))
        .await
}

/// "What the platform says of the account", again at any time; and it can be undone.
pub async fn connecting_names_the_account(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = platform.connection();
    for _ in 0..2 {
        let connected = adapter.connect(&connection, HOOK_URL).await.unwrap();
        assert_eq!(connected.account, platform.account());
    }
    adapter.disconnect(&connection).await.unwrap();
}

/// [`ChannelError::Dead`] is for what the tenant must mend, [`ChannelError::Later`] for what mends itself, when
/// connecting and when sending.
pub async fn a_dead_credential_is_told_from_a_passing_fault(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = platform.connection();
    let passing = [
        Fault::Broken,
        Fault::HangUp,
        Fault::Nonsense,
        Fault::Elsewhere,
        Fault::Endless,
    ];
    platform.plan(Some(Fault::DeadToken));
    let error = adapter.connect(&connection, HOOK_URL).await.unwrap_err();
    assert!(matches!(error, ChannelError::Dead(_)), "{error:?}");
    let dead = answered(adapter, platform, Some(Fault::DeadToken), "At nine.").await;
    let error = dead.unwrap_err().error;
    assert!(matches!(error, ChannelError::Dead(_)), "{error:?}");
    for fault in passing {
        platform.plan(Some(fault));
        let error = adapter.connect(&connection, HOOK_URL).await.unwrap_err();
        assert!(
            matches!(error, ChannelError::Later { .. }),
            "{fault:?}: {error:?}"
        );
        let later = answered(adapter, platform, Some(fault), "At nine.").await;
        let error = later.unwrap_err().error;
        assert!(
            matches!(error, ChannelError::Later { .. }),
            "{fault:?}: {error:?}"
        );
    }
    assert!(platform.delivered().is_empty());
}

/// Words, person and way back are read; the time where the platform tells it.
pub async fn a_visitors_message_is_received(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = connected(adapter, platform).await;
    let text = "Wann öffnet ihr? 👋🏽 <b>1 & 2</b>\nDanke";
    let post = platform.post(&Said {
        id: 1,
        person: 2,
        text,
    });
    let message = received(adapter, &connection, &post);
    assert_eq!(message.text, text);
    assert_eq!(message.reply.to, platform.address(2));
    assert_eq!(message.sent_at, Some(NOW));
    assert!(!message.id.is_empty() && !message.from.id.is_empty());
    assert!(
        (1..=128).contains(&message.conversation.len()),
        "a session id is made of it"
    );
    assert!(!message.opening);
    let kept = serde_json::to_value(&message.reply).unwrap();
    assert_eq!(
        serde_json::from_value::<ReplyPath>(kept).unwrap(),
        message.reply
    );
}

/// "A message that comes again has it again", and no other has it.
pub async fn a_repeated_message_has_its_id_again(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = connected(adapter, platform).await;
    let id = |id, person| {
        let post = platform.post(&Said {
            id,
            person,
            text: "Hello",
        });
        received(adapter, &connection, &post).id
    };
    assert_eq!(id(1, 2), id(1, 2));
    assert_ne!(id(1, 2), id(3, 2));
    assert_ne!(id(1, 2), id(4, 5));
}

/// "The same for all messages of one conversation, and for no other".
pub async fn a_conversation_is_a_persons(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = connected(adapter, platform).await;
    let said = |id, person| {
        let post = platform.post(&Said {
            id,
            person,
            text: "Hello",
        });
        received(adapter, &connection, &post)
    };
    let (first, second, other) = (said(1, 2), said(3, 2), said(4, 5));
    assert_eq!(first.conversation, second.conversation);
    assert_eq!(first.from.id, second.from.id);
    assert_ne!(first.conversation, other.conversation);
    assert_ne!(first.from.id, other.from.id);
}

/// [`HookError::Unsigned`] where a proof is missing, wrong, or there twice, whatever the body is.
pub async fn what_is_not_genuine_is_refused(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = connected(adapter, platform).await;
    let genuine = platform.post(&Said {
        id: 1,
        person: 2,
        text: "Hello",
    });
    received(adapter, &connection, &genuine);
    let refused = |why: &str, inbound: &Inbound| {
        let outcome = adapter.receive(&connection, inbound);
        assert_eq!(outcome, Err(HookError::Unsigned), "{why}");
    };
    let proofs = |name: &str| !name.eq_ignore_ascii_case("content-type");
    for at in 0..genuine.headers.len() {
        let (name, value) = genuine.headers[at].clone();
        if !proofs(&name) {
            continue;
        }
        let changed = |value: String| {
            let mut inbound = genuine.clone();
            inbound.headers[at].1 = value;
            inbound
        };
        let last = if value.ends_with('0') { "1" } else { "0" };
        refused(
            "another value",
            &changed(format!("{}{last}", &value[..value.len() - 1])),
        );
        refused(
            "a shorter value",
            &changed(value[..value.len() - 2].to_owned()),
        );
        refused("an empty value", &changed(String::new()));
        let mut without = genuine.clone();
        without.headers.remove(at);
        refused("no proof", &without);
        // A secret proves who sends, a signature also what is sent.
        if name.ends_with("-Signature") || name.ends_with("-Signature-256") {
            let mut longer = genuine.clone();
            longer.body.push(b' ');
            refused("another body", &longer);
        }
        let mut doubled = genuine.clone();
        doubled.headers.push((name, value));
        refused("two proofs", &doubled);
    }
    let mut empty = genuine.clone();
    empty.headers.clear();
    empty.body.clear();
    refused("nothing at all", &empty);
    empty.method = "GET".into();
    refused("nothing at all, asked for", &empty);
}

/// "What is no visitor's words is left out", and is no error, which platforms would answer with repeats.
pub async fn noise_is_no_message(adapter: &impl ChannelAdapter, platform: &impl FakePlatform) {
    let connection = connected(adapter, platform).await;
    let noise = platform.noise();
    assert!(!noise.is_empty());
    for inbound in noise {
        let received = adapter
            .receive(&connection, &inbound)
            .expect("a genuine request");
        let body = String::from_utf8_lossy(&inbound.body);
        assert_eq!(received.messages, [], "{body}");
    }
}

/// A body that breaks off is an error, at every byte.
pub async fn genuine_nonsense_is_no_panic(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = connected(adapter, platform).await;
    let genuine = platform.post(&Said {
        id: 1,
        person: 2,
        text: "Grüße",
    });
    for end in 0..genuine.body.len() {
        let mut cut = genuine.clone();
        cut.body.truncate(end);
        assert!(adapter.receive(&connection, &cut).is_err(), "cut at {end}");
    }
}

/// The whole way: a message, and its answer to the same person.
pub async fn an_answer_reaches_the_visitor(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let sent = answered(adapter, platform, None, "At nine.").await.unwrap();
    assert_eq!(sent.ids.len(), 1);
    assert!(!sent.ids[0].is_empty());
    let expected = Delivered {
        to: platform.address(2),
        text: "At nine.".into(),
    };
    assert_eq!(platform.delivered(), [expected]);
}

/// The words are plain text: nothing in them is a mark to the platform.
pub async fn every_character_arrives(adapter: &impl ChannelAdapter, platform: &impl FakePlatform) {
    let text =
        "1 < 2 && 3 > 2; *bold* _it_ `x` ~no~ <@U1> [a](b) &amp; \\ \"ß\" 👨‍👩‍👧 =3D\n.\n..\nend";
    answered(adapter, platform, None, text).await.unwrap();
    assert_eq!(platform.delivered()[0].text, text);
}

/// "In as many parts as the platform's limit asks for, in order", with every word.
pub async fn a_long_answer_arrives_in_parts(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let word = |n: usize| format!("wörd{n}👍🏽&");
    let words: Vec<_> = (0..3000).map(word).collect();
    let text = words.join(" ");
    let sent = answered(adapter, platform, None, &text).await.unwrap();
    let delivered = platform.delivered();
    assert_eq!(sent.ids.len(), delivered.len());
    let arrived: Vec<_> = delivered
        .iter()
        .flat_map(|part| part.text.split_whitespace())
        .collect();
    assert_eq!(arrived, words);
    if let Some(limit) = platform.limit() {
        let is_short = |part: &Delivered| (limit.size)(&part.text) <= limit.max;
        assert!(delivered.iter().all(is_short));
        let fewest = (limit.size)(&text).div_ceil(limit.max);
        assert!(
            (fewest..=fewest + 1).contains(&delivered.len()),
            "{}",
            delivered.len()
        );
    }
}

/// After a failure in the middle, what is left goes out with [`OutboundMessage::skip`], and nothing twice.
pub async fn what_went_out_is_not_sent_again(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = connected(adapter, platform).await;
    let post = platform.post(&Said {
        id: 1,
        person: 2,
        text: "Everything, please",
    });
    let message = received(adapter, &connection, &post);
    let Some(limit) = platform.limit() else {
        return;
    };
    let words: Vec<_> = (0..limit.max / 2).map(|n| n.to_string()).collect();
    let mut long = answer(&message.reply, &words.join(" "));
    platform.plan(None);
    platform.plan(Some(Fault::Broken));
    let failure = adapter.send(&connection, &long).await.unwrap_err();
    assert_eq!(failure.sent.len(), 1);
    long.skip = failure.sent.len();
    let sent = adapter.send(&connection, &long).await.unwrap();
    let delivered = platform.delivered();
    assert_eq!(delivered.len(), 1 + sent.ids.len());
    let arrived: Vec<_> = delivered
        .iter()
        .flat_map(|part| part.text.split_whitespace())
        .collect();
    assert_eq!(arrived, words);
    long.skip = delivered.len();
    assert_eq!(
        adapter.send(&connection, &long).await.unwrap(),
        Sent::default()
    );
}

/// [`ChannelError::Invalid`], and nothing is asked of the platform.
pub async fn a_message_without_words_is_invalid(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    for blank in ["", " \n"] {
        let error = answered(adapter, platform, None, blank)
            .await
            .unwrap_err()
            .error;
        assert!(matches!(error, ChannelError::Invalid(_)), "{error:?}");
    }
    assert!(platform.delivered().is_empty());
}

/// [`ChannelError::Refused`]: others can be reached.
pub async fn a_visitor_who_can_not_be_reached_is_refused(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let refused = answered(adapter, platform, Some(Fault::Blocked), "At nine.").await;
    let failure = refused.unwrap_err();
    assert_eq!(failure.sent, [""; 0]);
    assert!(
        matches!(failure.error, ChannelError::Refused(_)),
        "{failure:?}"
    );
    answered(adapter, platform, None, "At nine.").await.unwrap();
}

/// [`ChannelError::Later`], with the wait that the platform asks for, where its protocol has one.
pub async fn a_busy_platform_is_later(adapter: &impl ChannelAdapter, platform: &impl FakePlatform) {
    let busy = answered(adapter, platform, Some(Fault::TooMany(7)), "At nine.").await;
    let ChannelError::Later { retry_after, .. } = busy.unwrap_err().error else {
        panic!("not later");
    };
    let told = (adapter.kind() != ChannelType::Email).then_some(7);
    assert_eq!(retry_after.map(|wait| wait.as_secs()), told);
}

/// "Where the platform can."
pub async fn typing_is_shown_or_nothing(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let connection = connected(adapter, platform).await;
    let post = platform.post(&Said {
        id: 1,
        person: 2,
        text: "Hello",
    });
    let message = received(adapter, &connection, &post);
    adapter.typing(&connection, &message.reply).await.unwrap();
    let can = !matches!(adapter.kind(), ChannelType::Slack | ChannelType::Email);
    assert_eq!(platform.typing(), usize::from(can));
    assert!(platform.delivered().is_empty());
}

/// "Connections of other kinds are `Invalid` or `Unsigned`."
pub async fn another_kinds_connection_is_refused(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    connected(adapter, platform).await;
    let nothing = serde_json::Value::Null;
    let other = api::connection(ChannelType::Webchat, &nothing, &nothing);
    let error = adapter.connect(&other, HOOK_URL).await.unwrap_err();
    assert!(matches!(error, ChannelError::Invalid(_)), "{error:?}");
    let failure = adapter
        .send(&other, &answer(&ReplyPath::default(), "Hello"))
        .await;
    assert!(matches!(
        failure.unwrap_err().error,
        ChannelError::Invalid(_)
    ));
    let post = platform.post(&Said {
        id: 1,
        person: 2,
        text: "Hello",
    });
    assert_eq!(adapter.receive(&other, &post), Err(HookError::Unsigned));
}

/// "The sentences never hold a secret or a visitor's words", whatever goes wrong.
pub async fn nothing_told_holds_a_secret(
    adapter: &impl ChannelAdapter,
    platform: &impl FakePlatform,
) {
    let credentials = platform.connection().credentials().expose();
    let values = credentials.as_object().unwrap().values();
    let mut hidden: Vec<_> = values.filter_map(|value| value.as_str()).collect();
    hidden.extend(["zebra crossing", "127.0.0.1"]);
    let faults = [
        Fault::DeadToken,
        Fault::Blocked,
        Fault::TooMany(1),
        Fault::Broken,
        Fault::HangUp,
        Fault::Nonsense,
        Fault::Elsewhere,
    ];
    for fault in faults {
        let failure = answered(adapter, platform, Some(fault), "zebra crossing")
            .await
            .unwrap_err();
        let told = format!("{failure} {failure:?}");
        assert!(!hidden.iter().any(|secret| told.contains(secret)), "{told}");
        assert!(failure.to_string().ends_with('.'), "a sentence: {failure}");
    }
}
