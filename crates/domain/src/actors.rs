//! Who is asking.

use crate::plans::PlanLimits;
use crate::tenants::Tenant;
use crate::{ApiKeyId, TenantId};

/// Who is asking, made from the credential and from nothing else. Every use case takes one, and every
/// query is scoped by its tenant.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The tenant as of the last look (at most a few seconds ago).
    pub tenant: Tenant,
    /// The key that was shown.
    pub key_id: ApiKeyId,
    /// What the tenant's plan allows.
    pub limits: PlanLimits,
}

impl Actor {
    /// The tenant whose data this actor may see.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant.id
    }
}
