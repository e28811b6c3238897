//! Promises of [`domain::bots::Bots`].

use domain::bots::{Bot, BotChanges, BotRole, ChannelType, Personality};
use domain::language::Language;
use domain::{Clash, Error, Limit, Result};

use super::Ports;
use super::given::{NOON, after, bot, id, new_bot, no_bot, source, tenant, tenant_with_bot, turn};
use super::races::{at_once, successes};
use super::seen::{everything, usage};

fn is_full(result: &Result<Bot>) -> bool {
    matches!(result, Err(Error::LimitReached(Limit::Bots)))
}

/// A bot is found as it was created, every field of it, with or without the optional ones.
pub async fn a_bot_is_found_as_it_was_created(s: &Ports) {
    let tenant = tenant(s).await;
    let full = Bot {
        name: "N".repeat(200),
        description: Some("D".repeat(2_000)),
        welcome_message: Some("W 👋\n".repeat(400)),
        system_prompt: Some("P".repeat(20_000)),
        is_default: true,
        evaluation_gate: true,
        connections: 0,
        updated_at: after(1),
        ..new_bot(tenant)
    };
    let bare = Bot {
        description: None,
        welcome_message: None,
        system_prompt: None,
        personality: None,
        bot_role: None,
        is_active: false,
        ..new_bot(tenant)
    };
    for bot in [full, bare] {
        let kept = s.bots.create(&bot, Some(10)).await.unwrap();
        assert_eq!(kept, bot);
        assert_eq!(s.bots.find(tenant, bot.id).await.unwrap(), Some(bot));
    }
}

/// Every channel, language, personality and role is kept.
pub async fn every_word_of_the_closed_lists_is_kept(s: &Ports) {
    let tenant = tenant(s).await;
    for number in 0..ChannelType::ALL.len() {
        let bot = Bot {
            channel_type: ChannelType::ALL[number],
            language: Language::ALL[number % Language::ALL.len()],
            personality: Some(Personality::ALL[number % Personality::ALL.len()]),
            bot_role: Some(BotRole::ALL[number % BotRole::ALL.len()]),
            is_default: number == 0,
            ..new_bot(tenant)
        };
        s.bots.create(&bot, None).await.unwrap();
        assert_eq!(s.bots.find(tenant, bot.id).await.unwrap(), Some(bot));
    }
}

/// A bot that does not exist can't be found, changed or deleted.
pub async fn an_unknown_bot_is_none(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let before = everything(s, tenant).await;
    let changes = BotChanges {
        name: Some("X".into()),
        ..BotChanges::default()
    };
    assert_eq!(s.bots.find(tenant, no_bot()).await.unwrap(), None);
    let updated = s.bots.update(tenant, no_bot(), &changes, NOON).await;
    assert_eq!(updated.unwrap(), None);
    assert_eq!(s.bots.delete(tenant, no_bot()).await.unwrap(), None);
    assert_eq!(everything(s, tenant).await, before);
}

/// The first bot is the default, whatever its `is_default` says, and later ones are not.
pub async fn the_first_bot_is_the_default(s: &Ports) {
    let tenant = tenant(s).await;
    let made = |is_default| Bot {
        is_default,
        ..new_bot(tenant)
    };
    let first = s.bots.create(&made(false), None).await.unwrap();
    let second = s.bots.create(&made(true), None).await.unwrap();
    assert_eq!((first.is_default, second.is_default), (true, false));
    let listed = s.bots.all(tenant).await.unwrap();
    assert_eq!(listed.iter().filter(|bot| bot.is_default).count(), 1);
}

/// Twenty first bots at once: one is the default.
pub async fn first_bots_at_once_make_one_default(s: &Ports) {
    let tenant = tenant(s).await;
    let made = at_once(s, 20, move |s, _| async move {
        s.bots.create(&new_bot(tenant), None).await.unwrap()
    })
    .await;
    assert_eq!(made.iter().filter(|bot| bot.is_default).count(), 1);
    let listed = s.bots.all(tenant).await.unwrap();
    assert_eq!(listed.iter().filter(|bot| bot.is_default).count(), 1);
}

/// A hundred parallel creations at a limit of ten make exactly ten.
pub async fn a_hundred_creations_at_once_stop_at_the_limit(s: &Ports) {
    let tenant = tenant(s).await;
    let made = at_once(s, 100, move |s, _| async move {
        s.bots.create(&new_bot(tenant), Some(10)).await
    })
    .await;
    assert_eq!(successes(&made), 10);
    assert_eq!(made.iter().filter(|bot| is_full(bot)).count(), 90);
    assert_eq!(s.bots.all(tenant).await.unwrap().len(), 10);
    assert_eq!(usage(s, tenant).await.bots, 10);
}

/// Without a limit there is none.
pub async fn unlimited_bots_are_unlimited(s: &Ports) {
    let tenant = tenant(s).await;
    for _ in 0..25 {
        bot(s, tenant).await;
    }
    assert_eq!(usage(s, tenant).await.bots, 25);
}

/// Inactive bots count, deleted ones do not; nobody else's do.
pub async fn deleting_a_bot_frees_its_place(s: &Ports) {
    let (tenant, other) = (tenant(s).await, tenant_with_bot(s).await.0);
    let inactive = Bot {
        is_active: false,
        ..new_bot(tenant)
    };
    s.bots.create(&inactive, Some(1)).await.unwrap();
    assert!(is_full(&s.bots.create(&new_bot(tenant), Some(1)).await));
    s.bots.delete(tenant, inactive.id).await.unwrap();
    let next = s.bots.create(&new_bot(tenant), Some(1)).await.unwrap();
    assert!(next.is_default);
    assert_eq!(usage(s, tenant).await.bots, 1);
    assert_eq!(usage(s, other).await.bots, 1);
}

/// A limit that was lowered below what there is lets nothing in.
pub async fn a_lowered_limit_lets_no_more_bots_in(s: &Ports) {
    let tenant = tenant(s).await;
    for _ in 0..3 {
        bot(s, tenant).await;
    }
    assert!(is_full(&s.bots.create(&new_bot(tenant), Some(1)).await));
    assert_eq!(s.bots.all(tenant).await.unwrap().len(), 3);
}

/// An id that is taken is a conflict, at the limit too, so that a repeated request finds its bot; the bot
/// that is there stays as it is.
pub async fn a_taken_id_is_a_conflict_also_at_the_limit(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let before = everything(s, tenant).await;
    let again = Bot {
        name: "Another".into(),
        ..bot
    };
    for max in [None, Some(10), Some(1)] {
        let result = s.bots.create(&again, max).await;
        assert!(
            matches!(result, Err(Error::Conflict(Clash::AlreadyExists))),
            "{max:?}: {result:?}"
        );
    }
    assert_eq!(everything(s, tenant).await, before);
}

/// Two tenants may have bots of the same id, and neither touches the other's.
pub async fn an_id_is_a_tenants_own(s: &Ports) {
    let (mine, bot) = tenant_with_bot(s).await;
    let other = tenant(s).await;
    let theirs = Bot {
        tenant_id: other,
        name: "Theirs".into(),
        ..bot.clone()
    };
    let theirs = s.bots.create(&theirs, None).await.unwrap();
    assert_eq!(s.bots.find(mine, bot.id).await.unwrap(), Some(bot.clone()));
    assert_eq!(s.bots.delete(other, bot.id).await.unwrap(), Some(theirs));
    assert_eq!(s.bots.find(mine, bot.id).await.unwrap(), Some(bot));
}

/// Deleting the default makes the oldest remaining bot the default; deleting another changes nothing.
pub async fn the_oldest_remaining_bot_becomes_the_default(s: &Ports) {
    let tenant = tenant(s).await;
    let mut ids = Vec::new();
    // Made in another order than their times say.
    for second in [5, 40, 10, 30, 20] {
        let bot = Bot {
            created_at: after(second),
            ..new_bot(tenant)
        };
        ids.push((second, s.bots.create(&bot, None).await.unwrap().id));
    }
    let default = || async {
        let listed = s.bots.all(tenant).await.unwrap();
        let defaults: Vec<_> = listed.iter().filter(|bot| bot.is_default).collect();
        assert_eq!(defaults.len(), 1);
        defaults[0].id
    };
    let id_of = |second| ids.iter().find(|(at, _)| *at == second).unwrap().1;
    assert_eq!(default().await, id_of(5));
    s.bots.delete(tenant, id_of(10)).await.unwrap();
    assert_eq!(default().await, id_of(5));
    for (deleted, next) in [(5, 20), (20, 30), (30, 40)] {
        let gone = s.bots.delete(tenant, id_of(deleted)).await.unwrap();
        assert!(gone.unwrap().is_default);
        assert_eq!(default().await, id_of(next));
    }
    s.bots.delete(tenant, id_of(40)).await.unwrap();
    assert!(s.bots.all(tenant).await.unwrap().is_empty());
    assert!(bot(s, tenant).await.is_default);
}

/// However bots are created and deleted at once, a tenant with bots has exactly one default.
pub async fn there_is_always_one_default(s: &Ports) {
    let tenant = tenant(s).await;
    at_once(s, 40, move |s, number| async move {
        let made = bot(&s, tenant).await;
        if number % 4 != 0 {
            s.bots.delete(tenant, made.id).await.unwrap().unwrap();
        }
    })
    .await;
    let listed = s.bots.all(tenant).await.unwrap();
    assert_eq!(listed.len(), 10);
    assert_eq!(listed.iter().filter(|bot| bot.is_default).count(), 1);
    assert_eq!(usage(s, tenant).await.bots, 10);
}

/// Deleting a bot answers it as it was, once, and it is gone with all it has; other bots keep theirs.
pub async fn a_deleted_bot_is_gone_with_all_it_has(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    turn(s, tenant, "first", NOON).await;
    let source_of_first = source(s, &first).await;
    let before = everything(s, tenant).await;
    let second = bot(s, tenant).await;
    let source_of_second = source(s, &second).await;
    let mut message = super::given::incoming("second", "Question?");
    message.bot_id = Some(second.id);
    let said = super::given::turn_of(s, tenant, &message).await;

    assert_eq!(
        s.bots.delete(tenant, second.id).await.unwrap(),
        Some(second.clone())
    );
    assert_eq!(s.bots.delete(tenant, second.id).await.unwrap(), None);

    assert_eq!(s.bots.find(tenant, second.id).await.unwrap(), None);
    assert_eq!(s.conversations.find(tenant, "second").await.unwrap(), None);
    let messages = s.conversations.messages(tenant, said[0].conversation_id);
    assert!(messages.await.unwrap().is_empty());
    let turn = s.conversations.find_turn(tenant, said[0].id).await;
    assert_eq!(turn.unwrap(), None);
    assert_eq!(
        s.knowledge.find(tenant, source_of_second).await.unwrap(),
        None
    );
    assert!(
        s.knowledge
            .chunks(tenant, source_of_second)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(s.index.state(tenant, second.id).await.unwrap(), None);
    assert!(
        s.knowledge
            .find(tenant, source_of_first)
            .await
            .unwrap()
            .is_some()
    );
    let mut after = everything(s, tenant).await;
    // What was counted for the month stays counted.
    assert_eq!((after.usage.conversations, after.usage.messages), (2, 4));
    after.usage = before.usage;
    assert_eq!(after, before);
}

/// A bot can't be made for a tenant that does not exist.
pub async fn a_bot_needs_its_tenant(s: &Ports) {
    let nobody = id();
    assert!(s.bots.create(&new_bot(nobody), None).await.is_err());
    assert!(s.bots.all(nobody).await.unwrap().is_empty());
}
