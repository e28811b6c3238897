use domain::actors::Actor;
use domain::evaluations::{Evaluation, EvaluationStatus, Measured};
use domain::paging::{Page, PageRequest};
use domain::{BotId, Error, EvaluationId, Resource, Result};

use super::Difference;
use crate::App;

/// Evaluations that are looked through for the one before.
const BEFORE: u32 = 20;

/// An evaluation with all it has.
#[derive(Debug, Clone)]
pub struct Report {
    /// The evaluation.
    pub evaluation: Evaluation,
    /// Its cases in order.
    pub cases: Vec<Measured>,
    /// What has changed since the bot's evaluation before it that came to its end; `None`: there is none.
    pub difference: Option<Difference>,
}

/// One evaluation of a bot, with its cases, against the one before.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "evaluations.get", skip_all)]
pub async fn get(app: &App, actor: &Actor, bot: BotId, id: EvaluationId) -> Result<Report> {
    let tenant = actor.tenant_id();
    let found = app.evaluations.find(tenant, id).await?;
    let evaluation = found
        .filter(|evaluation| evaluation.bot_id == bot)
        .ok_or(Error::NotFound(Resource::Evaluation))?;
    let all = |of: &Evaluation| app.evaluations.cases(tenant, of.id, 0, of.cases);
    let cases = all(&evaluation).await?;
    let newest = PageRequest::new(None, Some(BEFORE))?;
    let list = app.evaluations.list(tenant, bot, newest).await?.items;
    let before = list
        .iter()
        .skip_while(|other| other.id != id)
        .skip(1)
        .find(|other| other.status == EvaluationStatus::Done);
    let difference = match before {
        Some(before) => Some(Difference::between(
            before.score,
            all(before).await?,
            &cases,
        )),
        None => None,
    };
    Ok(Report {
        evaluation,
        cases,
        difference,
    })
}

/// A page of a bot's evaluations, newest first.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "evaluations.list", skip_all)]
pub async fn list(
    app: &App,
    actor: &Actor,
    bot: BotId,
    page: PageRequest,
) -> Result<Page<Evaluation>> {
    let tenant = actor.tenant_id();
    if app.bots.find(tenant, bot).await?.is_none() {
        return Err(Error::NotFound(Resource::Bot));
    }
    app.evaluations.list(tenant, bot, page).await
}
