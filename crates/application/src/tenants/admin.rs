//! The operator's commands for tenants. They have no actor: whoever may run them at the console may all.

use domain::keys::{ApiKey, ApiSecret};
use domain::plans::Plan;
use domain::tenants::Tenant;
use domain::text::{NAME_MAX, no_nul};
use domain::{Error, Resource, Result, TenantId};

use crate::App;

/// A tenant that was made, with its first key: the only time that the secret is at hand.
#[derive(Debug)]
pub struct NewTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Its first key.
    pub key: ApiKey,
    /// That key's secret.
    pub secret: ApiSecret,
}

/// Makes a tenant and its first key.
///
/// # Errors
/// [`Error::Invalid`] for a name that is not 1 to 200 characters long.
pub async fn create(app: &App, name: &str, plan: Plan) -> Result<NewTenant> {
    let length = name.chars().count() as u64;
    if name.trim().is_empty() || length > NAME_MAX || no_nul(name).is_err() {
        return Err(Error::invalid(
            "name",
            "The name must be 1 to 200 characters long.",
        ));
    }
    let now = app.clock.now();
    let id: TenantId = app.ids.uuid().into();
    let tenant = Tenant {
        id,
        name: name.to_owned(),
        plan,
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    app.tenants.create(&tenant).await?;
    let (key, secret) = super::create_key(app, id, None, "first key").await?;
    Ok(NewTenant {
        tenant,
        key,
        secret,
    })
}

/// All tenants, newest first.
///
/// # Errors
/// As the port.
pub async fn list(app: &App) -> Result<Vec<Tenant>> {
    app.tenants.list().await
}

/// Refuses all of a tenant's credentials, within a few seconds on a running server.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn suspend(app: &App, id: TenantId) -> Result<()> {
    set_active(app, id, false).await
}

/// Takes a suspended tenant's credentials again.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn resume(app: &App, id: TenantId) -> Result<()> {
    set_active(app, id, true).await
}

async fn set_active(app: &App, id: TenantId, is_active: bool) -> Result<()> {
    found(
        app.tenants
            .set_active(id, is_active, app.clock.now())
            .await?,
    )
}

/// Deletes a tenant and all it has.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(app: &App, id: TenantId) -> Result<()> {
    found(app.tenants.delete(id).await?)
}

fn found(found: bool) -> Result<()> {
    if found {
        Ok(())
    } else {
        Err(Error::NotFound(Resource::Tenant))
    }
}
