//! Promises of [`domain::conversations::Conversations`]: what people thought, and what was learned of them.

use domain::bots::ChannelType;
use domain::conversations::{ConversationFilter, Incoming, Learned, Sentiment};
use domain::messages::Feedback;
use domain::{ConversationId, TenantId};

use super::Ports;
use super::given::{NOON, after, all, id, incoming, tenant_with_bot, turn, turn_of};

async fn found(s: &Ports, tenant: TenantId, filter: ConversationFilter) -> Vec<String> {
    let listed = s.conversations.list(tenant, &filter, all()).await.unwrap();
    assert_eq!(listed.total, listed.items.len() as u64);
    let sessions = listed.items.into_iter().map(|found| found.session_id);
    sessions.collect()
}

/// What a person thought of a message is kept, changed, and taken back.
pub async fn what_a_person_thought_is_kept_and_taken_back(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let [_, answer] = turn(s, tenant, "session", NOON).await;
    for feedback in [Some(Feedback::Positive), Some(Feedback::Negative), None] {
        let kept = s
            .conversations
            .set_feedback(tenant, answer.conversation_id, answer.id, feedback)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((kept.feedback, &kept.text), (feedback, &answer.text));
        let messages = s.conversations.messages(tenant, answer.conversation_id);
        assert_eq!(messages.await.unwrap()[1], kept);
    }
}

/// What is not the conversation's, not the tenant's, or not the bot's message is not thought of.
pub async fn only_a_bots_message_is_thought_of(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    let [question, answer] = turn(s, tenant, "session", NOON).await;
    let [other, _] = turn(s, tenant, "other", NOON).await;
    for (tenant, conversation, message) in [
        (tenant, question.conversation_id, question.id),
        (tenant, other.conversation_id, answer.id),
        (stranger, answer.conversation_id, answer.id),
        (tenant, answer.conversation_id, id()),
    ] {
        let feedback = Some(Feedback::Negative);
        let kept = s
            .conversations
            .set_feedback(tenant, conversation, message, feedback)
            .await
            .unwrap();
        assert_eq!(kept, None);
    }
    let messages = s.conversations.messages(tenant, answer.conversation_id);
    let untouched = |message: &domain::messages::Message| message.feedback.is_none();
    assert!(messages.await.unwrap().iter().all(untouched));
}

/// Conversations are found by what was learned from them, the last time.
pub async fn what_was_learned_is_found_by(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    let mut ids: Vec<ConversationId> = Vec::new();
    for (second, session) in ["one", "two", "three"].into_iter().enumerate() {
        let [message, _] = turn(s, tenant, session, after(second as i64)).await;
        ids.push(message.conversation_id);
    }
    let learn = async |id, sentiment, products: &[&str]| {
        let products = products.iter().map(|&name| name.into()).collect();
        let learned = Learned {
            sentiment: Some(sentiment),
            products,
        };
        s.conversations.learn(tenant, id, &learned).await.unwrap()
    };
    assert!(learn(ids[0], Sentiment::Negative, &["Old Lamp"]).await);
    assert!(learn(ids[0], Sentiment::Positive, &["Lamp", "LAMP", "Süße Tür"]).await);
    assert!(learn(ids[1], Sentiment::Negative, &["lamp"]).await);
    assert!(!learn(id(), Sentiment::Negative, &["lamp"]).await);
    let learned = Learned::default();
    let forged = s.conversations.learn(stranger, ids[0], &learned).await;
    assert!(!forged.unwrap());
    let felt = async |sentiment| {
        let filter = ConversationFilter {
            sentiment: Some(sentiment),
            ..Default::default()
        };
        found(s, tenant, filter).await
    };
    assert_eq!(felt(Sentiment::Positive).await, ["one"]);
    assert_eq!(felt(Sentiment::Negative).await, ["two"]);
    assert!(felt(Sentiment::Neutral).await.is_empty());
    let about = async |product: &str| {
        let filter = ConversationFilter {
            product: Some(product.into()),
            ..Default::default()
        };
        found(s, tenant, filter).await
    };
    assert_eq!(about("Lamp").await, ["two", "one"]);
    assert_eq!(about("SÜSSE TÜR").await, Vec::<String>::new());
    assert_eq!(about("süße tür").await, ["one"]);
    assert!(about("old lamp").await.is_empty());
    let shown = s.conversations.find(tenant, "one").await.unwrap().unwrap();
    assert_eq!(shown.sentiment, Some(Sentiment::Positive));
    let shown = s.conversations.find(tenant, "three").await.unwrap();
    assert_eq!(shown.unwrap().sentiment, None);
}

/// Conversations are found by when they began and whom they are with.
pub async fn conversations_are_filtered_by_time_and_person(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for (second, session) in ["one", "two", "three"].into_iter().enumerate() {
        let mut message = Incoming {
            at: after(second as i64),
            channel: Some(ChannelType::Webchat),
            ..incoming(session, "Question?")
        };
        message.end_user.user_identifier = (session != "two").then(|| "zoe".into());
        turn_of(s, tenant, &message).await;
    }
    let filter = ConversationFilter {
        from: Some(after(1)),
        ..Default::default()
    };
    assert_eq!(found(s, tenant, filter.clone()).await, ["three", "two"]);
    let filter = ConversationFilter {
        until: Some(after(2)),
        ..filter
    };
    assert_eq!(found(s, tenant, filter).await, ["two"]);
    let zoe = s.conversations.find(tenant, "one").await.unwrap().unwrap();
    let filter = ConversationFilter {
        end_user: Some(zoe.end_user.id),
        ..Default::default()
    };
    assert_eq!(found(s, tenant, filter.clone()).await, ["three", "one"]);
    let filter = ConversationFilter {
        purchased: Some(true),
        ..filter
    };
    assert!(found(s, tenant, filter).await.is_empty());
}

/// A conversation is found by its own id as by its name, and by its own tenant.
pub async fn a_conversation_is_found_by_its_id(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    let named = s.conversations.find(tenant, "session").await.unwrap();
    let id = named.as_ref().unwrap().id;
    let found = s.conversations.find_by_id(tenant, id).await.unwrap();
    assert_eq!(found, named);
    let none = s.conversations.find_by_id(stranger, id).await.unwrap();
    assert_eq!(none, None);
}
