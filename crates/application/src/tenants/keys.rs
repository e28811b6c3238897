//! API keys: a tenant's own, which only the operator makes, and those of its bots.

use domain::actors::Actor;
use domain::keys::{ApiKey, ApiSecret, KeyKind};
use domain::text::{NAME_MAX, no_nul};
use domain::{ApiKeyId, BotId, Error, Resource, Result, TenantId};

use crate::App;

/// Makes a key for a tenant, or for one of its bots. The secret is at hand only now.
///
/// # Errors
/// [`Error::NotFound`] where there is no such tenant, or the tenant has no such bot.
pub async fn create_key(
    app: &App,
    tenant_id: TenantId,
    bot_id: Option<BotId>,
    name: &str,
) -> Result<(ApiKey, ApiSecret)> {
    let kind = bot_id.map_or(KeyKind::Tenant, |_| KeyKind::Bot);
    let secret = ApiSecret::new(kind, app.ids.secret()?);
    let key = ApiKey {
        id: app.ids.uuid().into(),
        tenant_id,
        bot_id,
        name: name.to_owned(),
        prefix: secret.visible_prefix().to_owned(),
        created_at: app.clock.now(),
        last_used_at: None,
        revoked_at: None,
    };
    app.keys.create(&key, secret.hash()).await?;
    Ok((key, secret))
}

/// A tenant's keys, those of its bots included, newest first.
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

/// Makes a key for a bot of the actor's tenant.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a name that is not 1 to 200 characters long.
#[tracing::instrument(level = "debug", name = "tenants.create_bot_key", skip_all)]
pub async fn create_bot_key(
    app: &App,
    actor: &Actor,
    bot: BotId,
    name: &str,
) -> Result<(ApiKey, ApiSecret)> {
    let length = name.chars().count() as u64;
    if name.trim().is_empty() || length > NAME_MAX || no_nul(name).is_err() {
        return Err(Error::invalid(
            "name",
            "The 'name' field must be 1 to 200 characters long.",
        ));
    }
    create_key(app, actor.tenant_id(), Some(bot), name).await
}

/// The keys of a bot of the actor's tenant, newest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "tenants.list_bot_keys", skip_all)]
pub async fn list_bot_keys(app: &App, actor: &Actor, bot: BotId) -> Result<Vec<ApiKey>> {
    let tenant = actor.tenant_id();
    let bot = app.bots.find(tenant, bot).await?;
    let bot = bot.ok_or(Error::NotFound(Resource::Bot))?;
    let mut keys = app.keys.list(tenant).await?;
    keys.retain(|key| key.bot_id == Some(bot.id));
    Ok(keys)
}

/// Revokes a key of a bot of the actor's tenant.
///
/// # Errors
/// [`Error::NotFound`], for a key of another bot too.
#[tracing::instrument(level = "debug", name = "tenants.revoke_bot_key", skip_all)]
pub async fn revoke_bot_key(app: &App, actor: &Actor, bot: BotId, id: ApiKeyId) -> Result<()> {
    let keys = list_bot_keys(app, actor, bot).await?;
    if !keys.iter().any(|key| key.id == id) {
        return Err(Error::NotFound(Resource::ApiKey));
    }
    revoke_key(app, actor.tenant_id(), id).await
}
