use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::evaluations::{
    Case, CaseResult, Evaluation, EvaluationStatus, Evaluations, Measured, Score,
};
use domain::paging::{Page, PageRequest};
use domain::{BotId, EvaluationId, JobId, Resource, Result, TenantId, Timestamp};

use super::engine::{Conn, Db, Store, insert_cases};
use super::{count, jobs, json, of_json, run, small, word};
use crate::fault::{Fault, Meaning};
use crate::schema::{evaluation_cases as cases, evaluations};
use crate::types::{Json, Key, Moment, key};

#[async_trait]
impl Evaluations for Store {
    async fn create(&self, evaluation: &Evaluation, cases: &[Case], job: JobId) -> Result<()> {
        run!(
            self.write("evaluations.create", evaluation.tenant_id),
            [evaluation, cases],
            |conn| create(conn, &evaluation, &cases, job)
        )
    }

    async fn find(&self, tenant: TenantId, id: EvaluationId) -> Result<Option<Evaluation>> {
        run!(self.read("evaluations.find", tenant), [], |conn| find(
            conn, tenant, id
        ))
    }

    async fn cases(
        &self,
        tenant: TenantId,
        id: EvaluationId,
        from: u32,
        limit: u32,
    ) -> Result<Vec<Measured>> {
        run!(self.read("evaluations.cases", tenant), [], |conn| {
            cases_from(conn, tenant, id, from, limit)
        })
    }

    async fn record(
        &self,
        tenant: TenantId,
        id: EvaluationId,
        from: u32,
        results: &[CaseResult],
        score: &Score,
    ) -> Result<()> {
        run!(
            self.write("evaluations.record", tenant),
            [results, score],
            |conn| record(conn, tenant, id, from, &results, &score)
        )
    }

    async fn finish(
        &self,
        tenant: TenantId,
        id: EvaluationId,
        error: Option<&str>,
        published: Option<bool>,
        at: Timestamp,
    ) -> Result<()> {
        let error = error.map(str::to_owned);
        run!(self.write("evaluations.finish", tenant), [error], |conn| {
            finish(conn, tenant, id, error.as_deref(), published, at)
        })
    }

    async fn newest_in_force(&self, tenant: TenantId, bot: BotId) -> Result<Option<Evaluation>> {
        run!(
            self.read("evaluations.newest_in_force", tenant),
            [],
            |conn| newest_in_force(conn, tenant, bot)
        )
    }

    async fn list(
        &self,
        tenant: TenantId,
        bot: BotId,
        page: PageRequest,
    ) -> Result<Page<Evaluation>> {
        run!(self.read("evaluations.list", tenant), [], |conn| {
            list(conn, tenant, bot, page)
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = evaluations, check_for_backend(Db))]
struct EvaluationRow {
    tenant_id: Key,
    id: Key,
    bot_id: Key,
    status: String,
    case_count: i64,
    score: Json,
    error: Option<String>,
    change: Option<Json>,
    published: Option<bool>,
    created_at: Moment,
    finished_at: Option<Moment>,
}

impl TryFrom<EvaluationRow> for Evaluation {
    type Error = Fault;

    fn try_from(row: EvaluationRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            bot_id: row.bot_id.0.into(),
            status: word(EvaluationStatus::parse, &row.status)?,
            cases: small(row.case_count),
            score: of_json(row.score)?,
            error: row.error,
            change: row.change.map(of_json).transpose()?,
            published: row.published,
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|at| at.0),
        })
    }
}

/// A case as it is kept.
#[derive(Insertable)]
#[diesel(table_name = cases)]
pub(crate) struct CaseRow {
    tenant_id: Key,
    evaluation_id: Key,
    position: i64,
    question: String,
    expected: Json,
}

async fn create(
    conn: &mut Conn,
    evaluation: &Evaluation,
    cases: &[Case],
    job: JobId,
) -> Result<(), Fault> {
    let (tenant, id) = (evaluation.tenant_id, evaluation.id);
    let row = EvaluationRow {
        tenant_id: key(tenant),
        id: key(id),
        bot_id: key(evaluation.bot_id),
        status: evaluation.status.as_str().to_owned(),
        case_count: i64::from(evaluation.cases),
        score: json(&evaluation.score)?,
        error: evaluation.error.clone(),
        change: evaluation.change.as_ref().map(json).transpose()?,
        published: evaluation.published,
        created_at: Moment(evaluation.created_at),
        finished_at: evaluation.finished_at.map(Moment),
    };
    diesel::insert_into(evaluations::table)
        .values(row)
        .execute(conn)
        .await
        .or_exists()
        .or_missing(Resource::Bot)?;
    let rows = (0..).zip(cases).map(|(position, case)| {
        Ok(CaseRow {
            tenant_id: key(tenant),
            evaluation_id: key(id),
            position,
            question: case.question.clone(),
            expected: json(&case.expected)?,
        })
    });
    insert_cases(conn, rows.collect::<Result<_, Fault>>()?).await?;
    jobs::enqueue_evaluation(conn, tenant, id, job, evaluation.created_at).await
}

async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: EvaluationId,
) -> Result<Option<Evaluation>, Fault> {
    let row = evaluations::table
        .find((key(tenant), key(id)))
        .select(EvaluationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Evaluation::try_from).transpose()
}

async fn cases_from(
    conn: &mut Conn,
    tenant: TenantId,
    id: EvaluationId,
    from: u32,
    limit: u32,
) -> Result<Vec<Measured>, Fault> {
    let rows: Vec<(String, Json, Option<Json>)> = cases::table
        .filter(cases::tenant_id.eq(key(tenant)))
        .filter(cases::evaluation_id.eq(key(id)))
        .filter(cases::position.ge(i64::from(from)))
        .order(cases::position)
        .limit(i64::from(limit))
        .select((cases::question, cases::expected, cases::result))
        .load(conn)
        .await?;
    let measured = |(question, expected, result): (String, Json, Option<Json>)| {
        Ok(Measured {
            case: Case {
                question,
                expected: of_json(expected)?,
            },
            result: result.map(of_json).transpose()?,
        })
    };
    rows.into_iter().map(measured).collect()
}

async fn record(
    conn: &mut Conn,
    tenant: TenantId,
    id: EvaluationId,
    from: u32,
    results: &[CaseResult],
    score: &Score,
) -> Result<(), Fault> {
    for (position, result) in (i64::from(from)..).zip(results) {
        diesel::update(cases::table.find((key(tenant), key(id), position)))
            .set(cases::result.eq(json(result)?))
            .execute(conn)
            .await?;
    }
    diesel::update(evaluations::table.find((key(tenant), key(id))))
        .set(evaluations::score.eq(json(score)?))
        .execute(conn)
        .await?;
    Ok(())
}

async fn finish(
    conn: &mut Conn,
    tenant: TenantId,
    id: EvaluationId,
    error: Option<&str>,
    published: Option<bool>,
    at: Timestamp,
) -> Result<(), Fault> {
    let status = match error {
        None => EvaluationStatus::Done,
        Some(_) => EvaluationStatus::Failed,
    };
    diesel::update(evaluations::table.find((key(tenant), key(id))))
        .set((
            evaluations::status.eq(status.as_str()),
            evaluations::error.eq(error),
            evaluations::published.eq(published),
            evaluations::finished_at.eq(Moment(at)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

async fn newest_in_force(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
) -> Result<Option<Evaluation>, Fault> {
    let row = evaluations::table
        .filter(evaluations::tenant_id.eq(key(tenant)))
        .filter(evaluations::bot_id.eq(key(bot)))
        .filter(evaluations::status.eq(EvaluationStatus::Done.as_str()))
        .filter(
            evaluations::change
                .is_null()
                .or(evaluations::published.eq(true)),
        )
        .order((evaluations::created_at.desc(), evaluations::id.desc()))
        .select(EvaluationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Evaluation::try_from).transpose()
}

async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    bot: BotId,
    page: PageRequest,
) -> Result<Page<Evaluation>, Fault> {
    let of_bot = || {
        evaluations::table
            .filter(evaluations::tenant_id.eq(key(tenant)))
            .filter(evaluations::bot_id.eq(key(bot)))
    };
    let total: i64 = of_bot().count().get_result(conn).await?;
    let rows = of_bot()
        .order((evaluations::created_at.desc(), evaluations::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(EvaluationRow::as_select())
        .load(conn)
        .await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(Evaluation::try_from)
            .collect::<Result<_, _>>()?,
        total: count(total),
    })
}
