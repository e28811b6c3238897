//! Promises of [`domain::webhooks::WebhookEndpoints`].

use domain::events::EventKind;
use domain::webhooks::{Disabled, ENDPOINTS_MAX, EndpointChanges, Health, WebhookEndpoint};
use domain::{Clash, Error, Resource, TenantId, Timestamp};

use super::Ports;
use super::given::{NOON, after, id, page, tenant};
use super::races::at_once;

/// An endpoint that is not kept yet.
pub fn new_endpoint(tenant: TenantId, events: &[EventKind], at: Timestamp) -> WebhookEndpoint {
    WebhookEndpoint {
        id: id(),
        tenant_id: tenant,
        url: "https://example.com/hook?a=\u{1f600}".into(),
        events: events.to_vec(),
        description: Some("Ours".into()),
        disabled: None,
        health: Health::default(),
        key: vec![1; 40],
        previous_key: None,
        created_at: at,
    }
}

/// An endpoint that is kept, and wants messages.
pub async fn endpoint(s: &Ports, tenant: TenantId, at: Timestamp) -> WebhookEndpoint {
    let endpoint = new_endpoint(tenant, &[EventKind::MessageReceived], at);
    s.webhooks.create(&endpoint).await.unwrap();
    endpoint
}

/// Why an endpoint gets nothing.
pub fn disabled(at: Timestamp) -> Disabled {
    Disabled {
        reason: "Enough.".into(),
        since: at,
    }
}

/// An endpoint is found as it was created, and listed newest first.
pub async fn an_endpoint_is_found_as_it_was_created(s: &Ports) {
    let tenant = tenant(s).await;
    let mut kept = Vec::new();
    for (number, events) in (1..).zip([EventKind::ALL, &[EventKind::AgentLoopCompleted]]) {
        let endpoint = WebhookEndpoint {
            disabled: Some(disabled(after(number))),
            previous_key: Some((vec![2; 40], after(9))),
            ..new_endpoint(tenant, events, after(number))
        };
        s.webhooks.create(&endpoint).await.unwrap();
        let found = s.webhooks.find(tenant, endpoint.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&endpoint));
        kept.insert(0, endpoint);
    }
    let listed = s.webhooks.list(tenant, page(1, 9)).await.unwrap();
    assert_eq!((&listed.items, listed.total), (&kept, 2));
    let listed = s.webhooks.list(tenant, page(2, 1)).await.unwrap();
    assert_eq!(listed.items, kept[1..]);
    let taken = s.webhooks.create(&kept[0]).await;
    assert!(
        matches!(taken, Err(Error::Conflict(Clash::AlreadyExists))),
        "{taken:?}"
    );
    let homeless = new_endpoint(id(), EventKind::ALL, NOON);
    let refused = s.webhooks.create(&homeless).await;
    assert!(
        matches!(refused, Err(Error::NotFound(Resource::Tenant))),
        "{refused:?}"
    );
}

/// A tenant has no more endpoints than it may, also where they come at once.
pub async fn a_tenants_endpoints_are_limited(s: &Ports) {
    let tenant = tenant(s).await;
    let made = at_once(s, ENDPOINTS_MAX as usize + 5, move |s, _| async move {
        let endpoint = new_endpoint(tenant, EventKind::ALL, NOON);
        s.webhooks.create(&endpoint).await
    })
    .await;
    let refused = made
        .iter()
        .filter(|made| matches!(made, Err(Error::Invalid { field, .. }) if field == "url"));
    assert_eq!(refused.count(), 5, "{made:?}");
    let listed = s.webhooks.list(tenant, page(1, 100)).await.unwrap();
    assert_eq!(listed.total, u64::from(ENDPOINTS_MAX));
}

/// A change of an endpoint writes only the fields given; enabling it forgets how it was doing.
pub async fn a_change_of_an_endpoint_writes_only_the_fields_given(s: &Ports) {
    let tenant = tenant(s).await;
    let mut expected = WebhookEndpoint {
        health: Health {
            failed_rounds: 3,
            failing_since: Some(NOON),
            paused_until: Some(after(60)),
        },
        ..new_endpoint(tenant, EventKind::ALL, NOON)
    };
    s.webhooks.create(&expected).await.unwrap();
    let none = EndpointChanges::default();
    let off = EndpointChanges {
        disabled: Some(Some(disabled(after(1)))),
        ..none.clone()
    };
    let words = EndpointChanges {
        description: Some(None),
        events: Some(vec![EventKind::IntegrationFailed]),
        ..none.clone()
    };
    let on = EndpointChanges {
        disabled: Some(None),
        ..none.clone()
    };
    let moved = EndpointChanges {
        url: Some("https://example.org/".into()),
        ..none.clone()
    };
    let mut steps = Vec::new();
    steps.push((none, expected.clone()));
    expected.disabled = Some(disabled(after(1)));
    steps.push((off, expected.clone()));
    expected.description = None;
    expected.events = vec![EventKind::IntegrationFailed];
    steps.push((words, expected.clone()));
    expected.disabled = None;
    expected.health = Health::default();
    steps.push((on, expected.clone()));
    expected.url = "https://example.org/".into();
    steps.push((moved, expected.clone()));
    for (changes, expected) in steps {
        let changed = s.webhooks.update(tenant, expected.id, &changes).await;
        assert_eq!(changed.unwrap().as_ref(), Some(&expected), "{changes:?}");
        let found = s.webhooks.find(tenant, expected.id).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    let none = EndpointChanges::default();
    let unknown = s.webhooks.update(tenant, id(), &none).await;
    assert_eq!(unknown.unwrap(), None);
}

/// A new key takes the place of the one before it, which is kept for a while.
pub async fn a_new_key_leaves_the_one_before_it_for_a_while(s: &Ports) {
    let tenant = tenant(s).await;
    let kept = endpoint(s, tenant, NOON).await;
    for (new, old) in [(2, 1), (3, 2)] {
        let until = after(new.into());
        let rotated = s.webhooks.rotate(tenant, kept.id, &[new; 40], until).await;
        let expected = WebhookEndpoint {
            key: vec![new; 40],
            previous_key: Some((vec![old; 40], until)),
            ..kept.clone()
        };
        assert_eq!(rotated.unwrap().as_ref(), Some(&expected));
        let found = s.webhooks.find(tenant, kept.id).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    let unknown = s.webhooks.rotate(tenant, id(), &[4; 40], NOON).await;
    assert_eq!(unknown.unwrap(), None);
}

/// Another tenant sees, changes and deletes no endpoint.
pub async fn endpoints_are_a_tenants_own(s: &Ports) {
    let (mine, other) = (tenant(s).await, tenant(s).await);
    let kept = endpoint(s, mine, NOON).await;
    let off = EndpointChanges {
        disabled: Some(Some(disabled(NOON))),
        ..EndpointChanges::default()
    };
    assert_eq!(s.webhooks.find(other, kept.id).await.unwrap(), None);
    assert_eq!(s.webhooks.list(other, page(1, 9)).await.unwrap().total, 0);
    assert_eq!(s.webhooks.update(other, kept.id, &off).await.unwrap(), None);
    let rotated = s.webhooks.rotate(other, kept.id, &[9; 40], NOON).await;
    assert_eq!(rotated.unwrap(), None);
    assert!(!s.webhooks.delete(other, kept.id).await.unwrap());
    assert_eq!(
        s.webhooks.find(mine, kept.id).await.unwrap().as_ref(),
        Some(&kept)
    );
    assert!(s.webhooks.delete(mine, kept.id).await.unwrap());
    assert!(!s.webhooks.delete(mine, kept.id).await.unwrap());
    assert_eq!(s.webhooks.find(mine, kept.id).await.unwrap(), None);
}
