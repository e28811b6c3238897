use domain::Result;
use domain::actors::Actor;
use domain::analytics::Totals;
use domain::bots::Bot;

use crate::App;

/// A tenant at a glance.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Conversations and messages.
    pub totals: Totals,
    /// All bots, newest first.
    pub bots: Vec<Bot>,
}

/// Totals of the last `period` days, and the bots.
///
/// # Errors
/// [`domain::Error::Invalid`] for a period outside 1..=365.
#[tracing::instrument(level = "debug", name = "analytics.overview", skip_all)]
pub async fn overview(app: &App, actor: &Actor, period: u32) -> Result<Overview> {
    let days = super::last_days(period, app.clock.now())?;
    let totals = app.analytics.totals(actor.tenant_id(), days).await?;
    let bots = app.bots.all(actor.tenant_id()).await?;
    Ok(Overview { totals, bots })
}
