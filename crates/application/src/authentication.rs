//! From a credential to an actor: the one place for it, whatever carried the credential.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::actors::{Actor, Scope};
use domain::keys::{ApiSecret, KeyHash};
use domain::{Error, Result, Timestamp};

use crate::App;

/// How long a credential that was found good is taken without asking the store. A revoked key or a
/// suspended tenant must be refused within five seconds; this leaves room for the question itself.
const TRUSTED_FOR: Duration = Duration::from_secs(3);
/// How often a key's last use is written down.
const TOUCHED_EVERY: Duration = Duration::from_secs(60);
/// Credentials remembered at most; past it, stale ones are forgotten.
const REMEMBERED: usize = 10_000;

/// Remembers good credentials for a few seconds, by the hash of their secret, so that authentication costs
/// no query on the hot path. Bad ones are not remembered: nearly all fail their checksum without a query.
#[derive(Default)]
pub struct Authenticator {
    remembered: Mutex<HashMap<KeyHash, (Timestamp, Arc<Actor>)>>,
}

impl Authenticator {
    /// The actor that a credential stands for.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for anything that is not the key of an active tenant; the reason is not told.
    #[tracing::instrument(level = "debug", name = "authenticate", skip_all)]
    pub async fn authenticate(&self, app: &App, credential: &str) -> Result<Arc<Actor>> {
        let secret = ApiSecret::parse(credential).ok_or(Error::Unauthenticated)?;
        let hash = secret.hash();
        let now = app.clock.now();
        if let Some(actor) = self.remembered(hash, now) {
            return Ok(actor);
        }
        let (key, tenant) = app
            .keys
            .find_by_hash(hash)
            .await?
            .ok_or(Error::Unauthenticated)?;
        if key.revoked_at.is_some() || !tenant.is_active {
            return Err(Error::Unauthenticated);
        }
        if key
            .last_used_at
            .is_none_or(|last| now - last >= TOUCHED_EVERY)
            && let Err(error) = app.keys.touch(tenant.id, key.id, now).await
        {
            tracing::warn!(key_id = %key.id, %error, "the key's last use was not written down");
        }
        let limits = app.plans.limits(tenant.plan);
        let actor = Arc::new(Actor {
            tenant,
            key_id: key.id,
            scope: key.bot_id.map_or(Scope::Tenant, Scope::Bot),
            limits,
        });
        self.remember(hash, now, &actor);
        Ok(actor)
    }

    fn remembered(&self, hash: KeyHash, now: Timestamp) -> Option<Arc<Actor>> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (since, actor) = remembered.get(&hash)?;
        (now - *since < TRUSTED_FOR).then(|| actor.clone())
    }

    fn remember(&self, hash: KeyHash, now: Timestamp, actor: &Arc<Actor>) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.retain(|_, (since, _)| now - *since < TRUSTED_FOR);
        }
        remembered.insert(hash, (now, actor.clone()));
    }
}
