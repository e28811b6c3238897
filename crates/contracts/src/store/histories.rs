//! Promises of [`domain::conversations::Conversations`]: finding and listing what was said.

use domain::bots::{Bot, ChannelType};
use domain::conversations::{ConversationFilter, ConversationStatus, Incoming, RECENT_MESSAGES};
use domain::messages::{Author, Utterance};

use super::Ports;
use super::given::{
    NOON, after, all, bot, id, incoming, no_bot, page, received, reply, tenant_with_bot, turn,
    turn_of, welcoming_bot,
};
use super::seen;

/// The history is the newest messages before this one, as many as asked for, oldest first.
pub async fn history_is_the_newest_before_this_message_oldest_first(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    turn(s, tenant, "another", NOON).await;
    let mut said = Vec::new();
    for number in 0..6 {
        said.extend(turn_of(s, tenant, &incoming("session", &number.to_string())).await);
    }
    for wanted in [0, 1, 5, 20, 100] {
        let message = Incoming {
            history: wanted,
            ..incoming("session", "And now?")
        };
        let got = received(s, tenant, &message).await;
        let from = said.len().saturating_sub(wanted as usize);
        assert_eq!(
            got.history,
            said[from..].iter().map(Utterance::from).collect::<Vec<_>>(),
            "of {} the newest {wanted}",
            said.len()
        );
        said.push(got.message);
    }
}

/// A turn is found by its message: alone while there is no answer, then with it.
pub async fn a_turn_is_found_by_its_message(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    assert_eq!(s.conversations.find_turn(tenant, id()).await.unwrap(), None);
    let question = received(s, tenant, &incoming("session", "Hello?")).await;
    // Another turn between the two must not be taken for the answer.
    turn(s, tenant, "session", NOON).await;
    let find = || s.conversations.find_turn(tenant, question.message.id);
    assert_eq!(
        find().await.unwrap(),
        Some((question.message.clone(), None))
    );
    let answer = s
        .conversations
        .reply(tenant, &reply(&question, "Hi"))
        .await
        .unwrap();
    turn(s, tenant, "session", NOON).await;
    assert_eq!(
        find().await.unwrap(),
        Some((question.message.clone(), Some(answer)))
    );
}

/// What does not exist is none, or empty.
pub async fn an_unknown_conversation_is_none(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    for session in ["", "Session", "session ", "sessio", "%", "_______"] {
        assert_eq!(s.conversations.find(tenant, session).await.unwrap(), None);
        let ended = s.conversations.end(tenant, session, NOON).await.unwrap();
        assert_eq!(ended, None);
    }
    assert!(
        s.conversations
            .messages(tenant, id())
            .await
            .unwrap()
            .is_empty()
    );
}

/// Conversations are listed newest first, in pages that together hold each once, with the total on each.
pub async fn conversations_are_listed_newest_first_in_pages(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for number in 0..25 {
        // Some at the same moment: their order must still be one order.
        turn(s, tenant, &number.to_string(), after((number * 7) % 25 / 3)).await;
    }
    // A later message does not make a conversation newer.
    turn(s, tenant, "0", after(1_000)).await;
    let every = ConversationFilter::default();
    let list = |page| s.conversations.list(tenant, &every, page);
    let whole = list(all()).await.unwrap().items;
    assert!(whole.is_sorted_by(|a, b| a.started_at >= b.started_at));
    let mut paged = Vec::new();
    for number in 1..=3 {
        let listed = list(page(number, 10)).await.unwrap();
        assert_eq!(listed.items.len(), [10, 10, 5][number as usize - 1]);
        assert_eq!(listed.total, 25);
        paged.extend(listed.items);
    }
    assert_eq!(paged, whole);
    for conversation in &whole {
        let found = s
            .conversations
            .find(tenant, &conversation.session_id)
            .await
            .unwrap();
        assert_eq!(found.as_ref(), Some(conversation));
    }
    for past in [page(4, 10), page(u32::MAX, 100)] {
        let listed = list(past).await.unwrap();
        assert_eq!((listed.items.len(), listed.total), (0, 25));
    }
}

/// Filters pick by bot, status and channel, alone and together, and totals follow them.
pub async fn conversations_are_filtered_by_bot_status_and_channel(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    let second = bot(s, tenant).await;
    let theirs = tenant_with_bot(s).await.1;
    let mut number = 0;
    for bot in [&first, &second] {
        for channel in [ChannelType::Webchat, ChannelType::Sms] {
            for ends in [false, true] {
                number += 1;
                let session = number.to_string();
                let message = Incoming {
                    bot_id: Some(bot.id),
                    channel: Some(channel),
                    ..incoming(&session, "Hello?")
                };
                received(s, tenant, &message).await;
                if ends {
                    s.conversations
                        .end(tenant, &session, after(1))
                        .await
                        .unwrap();
                }
            }
        }
    }
    let status = ConversationStatus::Ended;
    for (bot, status, channel, count) in [
        (None, None, None, 8),
        (Some(first.id), None, None, 4),
        (None, Some(status), None, 4),
        (None, None, Some(ChannelType::Sms), 4),
        (Some(second.id), Some(status), None, 2),
        (Some(second.id), Some(status), Some(ChannelType::Sms), 1),
        (None, Some(ConversationStatus::Abandoned), None, 0),
        (None, None, Some(ChannelType::Email), 0),
        (Some(no_bot()), None, None, 0),
        (Some(theirs.id), None, None, 0),
    ] {
        let filter = ConversationFilter {
            bot_id: bot,
            status,
            channel,
            ..Default::default()
        };
        let short = s
            .conversations
            .list(tenant, &filter, page(1, 1))
            .await
            .unwrap();
        assert_eq!(short.total, count, "{filter:?}");
        let listed = s.conversations.list(tenant, &filter, all()).await.unwrap();
        assert_eq!(listed.items.len() as u64, count, "{filter:?}");
        for conversation in listed.items {
            assert!(bot.is_none_or(|wanted| wanted == conversation.bot_id));
            assert!(status.is_none_or(|wanted| wanted == conversation.status));
            assert!(channel.is_none_or(|wanted| wanted == conversation.channel));
        }
    }
}

/// A conversation shows its bot's name of now.
pub async fn a_conversation_shows_its_bots_name_of_now(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    let changes = domain::bots::BotChanges {
        name: Some("Grace".into()),
        ..Default::default()
    };
    let renamed: Bot = s
        .bots
        .update(tenant, bot.id, &changes, after(1))
        .await
        .unwrap()
        .unwrap();
    let found = s
        .conversations
        .find(tenant, "session")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.bot_name, renamed.name);
    let listed = s
        .conversations
        .list(tenant, &ConversationFilter::default(), all())
        .await;
    assert_eq!(listed.unwrap().items[0].bot_name, renamed.name);
}

/// A thousand messages of one conversation are all read, in order.
pub async fn a_long_conversation_is_read_whole(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    for number in 0..500 {
        turn_of(s, tenant, &incoming("session", &number.to_string())).await;
    }
    let conversations = seen::conversations(s, tenant).await;
    let (_, said) = &conversations[0];
    super::conversations::check_order(said);
    let questions = said.iter().filter(|message| message.author == Author::User);
    let texts: Vec<_> = questions.map(|message| message.text.clone()).collect();
    assert_eq!(
        texts,
        (0..500)
            .map(|number| number.to_string())
            .collect::<Vec<_>>()
    );
}

/// An answer is found with what it answers and where it was said; a message that answers nothing, and another
/// tenant's, are not.
pub async fn an_answer_is_found_with_its_question(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let [question, answer] = turn(s, tenant, "session", NOON).await;
    turn(s, tenant, "session", NOON).await;
    let found = s.conversations.find_exchange(tenant, answer.id).await;
    let found = found.unwrap().unwrap();
    assert_eq!((&found.question, &found.answer), (&question, &answer));
    assert_eq!(found.conversation.session_id, "session");
    assert_eq!(found.conversation.bot_id, bot.id);
    let welcoming = welcoming_bot(s, tenant, "Welcome!").await;
    let greeted = Incoming {
        bot_id: Some(welcoming.id),
        ..incoming("greeted", "Hello?")
    };
    received(s, tenant, &greeted).await;
    let said = seen::everything(s, tenant).await.conversations;
    let greeting = said
        .iter()
        .flat_map(|(_, messages)| messages)
        .find(|said| said.text == "Welcome!")
        .unwrap();
    let (stranger, _) = tenant_with_bot(s).await;
    for (who, id) in [
        (tenant, question.id),
        (tenant, greeting.id),
        (tenant, id()),
        (stranger, answer.id),
    ] {
        let none = s.conversations.find_exchange(who, id).await.unwrap();
        assert_eq!(none, None);
    }
}

/// The newest conversations of a bot come with their beginnings.
pub async fn the_newest_conversations_of_a_bot_are_read(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    let at = async |session: &str, of: &Bot, second| {
        let message = Incoming {
            bot_id: Some(of.id),
            at: after(second),
            ..incoming(session, "Question?")
        };
        turn_of(s, tenant, &message).await
    };
    let oldest = at("one", &first, 1).await;
    at("two", &first, 2).await;
    at("theirs", &other, 3).await;
    let newest = at("three", &first, 4).await;
    for _ in 0..25 {
        at("one", &first, 5).await;
    }
    let recent = async |of: &Bot, limit| {
        let found = s.conversations.recent(tenant, of.id, limit).await;
        found.unwrap()
    };
    assert_eq!(recent(&first, 1).await, [newest.to_vec()]);
    let all = recent(&first, 9).await;
    assert_eq!(all.len(), 3);
    assert_eq!(all[2][..2], oldest);
    assert_eq!(all[2].len(), RECENT_MESSAGES as usize);
    assert_eq!(recent(&other, 9).await.len(), 1);
    let (stranger, _) = tenant_with_bot(s).await;
    let none = s.conversations.recent(stranger, first.id, 9).await;
    assert!(none.unwrap().is_empty());
}
