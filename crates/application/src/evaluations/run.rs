use domain::answers::{Answer, AnswerKind};
use domain::bots::Bot;
use domain::evaluations::{Case, CaseResult, DEPTH, Evaluation, Expected, Score};
use domain::jobs::Job;
use domain::knowledge::KnowledgeState;
use domain::receipts::Receipt;
use domain::retrieval::Query;
use domain::{Error, Result, TenantId};

use crate::App;
use crate::conversations::{Asked, Silent};
use crate::jobs::JobEnd;

/// Cases put to the bot between two records of how they came out.
const PART: u32 = 10;
/// An evaluation that was begun this often without an end fails for good.
const LEASES: u32 = 20;

/// Puts the cases of an evaluation to its bot, going on where a worker before stopped.
#[tracing::instrument(level = "debug", name = "evaluations.run", skip_all)]
pub(crate) async fn run(app: &App, job: &Job) -> Result<JobEnd> {
    let (tenant, id) = (job.tenant_id, job.evaluation());
    let Some(evaluation) = app.evaluations.find(tenant, id).await? else {
        return Ok(JobEnd::DONE);
    };
    if job.attempts > LEASES {
        let why = "The evaluation could not be made: it failed again and again.";
        let now = app.clock.now();
        app.evaluations.finish(tenant, id, Some(why), now).await?;
        return Ok(JobEnd::DONE);
    }
    let mut score = Score::default();
    let mut from = 0;
    loop {
        let cases = app.evaluations.cases(tenant, id, from, PART).await?;
        if cases.is_empty() {
            break;
        }
        let mut results = Vec::with_capacity(cases.len());
        for measured in &cases {
            let result = match &measured.result {
                Some(result) => result.clone(),
                None => put(app, &evaluation, &measured.case).await?,
            };
            score.add(&measured.case, &result);
            results.push(result);
        }
        app.evaluations
            .record(tenant, id, from, &results, &score)
            .await?;
        from += cases.len() as u32;
    }
    let now = app.clock.now();
    app.evaluations.finish(tenant, id, None, now).await?;
    Ok(JobEnd::DONE)
}

/// Puts a case to the bot as it is now.
async fn put(app: &App, evaluation: &Evaluation, case: &Case) -> Result<CaseResult> {
    let (tenant, bot) = (evaluation.tenant_id, evaluation.bot_id);
    let (Some(bot), Some(knowledge)) = (
        app.bots.find(tenant, bot).await?,
        app.index.state(tenant, bot).await?,
    ) else {
        // It is being deleted, and the evaluation with it.
        return Err(Error::NotFound(domain::Resource::Bot));
    };
    let rank = rank(app, tenant, &bot, &knowledge, case).await?;
    let asked = Asked {
        tenant,
        bot: &bot,
        knowledge: &knowledge,
        history: &[],
        text: &case.question,
    };
    match asked.answer(app, app.clock.now(), &mut Silent).await {
        Ok((answer, receipt)) => Ok(judged(case, rank, answer, &receipt)),
        Err(Error::ProviderFailed(why)) => Ok(CaseResult {
            rank,
            answerable: 0.0,
            answered: false,
            answer: why,
            is_right: false,
        }),
        Err(error) => Err(error),
    }
}

/// The place of the first chunk that holds what is expected.
async fn rank(
    app: &App,
    tenant: TenantId,
    bot: &Bot,
    knowledge: &KnowledgeState,
    case: &Case,
) -> Result<Option<u32>> {
    if case.expected == Expected::Nothing {
        return Ok(None);
    }
    let query = Query {
        tenant_id: tenant,
        bot_id: bot.id,
        knowledge: knowledge.clone(),
        language: bot.language,
        text: case.question.clone(),
        history: Vec::new(),
        limit: DEPTH as usize,
    };
    let hits = app.retriever.search(&query).await?.hits;
    let place = hits
        .iter()
        .map(|hit| &hit.chunk)
        .position(|chunk| case.expected.is_in(&chunk.draft.content, &[chunk.id]));
    Ok(place.map(|place| place as u32 + 1))
}

fn judged(case: &Case, rank: Option<u32>, answer: Answer, receipt: &Receipt) -> CaseResult {
    let answered = answer.kind != AnswerKind::DoesNotKnow;
    let cited: Vec<_> = receipt
        .citations
        .iter()
        .map(|cited| cited.chunk_id)
        .collect();
    let is_right = match case.expected {
        Expected::Nothing => !answered,
        _ => answered && case.expected.is_in(&answer.text, &cited),
    };
    CaseResult {
        rank,
        answerable: receipt.answerable,
        answered,
        answer: answer.text,
        is_right,
    }
}
