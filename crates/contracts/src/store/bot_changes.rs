//! Promises of [`domain::bots::Bots`]: changing and listing bots.

use domain::bots::{Bot, BotChanges, BotFilter, BotRole, ChannelType, Personality};
use domain::language::Language;

use super::Ports;
use super::given::{after, all, new_bot, page, tenant, tenant_with_bot};
use super::races::at_once;

/// A change, and what it does to the bot.
type Step = (BotChanges, fn(&mut Bot));

/// An update writes the fields given, keeps the others, and clears with null.
pub async fn an_update_writes_only_the_fields_given(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let other = super::given::bot(s, tenant).await;
    let steps: Vec<Step> = vec![
        (
            BotChanges {
                name: Some("New".into()),
                ..Default::default()
            },
            |b| b.name = "New".into(),
        ),
        (
            BotChanges {
                description: Some(None),
                ..Default::default()
            },
            |b| b.description = None,
        ),
        (
            BotChanges {
                welcome_message: Some(Some("Hi".into())),
                ..Default::default()
            },
            |b| b.welcome_message = Some("Hi".into()),
        ),
        (
            BotChanges {
                welcome_message: Some(None),
                ..Default::default()
            },
            |b| b.welcome_message = None,
        ),
        (
            BotChanges {
                system_prompt: Some(Some("P".into())),
                ..Default::default()
            },
            |b| b.system_prompt = Some("P".into()),
        ),
        (
            BotChanges {
                system_prompt: Some(None),
                ..Default::default()
            },
            |b| b.system_prompt = None,
        ),
        (
            BotChanges {
                is_active: Some(false),
                ..Default::default()
            },
            |b| b.is_active = false,
        ),
        (
            BotChanges {
                language: Some(Language::Pt),
                ..Default::default()
            },
            |b| b.language = Language::Pt,
        ),
        (
            BotChanges {
                personality: Some(Some(Personality::Friendly)),
                ..Default::default()
            },
            |b| b.personality = Some(Personality::Friendly),
        ),
        (
            BotChanges {
                personality: Some(None),
                ..Default::default()
            },
            |b| b.personality = None,
        ),
        (
            BotChanges {
                bot_role: Some(Some(BotRole::LeadGeneration)),
                ..Default::default()
            },
            |b| b.bot_role = Some(BotRole::LeadGeneration),
        ),
        (
            BotChanges {
                bot_role: Some(None),
                ..Default::default()
            },
            |b| b.bot_role = None,
        ),
        (
            BotChanges {
                name: Some("All".into()),
                is_active: Some(true),
                description: Some(Some("D".into())),
                ..Default::default()
            },
            |b| {
                b.name = "All".into();
                b.is_active = true;
                b.description = Some("D".into());
            },
        ),
    ];
    let mut expected = bot.clone();
    for (number, (changes, apply)) in steps.iter().enumerate() {
        let at = after(number as i64 + 1);
        apply(&mut expected);
        expected.updated_at = at;
        let updated = s.bots.update(tenant, bot.id, changes, at).await.unwrap();
        assert_eq!(updated.as_ref(), Some(&expected), "after {changes:?}");
        assert_eq!(s.bots.find(tenant, bot.id).await.unwrap(), updated);
    }
    assert_eq!(s.bots.find(tenant, other.id).await.unwrap(), Some(other));
}

/// An update without any field changes no field.
pub async fn an_empty_update_changes_no_field(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let updated = s
        .bots
        .update(tenant, bot.id, &BotChanges::default(), after(9))
        .await;
    let updated = updated.unwrap().unwrap();
    let expected = Bot {
        updated_at: updated.updated_at,
        ..bot
    };
    assert_eq!(updated, expected);
}

/// Two updates of different fields at once both hold.
pub async fn updates_of_different_fields_at_once_both_hold(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    for round in 0..10 {
        let id = bot.id;
        at_once(s, 2, move |s, number| async move {
            let changes = if number == 0 {
                BotChanges {
                    name: Some(format!("Name {round}")),
                    ..BotChanges::default()
                }
            } else {
                BotChanges {
                    description: Some(Some(format!("Description {round}"))),
                    ..BotChanges::default()
                }
            };
            s.bots
                .update(tenant, id, &changes, after(round))
                .await
                .unwrap()
                .unwrap();
        })
        .await;
        let found = s.bots.find(tenant, bot.id).await.unwrap().unwrap();
        assert_eq!(found.name, format!("Name {round}"));
        assert_eq!(found.description, Some(format!("Description {round}")));
    }
}

/// Bots are listed newest first, in pages that together hold each once, with the total on every page.
pub async fn bots_are_listed_newest_first_in_pages(s: &Ports) {
    let tenant = tenant(s).await;
    for number in 0..25 {
        let bot = Bot {
            // Some at the same moment: their order must still be one order.
            created_at: after((number * 7) % 25 / 3),
            ..new_bot(tenant)
        };
        s.bots.create(&bot, None).await.unwrap();
    }
    let whole = s.bots.all(tenant).await.unwrap();
    assert!(whole.is_sorted_by(|a, b| a.created_at >= b.created_at));
    let mut paged = Vec::new();
    for number in 1..=3 {
        let listed = s
            .bots
            .list(tenant, BotFilter::default(), page(number, 10))
            .await
            .unwrap();
        assert_eq!(listed.items.len(), [10, 10, 5][number as usize - 1]);
        assert_eq!(listed.total, 25);
        paged.extend(listed.items);
    }
    assert_eq!(paged, whole);
    for past in [page(4, 10), page(u32::MAX, 100)] {
        let listed = s
            .bots
            .list(tenant, BotFilter::default(), past)
            .await
            .unwrap();
        assert_eq!((listed.items.len(), listed.total), (0, 25));
    }
}

/// Filters pick by channel and by activity, alone and together, and totals follow them.
pub async fn bots_are_filtered_by_channel_and_activity(s: &Ports) {
    let tenant = tenant(s).await;
    let empty = s
        .bots
        .list(tenant, BotFilter::default(), all())
        .await
        .unwrap();
    assert_eq!((empty.items.len(), empty.total), (0, 0));
    for (channel_type, is_active) in [
        (ChannelType::Slack, true),
        (ChannelType::Slack, false),
        (ChannelType::Sms, true),
    ] {
        let bot = Bot {
            channel_type,
            is_active,
            ..new_bot(tenant)
        };
        s.bots.create(&bot, None).await.unwrap();
    }
    for (channel_type, is_active, count) in [
        (None, None, 3),
        (Some(ChannelType::Slack), None, 2),
        (Some(ChannelType::Email), None, 0),
        (None, Some(true), 2),
        (None, Some(false), 1),
        (Some(ChannelType::Slack), Some(true), 1),
        (Some(ChannelType::Sms), Some(false), 0),
    ] {
        let filter = BotFilter {
            channel_type,
            is_active,
        };
        let listed = s.bots.list(tenant, filter, page(1, 1)).await.unwrap();
        assert_eq!(listed.total, count, "{filter:?}");
        let listed = s.bots.list(tenant, filter, all()).await.unwrap();
        assert_eq!(listed.items.len() as u64, count, "{filter:?}");
        for bot in listed.items {
            assert!(channel_type.is_none_or(|wanted| wanted == bot.channel_type));
            assert!(is_active.is_none_or(|wanted| wanted == bot.is_active));
        }
    }
}
