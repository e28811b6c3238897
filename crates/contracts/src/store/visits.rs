//! Promises of [`domain::visits::Visits`], and of what [`domain::analytics::Analytics`] makes of them.

use domain::analytics::{Activity, Days};
use domain::messages::Feedback;
use domain::visits::{Visit, VisitKind};
use domain::{Error, Resource, Timestamp};
use time::Duration;

use super::Ports;
use super::given::{NOON, bot, no_bot, tenant_with_bot, turn};

/// Something that a visitor did.
pub fn visit(event_id: &str, kind: VisitKind, at: Timestamp) -> Visit {
    Visit {
        event_id: event_id.into(),
        kind,
        occurred_at: at,
        conversation_id: None,
        customer: Some("zoe".into()),
        product: Some("Lamp".into()),
    }
}

const TODAY: Days = Days {
    first: NOON.date(),
    last: NOON.date(),
};

/// A visit is counted once, however often and with whatever others it is told.
pub async fn a_visit_is_counted_once(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let other = bot(s, tenant).await;
    let opened = visit("1", VisitKind::ChatOpen, NOON);
    let added = visit("2", VisitKind::CartAdd, NOON);
    let told = [opened.clone(), opened.clone()];
    assert_eq!(s.visits.record(tenant, ada.id, &told).await.unwrap(), 1);
    let told = [opened, added];
    assert_eq!(s.visits.record(tenant, ada.id, &told).await.unwrap(), 1);
    assert_eq!(s.visits.record(tenant, ada.id, &told).await.unwrap(), 0);
    assert_eq!(s.visits.record(tenant, other.id, &told).await.unwrap(), 2);
    let activity = s.analytics.activity(tenant, ada.id, TODAY).await.unwrap();
    let expected = Activity {
        chat_opens: 1,
        cart_adds: 1,
        ..Activity::default()
    };
    assert_eq!(activity, expected);
}

/// What happened around a bot is its own, and of the days asked for.
pub async fn activity_is_a_bots_own_and_of_its_days(s: &Ports) {
    let (tenant, ada) = tenant_with_bot(s).await;
    let (stranger, theirs) = tenant_with_bot(s).await;
    let tomorrow = NOON + Duration::DAY;
    for (number, at) in [NOON, tomorrow].into_iter().enumerate() {
        let [_, answer] = turn(s, tenant, &number.to_string(), at).await;
        turn(s, stranger, &number.to_string(), at).await;
        let name = number.to_string();
        let visits = [visit(&name, VisitKind::CheckoutStart, at)];
        s.visits.record(tenant, ada.id, &visits).await.unwrap();
        s.visits.record(stranger, theirs.id, &visits).await.unwrap();
        let feedback = [Feedback::Positive, Feedback::Negative][number];
        let place = (answer.conversation_id, answer.id);
        s.conversations
            .set_feedback(tenant, place.0, place.1, Some(feedback))
            .await
            .unwrap();
    }
    let today = s.analytics.activity(tenant, ada.id, TODAY).await.unwrap();
    let expected = Activity {
        conversations: 1,
        messages: 2,
        people: 1,
        checkout_starts: 1,
        positive_feedback: 1,
        ..Activity::default()
    };
    assert_eq!(today, expected);
    let both = Days {
        last: tomorrow.date(),
        ..TODAY
    };
    let both = s.analytics.activity(tenant, ada.id, both).await.unwrap();
    assert_eq!(
        (both.people, both.messages, both.checkout_starts),
        (2, 4, 2)
    );
    assert_eq!((both.positive_feedback, both.negative_feedback), (1, 1));
    let none = s.analytics.activity(stranger, ada.id, TODAY).await.unwrap();
    assert_eq!(none, Activity::default());
    s.bots.delete(tenant, ada.id).await.unwrap();
    let none = s.analytics.activity(tenant, ada.id, TODAY).await.unwrap();
    assert_eq!(none, Activity::default());
}

/// Visits of a bot that does not exist are refused.
pub async fn visits_need_their_bot(s: &Ports) {
    let (tenant, _) = tenant_with_bot(s).await;
    let (_, theirs) = tenant_with_bot(s).await;
    for bot in [no_bot(), theirs.id] {
        let told = [visit("1", VisitKind::ChatOpen, NOON)];
        let refused = s.visits.record(tenant, bot, &told).await;
        assert!(
            matches!(refused, Err(Error::NotFound(Resource::Bot))),
            "{refused:?}"
        );
    }
}
