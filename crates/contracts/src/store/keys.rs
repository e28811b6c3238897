//! Promises of [`domain::keys::ApiKeys`].

use domain::keys::{ApiKey, KeyHash};
use domain::{Error, Resource};

use super::Ports;
use super::given::{NOON, after, id, new_key, no_bot, tenant, tenant_with_bot};

/// A key is found by the hash of its secret, as it was created, with its tenant.
pub async fn a_key_is_found_by_its_hash_with_its_tenant(s: &Ports) {
    let tenant = tenant(s).await;
    for number in 0..3 {
        let (mut key, hash) = new_key(tenant, number);
        key.last_used_at = (number == 1).then_some(after(7));
        key.revoked_at = (number == 2).then_some(after(8));
        s.keys.create(&key, hash).await.unwrap();
        let owner = s.tenants.find(tenant).await.unwrap().unwrap();
        assert_eq!(s.keys.find_by_hash(hash).await.unwrap(), Some((key, owner)));
    }
}

/// Nothing is found by a hash that no key has.
pub async fn an_unknown_hash_finds_nothing(s: &Ports) {
    let (key, hash) = new_key(tenant(s).await, 1);
    s.keys.create(&key, hash).await.unwrap();
    let mut near = hash;
    near.0[31] ^= 1;
    assert_eq!(s.keys.find_by_hash(near).await.unwrap(), None);
    assert_eq!(s.keys.find_by_hash(KeyHash([0; 32])).await.unwrap(), None);
}

/// A key of a tenant that does not exist is refused.
pub async fn a_key_needs_its_tenant(s: &Ports) {
    let (key, hash) = new_key(id(), 1);
    let refused = s.keys.create(&key, hash).await;
    assert!(
        matches!(refused, Err(Error::NotFound(Resource::Tenant))),
        "{refused:?}"
    );
    assert_eq!(s.keys.find_by_hash(hash).await.unwrap(), None);
}

/// A suspended tenant's key is found, and its tenant shows that it is suspended.
pub async fn a_suspended_tenants_key_is_found_with_its_state(s: &Ports) {
    let tenant = tenant(s).await;
    let (key, hash) = new_key(tenant, 1);
    s.keys.create(&key, hash).await.unwrap();
    for is_active in [false, true] {
        s.tenants
            .set_active(tenant, is_active, after(1))
            .await
            .unwrap();
        let (_, owner) = s.keys.find_by_hash(hash).await.unwrap().unwrap();
        assert_eq!(owner.is_active, is_active);
    }
}

/// A tenant's keys are listed newest first, and nobody else's.
pub async fn keys_are_listed_newest_first(s: &Ports) {
    let (mine, other) = (tenant(s).await, tenant(s).await);
    for number in [3, 1, 2] {
        for tenant in [mine, other] {
            let (key, hash) = new_key(tenant, number);
            s.keys.create(&key, hash).await.unwrap();
        }
    }
    let listed = s.keys.list(mine).await.unwrap();
    let names: Vec<_> = listed.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["Key 3", "Key 2", "Key 1"]);
    assert!(listed.iter().all(|key| key.tenant_id == mine));
}

/// A revoked key is still found, with the time of its first revocation.
pub async fn revoking_twice_keeps_the_first_time(s: &Ports) {
    let tenant = tenant(s).await;
    let (key, hash) = new_key(tenant, 1);
    s.keys.create(&key, hash).await.unwrap();
    for second in [10, 20, 5] {
        assert!(s.keys.revoke(tenant, key.id, after(second)).await.unwrap());
    }
    let (found, _) = s.keys.find_by_hash(hash).await.unwrap().unwrap();
    let expected = ApiKey {
        revoked_at: Some(after(10)),
        ..key
    };
    assert_eq!(found, expected);
    assert_eq!(s.keys.list(tenant).await.unwrap(), [expected]);
}

/// An unknown key can't be revoked, and touching it does nothing.
pub async fn an_unknown_key_cannot_be_revoked(s: &Ports) {
    let tenant = tenant(s).await;
    assert!(!s.keys.revoke(tenant, id(), NOON).await.unwrap());
    s.keys.touch(tenant, id(), NOON).await.unwrap();
    assert!(s.keys.list(tenant).await.unwrap().is_empty());
}

/// A key of a bot says so, needs its bot, and goes with it.
pub async fn a_key_of_a_bot_goes_with_it(s: &Ports) {
    let (tenant, bot) = tenant_with_bot(s).await;
    let (stranger, _) = tenant_with_bot(s).await;
    let (mut key, hash) = new_key(tenant, 1);
    key.bot_id = Some(bot.id);
    s.keys.create(&key, hash).await.unwrap();
    let (found, _) = s.keys.find_by_hash(hash).await.unwrap().unwrap();
    assert_eq!(found, key);
    assert_eq!(s.keys.list(tenant).await.unwrap(), [key]);
    for (owner, bot) in [(tenant, no_bot()), (stranger, bot.id)] {
        let (mut homeless, hash) = new_key(owner, 2);
        homeless.bot_id = Some(bot);
        let refused = s.keys.create(&homeless, hash).await;
        assert!(
            matches!(refused, Err(Error::NotFound(Resource::Bot))),
            "{refused:?}"
        );
    }
    s.bots.delete(tenant, bot.id).await.unwrap();
    assert_eq!(s.keys.find_by_hash(hash).await.unwrap(), None);
}

/// Another tenant can neither revoke nor touch a key.
pub async fn a_key_is_changed_by_its_own_tenant_only(s: &Ports) {
    let (mine, other) = (tenant(s).await, tenant(s).await);
    let (key, hash) = new_key(mine, 1);
    s.keys.create(&key, hash).await.unwrap();
    assert!(!s.keys.revoke(other, key.id, after(1)).await.unwrap());
    s.keys.touch(other, key.id, after(1)).await.unwrap();
    let (found, _) = s.keys.find_by_hash(hash).await.unwrap().unwrap();
    assert_eq!(found, key);
}

/// The time of the last use never goes back.
pub async fn the_last_use_never_goes_back(s: &Ports) {
    let tenant = tenant(s).await;
    let (key, hash) = new_key(tenant, 1);
    s.keys.create(&key, hash).await.unwrap();
    for (used, kept) in [(10, 10), (5, 10), (300, 300), (299, 300)] {
        s.keys.touch(tenant, key.id, after(used)).await.unwrap();
        let (found, _) = s.keys.find_by_hash(hash).await.unwrap().unwrap();
        assert_eq!(found.last_used_at, Some(after(kept)));
    }
}
