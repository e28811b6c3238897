//! Plans: what a tenant may use. The figures are the operator's to change.

use serde::Deserialize;

use crate::named::named;

named! {
    /// The plan that a tenant is on.
    Plan {
        /// For trying it.
        Free = "free",
        /// Small.
        Starter = "starter",
        /// Middle.
        Professional = "professional",
        /// Without limits but for the request rate.
        Enterprise = "enterprise",
    }
}

/// What a plan allows. `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanLimits {
    /// Bots, inactive ones included.
    pub bots: Option<u64>,
    /// Conversations begun in a calendar month (UTC).
    pub conversations_per_month: Option<u64>,
    /// Messages stored in a calendar month (UTC), users' and bots' alike.
    pub messages_per_month: Option<u64>,
    /// Requests a minute, per API key.
    pub requests_per_minute: Option<u64>,
}

/// An operator's change of a plan: what is absent keeps its default, `0` means unlimited.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanOverride {
    /// See [`PlanLimits::bots`].
    pub bots: Option<u64>,
    /// See [`PlanLimits::conversations_per_month`].
    pub conversations_per_month: Option<u64>,
    /// See [`PlanLimits::messages_per_month`].
    pub messages_per_month: Option<u64>,
    /// See [`PlanLimits::requests_per_minute`].
    pub requests_per_minute: Option<u64>,
}

/// The limits of every plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plans([PlanLimits; 4]);

impl Default for Plans {
    fn default() -> Self {
        let plan = |bots, conversations, messages, requests| PlanLimits {
            bots,
            conversations_per_month: conversations,
            messages_per_month: messages,
            requests_per_minute: Some(requests),
        };
        Self([
            plan(Some(1), Some(100), Some(1_000), 60),
            plan(Some(3), Some(1_000), Some(10_000), 120),
            plan(Some(10), Some(5_000), Some(50_000), 300),
            plan(None, None, None, 1_000),
        ])
    }
}

impl Plans {
    /// What this plan allows.
    pub const fn limits(&self, plan: Plan) -> PlanLimits {
        self.0[plan as usize]
    }

    /// Applies an operator's change to one plan.
    pub fn change(&mut self, plan: Plan, change: PlanOverride) {
        let limits = &mut self.0[plan as usize];
        let set = |limit: &mut Option<u64>, value: Option<u64>| {
            if let Some(value) = value {
                *limit = (value > 0).then_some(value);
            }
        };
        set(&mut limits.bots, change.bots);
        set(
            &mut limits.conversations_per_month,
            change.conversations_per_month,
        );
        set(&mut limits.messages_per_month, change.messages_per_month);
        set(&mut limits.requests_per_minute, change.requests_per_minute);
    }
}
