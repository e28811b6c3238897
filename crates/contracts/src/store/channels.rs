//! Promises of [`domain::channels::Channels`].

use domain::bots::{Bot, ChannelType};
use domain::channels::{CHANNELS_MAX, Channel, ChannelSettings, ChannelStatus};
use domain::events::{Event, EventKind};
use domain::{Clash, Error, Resource};
use serde_json::json;

use super::Ports;
use super::given::{NOON, after, all, id, no_bot, page, tenant_with_bot};
use super::races::at_once;
use super::webhooks::new_endpoint;

/// A connected channel that is not kept yet.
pub fn new_channel(bot: &Bot) -> Channel {
    let settings = json!({ "phone_number_id": "42" });
    Channel {
        id: id(),
        tenant_id: bot.tenant_id,
        bot_id: bot.id,
        name: "Ours \u{1f600}".into(),
        settings: ChannelSettings::read(ChannelType::Whatsapp, &settings).unwrap(),
        credentials: vec![0, 1, 255],
        status: ChannelStatus::Connected,
        reason: None,
        account: Some("+49 1".into()),
        version: 1,
        created_at: NOON,
        updated_at: NOON,
    }
}

/// A connected channel that is kept.
pub async fn channel(s: &Ports, bot: &Bot) -> Channel {
    let channel = new_channel(bot);
    s.channels.create(&channel).await.unwrap();
    channel
}

/// A channel is found as it was created, by its id alone too, and listed with its bot's, newest first.
pub async fn a_channel_is_found_as_it_was_created(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let full = channel(s, &bot).await;
    let bare = Channel {
        settings: ChannelSettings::Telegram,
        status: ChannelStatus::Error,
        reason: Some("It is down.".into()),
        account: None,
        created_at: after(1),
        ..new_channel(&bot)
    };
    s.channels.create(&bare).await.unwrap();
    for channel in [&full, &bare] {
        let found = s.channels.find(tenant, channel.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(channel));
        let found = s.channels.find_for_hook(channel.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(channel));
    }
    let first = s.channels.of_bot(tenant, bot.id, page(1, 1)).await.unwrap();
    assert_eq!((first.items, first.total), (vec![bare], 2));
    let second = s.channels.of_bot(tenant, bot.id, page(2, 1)).await.unwrap();
    let taken = s.channels.create(&full).await;
    assert_eq!(second.items, [full]);
    assert!(matches!(taken, Err(Error::Conflict(Clash::AlreadyExists))));
    let homeless = Channel {
        bot_id: no_bot(),
        ..new_channel(&bot)
    };
    let refused = s.channels.create(&homeless).await;
    assert!(matches!(refused, Err(Error::NotFound(Resource::Bot))));
}

/// A change is written whole, on the version that was read; it keeps its event with it.
pub async fn a_channel_is_changed_as_it_was_read(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let seen = channel(s, &bot).await;
    let endpoint = new_endpoint(tenant, &[EventKind::ChannelDisconnected], NOON);
    s.webhooks.create(&endpoint).await.unwrap();
    let event = Event {
        id: id(),
        tenant_id: tenant,
        bot_id: Some(bot.id),
        kind: EventKind::ChannelDisconnected,
        subject: seen.id.0,
        data: json!({}),
        created_at: NOON,
    };
    let changed = Channel {
        name: "Other".into(),
        settings: ChannelSettings::Slack,
        credentials: vec![7],
        status: ChannelStatus::Disconnected,
        reason: Some("Gone.".into()),
        account: None,
        updated_at: after(2),
        ..seen.clone()
    };
    let kept = s.channels.update(&changed, Some(&event)).await.unwrap();
    let expected = Channel {
        version: 2,
        ..changed
    };
    assert_eq!(kept.as_ref(), Some(&expected));
    assert_eq!(s.channels.find(tenant, seen.id).await.unwrap(), kept);
    let told = s.deliveries.find(tenant, endpoint.id, event.id).await;
    assert!(told.unwrap().is_some());
    let late = Event {
        id: id(),
        ..event.clone()
    };
    let stale = s.channels.update(&seen, Some(&late)).await.unwrap();
    assert_eq!(stale, None, "somebody else has changed it");
    assert_eq!(s.channels.find(tenant, seen.id).await.unwrap(), kept);
    let told = s.deliveries.find(tenant, endpoint.id, late.id).await;
    assert_eq!(told.unwrap(), None);
}

/// However many are made at once, a bot has no more than it may.
pub async fn a_bot_has_so_many_channels_and_no_more(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let owner = bot.clone();
    let most = CHANNELS_MAX as usize;
    let made = at_once(s, most + 5, move |s, _| {
        let channel = new_channel(&owner);
        async move { s.channels.create(&channel).await }
    })
    .await;
    let (good, bad): (Vec<_>, Vec<_>) = made.into_iter().partition(|made| made.is_ok());
    assert_eq!((good.len(), bad.len()), (most, 5));
    for refused in bad {
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
    let kept = s.channels.of_bot(tenant, bot.id, all()).await.unwrap();
    assert_eq!(kept.total, most as u64);
}

/// Another tenant sees, changes and deletes nothing; a bot takes its channels along.
pub async fn tenants_have_their_own_channels(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (thief, _) = tenant_with_bot(s).await;
    let own = channel(s, &bot).await;
    assert_eq!(s.channels.find(thief, own.id).await.unwrap(), None);
    let listed = s.channels.of_bot(thief, bot.id, all()).await.unwrap();
    assert_eq!(listed.total, 0);
    let forged = Channel {
        tenant_id: thief,
        name: "Theirs".into(),
        ..own.clone()
    };
    assert_eq!(s.channels.update(&forged, None).await.unwrap(), None);
    assert!(!s.channels.delete(thief, own.id).await.unwrap());
    let found = s.channels.find(tenant, own.id).await.unwrap();
    assert_eq!(found, Some(own.clone()));
    assert!(s.channels.delete(tenant, own.id).await.unwrap());
    assert!(!s.channels.delete(tenant, own.id).await.unwrap());
    let again = channel(s, &bot).await;
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(s.channels.find_for_hook(again.id).await.unwrap(), None);
}
