use std::sync::Arc;

use domain::answers::{Answer, AnswerKind};
use domain::bots::Bot;
use domain::evaluations::{Case, CaseResult, DEPTH, Evaluation, EvaluationStatus, Expected, Score};
use domain::jobs::Job;
use domain::knowledge::KnowledgeState;
use domain::receipts::Receipt;
use domain::retrieval::{Query, Retriever};
use domain::trials::Change;
use domain::{Error, Result, TenantId};

use super::gate;
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
    if evaluation.status != EvaluationStatus::Running {
        return Ok(JobEnd::DONE);
    }
    let change = evaluation.change.as_ref();
    if job.attempts > LEASES {
        let why = "The evaluation could not be made: it failed again and again.";
        if let Some(change) = change {
            gate::withdraw(app, tenant, change, &format!("Not published. {why}")).await?;
        }
        let (published, now) = (change.map(|_| false), app.clock.now());
        app.evaluations
            .finish(tenant, id, Some(why), published, now)
            .await?;
        return Ok(JobEnd::DONE);
    }
    let trial = change.and_then(|change| change.trial(tenant));
    let subject = Subject {
        evaluation: &evaluation,
        retriever: match &trial {
            Some(trial) => app.trials.with(trial.clone()),
            None => Arc::clone(&app.retriever),
        },
        model: trial.and_then(|trial| trial.embedding_model),
    };
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
                None => subject.put(app, &measured.case).await?,
            };
            score.add(&measured.case, &result);
            results.push(result);
        }
        app.evaluations
            .record(tenant, id, from, &results, &score)
            .await?;
        from += cases.len() as u32;
    }
    let published = match change {
        Some(change) => Some(gate::decide(app, &evaluation, change, score).await?),
        None => None,
    };
    let now = app.clock.now();
    app.evaluations
        .finish(tenant, id, None, published, now)
        .await?;
    Ok(JobEnd::DONE)
}

/// What is measured: a bot as it is, or as it would be after a change.
struct Subject<'a> {
    evaluation: &'a Evaluation,
    retriever: Arc<dyn Retriever>,
    /// The model that it would be searched by, where that is what changes.
    model: Option<Option<String>>,
}

impl Subject<'_> {
    /// Puts a case to the bot.
    async fn put(&self, app: &App, case: &Case) -> Result<CaseResult> {
        let (tenant, bot) = (self.evaluation.tenant_id, self.evaluation.bot_id);
        let (Some(bot), Some(mut knowledge)) = (
            app.bots.find(tenant, bot).await?,
            app.index.state(tenant, bot).await?,
        ) else {
            // It is being deleted, and the evaluation with it.
            return Err(Error::NotFound(domain::Resource::Bot));
        };
        let bot = gate::changed(bot, self.evaluation.change.as_ref());
        if let Some(model) = &self.model {
            knowledge.embedding_model.clone_from(model);
        }
        let rank = rank(&*self.retriever, tenant, &bot, &knowledge, case).await?;
        let asked = Asked {
            tenant,
            bot: &bot,
            knowledge: &knowledge,
            retriever: &*self.retriever,
            as_if: (self.evaluation.change.as_ref()).and_then(Change::connection),
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
}

/// The place of the first chunk that holds what is expected.
async fn rank(
    retriever: &dyn Retriever,
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
    let hits = retriever.search(&query).await?.hits;
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
