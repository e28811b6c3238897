//! Agent loops: named workflows in which a model calls tools until it is done.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::events::EventKind;
use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::text::{self, no_nul};
use crate::tools::Tool;
use crate::{AgentLoopId, BotId, ConnectionId, Error, Result, TenantId, Timestamp};

/// The most loops of a bot.
pub const LOOPS_MAX: usize = 50;
/// The most tools of a loop.
pub const TOOLS_MAX: usize = 64;
/// The largest tools of a loop together, in bytes of JSON.
pub const TOOLS_BYTES_MAX: usize = 256 * 1024;

named! {
    /// When a call of a tool that acts waits for its owner's word.
    Approval {
        /// Where its arguments may come from others: the execution began with an event, or has been told what a
        /// search or a request brought.
        WhenUntrusted = "when_untrusted",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }
}

/// What an execution may cost. It is stopped where it would go on past one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopLimits {
    /// Turns of the model and calls of tools, together.
    pub steps: u32,
    /// Tokens of all turns of the model, of what it is told and of what it says.
    pub tokens: u32,
    /// Seconds of work; waiting for approval is none.
    pub seconds: u32,
}

/// Limits of which some are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsChange {
    /// See [`LoopLimits::steps`].
    pub steps: Option<u32>,
    /// See [`LoopLimits::tokens`].
    pub tokens: Option<u32>,
    /// See [`LoopLimits::seconds`].
    pub seconds: Option<u32>,
}

impl LoopLimits {
    /// Where the loop does not say.
    pub const DEFAULT: Self = Self {
        steps: 20,
        tokens: 50_000,
        seconds: 300,
    };
    /// The most that a loop may say.
    pub const MAX: Self = Self {
        steps: 100,
        tokens: 1_000_000,
        seconds: 3_600,
    };

    /// These, with what a change gives.
    #[must_use]
    pub fn with(self, change: LimitsChange) -> Self {
        Self {
            steps: change.steps.unwrap_or(self.steps),
            tokens: change.tokens.unwrap_or(self.tokens),
            seconds: change.seconds.unwrap_or(self.seconds),
        }
    }

    fn check(self) -> Result<()> {
        for (name, value, max) in [
            ("limits.steps", self.steps, Self::MAX.steps),
            ("limits.tokens", self.tokens, Self::MAX.tokens),
            ("limits.seconds", self.seconds, Self::MAX.seconds),
        ] {
            if !(1..=max).contains(&value) {
                let problem = format!("The '{name}' field must be a whole number from 1 to {max}.");
                return Err(Error::invalid(name, problem));
            }
        }
        Ok(())
    }
}

/// What an execution goes by. It keeps that of its beginning: what was approved is what is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// What the model is to do.
    pub instructions: String,
    /// The connection whose model runs it; `None`: the bot's own, in their order, and then the operator's.
    pub connection_id: Option<ConnectionId>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// What an execution may cost.
    pub limits: LoopLimits,
    /// When calls wait.
    pub approval: Approval,
}

impl Program {
    /// Checks what holds for every program.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&self) -> Result<()> {
        let length = self.instructions.chars().count() as u64;
        if !(1..=text::SYSTEM_PROMPT_MAX).contains(&length) || no_nul(&self.instructions).is_err() {
            return Err(Error::invalid(
                "instructions",
                "The 'instructions' field must be 1 to 20000 characters long, without NUL.",
            ));
        }
        self.limits.check()?;
        let wrong = |problem: &str| Err(Error::invalid("tools", problem));
        if self.tools.len() > TOOLS_MAX {
            return wrong("The 'tools' field must have at most 64 tools, operations counted each.");
        }
        let mut names = BTreeSet::new();
        for (number, tool) in self.tools.iter().enumerate() {
            if let Tool::Http(http) = tool {
                http.check(&format!("tools[{number}]"))?;
            }
            if !names.insert(tool.name()) {
                let problem = format!("The 'tools' field has two tools named '{}'.", tool.name());
                return wrong(&problem);
            }
        }
        let size = serde_json::to_string(&self.tools).map_or(usize::MAX, |json| json.len());
        if size > TOOLS_BYTES_MAX {
            return wrong("The 'tools' field must come to 256 KB at most.");
        }
        Ok(())
    }

    /// The tool of a name.
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name() == name)
    }
}

/// What starts an execution beside a call, which always does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Triggers {
    /// A cron expression ([`crate::schedules::Schedule`]).
    pub cron: Option<String>,
    /// Events of the loop's bot: of [`TRIGGERS`].
    pub events: Vec<EventKind>,
}

/// The events that can start an execution. The end of one can't: a loop would start itself without an end.
pub const TRIGGERS: [EventKind; 3] = [
    EventKind::MessageReceived,
    EventKind::IntegrationFailed,
    EventKind::ChannelDisconnected,
];

impl Triggers {
    /// Reads the events that a client chose.
    ///
    /// # Errors
    /// [`Error::Invalid`] (`triggers.events`).
    pub fn read_events(words: &[String]) -> Result<Vec<EventKind>> {
        let mut events = Vec::new();
        for word in words {
            let kind = EventKind::parse(word).filter(|kind| TRIGGERS.contains(kind));
            let Some(kind) = kind else {
                let all = TRIGGERS.map(EventKind::as_str).join(", ");
                let problem = format!("The 'triggers.events' field takes these: {all}.");
                return Err(Error::invalid("triggers.events", problem));
            };
            if !events.contains(&kind) {
                events.push(kind);
            }
        }
        Ok(events)
    }
}

/// A named workflow.
#[derive(Debug, Clone, PartialEq, Validate)]
pub struct AgentLoop {
    /// Its id.
    pub id: AgentLoopId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot whose knowledge it searches and in whose name it speaks.
    pub bot_id: BotId,
    /// Its name.
    #[validate(length(min = 1, max = text::NAME_MAX, message = "must be 1 to 200 characters long"), custom(function = no_nul))]
    pub name: String,
    /// What it is for.
    #[validate(length(max = text::DESCRIPTION_MAX, message = "must be at most 2000 characters long"), custom(function = no_nul))]
    pub description: Option<String>,
    /// What its executions go by.
    pub program: Program,
    /// What starts them.
    pub triggers: Triggers,
    /// Whether any are started.
    pub enabled: bool,
    /// When its schedule is due next, while it is enabled and has one.
    pub next_run_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where agent loops are kept.
#[async_trait]
pub trait AgentLoops: Send + Sync {
    /// Keeps a loop. However many are created at once, a bot never has more than [`LOOPS_MAX`].
    ///
    /// # Errors
    /// [`Error::NotFound`] (`Bot`); [`Error::Invalid`] (`bot_id`) at the most; [`Error::Conflict`] (`AlreadyExists`)
    /// for an id that is taken.
    async fn create(&self, agent_loop: &AgentLoop) -> Result<()>;

    /// One of the tenant's.
    async fn find(&self, tenant: TenantId, id: AgentLoopId) -> Result<Option<AgentLoop>>;

    /// A page of the tenant's, newest first.
    async fn list(&self, tenant: TenantId, page: PageRequest) -> Result<Page<AgentLoop>>;

    /// Writes a loop as it was changed, if it is still as it was at `seen` ([`AgentLoop::updated_at`]). `false`: it is
    /// gone, or somebody has changed it meanwhile.
    async fn update(&self, agent_loop: &AgentLoop, seen: Timestamp) -> Result<bool>;

    /// Deletes a loop with all its executions. `false`: there is no such loop.
    async fn delete(&self, tenant: TenantId, id: AgentLoopId) -> Result<bool>;

    /// Loops of any tenant whose schedule is due, those that have waited longest first.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<AgentLoop>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Program {
        Program {
            instructions: "Help.".into(),
            connection_id: None,
            tools: vec![Tool::KnowledgeSearch],
            limits: LoopLimits::DEFAULT,
            approval: Approval::WhenUntrusted,
        }
    }

    #[test]
    fn a_program_keeps_to_its_bounds() {
        assert!(program().check().is_ok());
        let limits = |limits| Program {
            limits,
            ..program()
        };
        let wrong = [
            (
                "instructions",
                Program {
                    instructions: String::new(),
                    ..program()
                },
            ),
            (
                "tools",
                Program {
                    tools: vec![Tool::KnowledgeSearch; 2],
                    ..program()
                },
            ),
            (
                "limits.steps",
                limits(LoopLimits {
                    steps: 0,
                    ..LoopLimits::DEFAULT
                }),
            ),
            (
                "limits.tokens",
                limits(LoopLimits {
                    tokens: 1_000_001,
                    ..LoopLimits::DEFAULT
                }),
            ),
            (
                "limits.seconds",
                limits(LoopLimits {
                    seconds: 3_601,
                    ..LoopLimits::DEFAULT
                }),
            ),
        ];
        for (expected, program) in wrong {
            match program.check() {
                Err(Error::Invalid { field, .. }) => assert_eq!(field, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_loop_is_not_started_by_the_end_of_one() {
        let words = |word: &str| vec![word.to_owned(), "message.received".to_owned()];
        let twice = Triggers::read_events(&words("message.received")).unwrap();
        assert_eq!(twice, [EventKind::MessageReceived]);
        for word in ["agent_loop.completed", "webhook.test", "message"] {
            assert!(Triggers::read_events(&words(word)).is_err(), "{word}");
        }
    }
}
