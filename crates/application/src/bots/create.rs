use domain::actors::Actor;
use domain::bots::{Bot, NewBot};
use domain::{BotId, Clash, Error, Resource, Result};
use validator::Validate;

use crate::App;

/// Makes a bot with the given id; with an id that was used for the same request before, answers that bot.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::LimitReached`] at the plan's number of bots.
#[tracing::instrument(level = "debug", name = "bots.create", skip_all)]
pub async fn create(app: &App, actor: &Actor, id: BotId, new: NewBot) -> Result<Bot> {
    new.validate()?;
    let now = app.clock.now();
    let bot = Bot {
        id,
        tenant_id: actor.tenant_id(),
        name: new.name,
        channel_type: new.channel_type,
        description: new.description,
        welcome_message: new.welcome_message,
        system_prompt: new.system_prompt,
        language: new.language,
        personality: new.personality,
        bot_role: new.bot_role,
        is_active: new.is_active,
        evaluation_gate: false,
        connections: 0,
        is_default: false,
        created_at: now,
        updated_at: now,
    };
    match app.bots.create(&bot, actor.limits.bots).await {
        Err(Error::Conflict(Clash::AlreadyExists)) => app
            .bots
            .find(actor.tenant_id(), id)
            .await?
            .ok_or(Error::NotFound(Resource::Bot)),
        result => result,
    }
}
