//! The operator's commands for API keys.

use domain::keys::{ApiKey, ApiSecret};
use domain::{ApiKeyId, Error, Resource, Result, TenantId};

use crate::App;

/// Makes a key for a tenant. The secret is at hand only now.
///
/// # Errors
/// [`Error::NotFound`] where there is no such tenant.
pub async fn create_key(app: &App, tenant_id: TenantId, name: &str) -> Result<(ApiKey, ApiSecret)> {
    let secret = ApiSecret::tenant(app.ids.secret()?);
    let key = ApiKey {
        id: app.ids.uuid().into(),
        tenant_id,
        name: name.to_owned(),
        prefix: secret.visible_prefix().to_owned(),
        created_at: app.clock.now(),
        last_used_at: None,
        revoked_at: None,
    };
    app.keys.create(&key, secret.hash()).await?;
    Ok((key, secret))
}

/// A tenant's keys, newest first.
///
/// # Errors
/// [`Error::NotFound`] where there is no such tenant.
pub async fn list_keys(app: &App, tenant: TenantId) -> Result<Vec<ApiKey>> {
    app.tenants
        .find(tenant)
        .await?
        .ok_or(Error::NotFound(Resource::Tenant))?;
    app.keys.list(tenant).await
}

/// Revokes a key, within a few seconds on a running server.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn revoke_key(app: &App, tenant: TenantId, id: ApiKeyId) -> Result<()> {
    if app.keys.revoke(tenant, id, app.clock.now()).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Resource::ApiKey))
    }
}
