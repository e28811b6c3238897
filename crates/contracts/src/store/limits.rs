//! Promises of [`domain::conversations::Conversations`] and [`domain::usage::Usages`]: a plan's limits hold,
//! and usage is exact.

use domain::conversations::{Incoming, Reply};
use domain::plans::PlanLimits;
use domain::usage::{Month, Usage};
use domain::{Error, Limit, Result, TenantId, Timestamp};
use time::macros::datetime;

use super::Ports;
use super::given::{
    NOON, after, conversations_limit, incoming, messages_limit, received, reply, tenant,
    tenant_with_bot, turn, turn_of, welcoming_bot,
};
use super::races::{at_once, successes};
use super::seen::{check_usage, everything, usage};

fn limited(session: &str, limits: PlanLimits) -> Incoming {
    Incoming {
        limits,
        ..incoming(session, "Question?")
    }
}

fn reached<T>(result: &Result<T>, limit: Limit) -> bool {
    matches!(result, Err(Error::LimitReached(found)) if *found == limit)
}

/// Receives a message that must be refused at a limit, leaving everything as it was.
async fn refused(s: &Ports, tenant: TenantId, message: &Incoming, limit: Limit) {
    let before = everything(s, tenant).await;
    let result = s.conversations.receive(tenant, message).await;
    assert!(reached(&result, limit), "{result:?}");
    assert_eq!(everything(s, tenant).await, before);
}

/// Every stored message counts: the visitor's, the bot's, and the welcome.
pub async fn every_stored_message_counts(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome!").await;
    let expected = |conversations, messages| Usage {
        bots: 1,
        conversations,
        messages,
    };
    assert_eq!(usage(s, tenant).await, expected(0, 0));
    let question = received(s, tenant, &incoming("1", "Hello?")).await;
    assert_eq!(usage(s, tenant).await, expected(1, 2));
    s.conversations
        .reply(tenant, &reply(&question, "Hi"))
        .await
        .unwrap();
    assert_eq!(usage(s, tenant).await, expected(1, 3));
    turn(s, tenant, "1", NOON).await;
    turn(s, tenant, "2", NOON).await;
    assert_eq!(usage(s, tenant).await, expected(2, 8));
}

/// A message is let in only where its answer has room too.
pub async fn room_for_the_answer_is_reserved(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    refused(
        s,
        tenant,
        &limited("session", messages_limit(1)),
        Limit::Messages,
    )
    .await;
    let question = received(s, tenant, &limited("session", messages_limit(3))).await;
    // One is stored and one reserved; a second turn would need two more.
    refused(
        s,
        tenant,
        &limited("session", messages_limit(3)),
        Limit::Messages,
    )
    .await;
    refused(
        s,
        tenant,
        &limited("new", messages_limit(3)),
        Limit::Messages,
    )
    .await;
    s.conversations
        .reply(tenant, &reply(&question, "Hi"))
        .await
        .unwrap();
    refused(
        s,
        tenant,
        &limited("session", messages_limit(3)),
        Limit::Messages,
    )
    .await;
    turn_of(s, tenant, &limited("session", messages_limit(4))).await;
    assert_eq!(usage(s, tenant).await.messages, 4);
}

/// The welcome message needs room like any other.
pub async fn the_welcome_message_needs_room(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome!").await;
    refused(
        s,
        tenant,
        &limited("session", messages_limit(2)),
        Limit::Messages,
    )
    .await;
    turn_of(s, tenant, &limited("session", messages_limit(3))).await;
    check_usage(s, tenant).await.unwrap();
}

/// An answer that will not come gives its room back, and no more than that.
pub async fn giving_up_frees_the_room(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    received(s, tenant, &limited("session", messages_limit(3))).await;
    refused(
        s,
        tenant,
        &limited("session", messages_limit(3)),
        Limit::Messages,
    )
    .await;
    s.conversations.give_up(tenant, NOON).await.unwrap();
    turn_of(s, tenant, &limited("session", messages_limit(3))).await;
    refused(
        s,
        tenant,
        &limited("session", messages_limit(4)),
        Limit::Messages,
    )
    .await;
    assert_eq!(usage(s, tenant).await.messages, 3);
}

/// Giving up what was not reserved makes no room.
pub async fn giving_up_nothing_makes_no_room(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    s.conversations.give_up(tenant, NOON).await.unwrap();
    received(s, tenant, &limited("1", messages_limit(5))).await;
    received(s, tenant, &limited("2", messages_limit(5))).await;
    refused(s, tenant, &limited("3", messages_limit(5)), Limit::Messages).await;
    assert_eq!(usage(s, tenant).await.messages, 2);
}

/// A reservation whose answer never came and was never given up lapses after ten minutes.
pub async fn reservations_lapse_after_ten_minutes(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    received(s, tenant, &limited("session", messages_limit(3))).await;
    let at = |seconds| Incoming {
        at: after(seconds),
        ..limited("session", messages_limit(3))
    };
    refused(s, tenant, &at(9 * 60), Limit::Messages).await;
    turn_of(s, tenant, &at(11 * 60)).await;
    assert_eq!(usage(s, tenant).await.messages, 3);
    refused(s, tenant, &at(22 * 60), Limit::Messages).await;
}

/// An answer that comes late is stored and counted all the same.
pub async fn a_late_answer_is_stored(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let question = received(s, tenant, &limited("session", messages_limit(2))).await;
    let late = Reply {
        at: after(3_600),
        ..reply(&question, "At last")
    };
    s.conversations.reply(tenant, &late).await.unwrap();
    check_usage(s, tenant).await.unwrap();
    refused(
        s,
        tenant,
        &limited("session", messages_limit(3)),
        Limit::Messages,
    )
    .await;
}

/// A hundred turns at once at a limit of ten messages store exactly ten; an odd place stays free.
pub async fn a_hundred_turns_at_once_stop_at_the_message_limit(s: &Ports) {
    for most in [10, 11] {
        let (tenant, _) = tenant_with_bot(s).await;
        let turns = at_once(s, 100, move |s, number| async move {
            let message = limited(&(number % 7).to_string(), messages_limit(most));
            let question = s.conversations.receive(tenant, &message).await?;
            s.conversations.reply(tenant, &reply(&question, "Hi")).await
        })
        .await;
        assert_eq!(successes(&turns), 5);
        assert_eq!(
            turns
                .iter()
                .filter(|turn| reached(turn, Limit::Messages))
                .count(),
            95
        );
        assert_eq!(usage(s, tenant).await.messages, 10);
        check_usage(s, tenant).await.unwrap();
    }
}

/// A hundred first messages at once at a limit of ten conversations begin exactly ten.
pub async fn a_hundred_conversations_at_once_stop_at_the_limit(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let begun = at_once(s, 100, move |s, number| async move {
        let message = limited(&number.to_string(), conversations_limit(10));
        s.conversations.receive(tenant, &message).await
    })
    .await;
    assert_eq!(successes(&begun), 10);
    assert_eq!(
        begun
            .iter()
            .filter(|got| reached(got, Limit::Conversations))
            .count(),
        90
    );
    assert_eq!(usage(s, tenant).await.conversations, 10);
    check_usage(s, tenant).await.unwrap();
}

/// At the limit of conversations, those that are there go on, ended ones too; new ones leave nothing behind.
pub async fn conversations_go_on_at_their_limit(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let limits = conversations_limit(1);
    turn_of(s, tenant, &limited("there", limits)).await;
    refused(s, tenant, &limited("new", limits), Limit::Conversations).await;
    turn_of(s, tenant, &limited("there", limits)).await;
    s.conversations
        .end(tenant, "there", after(1))
        .await
        .unwrap();
    turn_of(s, tenant, &limited("there", limits)).await;
    check_usage(s, tenant).await.unwrap();
}

/// Deleting a bot with its conversations gives none of the month's room back.
pub async fn deleting_gives_no_room_back(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    turn(s, tenant, "session", NOON).await;
    s.bots.delete(tenant, bot.id).await.unwrap();
    super::given::bot(s, tenant).await;
    refused(
        s,
        tenant,
        &limited("new", conversations_limit(1)),
        Limit::Conversations,
    )
    .await;
    refused(
        s,
        tenant,
        &limited("new", messages_limit(3)),
        Limit::Messages,
    )
    .await;
    let expected = Usage {
        bots: 1,
        conversations: 1,
        messages: 2,
    };
    assert_eq!(usage(s, tenant).await, expected);
}

/// A limit is a tenant's own.
pub async fn a_limit_is_a_tenants_own(s: &Ports) {
    let (mine, other) = (tenant_with_bot(s).await.0, tenant_with_bot(s).await.0);
    let limits = PlanLimits {
        conversations_per_month: Some(1),
        ..messages_limit(2)
    };
    for tenant in [mine, other] {
        turn_of(s, tenant, &limited("session", limits)).await;
        check_usage(s, tenant).await.unwrap();
    }
}

/// Months are calendar months in UTC: each has its own usage and its own room.
pub async fn months_are_calendar_months_in_utc(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let moments: [(Timestamp, i32); 5] = [
        (datetime!(2025-12-31 23:59:59.999999 UTC), 202_512),
        (datetime!(2026-01-01 00:00:00 UTC), 202_601),
        (datetime!(2026-02-28 23:59:59.999999 UTC), 202_602),
        (datetime!(2026-03-01 00:00:00 UTC), 202_603),
        (datetime!(2026-03-31 23:59:59.999999 UTC), 202_603),
    ];
    let at = |at, most| Incoming {
        at,
        ..limited("session", messages_limit(most))
    };
    for (moment, _) in &moments[..4] {
        turn_of(s, tenant, &at(*moment, 3)).await;
    }
    // March has a turn already.
    let result = s.conversations.receive(tenant, &at(moments[4].0, 3)).await;
    assert!(reached(&result, Limit::Messages), "{result:?}");
    turn_of(s, tenant, &at(moments[4].0, 4)).await;
    for (number, conversations, messages) in [
        (202_511, 0, 0),
        (202_512, 1, 2),
        (202_601, 0, 2),
        (202_602, 0, 2),
        (202_603, 0, 4),
        (202_604, 0, 0),
    ] {
        let found = s.usages.usage(tenant, Month { number }).await.unwrap();
        let expected = Usage {
            bots: 1,
            conversations,
            messages,
        };
        assert_eq!(found, expected, "{number}");
    }
}

/// An answer that comes after the month's end is counted once, and its reservation is spent.
pub async fn an_answer_after_the_months_end_is_counted_once(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let march = Incoming {
        at: datetime!(2026-03-31 23:59:59 UTC),
        ..limited("session", messages_limit(4))
    };
    let question = received(s, tenant, &march).await;
    let answer = Reply {
        at: datetime!(2026-04-01 00:00:01 UTC),
        ..reply(&question, "Hi")
    };
    s.conversations.reply(tenant, &answer).await.unwrap();
    let mut messages = 0;
    for number in [202_603, 202_604] {
        messages += s
            .usages
            .usage(tenant, Month { number })
            .await
            .unwrap()
            .messages;
    }
    assert_eq!(messages, 2);
    let again = Incoming {
        message_id: super::given::id(),
        ..march
    };
    turn_of(s, tenant, &again).await;
}

/// After turns, refusals, give-ups, ends and deletions at once, usage and analytics tell the truth.
pub async fn counters_are_exact_after_mixed_traffic(s: &Ports) {
    let tenant = tenant(s).await;
    welcoming_bot(s, tenant, "Welcome!").await;
    at_once(s, 80, move |s, number| async move {
        let message = limited(&(number % 9).to_string(), messages_limit(60));
        match s.conversations.receive(tenant, &message).await {
            Ok(_) if number % 5 == 0 => s.conversations.give_up(tenant, NOON).await.unwrap(),
            Ok(question) => drop(
                s.conversations
                    .reply(tenant, &reply(&question, "Hi"))
                    .await
                    .unwrap(),
            ),
            Err(Error::LimitReached(Limit::Messages)) => {}
            Err(error) => panic!("{error:?}"),
        }
        if number % 11 == 0 {
            s.conversations
                .end(tenant, &(number % 9).to_string(), NOON)
                .await
                .unwrap();
        }
    })
    .await;
    check_usage(s, tenant).await.unwrap();
    let used = usage(s, tenant).await.messages;
    assert!(used <= 60, "{used} of 60");
    // Nothing is reserved any more: what is left can be used to the last place.
    for _ in 0..(60 - used) / 2 {
        turn_of(s, tenant, &limited("0", messages_limit(60))).await;
    }
    refused(
        s,
        tenant,
        &limited("0", messages_limit(60)),
        Limit::Messages,
    )
    .await;
}
