//! Promises of [`domain::conversations::Conversations`]: what is stored, and in what order. Its limits are
//! in `limits`, its reading in `histories`, its ends in `endings`.

use std::collections::BTreeSet;

use domain::bots::{Bot, BotChanges, ChannelType};
use domain::conversations::{Conversation, ConversationStatus, EndUser, EndUserDetails, Incoming};
use domain::messages::{Author, Message, MessageType, Utterance};
use domain::{Clash, Error, Resource, TenantId};
use serde_json::json;

use super::Ports;
use super::given::{
    NOON, after, id, incoming, new_bot, received, reply, tenant, tenant_with_bot, turn, turn_of,
    welcoming_bot,
};
use super::races::at_once;
use super::seen::{check_usage, everything};

pub(super) fn authors(messages: &[Message]) -> Vec<Author> {
    messages.iter().map(|message| message.author).collect()
}

pub(super) fn check_order(messages: &[Message]) {
    let places: Vec<_> = messages.iter().map(|message| message.seq).collect();
    let expected: Vec<_> = (1..=messages.len() as i64).collect();
    assert_eq!(
        places, expected,
        "places run from 1 without gaps, in reading order"
    );
}

async fn messages(s: &Ports, tenant: TenantId, session_id: &str) -> Vec<Message> {
    let conversation = s.conversations.find(tenant, session_id).await.unwrap();
    let id = conversation.expect("the conversation is there").id;
    s.conversations.messages(tenant, id).await.unwrap()
}

/// A first message makes its conversation, as it was told to.
pub async fn a_first_message_makes_its_conversation(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let message = Incoming {
        channel: Some(ChannelType::Sms),
        end_user: EndUserDetails {
            user_identifier: Some("+49 151 000".into()),
            user_name: Some("Zoë".into()),
            user_email: Some("zoe@example.com".into()),
        },
        ..incoming("session", "Hello?")
    };
    let got = received(s, tenant, &message).await;
    assert_eq!(got.bot, bot);
    assert!(got.history.is_empty());
    assert_eq!(
        got.knowledge,
        s.index.state(tenant, bot.id).await.unwrap().unwrap()
    );
    let expected = Message {
        id: message.message_id,
        conversation_id: message.new_ids.conversation,
        seq: 1,
        author: Author::User,
        message_type: MessageType::Text,
        payload: json!({"text": "Hello?"}),
        text: "Hello?".into(),
        metadata: got.message.metadata.clone(),
        reply_to: None,
        feedback: None,
        created_at: NOON,
    };
    assert_eq!(got.message, expected);
    assert!(got.message.metadata.is_object());
    assert_eq!(messages(s, tenant, "session").await, [expected]);
    let found = s
        .conversations
        .find(tenant, "session")
        .await
        .unwrap()
        .unwrap();
    let expected = Conversation {
        id: message.new_ids.conversation,
        session_id: "session".into(),
        bot_id: bot.id,
        bot_name: bot.name,
        end_user: EndUser {
            id: message.new_ids.end_user,
            identifier: Some("+49 151 000".into()),
            name: Some("Zoë".into()),
            email: Some("zoe@example.com".into()),
        },
        channel: ChannelType::Sms,
        status: ConversationStatus::Active,
        tags: json!({}),
        sentiment: None,
        purchased: false,
        started_at: NOON,
        ended_at: None,
        created_at: NOON,
    };
    assert_eq!(found, expected);
}

/// Without a word about the channel it is the bot's; about the person nothing is known.
pub async fn a_conversation_takes_its_channel_from_its_bot(s: &Ports) {
    let tenant = tenant(s).await;
    let bot = Bot {
        channel_type: ChannelType::Discord,
        ..new_bot(tenant)
    };
    s.bots.create(&bot, None).await.unwrap();
    received(s, tenant, &incoming("session", "Hello?")).await;
    let found = s
        .conversations
        .find(tenant, "session")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.channel, ChannelType::Discord);
    let EndUser {
        identifier,
        name,
        email,
        ..
    } = found.end_user;
    assert_eq!((identifier, name, email), (None, None, None));
}

/// Later messages go to the same conversation, and what they say about channel and person changes nothing.
pub async fn later_messages_join_the_conversation(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    let before = s.conversations.find(tenant, "session").await.unwrap();
    let later = Incoming {
        channel: Some(ChannelType::Email),
        end_user: EndUserDetails {
            user_identifier: Some("another".into()),
            user_name: Some("Another".into()),
            user_email: None,
        },
        at: after(60),
        ..incoming("session", "More?")
    };
    let [question, _] = turn_of(s, tenant, &later).await;
    assert_eq!((question.seq, question.created_at), (3, after(60)));
    assert_eq!(
        s.conversations.find(tenant, "session").await.unwrap(),
        before
    );
    check_order(&messages(s, tenant, "session").await);
}

/// An answer is stored as it was given, after what it answers.
pub async fn an_answer_is_stored_as_it_was_given(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let question = received(s, tenant, &incoming("session", "Hello?")).await;
    let mut answer = reply(&question, "Hi 👋");
    answer.metadata =
        json!({"provider": "openai", "citations": [{"score": 0.25, "n": null}], "fallback": true});
    answer.at = after(3);
    let stored = s.conversations.reply(tenant, &answer).await.unwrap();
    let expected = Message {
        id: answer.message_id,
        conversation_id: question.message.conversation_id,
        seq: 2,
        author: Author::Bot,
        message_type: MessageType::Text,
        payload: json!({"text": "Hi 👋"}),
        text: "Hi 👋".into(),
        metadata: answer.metadata,
        reply_to: Some(question.message.id),
        feedback: None,
        created_at: after(3),
    };
    assert_eq!(stored, expected);
    assert_eq!(
        messages(s, tenant, "session").await,
        [question.message, expected]
    );
}

/// The welcome message comes before the first message, once, and is history for it.
pub async fn the_welcome_message_comes_first_and_once(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome! 👋").await;
    let first = incoming("session", "Hello?");
    let got = received(s, tenant, &first).await;
    assert_eq!(got.message.seq, 2);
    received(
        s,
        tenant,
        &Incoming {
            at: after(1),
            ..incoming("session", "Anyone?")
        },
    )
    .await;
    let said = messages(s, tenant, "session").await;
    check_order(&said);
    assert_eq!(authors(&said), [Author::Bot, Author::User, Author::User]);
    let welcome = &said[0];
    assert_eq!(welcome.id, first.new_ids.welcome);
    assert_eq!(welcome.text, "Welcome! 👋");
    assert_eq!(welcome.payload, json!({"text": "Welcome! 👋"}));
    assert_eq!(welcome.created_at, NOON);
    assert!(welcome.reply_to.is_none() && welcome.metadata.is_object());
    assert_eq!(got.history, [Utterance::from(&said[0])]);
    check_usage(s, tenant).await.unwrap();
}

/// A bot without a welcome message says nothing first; one that gets it later says it to new visitors only.
pub async fn a_bot_welcomes_only_where_it_has_a_welcome_message(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    received(s, tenant, &incoming("early", "Hello?")).await;
    let changes = BotChanges {
        welcome_message: Some(Some("Welcome!".into())),
        ..BotChanges::default()
    };
    s.bots
        .update(tenant, bot.id, &changes, after(1))
        .await
        .unwrap();
    received(s, tenant, &incoming("early", "Still there?")).await;
    received(s, tenant, &incoming("late", "Hello?")).await;
    assert_eq!(
        authors(&messages(s, tenant, "early").await),
        [Author::User, Author::User]
    );
    assert_eq!(
        authors(&messages(s, tenant, "late").await),
        [Author::Bot, Author::User]
    );
}

/// Twenty first messages at once make one conversation and one welcome message, which comes first.
pub async fn first_messages_at_once_make_one_conversation(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome!").await;
    for (count, session) in [(2, "two"), (20, "twenty")] {
        let got = at_once(s, count, move |s, number| async move {
            let text = number.to_string();
            received(&s, tenant, &incoming(session, &text))
                .await
                .message
        })
        .await;
        let said = messages(s, tenant, session).await;
        check_order(&said);
        assert_eq!(said.len(), count + 1);
        assert_eq!(said[0].text, "Welcome!");
        assert!(
            authors(&said[1..])
                .iter()
                .all(|author| *author == Author::User)
        );
        assert!(got.iter().all(|message| said.contains(message)));
    }
    assert_eq!(everything(s, tenant).await.conversations.len(), 2);
    check_usage(s, tenant).await.unwrap();
}

/// Fifty messages at once to one session all land, each once, in one order, as do their answers.
pub async fn fifty_messages_at_once_all_land_in_one_order(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    let stored = at_once(s, 50, move |s, number| async move {
        turn_of(
            &s,
            tenant,
            &incoming("session", &format!("Message {number}")),
        )
        .await
    })
    .await;
    let said = messages(s, tenant, "session").await;
    assert_eq!(said.len(), 102);
    check_order(&said);
    for message in stored.iter().flatten() {
        assert_eq!(said[message.seq as usize - 1], *message);
    }
    let texts: BTreeSet<_> = said.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts.len(), 52);
    check_usage(s, tenant).await.unwrap();
}

/// Messages at once to many sessions are not mixed up.
pub async fn messages_to_many_sessions_at_once_are_not_mixed_up(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    at_once(s, 60, move |s, number| async move {
        let session = format!("session {}", number % 12);
        turn_of(&s, tenant, &incoming(&session, &session)).await;
    })
    .await;
    for number in 0..12 {
        let session = format!("session {number}");
        let said = messages(s, tenant, &session).await;
        check_order(&said);
        assert_eq!(said.len(), 10);
        assert_eq!(
            said.iter()
                .filter(|message| message.text == session)
                .count(),
            5
        );
    }
    check_usage(s, tenant).await.unwrap();
}

/// Receives a message that must be refused, leaving everything as it was.
pub(super) async fn refused(s: &Ports, tenant: TenantId, message: &Incoming) -> Error {
    let before = everything(s, tenant).await;
    let error = s.conversations.receive(tenant, message).await.unwrap_err();
    assert_eq!(
        everything(s, tenant).await,
        before,
        "{error} left something behind"
    );
    error
}

/// A message id is stored once: again it is a conflict, in any session and at any limit, so that a
/// repeated request finds its turn.
pub async fn a_message_id_is_stored_once(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome!").await;
    let message = incoming("session", "Hello?");
    turn_of(s, tenant, &message).await;
    let limits = domain::plans::PlanLimits {
        conversations_per_month: Some(1),
        messages_per_month: Some(3),
        ..message.limits
    };
    for session in ["session", "new"] {
        for limits in [message.limits, limits] {
            let again = Incoming {
                message_id: message.message_id,
                limits,
                ..incoming(session, "Hello?")
            };
            let error = refused(s, tenant, &again).await;
            assert!(
                matches!(error, Error::Conflict(Clash::AlreadyExists)),
                "{error:?}"
            );
        }
    }
}

/// The same message sent ten times at once is stored once.
pub async fn the_same_message_at_once_is_stored_once(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let message_id = id();
    let got = at_once(s, 10, move |s, _| async move {
        let message = Incoming {
            message_id,
            ..incoming("session", "Hello?")
        };
        s.conversations.receive(tenant, &message).await
    })
    .await;
    assert_eq!(super::races::successes(&got), 1);
    assert_eq!(messages(s, tenant, "session").await.len(), 1);
    check_usage(s, tenant).await.unwrap();
}

/// An answer to a conversation that was deleted meanwhile is not found, and leaves nothing behind.
pub async fn an_answer_to_a_deleted_conversation_is_not_found(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let question = received(s, tenant, &incoming("session", "Hello?")).await;
    s.bots.delete(tenant, bot.id).await.unwrap();
    let before = everything(s, tenant).await;
    for answer in [
        reply(&question, "Hi"),
        domain::conversations::Reply {
            conversation_id: id(),
            ..reply(&question, "Hi")
        },
    ] {
        let error = s.conversations.reply(tenant, &answer).await.unwrap_err();
        assert!(
            matches!(error, Error::NotFound(Resource::Conversation)),
            "{error:?}"
        );
    }
    assert_eq!(everything(s, tenant).await, before);
}

/// The same answer is stored once, whatever a repeated call says.
pub async fn the_same_answer_is_stored_once(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let question = received(s, tenant, &incoming("session", "Hello?")).await;
    let answer = reply(&question, "Hi");
    s.conversations.reply(tenant, &answer).await.unwrap();
    let _ = s.conversations.reply(tenant, &answer).await;
    assert_eq!(messages(s, tenant, "session").await.len(), 2);
    check_usage(s, tenant).await.unwrap();
}
