use domain::actors::Actor;
use domain::bots::Bot;
use domain::knowledge::SourceCounts;
use domain::{Error, Resource, Result};

use crate::App;
use crate::connections::usable;

/// A bot as those who have its key see it.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The bot.
    pub bot: Bot,
    /// The model that answers for it first: its owner's before the operator's. Where it has no name, its provider's.
    pub model: String,
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
    let own = usable(app, tenant, bot, None).await?;
    let first = own.first().map(|own| own.model.answers.as_ref());
    let first = first.unwrap_or(app.answers.first());
    Ok(Profile {
        model: first.model().unwrap_or(first.provider()).to_owned(),
        bot: found.ok_or(Error::NotFound(Resource::Bot))?,
        sources: app.knowledge.counts(tenant, bot).await?,
    })
}
