//! Tenants: the operator's customers.

use async_trait::async_trait;

use crate::plans::Plan;
use crate::{Result, TenantId, Timestamp};

/// A customer of the operator. Everything else belongs to exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, for people.
    pub name: String,
    /// What it may use.
    pub plan: Plan,
    /// False while the operator has suspended it: all its credentials are refused.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where tenants are kept.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// Keeps a new tenant.
    async fn create(&self, tenant: &Tenant) -> Result<()>;
    /// One tenant.
    async fn find(&self, id: TenantId) -> Result<Option<Tenant>>;
    /// All tenants, newest first.
    async fn list(&self) -> Result<Vec<Tenant>>;
    /// Suspends or resumes. `false`: there is no such tenant.
    async fn set_active(&self, id: TenantId, is_active: bool, at: Timestamp) -> Result<bool>;
    /// Deletes the tenant and all it has. `false`: there is no such tenant.
    async fn delete(&self, id: TenantId) -> Result<bool>;
}
