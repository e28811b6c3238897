use domain::Result;
use domain::actors::Actor;
use domain::plans::PlanLimits;
use domain::usage::{Month, Usage};

use crate::App;

/// What a tenant used this month, and what it may use.
#[derive(Debug, Clone, Copy)]
pub struct UsageReport {
    /// Used.
    pub usage: Usage,
    /// Allowed.
    pub limits: PlanLimits,
}

/// The tenant's usage in the current month.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "tenants.usage", skip_all)]
pub async fn usage(app: &App, actor: &Actor) -> Result<UsageReport> {
    let usage = app
        .usages
        .usage(actor.tenant_id(), Month::of(app.clock.now()))
        .await?;
    Ok(UsageReport {
        usage,
        limits: actor.limits,
    })
}
