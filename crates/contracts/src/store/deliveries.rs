//! Promises of [`domain::events::Outbox`] and [`domain::webhooks::Deliveries`].

use std::time::Duration;

use domain::events::{Event, EventKind};
use domain::paging::Page;
use domain::webhooks::{
    Attempt, Delivery, DeliveryStatus, Due, EndpointChanges, EndpointLease, Health, WebhookEndpoint,
};
use domain::{BotId, Error, EventId, Resource, TenantId, Timestamp, WebhookId};
use serde_json::json;
use uuid::Uuid;

use super::Ports;
use super::given::{
    NOON, after, id, incoming, no_bot, page, received, tenant, tenant_with_bot, turn,
};
use super::races::{at_once, successes};
use super::webhooks::{disabled, endpoint, new_endpoint};

const LEASE: Duration = Duration::from_secs(15);

/// An event that is not kept yet.
fn event(tenant: TenantId, bot: Option<BotId>, subject: Uuid, at: Timestamp) -> Event {
    Event {
        id: id(),
        tenant_id: tenant,
        bot_id: bot,
        kind: EventKind::MessageReceived,
        subject,
        data: json!({ "text": "\u{1f600}", "number": 7 }),
        created_at: at,
    }
}

/// An event that is kept.
async fn publish(s: &Ports, tenant: TenantId, subject: Uuid, at: Timestamp) -> Event {
    let event = event(tenant, None, subject, at);
    assert!(s.outbox.publish(&event).await.unwrap());
    event
}

async fn lease(s: &Ports, seconds: i64) -> Option<EndpointLease> {
    s.deliveries.lease(after(seconds), LEASE).await.unwrap()
}

async fn due(s: &Ports, lease: &EndpointLease, seconds: i64) -> Vec<Due> {
    s.deliveries.due(lease, after(seconds), 100).await.unwrap()
}

/// The events that are due for an endpoint, without a lease.
async fn waiting(s: &Ports, endpoint: &WebhookEndpoint, seconds: i64) -> Vec<EventId> {
    let lease = EndpointLease {
        endpoint: endpoint.clone(),
        number: 0,
    };
    let due = due(s, &lease, seconds).await;
    due.iter().map(|due| due.event.id).collect()
}

async fn release(s: &Ports, lease: &EndpointLease) {
    let health = lease.endpoint.health;
    s.deliveries.release(lease, health, None).await.unwrap();
}

fn delivered(event: EventId, seconds: i64) -> Attempt {
    Attempt {
        event_id: event,
        at: after(seconds),
        status_code: Some(200),
        error: None,
        again_at: None,
    }
}

fn failed(event: EventId, seconds: i64, again: Option<i64>) -> Attempt {
    Attempt {
        status_code: None,
        error: Some("No.".into()),
        again_at: again.map(after),
        ..delivered(event, seconds)
    }
}

async fn log(s: &Ports, tenant: TenantId, endpoint: WebhookId) -> Page<Delivery> {
    let list = s.deliveries.list(tenant, endpoint, None, page(1, 100));
    list.await.unwrap()
}

/// A visitor's message is told, in its own transaction, to the endpoints that chose it, and to no others.
pub async fn a_message_is_told_to_the_endpoints_that_chose_it(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let first = received(s, tenant, &incoming("session", "One?")).await;
    assert!(!first.has_events, "nobody wants it");
    let wants = endpoint(s, tenant, NOON).await;
    let other = new_endpoint(tenant, &[EventKind::IntegrationFailed], NOON);
    s.webhooks.create(&other).await.unwrap();
    let off = WebhookEndpoint {
        disabled: Some(disabled(NOON)),
        ..new_endpoint(tenant, EventKind::ALL, NOON)
    };
    s.webhooks.create(&off).await.unwrap();
    let second = received(s, tenant, &incoming("session", "Two?")).await;
    let begun = received(s, tenant, &incoming("another", "Three?")).await;
    assert!(second.has_events && begun.has_events);
    let lease = lease(s, 0).await.unwrap();
    assert_eq!(lease.endpoint, wants);
    let found = due(s, &lease, 0).await;
    let events: Vec<_> = found.iter().map(|due| &due.event).collect();
    let expected =
        |session: &str, message| Event::message_received(tenant, bot.id, session, message);
    assert_eq!(
        events,
        [
            &expected("session", &second.message),
            &expected("another", &begun.message)
        ]
    );
    assert_eq!(found[0].attempts, 0);
    for silent in [&other, &off] {
        assert_eq!(log(s, tenant, silent.id).await.total, 0);
    }
    // The same message again changes nothing.
    let again = domain::conversations::Incoming {
        message_id: second.message.id,
        ..incoming("session", "Two?")
    };
    s.conversations.receive(tenant, &again).await.unwrap_err();
    assert_eq!(log(s, tenant, wants.id).await.total, 2);
}

/// An event is kept once, only for endpoints that chose its kind, and only with a bot that is there.
pub async fn an_event_is_kept_once_and_only_if_somebody_wants_it(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let event = event(tenant, Some(bot.id), bot.id.0, NOON);
    assert!(!s.outbox.publish(&event).await.unwrap());
    let wants = endpoint(s, tenant, NOON).await;
    assert_eq!(waiting(s, &wants, 0).await, []);
    for _ in 0..2 {
        assert!(s.outbox.publish(&event).await.unwrap());
    }
    assert_eq!(waiting(s, &wants, 0).await, [event.id]);
    let other = Event {
        id: id(),
        kind: EventKind::ChannelDisconnected,
        ..event.clone()
    };
    assert!(!s.outbox.publish(&other).await.unwrap());
    let homeless = Event {
        id: id(),
        bot_id: Some(no_bot()),
        ..event
    };
    let refused = s.outbox.publish(&homeless).await;
    assert!(
        matches!(refused, Err(Error::NotFound(Resource::Bot))),
        "{refused:?}"
    );
    assert!(s.deliveries.enqueue(wants.id, &other).await.unwrap());
    assert!(!s.deliveries.enqueue(id(), &other).await.unwrap());
    assert_eq!(waiting(s, &wants, 0).await.len(), 2);
}

/// Messages that come at once are told in the order in which they were stored.
pub async fn messages_at_once_are_told_in_their_order(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    let answers = at_once(s, 40, move |s, number| async move {
        let message = incoming(&(number % 2).to_string(), "Hello?");
        s.conversations.receive(tenant, &message).await
    })
    .await;
    assert_eq!(successes(&answers), 40);
    let lease = EndpointLease {
        endpoint: wants,
        number: 0,
    };
    let told = due(s, &lease, 9).await;
    assert_eq!(told.len(), 40);
    for session in ["0", "1"] {
        let conversation = s
            .conversations
            .find(tenant, session)
            .await
            .unwrap()
            .unwrap();
        let stored = s.conversations.messages(tenant, conversation.id).await;
        let stored: Vec<_> = stored.unwrap().iter().map(|message| message.id.0).collect();
        let told = told
            .iter()
            .filter(|due| due.event.subject == conversation.id.0);
        assert_eq!(told.map(|due| due.event.id.0).collect::<Vec<_>>(), stored);
    }
}

/// Of a subject, the next event is not due while the one before waits for its time; other subjects go on.
pub async fn events_of_a_subject_wait_for_the_one_before(s: &Ports) {
    let tenant = tenant(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    let (one, other) = (id(), id());
    let first = publish(s, tenant, one, after(1)).await.id;
    let second = publish(s, tenant, one, after(1)).await.id;
    let aside = publish(s, tenant, other, after(1)).await.id;
    assert_eq!(waiting(s, &wants, 0).await, []);
    assert_eq!(waiting(s, &wants, 1).await, [first, second, aside]);
    let held = lease(s, 1).await.unwrap();
    let limited = s.deliveries.due(&held, after(1), 2).await.unwrap();
    assert_eq!(limited.len(), 2);
    let again = failed(first, 1, Some(10));
    s.deliveries.record(&held, &again).await.unwrap();
    let third = publish(s, tenant, one, after(2)).await.id;
    assert_eq!(waiting(s, &wants, 9).await, [aside]);
    assert_eq!(waiting(s, &wants, 10).await, [first, second, aside, third]);
    s.deliveries
        .record(&held, &delivered(aside, 3))
        .await
        .unwrap();
    release(s, &held).await;
    assert_eq!(lease(s, 9).await, None, "all that is due has to wait");
    let held = lease(s, 10).await.unwrap();
    // Given up: the next may go.
    s.deliveries
        .record(&held, &failed(first, 10, None))
        .await
        .unwrap();
    assert_eq!(waiting(s, &wants, 10).await, [second, third]);
}

/// An endpoint is leased to one worker, until the lease runs out, is extended, or all are released.
pub async fn an_endpoint_is_leased_to_one_worker(s: &Ports) {
    let tenant = tenant(s).await;
    endpoint(s, tenant, NOON).await;
    publish(s, tenant, id(), NOON).await;
    let leases = at_once(s, 8, |s, _| async move { lease(&s, 0).await }).await;
    let held: Vec<_> = leases.into_iter().flatten().collect();
    assert_eq!(held.len(), 1);
    assert!(
        s.deliveries
            .extend(&held[0], after(10), LEASE)
            .await
            .unwrap()
    );
    assert_eq!(lease(s, 24).await, None);
    let second = lease(s, 25).await.unwrap();
    assert!(second.number > held[0].number);
    assert!(
        !s.deliveries
            .extend(&held[0], after(26), LEASE)
            .await
            .unwrap()
    );
    s.deliveries.release_all().await.unwrap();
    assert!(
        !s.deliveries
            .extend(&second, after(26), LEASE)
            .await
            .unwrap()
    );
    assert!(lease(s, 26).await.is_some());
}

/// The endpoint whose last lease was longest ago comes first, however much waits for others.
pub async fn endpoints_take_turns(s: &Ports) {
    let (one, other) = (tenant(s).await, tenant(s).await);
    let (first, second) = (
        endpoint(s, one, after(1)).await,
        endpoint(s, other, after(2)).await,
    );
    for _ in 0..20 {
        publish(s, one, id(), NOON).await;
    }
    publish(s, other, id(), NOON).await;
    for (at, expected) in (3..).zip([&first, &second, &first, &second]) {
        let leased = lease(s, at).await.unwrap();
        assert_eq!(leased.endpoint.id, expected.id);
        release(s, &leased).await;
    }
}

/// What is paused, disabled or not due is not leased.
pub async fn what_is_paused_disabled_or_not_due_is_not_leased(s: &Ports) {
    let tenant = tenant(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    assert_eq!(lease(s, 0).await, None, "there is nothing to send");
    publish(s, tenant, id(), after(5)).await;
    assert_eq!(lease(s, 4).await, None, "it is not due");
    let held = lease(s, 5).await.unwrap();
    let paused = Health {
        failed_rounds: 2,
        failing_since: Some(after(5)),
        paused_until: Some(after(60)),
    };
    s.deliveries.release(&held, paused, None).await.unwrap();
    assert_eq!(lease(s, 59).await, None, "it is paused");
    let held = lease(s, 60).await.unwrap();
    assert_eq!(held.endpoint.health, paused);
    let reason = disabled(after(60));
    let released = s.deliveries.release(&held, paused, Some(&reason)).await;
    released.unwrap();
    assert_eq!(lease(s, 999).await, None, "it is disabled");
    let found = s.webhooks.find(tenant, wants.id).await.unwrap().unwrap();
    assert_eq!((found.disabled, found.health), (Some(reason), paused));
    assert!(
        !s.outbox
            .publish(&event(tenant, None, id(), NOON))
            .await
            .unwrap()
    );
    let on = EndpointChanges {
        disabled: Some(None),
        ..EndpointChanges::default()
    };
    s.webhooks.update(tenant, wants.id, &on).await.unwrap();
    let held = lease(s, 999).await.unwrap();
    assert_eq!(
        due(s, &held, 999).await.len(),
        1,
        "what waited is still there"
    );
}

/// What came of an attempt is kept, and shown newest first, by status.
pub async fn what_came_of_an_attempt_is_kept(s: &Ports) {
    let tenant = tenant(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    let mut events = Vec::new();
    for number in 0..4 {
        events.push(publish(s, tenant, id(), after(number)).await.id);
    }
    let held = lease(s, 9).await.unwrap();
    for attempt in [
        failed(events[1], 9, Some(20)),
        failed(events[2], 9, None),
        Attempt {
            status_code: Some(500),
            ..failed(events[3], 8, Some(9))
        },
        delivered(events[3], 9),
        // It is delivered: that it was sent twice does not change it.
        failed(events[3], 10, None),
    ] {
        s.deliveries.record(&held, &attempt).await.unwrap();
    }
    let shown = |number: i64, status, attempts, due: Option<i64>, error: Option<&str>| Delivery {
        event_id: events[number as usize],
        kind: EventKind::MessageReceived,
        status,
        attempts,
        due_at: due.map(after),
        last_status: (status == DeliveryStatus::Delivered).then_some(200),
        last_error: error.map(str::to_owned),
        last_attempt_at: (attempts > 0).then(|| after(9)),
        created_at: after(number),
    };
    let expected = [
        shown(3, DeliveryStatus::Delivered, 2, None, None),
        shown(2, DeliveryStatus::Failed, 1, None, Some("No.")),
        shown(1, DeliveryStatus::Pending, 1, Some(20), Some("No.")),
        shown(0, DeliveryStatus::Pending, 0, Some(0), None),
    ];
    assert_eq!(log(s, tenant, wants.id).await.items, expected);
    for delivery in &expected {
        let found = s.deliveries.find(tenant, wants.id, delivery.event_id);
        assert_eq!(found.await.unwrap().as_ref(), Some(delivery));
    }
    let status = Some(DeliveryStatus::Pending);
    let list = s.deliveries.list(tenant, wants.id, status, page(2, 1));
    let list = list.await.unwrap();
    assert_eq!((&list.items[..], list.total), (&expected[3..], 2));
}

/// A worker that lost its lease does not change the endpoint any more.
pub async fn a_lost_lease_changes_no_endpoint(s: &Ports) {
    let tenant = tenant(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    publish(s, tenant, id(), NOON).await;
    let lost = lease(s, 0).await.unwrap();
    let held = lease(s, 20).await.unwrap();
    let failing = Health {
        failed_rounds: 9,
        ..Health::default()
    };
    let reason = disabled(NOON);
    let released = s.deliveries.release(&lost, failing, Some(&reason)).await;
    released.unwrap();
    let found = s.webhooks.find(tenant, wants.id).await.unwrap();
    assert_eq!(found, Some(wants));
    assert!(s.deliveries.extend(&held, after(21), LEASE).await.unwrap());
}

/// A delivery is sent again when its owner asks for it, however it ended.
pub async fn a_delivery_is_sent_again_when_asked(s: &Ports) {
    let tenant = tenant(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    let events = [
        publish(s, tenant, id(), NOON).await.id,
        publish(s, tenant, id(), NOON).await.id,
    ];
    let held = lease(s, 1).await.unwrap();
    s.deliveries
        .record(&held, &delivered(events[0], 1))
        .await
        .unwrap();
    s.deliveries
        .record(&held, &failed(events[1], 1, None))
        .await
        .unwrap();
    assert_eq!(waiting(s, &wants, 9).await, []);
    for event in events {
        let replayed = s.deliveries.replay(tenant, wants.id, event, after(9)).await;
        assert!(replayed.unwrap());
    }
    let unknown = s.deliveries.replay(tenant, wants.id, id(), NOON).await;
    assert!(!unknown.unwrap());
    assert_eq!(waiting(s, &wants, 8).await, []);
    assert_eq!(waiting(s, &wants, 9).await, events);
    let found = s.deliveries.find(tenant, wants.id, events[1]).await;
    let found = found.unwrap().unwrap();
    assert_eq!(
        (found.status, found.attempts, found.due_at),
        (DeliveryStatus::Pending, 0, Some(after(9)))
    );
}

/// Endpoints that are deleted while messages come fail none of them.
pub async fn a_deleted_endpoint_does_not_disturb_messages(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let mut endpoints = Vec::new();
    for _ in 0..10 {
        endpoints.push(endpoint(s, tenant, NOON).await.id);
    }
    let deleted = endpoints.clone();
    let answers = at_once(s, 40, move |s, number| {
        let gone = (number % 4 == 0).then(|| deleted[number / 4]);
        async move {
            match gone {
                Some(id) => s.webhooks.delete(tenant, id).await.map(drop),
                None => {
                    let message = incoming(&number.to_string(), "Hello?");
                    s.conversations.receive(tenant, &message).await.map(drop)
                }
            }
        }
    })
    .await;
    assert_eq!(successes(&answers), 40, "{answers:?}");
    for endpoint in endpoints {
        assert_eq!(log(s, tenant, endpoint).await.total, 0);
    }
    assert_eq!(lease(s, 9).await, None);
}

/// A bot's events go with it, and a tenant's with the tenant.
pub async fn events_go_with_their_bot(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    turn(s, tenant, "session", NOON).await;
    let stays = publish(s, tenant, id(), NOON).await.id;
    assert_eq!(waiting(s, &wants, 0).await.len(), 2);
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(waiting(s, &wants, 0).await, [stays]);
    s.tenants.delete(tenant).await.unwrap();
    assert_eq!(waiting(s, &wants, 0).await, []);
    assert_eq!(lease(s, 9).await, None);
}

/// Events that happened before a moment are forgotten, a few at a time, with their deliveries.
pub async fn old_events_are_forgotten(s: &Ports) {
    let tenant = tenant(s).await;
    let wants = endpoint(s, tenant, NOON).await;
    for at in 0..5 {
        publish(s, tenant, id(), after(at)).await;
    }
    let forget = async |before, most| s.deliveries.forget(before, most).await.unwrap();
    assert_eq!(forget(after(0), 9).await, 0);
    assert_eq!(forget(after(3), 2).await, 2);
    assert_eq!(log(s, tenant, wants.id).await.total, 3);
    assert_eq!(forget(after(3), 2).await, 1);
    let left = log(s, tenant, wants.id).await;
    let times: Vec<_> = left
        .items
        .iter()
        .map(|delivery| delivery.created_at)
        .collect();
    assert_eq!(times, [after(4), after(3)]);
}

/// Another tenant sees and replays nothing, and its events go to its own endpoints.
pub async fn deliveries_are_a_tenants_own(s: &Ports) {
    let (mine, other) = (tenant(s).await, tenant(s).await);
    let (wants, theirs) = (
        endpoint(s, mine, NOON).await,
        endpoint(s, other, NOON).await,
    );
    let kept = publish(s, mine, id(), NOON).await.id;
    assert_eq!(log(s, other, wants.id).await.total, 0);
    assert_eq!(log(s, other, theirs.id).await.total, 0);
    let found = s.deliveries.find(other, wants.id, kept).await;
    assert_eq!(found.unwrap(), None);
    let replayed = s.deliveries.replay(other, wants.id, kept, after(9)).await;
    assert!(!replayed.unwrap());
    let foreign = event(other, None, id(), NOON);
    assert!(!s.deliveries.enqueue(wants.id, &foreign).await.unwrap());
    assert_eq!(waiting(s, &wants, 0).await, [kept]);
}
