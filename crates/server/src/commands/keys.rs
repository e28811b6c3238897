use anyhow::Context;
use application::{App, tenants};
use domain::ApiKeyId;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::KeyCommand;
use super::embeddings::bot_id;
use super::tenants::tenant_id;

/// Runs a command about API keys.
pub async fn run(command: KeyCommand, app: &App) -> anyhow::Result<()> {
    match command {
        KeyCommand::Create {
            tenant,
            bot,
            name,
            json,
        } => {
            let (tenant, bot) = (tenant_id(&tenant)?, bot.as_deref().map(bot_id).transpose()?);
            let (key, secret) = tenants::create_key(app, tenant, bot, &name).await?;
            if json {
                println!(
                    "{}",
                    json!({ "tenant_id": key.tenant_id, "bot_id": key.bot_id, "key_id": key.id, "api_key": secret.reveal() })
                );
            } else {
                println!(
                    "Key:     {}\nAPI key: {}\nThe key is shown this once: keep it safe.",
                    key.id,
                    secret.reveal()
                );
            }
        }
        KeyCommand::List { tenant, json } => {
            for key in tenants::list_keys(app, tenant_id(&tenant)?).await? {
                let told =
                    |at: Option<time::OffsetDateTime>| at.map(|at| at.format(&Rfc3339)).transpose();
                let (created, used, revoked) = (
                    told(Some(key.created_at))?,
                    told(key.last_used_at)?,
                    told(key.revoked_at)?,
                );
                if json {
                    println!(
                        "{}",
                        json!({ "key_id": key.id, "bot_id": key.bot_id, "name": key.name, "prefix": key.prefix, "created_at": created, "last_used_at": used, "revoked_at": revoked })
                    );
                } else {
                    let state = if revoked.is_some() {
                        "revoked"
                    } else {
                        "active"
                    };
                    let used = used.unwrap_or_else(|| "never used".to_owned());
                    println!(
                        "{}  {}…  {state:<7}  {used}  {}",
                        key.id, key.prefix, key.name
                    );
                }
            }
        }
        KeyCommand::Revoke { tenant, key } => {
            let id = ApiKeyId::parse(&key)
                .with_context(|| format!("'{key}' is not a key's id; see `botwright key list`"))?;
            tenants::revoke_key(app, tenant_id(&tenant)?, id).await?;
            println!("Revoked; a running server refuses it within five seconds.");
        }
    }
    Ok(())
}
