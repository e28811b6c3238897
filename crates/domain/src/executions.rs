//! Executions of agent loops, step by step.

use async_trait::async_trait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent_loops::{AgentLoop, Approval, Program};
use crate::answers::Tokens;
use crate::events::{Event, EventKind};
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::tool_models::{Said, ToolCall, ToolChat};
use crate::tools::Tool;
use crate::{AgentLoopId, BotId, EventId, ExecutionId, Result, StepId, TenantId, Timestamp};

/// The largest input of an execution, in bytes of JSON.
pub const INPUT_MAX: usize = 32 * 1024;
/// The most executions of a loop that have not ended. Those that wait for approval are among them, and nobody may look.
pub const OPEN_MAX: usize = 200;
/// The longest words that a model says in one turn, in bytes; what is beyond is cut off.
pub const WORDS_MAX: usize = 64 * 1024;
/// The most calls of one turn; what is beyond is not made.
pub const CALLS_MAX: usize = 32;

named! {
    /// What started an execution.
    Trigger {
        /// Its owner, who also said with which input.
        Call = "call",
        /// The loop's schedule.
        Cron = "cron",
        /// Something that happened, which is the input.
        Event = "event",
    }
}

named! {
    /// Where an execution stands.
    ExecutionStatus {
        /// It waits for a worker.
        Queued = "queued",
        /// It is being worked on.
        Running = "running",
        /// A call waits for its owner's word.
        WaitingForApproval = "waiting_for_approval",
        /// The model is done.
        Completed = "completed",
        /// It could not go on; `error` says why.
        Failed = "failed",
        /// It reached a limit of its loop; `error` says which.
        Stopped = "stopped",
        /// Its owner cancelled it.
        Cancelled = "cancelled",
    }
}

impl ExecutionStatus {
    /// Those of executions that have not ended.
    pub const OPEN: [Self; 3] = [Self::Queued, Self::Running, Self::WaitingForApproval];

    /// Whether it has come to its end.
    pub fn has_ended(self) -> bool {
        !Self::OPEN.contains(&self)
    }
}

named! {
    /// What was done in a step.
    StepKind {
        /// The model took a turn.
        Model = "model",
        /// A tool was called.
        Tool = "tool",
    }
}

named! {
    /// Where a step stands.
    StepStatus {
        /// It waits for those before it.
        Pending = "pending",
        /// It waits for the owner's word.
        WaitingForApproval = "waiting_for_approval",
        /// The owner approved it; it is about to be done.
        Approved = "approved",
        /// It has begun.
        Running = "running",
        /// It is done.
        Done = "done",
        /// It went wrong, which the model was told.
        Failed = "failed",
        /// The owner rejected it, which the model was told.
        Rejected = "rejected",
        /// The execution ended before it.
        Skipped = "skipped",
    }
}

impl StepStatus {
    /// Whether the model can be told what came of it.
    pub const fn has_result(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Rejected)
    }
}

/// One step of an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its id. Who is asked again because a process died knows the step by it.
    pub id: StepId,
    /// Its place, from 1.
    pub number: u32,
    /// What was done.
    pub kind: StepKind,
    /// Where it stands.
    pub status: StepStatus,
    /// The call, of a tool's step.
    pub call: Option<ToolCall>,
    /// What the model said, or what the tool answered.
    pub text: String,
    /// The model that was used, of a model's step.
    pub model: Option<String>,
    /// What the model's turn cost.
    pub tokens: Option<Tokens>,
    /// How often it was begun: more than once where a process died over it.
    pub attempts: u32,
    /// When it was begun, the last time.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A run of an agent loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The loop.
    pub loop_id: AgentLoopId,
    /// The loop's bot.
    pub bot_id: BotId,
    /// What started it.
    pub trigger: Trigger,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// What it is about; null: nothing was said.
    pub input: Value,
    /// The loop's program as it was at the beginning.
    pub program: Program,
    /// The model's last words, once it is done.
    pub result: Option<String>,
    /// Why it did not complete: a sentence.
    pub error: Option<String>,
    /// Steps that were begun.
    pub steps: u32,
    /// Tokens so far.
    pub tokens: Tokens,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its first step began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Execution {
    /// An execution of a loop that waits for a worker.
    pub fn of(
        agent_loop: &AgentLoop,
        id: ExecutionId,
        trigger: Trigger,
        input: Value,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant_id: agent_loop.tenant_id,
            loop_id: agent_loop.id,
            bot_id: agent_loop.bot_id,
            trigger,
            status: ExecutionStatus::Queued,
            input,
            program: agent_loop.program.clone(),
            result: None,
            error: None,
            steps: 0,
            tokens: Tokens {
                input: 0,
                output: 0,
            },
            created_at: at,
            started_at: None,
            ended_at: None,
        }
    }

    /// What the model is told next.
    pub fn chat(&self, steps: &[Step]) -> ToolChat {
        let input = match &self.input {
            Value::Null => "Begin.".to_owned(),
            Value::String(words) => words.clone(),
            other => other.to_string(),
        };
        let mut said = vec![Said::User(input)];
        let mut steps = steps.iter().peekable();
        while let Some(step) = steps.next() {
            match &step.call {
                None => {
                    // The calls of a turn are the steps right behind it.
                    let calls = steps.clone().map_while(|step| step.call.clone()).collect();
                    let text = step.text.clone();
                    said.push(Said::Model { text, calls });
                }
                Some(call) => said.push(Said::Tool {
                    call_id: call.id.clone(),
                    result: step.text.clone(),
                    failed: step.status != StepStatus::Done,
                }),
            }
        }
        ToolChat {
            instructions: self.program.instructions.clone(),
            said,
            tools: self.program.tools.iter().map(Tool::description).collect(),
        }
    }

    /// Whether a call of this tool waits for its owner's word, after these steps.
    pub fn needs_approval(&self, tool: &Tool, before: &[Step]) -> bool {
        let brought_words = |step: &Step| {
            let called = step
                .call
                .as_ref()
                .and_then(|call| self.program.tool(&call.name));
            step.attempts > 0 && called.is_some_and(Tool::brings_words)
        };
        tool.acts()
            && match self.program.approval {
                Approval::Never => false,
                Approval::Always => true,
                Approval::WhenUntrusted => {
                    self.trigger == Trigger::Event || before.iter().any(brought_words)
                }
            }
    }

    /// That it has come to its end. It happens once.
    pub fn completed(&self, id: EventId, loop_name: &str, at: Timestamp) -> Event {
        Event {
            id,
            tenant_id: self.tenant_id,
            bot_id: Some(self.bot_id),
            kind: EventKind::AgentLoopCompleted,
            subject: self.id.0,
            data: json!({
                "bot_id": self.bot_id.0,
                "agent_loop": { "id": self.loop_id.0, "name": loop_name },
                "execution": {
                    "id": self.id.0,
                    "status": self.status.as_str(),
                    "trigger": self.trigger.as_str(),
                    "result": self.result,
                    "error": self.error,
                    "steps": self.steps,
                    "tokens": self.tokens,
                },
            }),
            created_at: at,
        }
    }
}

/// The id of the execution of a loop that an event starts: always the same, so that it is started once. Like the
/// event's it is of version 7 and says when it was made.
pub fn of_event(event: EventId, agent_loop: AgentLoopId) -> ExecutionId {
    /// All but time, version and variant.
    const RANDOM: u128 = 0x0000_0000_0000_0fff_3fff_ffff_ffff_ffff;
    let mixed = event.0.as_u128() ^ (agent_loop.0.as_u128() & RANDOM);
    Uuid::from_u128(mixed).into()
}

/// Where executions are kept. One that has ended changes no more.
#[async_trait]
pub trait Executions: Send + Sync {
    /// Keeps an execution with the job that works on it ([`crate::jobs::JobKind::RunLoop`]).
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] (`AgentLoop`); [`crate::Error::Conflict`] (`AlreadyExists`) for an id that is taken;
    /// [`crate::Error::Invalid`] (`executions`) where the loop has [`OPEN_MAX`] that have not ended. An event then begins
    /// none. Requests side by side may come to a few more.
    async fn begin(&self, execution: &Execution) -> Result<()>;

    /// Keeps an execution that a schedule started, and when that is due next; `due` is when it was. Where the loop has
    /// another time by now, nothing; where one that its schedule started has not ended, only the time. Answers whether
    /// the execution is kept.
    async fn begin_scheduled(
        &self,
        execution: &Execution,
        due: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<bool>;

    /// One of the tenant's.
    async fn find(&self, tenant: TenantId, id: ExecutionId) -> Result<Option<Execution>>;

    /// Its steps, in order.
    async fn steps(&self, tenant: TenantId, id: ExecutionId) -> Result<Vec<Step>>;

    /// A page of a loop's, newest first.
    async fn list(
        &self,
        tenant: TenantId,
        agent_loop: AgentLoopId,
        status: Option<ExecutionStatus>,
        page: PageRequest,
    ) -> Result<Page<Execution>>;

    /// Keeps steps, new or changed, with the execution's status, counts and times. `false`: it has ended, or is gone;
    /// then the steps alone are kept, where it is there.
    async fn record(&self, execution: &Execution, steps: &[Step]) -> Result<bool>;

    /// As [`Executions::record`], for one that waits for its owner's word on this step, and with a new job. `false`: it
    /// does not wait, or for a word on another step by now, and nothing is kept.
    async fn resume(&self, execution: &Execution, step: &Step) -> Result<bool>;

    /// Keeps the end of an execution, with the event that tells of it, and has steps that were not begun skipped.
    /// `false`: it had ended before, or is gone, and nothing is kept.
    async fn finish(&self, execution: &Execution, event: &Event) -> Result<bool>;

    /// Deletes executions of any tenant that ended before then, `most` of them. Answers how many.
    async fn forget(&self, before: Timestamp, most: u32) -> Result<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_starts_a_loop_once() {
        let id = |text: &str| Uuid::parse_str(text).unwrap();
        let event = EventId(id("01990000-0000-7abc-8def-0123456789ab"));
        let one = AgentLoopId(id("01980000-0000-7111-9111-111111111111"));
        let other = AgentLoopId(id("01980000-0000-7222-9222-222222222222"));
        let made = of_event(event, one);
        assert_eq!(made, of_event(event, one));
        assert_ne!(made, of_event(event, other));
        assert_eq!(made.0.get_version_num(), 7);
        assert_eq!(made.0.get_timestamp(), event.0.get_timestamp());
    }
}
