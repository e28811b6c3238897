//! `/bots/{bot_id}/evaluations`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use application::evaluations::{self, Begin, Difference, Moved, Report};
use domain::evaluations::{Case, Evaluation, Expected, Measured, Score};
use domain::text::required;
use domain::trials::Change;
use domain::{ChunkId, Error, Result};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::envelope;
use crate::http::authentication::Caller;
use crate::http::body::{Json, JsonBody, SizeLimit};
use crate::http::error::ApiResult;
use crate::http::idempotency::OperationId;
use crate::http::params::{self, Query};
use crate::state::State;

/// An evaluation of a bot.
#[derive(Serialize, ToSchema)]
pub struct EvaluationView {
    id: Uuid,
    bot_id: Uuid,
    /// `running`, `done` or `failed`.
    #[schema(example = "done")]
    status: &'static str,
    error: Option<String>,
    /// What it decides on: `settings`, `enable_source`, `enable_integration`, `publish_reading` or `switch_embeddings`; null: the bot is
    /// measured as it is.
    change: Option<&'static str>,
    /// The source that is changed.
    source_id: Option<Uuid>,
    /// Whether the change was made; null: it waits, or there is none.
    published: Option<bool>,
    /// How many cases it has.
    cases: u32,
    score: ScoreView,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    finished_at: Option<OffsetDateTime>,
}

/// The figures of an evaluation, of the cases put so far. Shares are of 1; null where there is nothing to share.
#[derive(Serialize, ToSchema)]
struct ScoreView {
    /// Cases put so far.
    cases: u32,
    /// Those that came out as expected.
    right: u32,
    /// Cases that have an answer.
    answerable: u32,
    /// The share of them whose first chunk holds it.
    hit_rate_at_1: Option<f32>,
    /// The share of them for which one of the first five chunks does.
    hit_rate_at_5: Option<f32>,
    /// The mean of one divided by the place of the first chunk that holds it.
    mean_reciprocal_rank: Option<f32>,
    /// The share of them whose answer holds what is expected.
    answered_rightly: Option<f32>,
    /// The share of them for which the bot said that it does not know.
    refused_wrongly: Option<f32>,
    /// Cases that have no answer.
    unanswerable: u32,
    /// The share of them for which the bot said so.
    refused_rightly: Option<f32>,
}

impl From<Score> for ScoreView {
    fn from(score: Score) -> Self {
        let share = |part: f32, whole: u32| (whole > 0).then(|| part / whole as f32);
        let of_answerable = |count: u32| share(count as f32, score.answerable);
        Self {
            cases: score.cases(),
            right: score.right(),
            answerable: score.answerable,
            hit_rate_at_1: of_answerable(score.found_first),
            hit_rate_at_5: of_answerable(score.found_in_five),
            mean_reciprocal_rank: share(score.reciprocal_ranks, score.answerable),
            answered_rightly: of_answerable(score.answered_rightly),
            refused_wrongly: of_answerable(score.refused_wrongly),
            unanswerable: score.unanswerable,
            refused_rightly: share(score.refused_rightly as f32, score.unanswerable),
        }
    }
}

impl From<Evaluation> for EvaluationView {
    fn from(evaluation: Evaluation) -> Self {
        Self {
            id: evaluation.id.0,
            bot_id: evaluation.bot_id.0,
            status: evaluation.status.as_str(),
            error: evaluation.error,
            change: evaluation.change.as_ref().map(Change::name),
            source_id: (evaluation.change.as_ref())
                .and_then(Change::source)
                .map(Uuid::from),
            published: evaluation.published,
            cases: evaluation.cases,
            score: evaluation.score.into(),
            created_at: evaluation.created_at,
            finished_at: evaluation.finished_at,
        }
    }
}

/// An evaluation with its cases, and what has changed since the one before.
#[derive(Serialize, ToSchema)]
pub struct EvaluationDetails {
    evaluation: EvaluationView,
    cases: Vec<CaseView>,
    /// Against the bot's evaluation before it; null where there is none.
    difference: Option<DifferenceView>,
}

/// A case, and what it came to.
#[derive(Serialize, ToSchema)]
struct CaseView {
    question: String,
    expected_phrases: Option<Vec<String>>,
    expected_chunks: Option<Vec<Uuid>>,
    should_not_answer: bool,
    /// Null: not put to the bot yet.
    result: Option<ResultView>,
}

/// What a case came to.
#[derive(Serialize, ToSchema)]
struct ResultView {
    /// Whether it came out as expected.
    right: bool,
    /// The place, from 1, of the first chunk that holds what is expected; null: not among the first ten.
    rank: Option<u32>,
    /// How sure retrieval was, 0 to 1, that there is an answer.
    answerable: f32,
    /// Whether the bot answered, and did not say that it does not know.
    answered: bool,
    answer: String,
}

impl From<Measured> for CaseView {
    fn from(Measured { case, result }: Measured) -> Self {
        let (phrases, chunks, nothing) = match case.expected {
            Expected::Phrases(phrases) => (Some(phrases), None, false),
            Expected::Chunks(chunks) => (
                None,
                Some(chunks.into_iter().map(Uuid::from).collect()),
                false,
            ),
            Expected::Nothing => (None, None, true),
        };
        Self {
            question: case.question,
            expected_phrases: phrases,
            expected_chunks: chunks,
            should_not_answer: nothing,
            result: result.map(|result| ResultView {
                right: result.is_right,
                rank: result.rank,
                answerable: result.answerable,
                answered: result.answered,
                answer: result.answer,
            }),
        }
    }
}

/// An evaluation against the one before.
#[derive(Serialize, ToSchema)]
struct DifferenceView {
    /// The figures of the one before.
    before: ScoreView,
    /// Questions that came out as expected then, and do no more.
    worse: Vec<MovedView>,
    /// Questions that did not, and do now.
    better: Vec<MovedView>,
}

/// A question that comes out otherwise than before.
#[derive(Serialize, ToSchema)]
struct MovedView {
    question: String,
    before: String,
    now: String,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        let moved = |moved: Vec<Moved>| {
            let view = |moved: Moved| MovedView {
                question: moved.question,
                before: moved.before,
                now: moved.now,
            };
            moved.into_iter().map(view).collect()
        };
        Self {
            before: difference.before.into(),
            worse: moved(difference.worse),
            better: moved(difference.better),
        }
    }
}

impl From<Report> for EvaluationDetails {
    fn from(report: Report) -> Self {
        Self {
            evaluation: report.evaluation.into(),
            cases: report.cases.into_iter().map(CaseView::from).collect(),
            difference: report.difference.map(DifferenceView::from),
        }
    }
}

/// Which page of a bot's evaluations.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListEvaluations {
    /// Page number (default: 1)
    #[param(value_type = Option<u32>, minimum = 1)]
    page: Option<String>,
    /// Items per page (default: 20, max: 100)
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    per_page: Option<String>,
}

/// An evaluation to be made.
#[derive(Deserialize, ToSchema)]
pub struct BeginEvaluation {
    /// 1 to 1,000 cases (default: those of the bot's last evaluation)
    cases: Option<Vec<CaseBody>>,
}

impl JsonBody for BeginEvaluation {
    const LIMIT: SizeLimit = SizeLimit {
        bytes: 10 * 1024 * 1024,
        told: "10 MB",
    };
}

/// A question, and one of the three: phrases, chunks, or that it should not be answered.
#[derive(Deserialize, ToSchema)]
pub struct CaseBody {
    /// The question, as a visitor would ask it (1 to 8000 characters)
    #[schema(required, nullable = false)]
    question: Option<String>,
    /// The answer should hold one of these, case and white space aside
    expected_phrases: Option<Vec<String>>,
    /// The answer should be made from one of these chunks
    expected_chunks: Option<Vec<String>>,
    /// The bot should say that it does not know
    should_not_answer: Option<bool>,
}

impl CaseBody {
    fn read(self, number: usize) -> Result<Case> {
        let wrong = |problem: &str| {
            Error::invalid(
                format!("cases[{number}]"),
                format!("The 'cases[{number}]' field {problem}."),
            )
        };
        let chunk =
            |id: &String| ChunkId::parse(id).ok_or_else(|| wrong("names a chunk by what is no id"));
        let expected = match (
            self.expected_phrases,
            self.expected_chunks,
            self.should_not_answer.unwrap_or_default(),
        ) {
            (Some(phrases), None, false) => Expected::Phrases(phrases),
            (None, Some(ids), false) => {
                Expected::Chunks(ids.iter().map(chunk).collect::<Result<_>>()?)
            }
            (None, None, true) => Expected::Nothing,
            _ => {
                return Err(wrong(
                    "needs one of 'expected_phrases', 'expected_chunks' and 'should_not_answer'",
                ));
            }
        };
        Ok(Case {
            question: required("question", self.question)
                .map_err(|_| wrong("needs a 'question'"))?,
            expected,
        })
    }
}

/// Evaluate bot
///
/// Puts questions whose answers are known to the bot, in the background: is the answer found, is it given, and does the
/// bot say that it does not know where it should? Nothing is stored in conversations or counted.
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique identifier of the bot")), request_body = BeginEvaluation, responses((status = 201, body = envelope::Data<EvaluationView>)))]
#[post("/bots/{bot_id}/evaluations")]
pub(super) async fn begin(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    id: OperationId,
    body: Json<BeginEvaluation>,
) -> ApiResult<HttpResponse> {
    let cases = body.0.cases.map(|cases| {
        let numbered = cases.into_iter().enumerate();
        numbered.map(|(number, case)| case.read(number)).collect()
    });
    let command = Begin {
        id: id.0.into(),
        bot_id: params::bot_id(&bot_id)?,
        cases: cases.transpose()?,
    };
    let begun = evaluations::begin(&state.app, &caller.0, command).await?;
    Ok(envelope::data(
        StatusCode::CREATED,
        EvaluationView::from(begun),
    ))
}

/// List evaluations
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), ListEvaluations), responses((status = 200, body = envelope::Listed<EvaluationView>)))]
#[get("/bots/{bot_id}/evaluations")]
pub(super) async fn list(
    state: Data<State>,
    caller: Caller,
    bot_id: Path<String>,
    query: Query<ListEvaluations>,
) -> ApiResult<HttpResponse> {
    let page = params::page(query.0.page.as_deref(), query.0.per_page.as_deref())?;
    let bot = params::bot_id(&bot_id)?;
    let evaluations = evaluations::list(&state.app, &caller.0, bot, page).await?;
    Ok(envelope::listed(evaluations, page, EvaluationView::from))
}

/// Get evaluation
///
/// With its cases, what each came to, and what has changed since the evaluation before.
#[utoipa::path(tag = "Tenant API: Bots", params(("bot_id" = String, Path, description = "Unique identifier of the bot"), ("evaluation_id" = String, Path, description = "Unique identifier of the evaluation")), responses((status = 200, body = envelope::Data<EvaluationDetails>)))]
#[get("/bots/{bot_id}/evaluations/{evaluation_id}")]
pub(super) async fn get(
    state: Data<State>,
    caller: Caller,
    path: Path<(String, String)>,
) -> ApiResult<HttpResponse> {
    let (bot, id) = path.into_inner();
    let (bot, id) = (params::bot_id(&bot)?, params::evaluation_id(&id)?);
    let report = evaluations::get(&state.app, &caller.0, bot, id).await?;
    Ok(envelope::data(
        StatusCode::OK,
        EvaluationDetails::from(report),
    ))
}
