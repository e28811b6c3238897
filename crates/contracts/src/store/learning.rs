//! Promises of [`domain::learning::Learning`], and of what [`domain::insights::Insights`] makes of it.

use domain::analytics::Days;
use domain::bots::Bot;
use domain::conversations::{ConversationFilter, Incoming, Sentiment};
use domain::insights::{
    Insight, IntentScore, Product, ProductFigures, ProductMention, QuestionFigures, SentimentScore,
};
use domain::learning::{
    ANSWER_WITHIN, Due, GroupedQuestion, Lesson, Place, ReadConversation, ReadMessage, Unread,
};
use domain::messages::Message;
use domain::{QuestionGroupId, Timestamp};
use time::Duration;

use super::Ports;
use super::given::{
    NOON, after, all, bot, id, incoming, page, received, reply, tenant_with_bot, turn_of,
};

const TODAY: Days = Days {
    first: NOON.date(),
    last: NOON.date(),
};

/// Long after anything that is said here.
const LATER: Timestamp = NOON.saturating_add(Duration::DAY);

async fn say(s: &Ports, bot: &Bot, session: &str, text: &str, at: Timestamp) -> Message {
    let message = Incoming {
        bot_id: Some(bot.id),
        at,
        ..incoming(session, text)
    };
    let [question, _] = turn_of(s, bot.tenant_id, &message).await;
    question
}

async fn due(s: &Ports, at: Timestamp) -> Option<Due> {
    s.learning.due(at, 100).await.unwrap()
}

async fn unread(s: &Ports, due: &Due) -> Unread {
    s.learning.unread(due, 100).await.unwrap().unwrap()
}

/// A lesson that reads all that is unread, as `read` says of each text.
fn lesson(due: &Due, unread: &Unread, read: impl Fn(&str) -> ReadMessage) -> Lesson {
    let conversations = unread.conversations.iter().map(|conversation| {
        let messages = conversation.messages.iter().map(|message| ReadMessage {
            seq: message.seq,
            said_at: message.said_at,
            is_known: message.is_known,
            ..read(&message.text)
        });
        ReadConversation {
            id: conversation.id,
            was_read_to: conversation.read_to,
            last_seq: conversation.last_seq,
            read_to: conversation.last_seq,
            due: None,
            messages: messages.collect(),
        }
    });
    Lesson {
        tenant_id: due.tenant_id,
        bot_id: due.bot_id,
        version: unread.version,
        conversations: conversations.collect(),
        exemplars: Vec::new(),
    }
}

fn read(score: f32) -> ReadMessage {
    ReadMessage {
        seq: 0,
        said_at: NOON,
        is_known: false,
        insight: Insight {
            sentiment: SentimentScore::of(score),
            ..Insight::default()
        },
        keys: Vec::new(),
        question: None,
    }
}

/// Speaks of a product of the catalogue, or of a name.
fn speaks_of(mut message: ReadMessage, key: &str, product_id: Option<&str>) -> ReadMessage {
    message.keys.push(key.into());
    message.insight.products.push(ProductMention {
        product_id: product_id.map(Into::into),
        name: key.to_uppercase(),
        sentiment: message.insight.sentiment,
    });
    message
}

fn asks(group: QuestionGroupId, answered: bool, is_exemplar: bool) -> ReadMessage {
    ReadMessage {
        question: Some(GroupedQuestion {
            group,
            answered,
            is_exemplar,
        }),
        ..read(0.0)
    }
}

/// Learns all there is to learn.
pub async fn learn(s: &Ports, read: impl Fn(&str) -> ReadMessage) {
    while let Some(due) = due(s, LATER).await {
        let unread = unread(s, &due).await;
        assert!(
            s.learning
                .keep(&lesson(&due, &unread, &read))
                .await
                .unwrap()
        );
    }
}

/// A row of everything that can be learned, for a tenant with a conversation.
pub async fn learn_something(s: &Ports, product: &str) {
    let group = id();
    learn(s, |_| speaks_of(asks(group, true, true), product, None)).await;
}

/// A message is there to be learned from once it is answered, or when no answer came in time; once.
pub async fn what_visitors_write_is_due_once_it_is_answered(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    assert_eq!(due(s, LATER).await, None);
    let asked = received(s, tenant, &incoming("session", "Question?")).await;
    assert_eq!(due(s, NOON).await, None);
    assert!(due(s, NOON + ANSWER_WITHIN).await.is_some());
    let answer = domain::conversations::Reply {
        metadata: serde_json::json!({ "grounded": true }),
        ..reply(&asked, "Answer.")
    };
    s.conversations.reply(tenant, &answer).await.unwrap();
    let found = due(s, NOON).await.unwrap();
    assert_eq!((found.tenant_id, found.bot_id), (tenant, ada.id));
    assert_eq!(found.conversations, [asked.message.conversation_id]);
    let unread_now = unread(s, &found).await;
    assert_eq!((unread_now.version, unread_now.language), (0, ada.language));
    let conversation = &unread_now.conversations[0];
    assert_eq!((conversation.read_to, conversation.last_seq), (0, 2));
    assert!(!conversation.has_more);
    let message = &conversation.messages[0];
    assert_eq!((message.seq, message.text.as_str()), (1, "Question?"));
    assert_eq!((message.answered, message.is_known), (Some(true), false));
    let learned = lesson(&found, &unread_now, |_| read(0.0));
    assert!(s.learning.keep(&learned).await.unwrap());
    assert_eq!(due(s, LATER).await, None);
    say(s, &ada, "session", "And?", after(1)).await;
    let unread = unread(s, &due(s, after(1)).await.unwrap()).await;
    let texts = unread.conversations[0].messages.iter().map(|m| &m.text);
    assert_eq!(texts.collect::<Vec<_>>(), ["And?"]);
    assert_eq!(unread.conversations[0].messages[0].answered, Some(false));
}

/// What is due is one bot's, those that spoke last first, and no more than asked for.
pub async fn what_is_due_is_of_one_bot_and_bounded(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    say(s, &other, "theirs", "Hi", NOON).await;
    let mut said = Vec::new();
    for second in 1..=3 {
        let session = second.to_string();
        said.push(
            say(s, &ada, &session, "Hi", after(second))
                .await
                .conversation_id,
        );
        say(s, &ada, &session, "Hi again", after(second)).await;
    }
    let found = s.learning.due(LATER, 3).await.unwrap().unwrap();
    assert_eq!((found.bot_id, found.conversations.len()), (ada.id, 3));
    assert_eq!(found.conversations, [said[2], said[1], said[0]]);
    let unread = s.learning.unread(&found, 3).await.unwrap().unwrap();
    let parts: Vec<_> = unread
        .conversations
        .iter()
        .map(|part| (part.messages.len(), part.has_more))
        .collect();
    assert_eq!(parts, [(2, false), (1, true)]);
    let gone = Due {
        bot_id: super::given::no_bot(),
        ..found
    };
    assert_eq!(s.learning.unread(&gone, 3).await.unwrap(), None);
}

/// A lesson is kept whole, and only while what it goes by is as it was.
pub async fn a_lesson_from_what_has_changed_is_not_kept(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    say(s, &ada, "one", "Hi", NOON).await;
    let two = say(s, &ada, "two", "Hi", NOON).await;
    let found = due(s, LATER).await.unwrap();
    let first = unread(s, &found).await;
    let first = lesson(&found, &first, |_| read(1.0));
    // Comes while the lesson is learned, and is left for the next one.
    say(s, &ada, "one", "More", after(1)).await;
    assert!(s.learning.keep(&first).await.unwrap());
    assert!(
        !s.learning.keep(&first).await.unwrap(),
        "it was kept before"
    );
    let felt = async || s.insights.sentiment(tenant, ada.id, TODAY).await.unwrap();
    assert_eq!(felt().await, [(Sentiment::Positive, 2, 2.0)]);

    say(s, &ada, "two", "More", after(1)).await;
    let found = due(s, LATER).await.unwrap();
    let stale = unread(s, &found).await;
    assert_eq!(stale.conversations.len(), 2);
    s.conversations
        .delete(tenant, two.conversation_id)
        .await
        .unwrap();
    let stale = lesson(&found, &stale, |_| read(1.0));
    assert!(!s.learning.keep(&stale).await.unwrap(), "one is gone");
    assert_eq!(felt().await, [(Sentiment::Positive, 1, 1.0)]);
    learn(s, |_| read(1.0)).await;
    assert_eq!(felt().await, [(Sentiment::Positive, 2, 2.0)]);
}

/// What was learned makes the conversation's feeling and products, and goes with it.
pub async fn what_was_learned_makes_its_conversation_and_goes_with_it(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let said = say(s, &ada, "one", "bad", NOON).await;
    say(s, &ada, "one", "good", after(1)).await;
    say(s, &ada, "one", "good", after(2)).await;
    learn(s, |text| match text {
        "bad" => speaks_of(read(-0.5), "lamp", Some("sku")),
        _ => ReadMessage {
            insight: Insight {
                intent: Some(IntentScore {
                    intent: "greeting".into(),
                    score: 0.5,
                }),
                ..read(0.75).insight
            },
            ..read(0.75)
        },
    })
    .await;
    let found = async |filter| {
        let found = s.conversations.list(tenant, &filter, all()).await.unwrap();
        found.total
    };
    let positive = ConversationFilter {
        sentiment: Some(Sentiment::Positive),
        ..Default::default()
    };
    let lamp = ConversationFilter {
        product: Some("Lamp".into()),
        ..Default::default()
    };
    assert_eq!((found(positive).await, found(lamp).await), (1, 1));
    let intents = s.insights.intents(tenant, ada.id, TODAY).await.unwrap();
    assert_eq!(intents.len(), 1);
    assert_eq!((intents[0].1.count, intents[0].1.sum), (2, 1.0));
    let learned = async |conversation| s.insights.messages(tenant, conversation).await.unwrap();
    let known = learned(said.conversation_id).await;
    let visitors = s
        .conversations
        .messages(tenant, said.conversation_id)
        .await
        .unwrap();
    let places = visitors.iter().step_by(2).map(|message| message.seq);
    assert!(known.iter().map(|insight| insight.seq).eq(places));
    assert_eq!(known[0].sentiment, SentimentScore::of(-0.5));
    assert_eq!(known[0].intent, None);
    assert_eq!(known[1].sentiment, SentimentScore::of(0.75));
    assert_eq!(
        known[2].intent,
        Some(IntentScore {
            intent: "greeting".into(),
            score: 0.5,
        })
    );
    assert_eq!(learned(id()).await, []);
    s.conversations
        .delete(tenant, said.conversation_id)
        .await
        .unwrap();
    assert!(
        s.insights
            .sentiment(tenant, ada.id, TODAY)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        s.insights
            .intents(tenant, ada.id, TODAY)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(products(s, &ada).await.is_empty());
    assert_eq!(learned(said.conversation_id).await, []);
}

async fn products(s: &Ports, bot: &Bot) -> Vec<ProductFigures> {
    let found = s.insights.products(bot.tenant_id, bot.id, TODAY, all());
    found.await.unwrap().items
}

/// Products of the catalogue count from the first mention on, other names from three conversations on.
pub async fn names_count_from_three_conversations_on(s: &Ports) {
    let (_, ada) = tenant_with_bot(s).await;
    for second in 0..2 {
        say(s, &ada, &second.to_string(), "chair", after(second)).await;
    }
    say(s, &ada, "lamp", "lamp", after(9)).await;
    let told = |text: &str| speaks_of(read(0.5), text, (text == "lamp").then_some("sku"));
    learn(s, told).await;
    let found = products(s, &ada).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].product_id.as_deref(), Some("sku"));
    say(s, &ada, "1", "chair", after(10)).await;
    learn(s, told).await;
    assert_eq!(
        products(s, &ada).await.len(),
        1,
        "it is the same conversation"
    );
    say(s, &ada, "3", "chair", after(11)).await;
    learn(s, told).await;
    let found = products(s, &ada).await;
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].name.as_str(), found[0].conversations),
        ("CHAIR", 3)
    );
    assert_eq!(found[0].tally.sentiment.positive, 4);
}

/// Questions are told by group, unanswered first, and shown by the one that most were nearest to.
pub async fn questions_are_told_by_group(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let (often, rarely): (QuestionGroupId, QuestionGroupId) = (id(), id());
    let first = say(s, &ada, "1", "a", NOON).await;
    say(s, &ada, "2", "b", after(1)).await;
    say(s, &ada, "3", "c", after(2)).await;
    say(s, &ada, "4", "d", after(3)).await;
    learn(s, |text| match text {
        "a" | "b" => asks(often, true, true),
        "c" => asks(often, true, false),
        _ => asks(rarely, false, true),
    })
    .await;
    let asked = async |number| {
        let found = s.insights.questions(tenant, ada.id, TODAY, page(number, 1));
        let found = found.await.unwrap();
        assert_eq!(found.total, 2);
        found.items
    };
    let figures = |question: &str, count, unanswered| QuestionFigures {
        question: question.into(),
        count,
        unanswered,
    };
    assert_eq!(asked(1).await, [figures("d", 1, 1)]);
    assert_eq!(asked(2).await, [figures("a", 3, 0)]);
    let memory = s
        .learning
        .memory(tenant, ada.id, 100)
        .await
        .unwrap()
        .unwrap();
    let kept: Vec<_> = memory
        .groups
        .iter()
        .map(|group| (group.id, group.exemplars.len()))
        .collect();
    assert_eq!(kept, [(often, 2), (rarely, 1)]);
    let second = memory.groups[0].exemplars[1].clone();
    assert_eq!((second.text.as_str(), second.count), ("b", 1));
    let nearer = Lesson {
        tenant_id: tenant,
        bot_id: ada.id,
        version: memory.version,
        conversations: Vec::new(),
        exemplars: vec![(second.place, 2)],
    };
    assert!(s.learning.keep(&nearer).await.unwrap());
    assert_eq!(asked(2).await, [figures("b", 3, 0)]);
    // A question that is gone stands for nothing.
    s.conversations
        .delete(tenant, second.place.conversation_id)
        .await
        .unwrap();
    assert_eq!(asked(2).await, [figures("a", 2, 0)]);
    let after = s
        .learning
        .memory(tenant, ada.id, 100)
        .await
        .unwrap()
        .unwrap();
    assert!(after.version > memory.version + 1);
    let place = Place {
        conversation_id: first.conversation_id,
        seq: 1,
    };
    assert_eq!(after.groups[0].exemplars[0].place, place);
    let newest = s.learning.memory(tenant, ada.id, 1).await.unwrap().unwrap();
    assert_eq!(newest.groups[0].id, rarely);
}

/// A new catalogue has all of its bot's conversations read again for products, and for nothing else.
pub async fn a_new_catalogue_is_looked_for_in_what_was_said_before(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    for session in ["1", "2", "3"] {
        say(s, &ada, session, "lamp", NOON).await;
    }
    say(s, &other, "theirs", "lamp", NOON).await;
    learn(s, |_| speaks_of(read(0.5), "lamp", None)).await;
    assert!(!s.learning.mark_again(2).await.unwrap());
    assert_eq!(
        s.learning.products(tenant, ada.id).await.unwrap(),
        Some(vec![])
    );
    let catalogue = [Product {
        id: "sku".into(),
        name: "Lamp".into(),
        aliases: vec!["light".into()],
    }];
    assert!(
        s.learning
            .set_products(tenant, ada.id, &catalogue)
            .await
            .unwrap()
    );
    let kept = s.learning.products(tenant, ada.id).await.unwrap();
    assert_eq!(kept.unwrap(), catalogue);
    let memory = s.learning.memory(tenant, ada.id, 9).await.unwrap().unwrap();
    assert_eq!(memory.products, catalogue);
    let theirs = s.learning.products(tenant, other.id).await.unwrap();
    assert_eq!(theirs, Some(vec![]));
    while s.learning.mark_again(2).await.unwrap() {}
    let found = due(s, LATER).await.unwrap();
    assert_eq!((found.bot_id, found.conversations.len()), (ada.id, 3));
    let unread = unread(s, &found).await;
    let is_known = |message: &domain::learning::UnreadMessage| message.is_known;
    assert!(
        unread
            .conversations
            .iter()
            .flat_map(|c| &c.messages)
            .all(is_known)
    );
    learn(s, |_| {
        speaks_of(asks(id(), false, true), "sku", Some("sku"))
    })
    .await;
    let found = products(s, &ada).await;
    assert_eq!((found.len(), found[0].conversations), (1, 3));
    assert_eq!(found[0].product_id.as_deref(), Some("sku"));
    let asked = s.insights.questions(tenant, ada.id, TODAY, all());
    assert_eq!(asked.await.unwrap().total, 0);
    let felt = s.insights.sentiment(tenant, ada.id, TODAY).await.unwrap();
    assert_eq!(felt, [(Sentiment::Positive, 3, 1.5)]);
}

/// What was learned is its tenant's and its bot's, and of the days asked for.
pub async fn what_was_learned_is_a_bots_own(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let (stranger, theirs) = tenant_with_bot(s).await;
    let said = say(s, &ada, "session", "lamp", NOON).await;
    let catalogue = [];
    for (tenant, bot) in [(stranger, ada.id), (tenant, theirs.id)] {
        assert!(
            !s.learning
                .set_products(tenant, bot, &catalogue)
                .await
                .unwrap()
        );
        assert_eq!(s.learning.products(tenant, bot).await.unwrap(), None);
        assert_eq!(s.learning.memory(tenant, bot, 9).await.unwrap(), None);
    }
    learn(s, |_| {
        speaks_of(asks(id(), false, true), "lamp", Some("sku"))
    })
    .await;
    let yesterday = Days {
        first: TODAY.first - Duration::DAY,
        last: TODAY.first - Duration::DAY,
    };
    for (tenant, bot, days, there) in [
        (tenant, ada.id, TODAY, 1),
        (tenant, ada.id, yesterday, 0),
        (stranger, ada.id, TODAY, 0),
        (stranger, theirs.id, TODAY, 0),
        (tenant, theirs.id, TODAY, 0),
    ] {
        let felt = s.insights.sentiment(tenant, bot, days).await.unwrap();
        assert_eq!(felt.len(), there);
        let spoken = s.insights.products(tenant, bot, days, all()).await.unwrap();
        assert_eq!(spoken.items.len(), there);
        let asked = s
            .insights
            .questions(tenant, bot, days, all())
            .await
            .unwrap();
        assert_eq!(asked.items.len(), there);
    }
    for (tenant, there) in [(tenant, 1), (stranger, 0)] {
        let known = s.insights.messages(tenant, said.conversation_id).await;
        assert_eq!(known.unwrap().len(), there);
    }
}
