//! Who is asking.

use crate::plans::PlanLimits;
use crate::tenants::Tenant;
use crate::{ApiKeyId, BotId, Error, Result, TenantId};

/// Who is asking, made from the credential and from nothing else. Every use case takes one, and every
/// query is scoped by its tenant.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The tenant as of the last look (at most a few seconds ago).
    pub tenant: Tenant,
    /// The key that was shown.
    pub key_id: ApiKeyId,
    /// What the key opens.
    pub scope: Scope,
    /// What the tenant's plan allows.
    pub limits: PlanLimits,
}

/// What a credential opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All that the tenant has.
    Tenant,
    /// One bot of the tenant, and what hangs on it.
    Bot(BotId),
}

impl Actor {
    /// The tenant whose data this actor may see.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant.id
    }

    /// The one bot whose data this actor may see, where it is one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an actor that is not a bot's.
    pub const fn bot_id(&self) -> Result<BotId> {
        match self.scope {
            Scope::Bot(bot) => Ok(bot),
            Scope::Tenant => Err(Error::Unauthenticated),
        }
    }
}
