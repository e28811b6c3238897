//! Executions and their steps as they are kept.

use diesel::prelude::*;
use domain::answers::Tokens;
use domain::executions::{Execution, ExecutionStatus, Step, StepKind, StepStatus, Trigger};

use super::engine::Db;
use super::{count, json, number, of_json, small, word};
use crate::fault::Fault;
use crate::schema::{execution_steps as steps, executions};
use crate::types::{Json, Key, Moment, key};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = executions, check_for_backend(Db))]
pub(super) struct ExecutionRow {
    tenant_id: Key,
    id: Key,
    loop_id: Key,
    bot_id: Key,
    started_by: String,
    status: String,
    input: Json,
    program: Json,
    result: Option<String>,
    error: Option<String>,
    step_count: i64,
    input_tokens: i64,
    output_tokens: i64,
    created_at: Moment,
    started_at: Option<Moment>,
    ended_at: Option<Moment>,
}

impl ExecutionRow {
    pub(super) fn of(execution: &Execution) -> Result<Self, Fault> {
        Ok(Self {
            tenant_id: key(execution.tenant_id),
            id: key(execution.id),
            loop_id: key(execution.loop_id),
            bot_id: key(execution.bot_id),
            started_by: execution.trigger.as_str().to_owned(),
            status: execution.status.as_str().to_owned(),
            input: Json(execution.input.clone()),
            program: json(&execution.program)?,
            result: execution.result.clone(),
            error: execution.error.clone(),
            step_count: execution.steps.into(),
            input_tokens: number(execution.tokens.input),
            output_tokens: number(execution.tokens.output),
            created_at: Moment(execution.created_at),
            started_at: execution.started_at.map(Moment),
            ended_at: execution.ended_at.map(Moment),
        })
    }
}

impl TryFrom<ExecutionRow> for Execution {
    type Error = Fault;

    fn try_from(row: ExecutionRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            tenant_id: row.tenant_id.0.into(),
            loop_id: row.loop_id.0.into(),
            bot_id: row.bot_id.0.into(),
            trigger: word(Trigger::parse, &row.started_by)?,
            status: word(ExecutionStatus::parse, &row.status)?,
            input: row.input.0,
            program: of_json(row.program)?,
            result: row.result,
            error: row.error,
            steps: small(row.step_count),
            tokens: Tokens {
                input: count(row.input_tokens),
                output: count(row.output_tokens),
            },
            created_at: row.created_at.0,
            started_at: row.started_at.map(|at| at.0),
            ended_at: row.ended_at.map(|at| at.0),
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = steps, check_for_backend(Db), treat_none_as_null = true)]
pub(super) struct StepRow {
    tenant_id: Key,
    execution_id: Key,
    number: i64,
    id: Key,
    kind: String,
    status: String,
    call: Option<Json>,
    text: String,
    model: Option<String>,
    tokens: Option<Json>,
    attempts: i64,
    started_at: Option<Moment>,
    ended_at: Option<Moment>,
}

impl StepRow {
    pub(super) fn of(execution: &Execution, step: &Step) -> Result<Self, Fault> {
        Ok(Self {
            tenant_id: key(execution.tenant_id),
            execution_id: key(execution.id),
            number: step.number.into(),
            id: key(step.id),
            kind: step.kind.as_str().to_owned(),
            status: step.status.as_str().to_owned(),
            call: step.call.as_ref().map(json).transpose()?,
            text: step.text.clone(),
            model: step.model.clone(),
            tokens: step.tokens.as_ref().map(json).transpose()?,
            attempts: step.attempts.into(),
            started_at: step.started_at.map(Moment),
            ended_at: step.ended_at.map(Moment),
        })
    }
}

impl TryFrom<StepRow> for Step {
    type Error = Fault;

    fn try_from(row: StepRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id.0.into(),
            number: small(row.number),
            kind: word(StepKind::parse, &row.kind)?,
            status: word(StepStatus::parse, &row.status)?,
            call: row.call.map(of_json).transpose()?,
            text: row.text,
            model: row.model,
            tokens: row.tokens.map(of_json).transpose()?,
            attempts: small(row.attempts),
            started_at: row.started_at.map(|at| at.0),
            ended_at: row.ended_at.map(|at| at.0),
        })
    }
}
