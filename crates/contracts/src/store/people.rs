//! Promises of [`domain::conversations::Conversations`]: who takes part, the bot and the person.

use std::collections::BTreeSet;

use domain::bots::{Bot, BotChanges, ChannelType};
use domain::conversations::{EndUserDetails, Incoming};
use domain::{Error, Resource};

use super::Ports;
use super::conversations::refused;
use super::given::{NOON, after, bot, incoming, no_bot, received, tenant, tenant_with_bot, turn};
use super::races::at_once;

/// Those who give the same identifier to a bot on a channel are the same person; otherwise they are not.
pub async fn the_same_identifier_is_the_same_person(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    let second = bot(s, tenant).await;
    let person = |session: &'static str, identifier: Option<&str>, bot: &Bot, channel| {
        let message = Incoming {
            bot_id: Some(bot.id),
            channel: Some(channel),
            end_user: EndUserDetails {
                user_identifier: identifier.map(Into::into),
                ..EndUserDetails::default()
            },
            ..incoming(session, "Hello?")
        };
        async move {
            received(s, tenant, &message).await;
            s.conversations
                .find(tenant, session)
                .await
                .unwrap()
                .unwrap()
                .end_user
                .id
        }
    };
    let zoe = person("1", Some("zoe"), &first, ChannelType::Sms).await;
    assert_eq!(
        person("2", Some("zoe"), &first, ChannelType::Sms).await,
        zoe
    );
    let others = [
        person("3", Some("Zoe"), &first, ChannelType::Sms).await,
        person("4", None, &first, ChannelType::Sms).await,
        person("5", None, &first, ChannelType::Sms).await,
        person("6", Some("zoe"), &second, ChannelType::Sms).await,
        person("7", Some("zoe"), &first, ChannelType::Email).await,
    ];
    let distinct: BTreeSet<_> = others.iter().chain([&zoe]).collect();
    assert_eq!(distinct.len(), 6);
}

/// Conversations begun at once by one person make that person once.
pub async fn one_person_at_once_is_one_person(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let people = at_once(s, 20, move |s, number| async move {
        let session = number.to_string();
        let mut message = incoming(&session, "Hello?");
        message.end_user.user_identifier = Some("zoe".into());
        received(&s, tenant, &message).await;
        s.conversations
            .find(tenant, &session)
            .await
            .unwrap()
            .unwrap()
            .end_user
            .id
    })
    .await;
    assert_eq!(people.into_iter().collect::<BTreeSet<_>>().len(), 1);
}

/// Without a bot named it is the default one, in a conversation that is there its own.
pub async fn without_a_bot_named_it_is_the_default(s: &Ports) {
    let (tenant, default) = tenant_with_bot(s).await;
    let second = bot(s, tenant).await;
    let named = Incoming {
        bot_id: Some(second.id),
        ..incoming("second", "Hello?")
    };
    assert_eq!(received(s, tenant, &named).await.bot.id, second.id);
    assert_eq!(
        received(s, tenant, &incoming("default", "Hello?"))
            .await
            .bot
            .id,
        default.id
    );
    assert_eq!(
        received(s, tenant, &incoming("second", "More?"))
            .await
            .bot
            .id,
        second.id
    );
    let again = Incoming {
        bot_id: Some(second.id),
        ..incoming("second", "And more?")
    };
    assert_eq!(received(s, tenant, &again).await.bot.id, second.id);
}

/// No bot at all, and a bot that is not the tenant's: not found, and nothing is left behind.
pub async fn a_message_needs_a_bot_of_the_tenant(s: &Ports) {
    let empty = tenant(s).await;
    let (tenant, _) = tenant_with_bot(s).await;
    let theirs = tenant_with_bot(s).await.1;
    turn(s, tenant, "session", NOON).await;
    let named = |bot_id, session| Incoming {
        bot_id: Some(bot_id),
        ..incoming(session, "Hello?")
    };
    for (tenant, message) in [
        (empty, incoming("new", "Hello?")),
        (empty, named(theirs.id, "new")),
        (tenant, named(no_bot(), "new")),
        (tenant, named(theirs.id, "new")),
        (tenant, named(theirs.id, "session")),
    ] {
        let error = refused(s, tenant, &message).await;
        let is_expected = match &error {
            Error::NotFound(Resource::Bot) => true,
            // In a conversation that is there, it is another bot's as well.
            Error::Invalid { field, .. } => message.session_id == "session" && field == "bot_id",
            _ => false,
        };
        assert!(is_expected, "{error:?}");
    }
}

/// An inactive bot takes no message, in new conversations and in those that are there.
pub async fn an_inactive_bot_takes_no_message(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    let switch = |is_active| BotChanges {
        is_active: Some(is_active),
        ..BotChanges::default()
    };
    s.bots
        .update(tenant, bot.id, &switch(false), after(1))
        .await
        .unwrap();
    for session in ["session", "new"] {
        for bot_id in [None, Some(bot.id)] {
            let message = Incoming {
                bot_id,
                ..incoming(session, "Hello?")
            };
            let error = refused(s, tenant, &message).await;
            assert!(matches!(error, Error::BotInactive), "{error:?}");
        }
    }
    s.bots
        .update(tenant, bot.id, &switch(true), after(2))
        .await
        .unwrap();
    turn(s, tenant, "session", after(3)).await;
}

/// A conversation belongs to its bot: another one named is invalid, and nothing is left behind.
pub async fn another_bot_for_a_conversation_is_invalid(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    turn(s, tenant, "session", NOON).await;
    let message = Incoming {
        bot_id: Some(other.id),
        ..incoming("session", "Hello?")
    };
    let error = refused(s, tenant, &message).await;
    assert!(
        matches!(&error, Error::Invalid { field, .. } if field == "bot_id"),
        "{error:?}"
    );
}
