//! Promises of [`domain::analytics::Analytics`].

use std::collections::BTreeMap;

use domain::analytics::{Days, Totals};
use domain::bots::ChannelType;
use domain::conversations::{Incoming, Reply};
use domain::{BotId, TenantId, Timestamp};
use time::macros::{date, datetime};

use super::Ports;
use super::given::{
    NOON, after, bot, incoming, no_bot, received, reply, tenant_with_bot, turn, turn_of,
};
use super::seen::{ALL_DAYS, check_counters, counts, day};

async fn begin(
    s: &Ports,
    tenant: TenantId,
    session: &str,
    bot: BotId,
    channel: ChannelType,
    at: Timestamp,
) {
    let message = Incoming {
        bot_id: Some(bot),
        channel: Some(channel),
        at,
        ..incoming(session, "Question?")
    };
    turn_of(s, tenant, &message).await;
}

/// A tenant without conversations has zeros, and no day is listed.
pub async fn without_conversations_all_figures_are_zero(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let totals = s.analytics.totals(tenant, ALL_DAYS).await.unwrap();
    assert_eq!(totals, Totals::default());
    for bot in [None, Some(bot.id)] {
        assert!(counts(s, tenant, bot, ALL_DAYS).await.is_empty());
    }
}

/// Conversations are counted by the day they began, by channel, by status and by bot.
pub async fn conversations_are_counted_by_day_channel_status_and_bot(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    let second = bot(s, tenant).await;
    let next_day = NOON + time::Duration::DAY;
    begin(s, tenant, "1", first.id, ChannelType::Webchat, NOON).await;
    begin(s, tenant, "2", first.id, ChannelType::Webchat, NOON).await;
    begin(s, tenant, "3", first.id, ChannelType::Sms, NOON).await;
    begin(s, tenant, "4", second.id, ChannelType::Webchat, NOON).await;
    begin(s, tenant, "5", second.id, ChannelType::Webchat, next_day).await;
    s.conversations.end(tenant, "2", next_day).await.unwrap();

    let (today, tomorrow) = (NOON.date(), next_day.date());
    let of = |entries: &[_]| BTreeMap::from_iter(entries.iter().copied());
    let all = of(&[
        ((today, "webchat", "active"), 2),
        ((today, "webchat", "ended"), 1),
        ((today, "sms", "active"), 1),
        ((tomorrow, "webchat", "active"), 1),
    ]);
    let of_first = of(&[
        ((today, "webchat", "active"), 1),
        ((today, "webchat", "ended"), 1),
        ((today, "sms", "active"), 1),
    ]);
    let of_second = of(&[
        ((today, "webchat", "active"), 1),
        ((tomorrow, "webchat", "active"), 1),
    ]);
    let later = of(&[((tomorrow, "webchat", "active"), 1)]);
    assert_eq!(counts(s, tenant, None, ALL_DAYS).await, all);
    assert_eq!(counts(s, tenant, Some(first.id), ALL_DAYS).await, of_first);
    assert_eq!(
        counts(s, tenant, Some(second.id), ALL_DAYS).await,
        of_second
    );
    assert_eq!(counts(s, tenant, None, day(tomorrow)).await, later);
    assert!(counts(s, tenant, Some(no_bot()), ALL_DAYS).await.is_empty());
    check_counters(s, tenant).await.unwrap();
}

/// A conversation keeps the day it began, whatever happens in it on later days.
pub async fn a_conversation_keeps_the_day_it_began(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    let later = NOON + time::Duration::days(3);
    s.conversations.end(tenant, "session", later).await.unwrap();
    turn(s, tenant, "session", later).await;
    let expected = BTreeMap::from([((NOON.date(), "webchat", "active"), 1)]);
    assert_eq!(counts(s, tenant, None, ALL_DAYS).await, expected);
    check_counters(s, tenant).await.unwrap();
}

/// Totals count conversations begun and messages stored in the days; active ones are of now, whatever the days.
pub async fn totals_are_of_the_days_asked_for(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    turn(s, tenant, "1", NOON).await;
    turn(s, tenant, "1", NOON + time::Duration::DAY).await;
    turn(s, tenant, "2", NOON + time::Duration::DAY).await;
    turn(s, tenant, "3", NOON + time::Duration::days(2)).await;
    s.conversations.end(tenant, "2", after(0)).await.unwrap();
    let days = |first, last| Days { first, last };
    for (days, conversations, messages) in [
        (day(date!(2026 - 03 - 09)), 0, 0),
        (day(date!(2026 - 03 - 10)), 1, 2),
        (day(date!(2026 - 03 - 11)), 1, 4),
        (days(date!(2026 - 03 - 10), date!(2026 - 03 - 11)), 2, 6),
        (days(date!(2026 - 03 - 11), date!(2026 - 03 - 12)), 2, 6),
        (ALL_DAYS, 3, 8),
    ] {
        let expected = Totals {
            conversations,
            messages,
            active_conversations: 2,
        };
        let totals = s.analytics.totals(tenant, days).await.unwrap();
        assert_eq!(totals, expected, "{days:?}");
    }
}

/// Days are days in UTC: a microsecond before midnight is the old day, midnight the new one.
pub async fn days_are_days_in_utc(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let old = Incoming {
        at: datetime!(2026-03-10 23:59:59.999999 UTC),
        ..incoming("old", "Hello?")
    };
    let question = received(s, tenant, &old).await;
    let answer = Reply {
        at: datetime!(2026-03-11 00:00:00 UTC),
        ..reply(&question, "Hi")
    };
    s.conversations.reply(tenant, &answer).await.unwrap();
    turn(s, tenant, "new", datetime!(2026-03-11 00:00:00 UTC)).await;
    for (date, messages) in [(date!(2026 - 03 - 10), 1), (date!(2026 - 03 - 11), 3)] {
        let totals = s.analytics.totals(tenant, day(date)).await.unwrap();
        assert_eq!(
            (totals.conversations, totals.messages),
            (1, messages),
            "{date}"
        );
        let counted: u64 = counts(s, tenant, None, day(date)).await.values().sum();
        assert_eq!(counted, 1, "{date}");
    }
}

/// What was deleted with its bot is not in the figures any more; all else is.
pub async fn deleted_bots_leave_the_figures(s: &Ports) {
    let (tenant, first) = tenant_with_bot(s).await;
    let second = bot(s, tenant).await;
    for (number, bot) in [&first, &second, &second].into_iter().enumerate() {
        let session = number.to_string();
        begin(s, tenant, &session, bot.id, ChannelType::Slack, NOON).await;
    }
    s.conversations.end(tenant, "1", after(1)).await.unwrap();
    s.bots.delete(tenant, second.id).await.unwrap();
    let expected = Totals {
        conversations: 1,
        messages: 2,
        active_conversations: 1,
    };
    assert_eq!(
        s.analytics.totals(tenant, ALL_DAYS).await.unwrap(),
        expected
    );
    assert!(
        counts(s, tenant, Some(second.id), ALL_DAYS)
            .await
            .is_empty()
    );
    check_counters(s, tenant).await.unwrap();
    s.bots.delete(tenant, first.id).await.unwrap();
    assert_eq!(
        s.analytics.totals(tenant, ALL_DAYS).await.unwrap(),
        Totals::default()
    );
}

/// The figures are a tenant's own, also where another asks by the bot's id.
pub async fn figures_are_a_tenants_own(s: &Ports) {
    let (mine, bot) = tenant_with_bot(s).await;
    let (other, _) = tenant_with_bot(s).await;
    turn(s, mine, "session", NOON).await;
    assert_eq!(
        s.analytics.totals(other, ALL_DAYS).await.unwrap(),
        Totals::default()
    );
    for bot in [None, Some(bot.id)] {
        assert!(counts(s, other, bot, ALL_DAYS).await.is_empty());
    }
}
