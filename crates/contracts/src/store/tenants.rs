//! Promises of [`domain::tenants::Tenants`].

use domain::TenantId;
use domain::plans::Plan;
use domain::tenants::Tenant;
use domain::usage::Usage;

use super::Ports;
use super::given::{
    NOON, after, bot, id, new_key, new_tenant, source, tenant, tenant_with_bot, turn, upload,
};
use super::jobs::READING;
use super::seen::everything;

/// A tenant is found as it was created.
pub async fn a_tenant_is_found_as_it_was_created(s: &Ports) {
    for plan in Plan::ALL {
        let tenant = Tenant {
            name: "Žluťoučký \"kůň\" 🐎 100%".into(),
            plan: *plan,
            is_active: false,
            updated_at: after(1),
            ..new_tenant()
        };
        s.tenants.create(&tenant).await.unwrap();
        assert_eq!(s.tenants.find(tenant.id).await.unwrap(), Some(tenant));
    }
}

/// All tenants are listed, newest first.
pub async fn tenants_are_listed_newest_first(s: &Ports) {
    let mut tenants: Vec<_> = [2, 0, 3, 1]
        .map(|second| Tenant {
            created_at: after(second),
            ..new_tenant()
        })
        .into();
    for tenant in &tenants {
        s.tenants.create(tenant).await.unwrap();
    }
    tenants.sort_by_key(|tenant| std::cmp::Reverse(tenant.created_at));
    assert_eq!(s.tenants.list().await.unwrap(), tenants);
}

/// Suspending and resuming change the state and its time, and nothing else.
pub async fn a_tenant_is_suspended_and_resumed(s: &Ports) {
    let created = new_tenant();
    let other = tenant(s).await;
    s.tenants.create(&created).await.unwrap();
    for (is_active, second) in [(false, 1), (false, 2), (true, 3)] {
        let changed = s
            .tenants
            .set_active(created.id, is_active, after(second))
            .await;
        assert!(changed.unwrap());
        let found = s.tenants.find(created.id).await.unwrap().unwrap();
        let expected = Tenant {
            is_active,
            updated_at: after(second),
            ..created.clone()
        };
        assert_eq!(found, expected);
    }
    let untouched = s.tenants.find(other).await.unwrap().unwrap();
    assert_eq!((untouched.is_active, untouched.updated_at), (true, NOON));
}

/// There is none with an unknown id.
pub async fn an_unknown_tenant_is_none(s: &Ports) {
    tenant(s).await;
    let unknown: TenantId = id();
    assert_eq!(s.tenants.find(unknown).await.unwrap(), None);
    assert!(!s.tenants.set_active(unknown, true, NOON).await.unwrap());
    assert!(!s.tenants.delete(unknown).await.unwrap());
    let seen = everything(s, unknown).await;
    assert_eq!(seen.usage, Usage::default());
    assert!(seen.bots.is_empty() && seen.conversations.is_empty() && seen.counts.is_empty());
}

/// Deleting a tenant deletes all it has, and nothing of anybody else.
pub async fn deleting_a_tenant_deletes_all_it_has(s: &Ports) {
    let mut tenants = Vec::new();
    for number in 0..2 {
        let (tenant, bot) = tenant_with_bot(s).await;
        let (key, hash) = new_key(tenant, number);
        s.keys.create(&key, hash).await.unwrap();
        turn(s, tenant, "session", NOON).await;
        tenants.push((tenant, bot.clone(), hash, source(s, &bot).await));
        upload(s, &bot, after(number.into())).await;
    }
    let [
        (gone, gone_bot, gone_hash, gone_source),
        (stays, _, stays_hash, _),
    ] = &tenants[..]
    else {
        unreachable!("two were made");
    };
    let before = everything(s, *stays).await;

    assert!(s.tenants.delete(*gone).await.unwrap());
    assert!(!s.tenants.delete(*gone).await.unwrap());

    let nothing = everything(s, id()).await;
    assert_eq!(everything(s, *gone).await, nothing);
    assert_eq!(s.keys.find_by_hash(*gone_hash).await.unwrap(), None);
    assert_eq!(s.index.state(*gone, gone_bot.id).await.unwrap(), None);
    assert!(
        s.index
            .chunks_of(*gone, *gone_source)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(everything(s, *stays).await, before);
    assert!(s.keys.find_by_hash(*stays_hash).await.unwrap().is_some());
    let lease = std::time::Duration::from_secs(60);
    let job = s
        .jobs
        .lease(READING, after(60), lease, &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.tenant_id, *stays);
    let none = s.jobs.lease(READING, after(60), lease, &[]).await;
    assert_eq!(none.unwrap(), None);
}

/// A tenant's data can be made again after it was deleted: nothing of the old is in the way.
pub async fn a_deleted_tenant_leaves_its_ids_free(s: &Ports) {
    let created = new_tenant();
    for _ in 0..2 {
        s.tenants.create(&created).await.unwrap();
        bot(s, created.id).await;
        turn(s, created.id, "session", NOON).await;
        let seen = everything(s, created.id).await;
        assert_eq!((seen.conversations.len(), seen.usage.messages), (1, 2));
        assert!(s.tenants.delete(created.id).await.unwrap());
    }
}
