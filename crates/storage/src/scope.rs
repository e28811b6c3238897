//! Whose rows a transaction may touch.

use domain::TenantId;

/// Whose rows a transaction may touch. PostgreSQL holds to it by row-level security; the queries
/// themselves name the tenant as well.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    /// One tenant's.
    Tenant(TenantId),
    /// All tenants': authentication, the operator's commands, and sweeps.
    System,
}

impl From<TenantId> for Scope {
    fn from(tenant: TenantId) -> Self {
        Self::Tenant(tenant)
    }
}
