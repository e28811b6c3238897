use anyhow::Context;
use application::{App, tenants};
use domain::TenantId;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::TenantCommand;

/// Runs a command about tenants.
pub async fn run(command: TenantCommand, app: &App) -> anyhow::Result<()> {
    match command {
        TenantCommand::Create { name, plan, json } => {
            let made = tenants::create(app, &name, plan).await?;
            let (id, key) = (made.tenant.id, made.secret.reveal());
            if json {
                println!("{}", json!({ "tenant_id": id, "api_key": key }));
            } else {
                println!(
                    "Tenant:  {id}\nAPI key: {key}\nThe key is shown this once: keep it safe."
                );
            }
        }
        TenantCommand::List { json } => {
            for tenant in tenants::list(app).await? {
                let created_at = tenant.created_at.format(&Rfc3339)?;
                if json {
                    println!(
                        "{}",
                        json!({ "tenant_id": tenant.id, "name": tenant.name, "plan": tenant.plan, "is_active": tenant.is_active, "created_at": created_at })
                    );
                } else {
                    let state = if tenant.is_active {
                        "active"
                    } else {
                        "suspended"
                    };
                    println!(
                        "{}  {:<12} {state:<9}  {created_at}  {}",
                        tenant.id,
                        tenant.plan.as_str(),
                        tenant.name
                    );
                }
            }
        }
        TenantCommand::Suspend { id } => {
            tenants::suspend(app, tenant_id(&id)?).await?;
            println!("Suspended; a running server refuses its keys within five seconds.");
        }
        TenantCommand::Resume { id } => {
            tenants::resume(app, tenant_id(&id)?).await?;
            println!("Resumed; a running server takes its keys within five seconds.");
        }
        TenantCommand::Delete { id } => {
            tenants::delete(app, tenant_id(&id)?).await?;
            println!("Deleted, with all it had.");
        }
    }
    Ok(())
}

/// Reads a tenant's id.
pub fn tenant_id(text: &str) -> anyhow::Result<TenantId> {
    TenantId::parse(text)
        .with_context(|| format!("'{text}' is not a tenant's id; see `botwright tenant list`"))
}
