//! Promises of [`domain::idempotency::IdempotencyKeys`].

use domain::idempotency::{Admission, KeyedRequest, RecordedAnswer};
use domain::{Clash, Error, Result, TenantId};
use uuid::Uuid;

use super::Ports;
use super::given::{after, id, tenant};
use super::races::at_once;

/// A request with one and the same key, at a moment, that takes over what began three minutes earlier.
fn request(second: i64) -> KeyedRequest {
    KeyedRequest {
        key: "key".into(),
        fingerprint: [7; 32],
        operation_id: id(),
        at: after(second),
        stale_before: after(second - 180),
    }
}

fn other_fingerprint(second: i64) -> KeyedRequest {
    KeyedRequest {
        fingerprint: [8; 32],
        ..request(second)
    }
}

fn answer(status: u16) -> RecordedAnswer {
    RecordedAnswer {
        status,
        content_type: "application/json".into(),
        body: b"{\"success\":true}".to_vec(),
    }
}

async fn begin(s: &Ports, tenant: TenantId, request: &KeyedRequest) -> Result<Admission> {
    s.idempotency.begin(tenant, request).await
}

/// Begins a request that must be let in, and answers its operation.
async fn proceed(s: &Ports, tenant: TenantId, request: &KeyedRequest) -> Uuid {
    match begin(s, tenant, request).await {
        Ok(Admission::Proceed { operation_id }) => operation_id,
        other => panic!("not let in: {other:?}"),
    }
}

fn clashes(result: &Result<Admission>, clash: Clash) -> bool {
    matches!(result, Err(Error::Conflict(found)) if *found == clash)
}

/// The first request goes on with its own operation id; the same again while it is under way is a conflict.
pub async fn a_request_under_way_is_not_done_twice(s: &Ports) {
    let tenant = tenant(s).await;
    let first = request(0);
    assert_eq!(proceed(s, tenant, &first).await, first.operation_id);
    for second in [0, 1, 179] {
        let again = begin(s, tenant, &request(second)).await;
        assert!(clashes(&again, Clash::RequestUnderWay), "{again:?}");
    }
}

/// A key with another request is refused, whatever became of the first.
pub async fn a_key_is_not_reused_for_another_request(s: &Ports) {
    let tenant = tenant(s).await;
    let refused = async |second| {
        let result = begin(s, tenant, &other_fingerprint(second)).await;
        assert!(clashes(&result, Clash::IdempotencyKeyReused), "{result:?}");
    };
    proceed(s, tenant, &request(0)).await;
    refused(1).await;
    refused(10_000).await;
    s.idempotency.abandon(tenant, "key").await.unwrap();
    refused(10_001).await;
    proceed(s, tenant, &request(10_002)).await;
    s.idempotency
        .finish(tenant, "key", &answer(201))
        .await
        .unwrap();
    refused(10_003).await;
}

/// A request that was done is answered again, however often, with the first answer.
pub async fn a_request_that_was_done_is_answered_again(s: &Ports) {
    let tenant = tenant(s).await;
    proceed(s, tenant, &request(0)).await;
    s.idempotency
        .finish(tenant, "key", &answer(201))
        .await
        .unwrap();
    for second in [1, 1_000] {
        let again = begin(s, tenant, &request(second)).await.unwrap();
        assert_eq!(again, Admission::Replay(answer(201)));
    }
}

/// A request whose process died may be done again, under the operation id of the first time.
pub async fn a_stale_request_is_taken_over_with_its_operation(s: &Ports) {
    let tenant = tenant(s).await;
    let first = proceed(s, tenant, &request(0)).await;
    assert_eq!(proceed(s, tenant, &request(181)).await, first);
    // Whoever took it over is at work now.
    let again = begin(s, tenant, &request(182)).await;
    assert!(clashes(&again, Clash::RequestUnderWay), "{again:?}");
    assert_eq!(proceed(s, tenant, &request(400)).await, first);
    s.idempotency
        .finish(tenant, "key", &answer(200))
        .await
        .unwrap();
    let again = begin(s, tenant, &request(401)).await.unwrap();
    assert_eq!(again, Admission::Replay(answer(200)));
}

/// Of twenty at once exactly one is let in: at first, after an abandonment, and at a take-over.
pub async fn of_requests_at_once_one_is_let_in(s: &Ports) {
    let tenant = tenant(s).await;
    let mut operations = Vec::new();
    for second in [0, 1, 182] {
        if second == 1 {
            s.idempotency.abandon(tenant, "key").await.unwrap();
        }
        let begun = at_once(s, 20, move |s, _| async move {
            begin(&s, tenant, &request(second)).await
        })
        .await;
        let refused = begun
            .iter()
            .filter(|begun| clashes(begun, Clash::RequestUnderWay));
        assert_eq!(refused.count(), 19);
        operations.extend(begun.into_iter().filter_map(Result::ok));
    }
    assert_eq!(operations.len(), 3);
    assert!(
        operations
            .iter()
            .all(|operation| *operation == operations[0]),
        "{operations:?}"
    );
}

/// A request that came to nothing can be tried again at once, under the same operation id.
pub async fn an_abandoned_request_is_tried_again_with_its_operation(s: &Ports) {
    let tenant = tenant(s).await;
    let first = proceed(s, tenant, &request(0)).await;
    for second in 1..4 {
        s.idempotency.abandon(tenant, "key").await.unwrap();
        assert_eq!(proceed(s, tenant, &request(second)).await, first);
        let again = begin(s, tenant, &request(second)).await;
        assert!(clashes(&again, Clash::RequestUnderWay), "{again:?}");
    }
}

/// What began before the moment is forgotten, of any tenant, done or not; the rest stays.
pub async fn old_requests_are_forgotten(s: &Ports) {
    let (mine, other) = (tenant(s).await, tenant(s).await);
    let named = |key: &str, second| KeyedRequest {
        key: key.into(),
        ..request(second)
    };
    for tenant in [mine, other] {
        for (key, second) in [("done", 0), ("under way", 5), ("young", 10)] {
            proceed(s, tenant, &named(key, second)).await;
        }
        for key in ["done", "young"] {
            s.idempotency
                .finish(tenant, key, &answer(200))
                .await
                .unwrap();
        }
    }
    s.idempotency.forget(after(10)).await.unwrap();
    for tenant in [mine, other] {
        for key in ["done", "under way"] {
            let new = named(key, 20);
            assert_eq!(proceed(s, tenant, &new).await, new.operation_id);
        }
        let young = begin(s, tenant, &named("young", 20)).await.unwrap();
        assert_eq!(young, Admission::Replay(answer(200)));
    }
}

/// A key is a tenant's own.
pub async fn a_key_is_a_tenants_own(s: &Ports) {
    let (mine, other) = (tenant(s).await, tenant(s).await);
    let first = proceed(s, mine, &request(0)).await;
    s.idempotency
        .finish(other, "key", &answer(500))
        .await
        .unwrap();
    s.idempotency.abandon(other, "key").await.unwrap();
    let again = begin(s, mine, &request(1)).await;
    assert!(clashes(&again, Clash::RequestUnderWay), "{again:?}");
    let theirs = other_fingerprint(2);
    let second = proceed(s, other, &theirs).await;
    assert_eq!(second, theirs.operation_id);
    assert_ne!(first, second);
    s.idempotency
        .finish(mine, "key", &answer(200))
        .await
        .unwrap();
    s.idempotency
        .finish(other, "key", &answer(201))
        .await
        .unwrap();
    let replayed = begin(s, mine, &request(3)).await.unwrap();
    assert_eq!(replayed, Admission::Replay(answer(200)));
    let replayed = begin(s, other, &other_fingerprint(3)).await.unwrap();
    assert_eq!(replayed, Admission::Replay(answer(201)));
}
