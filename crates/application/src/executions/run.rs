use std::time::Duration;

use domain::answers::{ProviderError, Tokens};
use domain::executions::{
    CALLS_MAX, Execution, ExecutionStatus, Step, StepKind, StepStatus, WORDS_MAX,
};
use domain::jobs::Job;
use domain::tool_models::{ToolCall, ToolChat, ToolTurn};
use domain::{Error, Result, Timestamp};

use super::call::call;
use super::finish::{End, finish};
use crate::App;
use crate::agent_loops::candidates;
use crate::bots;
use crate::connections;
use crate::jobs::JobEnd;

/// An execution that was begun this often without an end or a pause fails for good.
const LEASES: u32 = 20;
/// A token is about as many bytes, where a provider does not count.
const BYTES_OF_TOKEN: usize = 4;

/// Goes on with an execution, from its last recorded step.
#[tracing::instrument(level = "debug", name = "executions.run", skip_all)]
pub(crate) async fn run(app: &App, job: &Job) -> Result<JobEnd> {
    let (tenant, id) = (job.tenant_id, job.execution());
    let Some(execution) = app.executions.find(tenant, id).await? else {
        return Ok(JobEnd::DONE);
    };
    if execution.status.has_ended() || execution.status == ExecutionStatus::WaitingForApproval {
        return Ok(JobEnd::DONE);
    }
    let steps = app.executions.steps(tenant, id).await?;
    let mut run = Run {
        app,
        execution,
        steps,
    };
    let end = if job.attempts > LEASES {
        Some(failed(
            "It could not be carried out: it broke off again and again.",
        ))
    } else {
        run.all().await?
    };
    if let Some(end) = end {
        finish(app, run.execution, end).await?;
    }
    Ok(JobEnd::DONE)
}

fn failed(why: &str) -> End {
    End {
        status: ExecutionStatus::Failed,
        result: None,
        error: Some(why.to_owned()),
    }
}

/// What comes after a step.
enum Next {
    /// Another one.
    Step,
    /// Nothing for now: it waits for its owner, or it was ended by them.
    Leave,
    /// The end.
    End(End),
}

struct Run<'a> {
    app: &'a App,
    execution: Execution,
    steps: Vec<Step>,
}

impl Run<'_> {
    /// Takes step after step. `None`: the end is not ours to make.
    async fn all(&mut self) -> Result<Option<End>> {
        loop {
            match self.step().await? {
                Next::Step => {}
                Next::Leave => return Ok(None),
                Next::End(end) => return Ok(Some(end)),
            }
        }
    }

    async fn step(&mut self) -> Result<Next> {
        let tenant = self.app.tenants.find(self.execution.tenant_id).await?;
        if tenant.is_none_or(|tenant| !tenant.is_active) {
            return Ok(Next::End(failed("The account is suspended.")));
        }
        let bot = (self.execution.tenant_id, self.execution.bot_id);
        if !bots::is_active(self.app, bot.0, bot.1).await? {
            return Ok(Next::End(failed("The bot is inactive.")));
        }
        let open = |step: &Step| !step.status.has_result();
        let place = self.steps.iter().position(open);
        let is_under_way =
            place.is_some_and(|place| self.steps[place].status == StepStatus::Running);
        if let Some(why) = self.limit(is_under_way) {
            return Ok(Next::End(why));
        }
        match place {
            Some(place) => self.tool(place).await,
            None => self.model().await,
        }
    }

    /// The limit that was reached, if one was. A step that was counted when it was begun is not counted again.
    fn limit(&self, is_under_way: bool) -> Option<End> {
        let (limits, spent) = (self.execution.program.limits, self.execution.tokens);
        let steps = self.execution.steps - u32::from(is_under_way && self.execution.steps > 0);
        let reached = if steps >= limits.steps {
            format!("{} steps", limits.steps)
        } else if spent.input + spent.output >= u64::from(limits.tokens) {
            format!("{} tokens", limits.tokens)
        } else if self.left().is_zero() {
            format!("{} seconds", limits.seconds)
        } else {
            return None;
        };
        Some(End {
            status: ExecutionStatus::Stopped,
            result: None,
            error: Some(format!("It reached its limit of {reached}.")),
        })
    }

    /// The time that is left for work.
    fn left(&self) -> Duration {
        let times = self
            .steps
            .iter()
            .filter_map(|step| step.started_at.zip(step.ended_at));
        let spent: Duration = times.map(|(began, ended)| between(began, ended)).sum();
        let all = Duration::from_secs(self.execution.program.limits.seconds.into());
        all.saturating_sub(spent)
    }

    /// Records that it goes on, with the steps from a place on. `false`: it has been ended meanwhile.
    async fn record(&self, from: usize) -> Result<bool> {
        let steps = self.steps.get(from..).unwrap_or_default();
        self.app.executions.record(&self.execution, steps).await
    }

    async fn model(&mut self) -> Result<Next> {
        let began = self.app.clock.now();
        self.execution.status = ExecutionStatus::Running;
        self.execution.started_at.get_or_insert(began);
        if !self.record(self.steps.len()).await? {
            return Ok(Next::Leave);
        }
        let chat = self.execution.chat(&self.steps);
        let asked = self.ask(&chat).await?;
        let place = self.steps.len();
        self.execution.steps += 1;
        let mut step = Step {
            attempts: 1,
            started_at: Some(began),
            ended_at: Some(self.app.clock.now()),
            ..self.new_step(StepKind::Model)
        };
        let (calls, end) = match asked {
            Ok(turn) => {
                let tokens = turn.tokens.unwrap_or_else(|| estimate(&chat, &turn));
                self.execution.tokens.input += tokens.input;
                self.execution.tokens.output += tokens.output;
                let text = turn.text.replace('\0', "\u{fffd}");
                step.text = text[..text.floor_char_boundary(WORDS_MAX)].to_owned();
                (step.model, step.tokens) = (turn.model, Some(tokens));
                step.status = StepStatus::Done;
                let end = turn.calls.is_empty().then(|| End {
                    status: ExecutionStatus::Completed,
                    result: Some(step.text.clone()),
                    error: None,
                });
                (turn.calls, end)
            }
            Err(why) => {
                step.status = StepStatus::Failed;
                step.text = why.clone();
                (Vec::new(), Some(failed(&why)))
            }
        };
        self.steps.push(step);
        for call in calls.into_iter().take(CALLS_MAX) {
            let step = Step {
                call: Some(without_nul(call)),
                ..self.new_step(StepKind::Tool)
            };
            self.steps.push(step);
        }
        if !self.record(place).await? {
            return Ok(Next::Leave);
        }
        Ok(match end {
            // Out of time is out of time, whatever the provider made of it.
            Some(end) if end.status == ExecutionStatus::Failed && self.left().is_zero() => {
                Next::End(self.limit(false).unwrap_or(end))
            }
            Some(end) => Next::End(end),
            None => Next::Step,
        })
    }

    /// Asks one model after the other. The inner error is for the owner.
    async fn ask(&self, chat: &ToolChat) -> Result<Result<ToolTurn, String>> {
        let (app, execution) = (self.app, &self.execution);
        let (tenant, bot) = (execution.tenant_id, execution.bot_id);
        let found = candidates(app, tenant, bot, execution.program.connection_id).await;
        let candidates = match found {
            Ok(candidates) => candidates,
            Err(Error::Invalid { problem, .. }) => {
                return Ok(Err(format!("Its integration can't be used: {problem}")));
            }
            Err(error) => return Err(error),
        };
        let began = app.clock.now();
        let mut reasons = Vec::new();
        for candidate in candidates {
            let left = self.left().saturating_sub(between(began, app.clock.now()));
            if left.is_zero() {
                break;
            }
            if candidate.connection.is_none()
                && let Err(refused) = self.count().await?
            {
                reasons.push(refused);
                break;
            }
            let answered = candidate.model.next(chat, left).await;
            if let Some(connection) = &candidate.connection {
                match &answered {
                    Ok(_) => connections::worked(app, connection).await,
                    // Our own limit may have been shorter than its patience.
                    Err(ProviderError::TimedOut) => {}
                    Err(error) => connections::failed(app, connection, &error.to_string()).await,
                }
            }
            match answered {
                Ok(turn) => return Ok(Ok(turn)),
                Err(error) => reasons.push(format!("{}: {error}", candidate.model.provider())),
            }
        }
        Ok(Err(match reasons.is_empty() {
            true => "There is no model that calls tools: give the bot an integration of kind openai, anthropic or \
                     ollama, or have the operator set BOTWRIGHT_LLM_PROVIDER."
                .to_owned(),
            false => format!("No model answered ({}).", reasons.join("; ")),
        }))
    }

    /// A turn of the operator's model is a message of the plan's. The inner error is for the owner.
    async fn count(&self) -> Result<Result<(), String>> {
        let (app, id) = (self.app, self.execution.tenant_id);
        let tenant = app.tenants.find(id).await?;
        let tenant = tenant.ok_or_else(|| Error::internal("an execution of no tenant"))?;
        let limits = app.plans.limits(tenant.plan);
        match app.usages.count_message(id, &limits, app.clock.now()).await {
            Ok(()) => Ok(Ok(())),
            Err(Error::LimitReached(_)) => {
                Ok(Err("the plan allows no more messages this month".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    async fn tool(&mut self, place: usize) -> Result<Next> {
        let (before, rest) = self.steps.split_at_mut(place);
        let Some((step, wanted)) = rest
            .first_mut()
            .and_then(|step| step.call.clone().map(|call| (step, call)))
        else {
            return Err(Error::internal("a step of a tool without a call"));
        };
        let tool = self.execution.program.tool(&wanted.name).cloned();
        let is_undecided = matches!(
            step.status,
            StepStatus::Pending | StepStatus::WaitingForApproval
        );
        let waits = is_undecided
            && tool
                .as_ref()
                .is_some_and(|tool| self.execution.needs_approval(tool, before));
        if waits {
            step.status = StepStatus::WaitingForApproval;
            self.execution.status = ExecutionStatus::WaitingForApproval;
            self.record(place).await?;
            return Ok(Next::Leave);
        }
        if step.attempts == 0 {
            self.execution.steps += 1;
        }
        step.status = StepStatus::Running;
        step.attempts += 1;
        // A process may have died over it: the time until now was no work.
        step.started_at = Some(self.app.clock.now());
        let begun = step.clone();
        self.execution.status = ExecutionStatus::Running;
        if !self.record_one(&begun).await? {
            return Ok(Next::Leave);
        }
        let answered = match &tool {
            Some(_) if !wanted.arguments.is_object() => {
                Err("The arguments are no JSON object; send them again.".to_owned())
            }
            Some(tool) => {
                let (app, within) = (self.app, self.left());
                call(
                    app,
                    &self.execution,
                    &begun,
                    tool,
                    &wanted.arguments,
                    within,
                )
                .await?
            }
            None => Err(self.unknown(&wanted)),
        };
        let ended = Step {
            ended_at: Some(self.app.clock.now()),
            status: match answered {
                Ok(_) => StepStatus::Done,
                Err(_) => StepStatus::Failed,
            },
            text: answered.unwrap_or_else(|problem| problem),
            ..begun
        };
        self.steps[place] = ended.clone();
        match self.record_one(&ended).await? {
            true => Ok(Next::Step),
            false => Ok(Next::Leave),
        }
    }

    async fn record_one(&self, step: &Step) -> Result<bool> {
        let steps = std::slice::from_ref(step);
        self.app.executions.record(&self.execution, steps).await
    }

    fn unknown(&self, wanted: &ToolCall) -> String {
        let tools = self.execution.program.tools.iter();
        let names: Vec<_> = tools.map(|tool| tool.name()).collect();
        let name: String = wanted.name.chars().take(64).collect();
        format!(
            "There is no tool '{name}'. There are: {}.",
            names.join(", ")
        )
    }

    fn new_step(&self, kind: StepKind) -> Step {
        Step {
            id: self.app.ids.uuid().into(),
            number: self.steps.len() as u32 + 1,
            kind,
            status: StepStatus::Pending,
            call: None,
            text: String::new(),
            model: None,
            tokens: None,
            attempts: 0,
            started_at: None,
            ended_at: None,
        }
    }
}

fn between(began: Timestamp, ended: Timestamp) -> Duration {
    Duration::try_from(ended - began).unwrap_or_default()
}

/// What a turn came to, where its provider does not say.
fn estimate(chat: &ToolChat, turn: &ToolTurn) -> Tokens {
    let bytes = |text: String| (text.len() / BYTES_OF_TOKEN) as u64 + 1;
    Tokens {
        input: bytes(format!("{chat:?}")),
        output: bytes(format!("{}{:?}", turn.text, turn.calls)),
    }
}

/// A call as the store can keep it.
fn without_nul(call: ToolCall) -> ToolCall {
    let plain = |text: String| text.replace('\0', "\u{fffd}");
    let arguments = call.arguments.to_string();
    ToolCall {
        id: plain(call.id),
        name: plain(call.name),
        arguments: match arguments.contains("\\u0000") {
            // An object no more, and so not called.
            true => plain(arguments.replace("\\u0000", "\u{fffd}")).into(),
            false => call.arguments,
        },
    }
}
