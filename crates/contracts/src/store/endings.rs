//! Promises of [`domain::conversations::Conversations`]: how conversations end, and begin again.

use domain::conversations::{Conversation, ConversationStatus};
use domain::{Error, Resource, TenantId, Timestamp};

use super::Ports;
use super::given::{
    NOON, after, incoming, page, received, reply, tenant, tenant_with_bot, turn, welcoming_bot,
};
use super::races::at_once;
use super::seen::{Seen, check_usage, everything};

async fn state(
    s: &Ports,
    tenant: TenantId,
    session: &str,
) -> (ConversationStatus, Option<Timestamp>) {
    let found = s
        .conversations
        .find(tenant, session)
        .await
        .unwrap()
        .unwrap();
    (found.status, found.ended_at)
}

/// Ending answers the conversation as it is then; what has ended keeps its time.
pub async fn what_has_ended_keeps_its_time(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    let before = s
        .conversations
        .find(tenant, "session")
        .await
        .unwrap()
        .unwrap();
    for second in [10, 20, 5] {
        let ended = s
            .conversations
            .end(tenant, "session", after(second))
            .await
            .unwrap()
            .unwrap();
        let expected = Conversation {
            status: ConversationStatus::Ended,
            ended_at: Some(after(10)),
            ..before.clone()
        };
        assert_eq!(ended, expected);
        assert_eq!(
            s.conversations.find(tenant, "session").await.unwrap(),
            Some(expected)
        );
        check_usage(s, tenant).await.unwrap();
    }
}

/// A further message makes an ended conversation active again, and it can end again.
pub async fn a_message_makes_an_ended_conversation_active(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome!").await;
    for round in 0..3 {
        turn(s, tenant, "session", after(round * 10)).await;
        assert_eq!(
            state(s, tenant, "session").await,
            (ConversationStatus::Active, None)
        );
        check_usage(s, tenant).await.unwrap();
        let at = after(round * 10 + 5);
        s.conversations.end(tenant, "session", at).await.unwrap();
        assert_eq!(
            state(s, tenant, "session").await,
            (ConversationStatus::Ended, Some(at))
        );
        check_usage(s, tenant).await.unwrap();
    }
    // One welcome, and three turns.
    assert_eq!(everything(s, tenant).await.usage.messages, 7);
}

/// An answer that comes after the end is stored, and ends nothing and begins nothing.
pub async fn an_answer_after_the_end_is_stored(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let question = received(s, tenant, &incoming("session", "Hello?")).await;
    s.conversations
        .end(tenant, "session", after(1))
        .await
        .unwrap();
    let answer = super::given::reply(&question, "Hi");
    s.conversations.reply(tenant, &answer).await.unwrap();
    assert_eq!(
        state(s, tenant, "session").await,
        (ConversationStatus::Ended, Some(after(1)))
    );
    check_usage(s, tenant).await.unwrap();
}

/// Active conversations in which a bot spoke last, before the moment asked for, are abandoned; others not.
pub async fn silence_after_a_bot_spoke_abandons(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let (other, _) = tenant_with_bot(s).await;
    turn(s, tenant, "silent", after(0)).await;
    turn(s, other, "silent too", after(5)).await;
    turn(s, tenant, "at the moment", after(10)).await;
    turn(s, tenant, "later", after(11)).await;
    turn(s, tenant, "visitor waits", after(0)).await;
    received(s, tenant, &incoming("visitor waits", "Still there?")).await;
    turn(s, tenant, "ended", after(0)).await;
    s.conversations
        .end(tenant, "ended", after(1))
        .await
        .unwrap();

    assert_eq!(
        s.conversations
            .abandon(after(10), 100, after(50))
            .await
            .unwrap(),
        2
    );

    let abandoned = (ConversationStatus::Abandoned, Some(after(50)));
    assert_eq!(state(s, tenant, "silent").await, abandoned);
    assert_eq!(state(s, other, "silent too").await, abandoned);
    for session in ["at the moment", "later", "visitor waits"] {
        assert_eq!(
            state(s, tenant, session).await,
            (ConversationStatus::Active, None),
            "{session}"
        );
    }
    assert_eq!(
        state(s, tenant, "ended").await,
        (ConversationStatus::Ended, Some(after(1)))
    );
    for tenant in [tenant, other] {
        check_usage(s, tenant).await.unwrap();
    }
    assert_eq!(
        s.conversations
            .abandon(after(10), 100, after(60))
            .await
            .unwrap(),
        0
    );
    assert_eq!(state(s, tenant, "silent").await, abandoned);
}

/// At most a batch is abandoned at a time, and further calls go on until all are.
pub async fn abandoning_goes_in_batches(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for number in 0..7 {
        turn(s, tenant, &number.to_string(), NOON).await;
    }
    for expected in [3, 3, 1, 0] {
        assert_eq!(
            s.conversations
                .abandon(after(60), 3, after(60))
                .await
                .unwrap(),
            expected
        );
        check_usage(s, tenant).await.unwrap();
    }
}

/// An abandoned conversation becomes active with a further message, and can be ended.
pub async fn an_abandoned_conversation_goes_on_or_ends(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for session in ["goes on", "ends"] {
        turn(s, tenant, session, NOON).await;
    }
    assert_eq!(
        s.conversations
            .abandon(after(10), 10, after(20))
            .await
            .unwrap(),
        2
    );
    turn(s, tenant, "goes on", after(30)).await;
    s.conversations
        .end(tenant, "ends", after(30))
        .await
        .unwrap();
    assert_eq!(
        state(s, tenant, "goes on").await,
        (ConversationStatus::Active, None)
    );
    assert_eq!(
        state(s, tenant, "ends").await,
        (ConversationStatus::Ended, Some(after(30)))
    );
    check_usage(s, tenant).await.unwrap();
    // It was silent before, and is not now.
    assert_eq!(
        s.conversations
            .abandon(after(10), 10, after(40))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        s.conversations
            .abandon(after(31), 10, after(40))
            .await
            .unwrap(),
        1
    );
    check_usage(s, tenant).await.unwrap();
}

/// Turns, ends and abandonments at once leave every counter equal to the truth.
pub async fn counters_are_exact_after_ends_at_once(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for session in 0..4 {
        turn(s, tenant, &session.to_string(), NOON).await;
    }
    at_once(s, 60, move |s, number| async move {
        let (session, at) = ((number % 4).to_string(), after(number as i64));
        match number % 3 {
            0 => drop(turn(&s, tenant, &session, at).await),
            1 => drop(s.conversations.end(tenant, &session, at).await.unwrap()),
            _ => drop(s.conversations.abandon(at, 2, at).await.unwrap()),
        }
    })
    .await;
    check_usage(s, tenant).await.unwrap();
}

/// A conversation is found by its id and deleted by it, with its messages and what they counted for; other tenants can
/// do neither, and an answer that comes too late is not stored.
pub async fn a_deleted_conversation_leaves_the_figures(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    turn(s, tenant, "kept", NOON).await;
    let before = everything(s, tenant).await;
    turn(s, tenant, "gone", NOON).await;
    turn(s, tenant, "gone", after(40 * 3_600)).await;
    let late = received(s, tenant, &incoming("gone", "Hello?")).await;
    let gone = s.conversations.find(tenant, "gone").await.unwrap().unwrap();
    let by_id = s.conversations.find_by_id(tenant, gone.id).await.unwrap();
    assert_eq!(by_id.as_ref(), Some(&gone));
    let theirs = s.conversations.find_by_id(stranger, gone.id).await.unwrap();
    assert_eq!(theirs, None);
    assert!(!s.conversations.delete(stranger, gone.id).await.unwrap());
    assert!(s.conversations.delete(tenant, gone.id).await.unwrap());
    assert!(!s.conversations.delete(tenant, gone.id).await.unwrap());
    assert_eq!(
        s.conversations.find_by_id(tenant, gone.id).await.unwrap(),
        None
    );
    assert!(
        s.conversations
            .messages(tenant, gone.id)
            .await
            .unwrap()
            .is_empty()
    );
    let answer = s.conversations.reply(tenant, &reply(&late, "Hi.")).await;
    assert!(matches!(
        answer,
        Err(Error::NotFound(Resource::Conversation))
    ));
    let now = everything(s, tenant).await;
    assert_eq!(now.usage.messages, 7, "the month's usage stays");
    let usage = before.usage;
    assert_eq!(Seen { usage, ..now }, before);
}

/// A conversation's messages in pages, oldest first.
pub async fn messages_come_in_pages(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for second in 0..3 {
        turn(s, tenant, "session", after(second)).await;
    }
    let id = s
        .conversations
        .find(tenant, "session")
        .await
        .unwrap()
        .unwrap()
        .id;
    let all = s.conversations.messages(tenant, id).await.unwrap();
    for (number, expected) in [(1, &all[..4]), (2, &all[4..]), (3, &[])] {
        let found = s
            .conversations
            .message_page(tenant, id, page(number, 4))
            .await;
        let found = found.unwrap();
        assert_eq!((found.items.as_slice(), found.total), (expected, 6));
    }
    let (stranger, _) = tenant_with_bot(s).await;
    let none = s.conversations.message_page(stranger, id, page(1, 4)).await;
    assert_eq!(none.unwrap().total, 0);
}
