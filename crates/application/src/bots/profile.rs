use domain::actors::Actor;
use domain::bots::Bot;
use domain::knowledge::SourceCounts;
use domain::{Error, Resource, Result};

use crate::App;

/// A bot as those who have its key see it.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The bot.
    pub bot: Bot,
    /// The provider that answers for it first.
    pub provider: &'static str,
    /// What it has to answer from.
    pub sources: SourceCounts,
}

/// The actor's own bot.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "bots.profile", skip_all)]
pub async fn profile(app: &App, actor: &Actor) -> Result<Profile> {
    let (tenant, bot) = (actor.tenant_id(), actor.bot_id()?);
    let found = app.bots.find(tenant, bot).await?;
    Ok(Profile {
        bot: found.ok_or(Error::NotFound(Resource::Bot))?,
        provider: app.answers.provider(),
        sources: app.knowledge.counts(tenant, bot).await?,
    })
}
