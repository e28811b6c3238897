use domain::actors::Actor;
use domain::bots::{Bot, BotChanges};
use domain::trials::{Change, PromptChanges};
use domain::{BotId, Error, EvaluationId, Resource, Result};
use validator::Validate;

use crate::App;
use crate::evaluations::gate;

/// Changes the fields given. What a gated bot is told changes later, if its evaluation does not fall with it: then the
/// evaluation that decides comes with the bot as it is.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "bots.update", skip_all)]
pub async fn update(
    app: &App,
    actor: &Actor,
    id: BotId,
    mut changes: BotChanges,
) -> Result<(Bot, Option<EvaluationId>)> {
    changes.validate()?;
    let tenant = actor.tenant_id();
    let not_found = || Error::NotFound(Resource::Bot);
    let bot = app.bots.find(tenant, id).await?.ok_or_else(not_found)?;
    if changes.evaluation_gate == Some(true) && !bot.evaluation_gate {
        gate::check_measured(app, tenant, id).await?;
    }
    // Who opens the gate in the same breath waits for nothing.
    let waits = bot.evaluation_gate && changes.evaluation_gate != Some(false);
    let proposed = if waits {
        PromptChanges::taken_from(&mut changes, &bot)
    } else {
        PromptChanges::default()
    };
    let now = app.clock.now();
    let bot = app.bots.update(tenant, id, &changes, now).await?;
    let bot = bot.ok_or_else(not_found)?;
    if proposed == PromptChanges::default() {
        return Ok((bot, None));
    }
    let evaluation = gate::propose(app, tenant, id, Change::Settings(proposed)).await?;
    Ok((bot, Some(evaluation.id)))
}
