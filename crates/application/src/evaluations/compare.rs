use std::collections::HashMap;

use domain::evaluations::{CaseResult, Measured, Score};

/// An evaluation against the one before it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// The figures of the one before.
    pub before: Score,
    /// Questions of both that were answered as expected then, and are no more.
    pub worse: Vec<Moved>,
    /// Questions of both that were not, and are now.
    pub better: Vec<Moved>,
}

/// A question that comes out otherwise than before.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// The question.
    pub question: String,
    /// The answer before.
    pub before: String,
    /// The answer now.
    pub now: String,
}

impl Difference {
    /// Compares the cases of two evaluations, by their questions.
    pub(super) fn between(score: Score, before: Vec<Measured>, now: &[Measured]) -> Self {
        let before: HashMap<_, _> = before
            .into_iter()
            .filter_map(|measured| Some((measured.case, measured.result?)))
            .collect();
        let mut difference = Self {
            before: score,
            ..Self::default()
        };
        for measured in now {
            let (Some(then), Some(now)) = (before.get(&measured.case), &measured.result) else {
                continue;
            };
            let moved = |then: &CaseResult, now: &CaseResult| Moved {
                question: measured.case.question.clone(),
                before: then.answer.clone(),
                now: now.answer.clone(),
            };
            match (then.is_right, now.is_right) {
                (true, false) => difference.worse.push(moved(then, now)),
                (false, true) => difference.better.push(moved(then, now)),
                _ => {}
            }
        }
        difference
    }
}
