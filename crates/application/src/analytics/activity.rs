use domain::Result;
use domain::actors::Actor;
use domain::analytics::{Activity, Days};

use crate::App;

/// What happened around the actor's bot.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "analytics.activity", skip_all)]
pub async fn activity(app: &App, actor: &Actor, days: Days) -> Result<Activity> {
    app.analytics
        .activity(actor.tenant_id(), actor.bot_id()?, days)
        .await
}
