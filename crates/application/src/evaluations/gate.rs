//! Changes that are made only if the bot's evaluation does not fall with them.

use domain::bots::Bot;
use domain::connections::Connection;
use domain::evaluations::{Evaluation, Score};
use domain::knowledge::{Draft, SourceChange};
use domain::trials::Change;
use domain::{BotId, Error, Result, TenantId};

use super::begin::{cases_of, start};
use crate::App;

/// Whether a bot's changes wait for an evaluation.
pub(crate) async fn is_gated(app: &App, tenant: TenantId, bot: BotId) -> Result<bool> {
    let bot = app.bots.find(tenant, bot).await?;
    Ok(bot.is_some_and(|bot| bot.evaluation_gate))
}

/// Checks that there is something to measure a bot's changes by, before they begin to wait for it.
///
/// # Errors
/// [`Error::Invalid`] (`evaluation_gate`).
pub(crate) async fn check_measured(app: &App, tenant: TenantId, bot: BotId) -> Result<()> {
    match app.evaluations.newest_in_force(tenant, bot).await? {
        Some(_) => Ok(()),
        None => Err(Error::invalid(
            "evaluation_gate",
            "The 'evaluation_gate' field can be true once an evaluation of the bot is done; begin one first.",
        )),
    }
}

/// Has a change of a gated bot measured; it is made, or not, at the end of that.
pub(crate) async fn propose(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    change: Change,
) -> Result<Evaluation> {
    let before = app.evaluations.newest_in_force(tenant, bot).await?;
    let before = before.ok_or_else(|| Error::missing("cases"))?;
    let cases = cases_of(app, &before).await?;
    let id = app.ids.uuid().into();
    start(app, tenant, bot, id, &cases, Some(change)).await
}

/// Makes the change that an evaluation was about, unless the bot does worse with it. Answers whether it was made.
pub(super) async fn decide(
    app: &App,
    evaluation: &Evaluation,
    change: &Change,
    score: Score,
) -> Result<bool> {
    let (tenant, bot) = (evaluation.tenant_id, evaluation.bot_id);
    let before = app.evaluations.newest_in_force(tenant, bot).await?;
    // Other cases can't be compared: then what has been right before can't be lost either.
    let before = before.filter(|before| before.cases == evaluation.cases);
    let right_before = before.map_or(0, |before| before.score.right());
    if score.right() < right_before {
        let why = format!(
            "Not published: of {} evaluated questions the bot would answer {} rightly, and answers {} so now.",
            evaluation.cases,
            score.right(),
            right_before
        );
        withdraw(app, tenant, change, &why).await?;
        return Ok(false);
    }
    make(app, tenant, bot, change).await
}

/// Ends what waits for a change that is not made, with a sentence for a person.
pub(super) async fn withdraw(
    app: &App,
    tenant: TenantId,
    change: &Change,
    why: &str,
) -> Result<()> {
    if let Change::PublishReading { source_id, .. } = change {
        app.knowledge
            .fail(tenant, *source_id, why, app.clock.now())
            .await?;
        app.bell.ring();
    }
    Ok(())
}

async fn make(app: &App, tenant: TenantId, bot: BotId, change: &Change) -> Result<bool> {
    let now = app.clock.now();
    let is_made = match change {
        Change::Settings(changes) => {
            let changes = changes.clone().into();
            app.bots.update(tenant, bot, &changes, now).await?.is_some()
        }
        Change::EnableSource { source_id } => {
            let enabled = SourceChange {
                enabled: Some(true),
                ..SourceChange::default()
            };
            let found = app
                .knowledge
                .update(tenant, *source_id, &enabled, None, now)
                .await?;
            found.is_some()
        }
        Change::PublishReading {
            source_id,
            generation,
            edition,
        } => {
            let draft = Draft {
                tenant_id: tenant,
                source_id: *source_id,
                generation: *generation,
            };
            app.knowledge.publish(draft, edition, now).await?
        }
        Change::EnableConnection { connection_id } => {
            match app.connections.find(tenant, *connection_id).await? {
                Some(found) => {
                    let enabled = Connection {
                        enabled: true,
                        ..found
                    };
                    app.connections.update(&enabled).await?.is_some()
                }
                None => false,
            }
        }
        Change::SwitchEmbeddings { model, hold } => {
            app.embeddings
                .switch(tenant, bot, model.as_deref(), *hold)
                .await?
        }
    };
    app.bell.ring();
    Ok(is_made)
}

/// Proposes that a gated bot be searched by a model that has embedded all of its knowledge by now.
pub(crate) async fn propose_model(
    app: &App,
    tenant: TenantId,
    bot: &Bot,
    model: &str,
) -> Result<()> {
    let Some(state) = app.embeddings.state(tenant, bot.id).await? else {
        return Ok(());
    };
    let is_ready = state
        .models
        .iter()
        .any(|known| known.model == model && known.sources_done == known.sources);
    if !is_ready || state.is_held || state.active.as_deref() == Some(model) {
        return Ok(());
    }
    let change = Change::SwitchEmbeddings {
        model: Some(model.to_owned()),
        hold: false,
    };
    propose(app, tenant, bot.id, change).await.map(|_| ())
}

/// A bot as it would be after a change.
pub(super) fn changed(mut bot: Bot, change: Option<&Change>) -> Bot {
    if let Some(Change::Settings(changes)) = change {
        changes.applied_to(&mut bot);
    }
    bot
}
