use domain::actors::Actor;
use domain::evaluations::{CASES_MAX, Case, Evaluation, EvaluationStatus, Measured, Score};
use domain::paging::PageRequest;
use domain::trials::Change;
use domain::{BotId, Error, EvaluationId, Resource, Result, TenantId};

use crate::App;

/// An evaluation to be made.
#[derive(Debug, Clone)]
pub struct Begin {
    /// Its id.
    pub id: EvaluationId,
    /// The bot to measure.
    pub bot_id: BotId,
    /// The cases; `None`: those of the bot's last evaluation.
    pub cases: Option<Vec<Case>>,
}

/// Begins to measure a bot, in the background.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a case that can't be put; [`Error::Missing`] (`cases`) where there was no
/// evaluation whose cases could be put again.
#[tracing::instrument(level = "debug", name = "evaluations.begin", skip_all)]
pub async fn begin(app: &App, actor: &Actor, command: Begin) -> Result<Evaluation> {
    let tenant = actor.tenant_id();
    if app.bots.find(tenant, command.bot_id).await?.is_none() {
        return Err(Error::NotFound(Resource::Bot));
    }
    let cases = match command.cases {
        Some(cases) => cases,
        None => last_cases(app, tenant, command.bot_id).await?,
    };
    if !(1..=CASES_MAX).contains(&cases.len()) {
        return Err(Error::invalid(
            "cases",
            "The 'cases' field must have 1 to 1000 cases.",
        ));
    }
    for (number, case) in cases.iter().enumerate() {
        case.check(number)?;
    }
    start(app, tenant, command.bot_id, command.id, &cases, None).await
}

/// Keeps an evaluation, and has it made soon.
pub(super) async fn start(
    app: &App,
    tenant: TenantId,
    bot: BotId,
    id: EvaluationId,
    cases: &[Case],
    change: Option<Change>,
) -> Result<Evaluation> {
    let evaluation = Evaluation {
        id,
        tenant_id: tenant,
        bot_id: bot,
        status: EvaluationStatus::Running,
        cases: cases.len() as u32,
        score: Score::default(),
        error: None,
        change,
        published: None,
        created_at: app.clock.now(),
        finished_at: None,
    };
    let job = app.ids.uuid().into();
    app.evaluations.create(&evaluation, cases, job).await?;
    app.bell.ring();
    Ok(evaluation)
}

async fn last_cases(app: &App, tenant: TenantId, bot: BotId) -> Result<Vec<Case>> {
    let first = PageRequest::new(None, Some(1))?;
    let page = app.evaluations.list(tenant, bot, first).await?;
    let Some(last) = page.items.first() else {
        return Err(Error::missing("cases"));
    };
    cases_of(app, last).await
}

/// The cases of an evaluation.
pub(super) async fn cases_of(app: &App, evaluation: &Evaluation) -> Result<Vec<Case>> {
    let (tenant, id) = (evaluation.tenant_id, evaluation.id);
    let measured = app.evaluations.cases(tenant, id, 0, evaluation.cases);
    let cases = measured.await?.into_iter();
    Ok(cases.map(|Measured { case, .. }| case).collect())
}
