//! Evaluations: what a bot answers to questions whose answers are known, measured.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::paging::{Page, PageRequest};
use crate::text::{MESSAGE_MAX, no_nul};
use crate::trials::Change;
use crate::{BotId, ChunkId, Error, EvaluationId, JobId, Result, TenantId, Timestamp};

/// The most cases of an evaluation.
pub const CASES_MAX: usize = 1_000;
/// The most phrases, or chunks, that a case expects one of.
pub const EXPECTED_MAX: usize = 100;
/// How many chunks are looked through for what is expected.
pub const DEPTH: u32 = 10;

/// A question whose answer is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Case {
    /// The question, as a visitor would ask it.
    pub question: String,
    /// What the answer should hold.
    pub expected: Expected,
}

/// What a good answer to a case is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// It holds one of these phrases; case and white space aside.
    Phrases(Vec<String>),
    /// It is made from one of these chunks.
    Chunks(Vec<ChunkId>),
    /// There is none: the bot should say that it does not know.
    Nothing,
}

impl Case {
    /// Checks a case; `number` is its place among the cases, from 0.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the case.
    pub fn check(&self, number: usize) -> Result<()> {
        let wrong = |problem: &str| {
            Err(Error::invalid(
                format!("cases[{number}]"),
                format!("The 'cases[{number}]' field {problem}."),
            ))
        };
        let is_text = |text: &str| {
            let length = text.chars().count() as u64;
            !text.trim().is_empty() && length <= MESSAGE_MAX && no_nul(text).is_ok()
        };
        if !is_text(&self.question) {
            return wrong("needs a question of 1 to 8000 characters, without NUL");
        }
        match &self.expected {
            Expected::Phrases(phrases)
                if !(1..=EXPECTED_MAX).contains(&phrases.len())
                    || !phrases.iter().all(|phrase| is_text(phrase)) =>
            {
                wrong("needs 1 to 100 phrases of 1 to 8000 characters, without NUL")
            }
            Expected::Chunks(chunks) if !(1..=EXPECTED_MAX).contains(&chunks.len()) => {
                wrong("needs the ids of 1 to 100 chunks")
            }
            _ => Ok(()),
        }
    }
}

impl Expected {
    /// Whether a chunk, or an answer that was made from chunks, holds what is expected.
    pub fn is_in(&self, text: &str, chunks: &[ChunkId]) -> bool {
        match self {
            Self::Phrases(phrases) => {
                let text = plain(text);
                phrases.iter().any(|phrase| text.contains(&plain(phrase)))
            }
            Self::Chunks(expected) => chunks.iter().any(|chunk| expected.contains(chunk)),
            Self::Nothing => false,
        }
    }
}

/// Words in lower case with single spaces.
fn plain(text: &str) -> String {
    let words = text.split_whitespace().map(str::to_lowercase);
    words.collect::<Vec<_>>().join(" ")
}

/// What a case came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The place, from 1, of the first chunk that holds what is expected, among the first [`DEPTH`].
    pub rank: Option<u32>,
    /// How sure retrieval was, 0 to 1, that there is an answer.
    pub answerable: f32,
    /// Whether the bot answered, and did not say that it does not know.
    pub answered: bool,
    /// The answer's words; what went wrong where no provider answered.
    pub answer: String,
    /// Whether the answer is as expected: it holds what it should, or says that it does not know where it should.
    pub is_right: bool,
}

/// The figures of an evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Cases that have an answer.
    pub answerable: u32,
    /// Those of them whose first chunk holds it.
    pub found_first: u32,
    /// Those for which one of the first five does.
    pub found_in_five: u32,
    /// The sum of one divided by the rank, 0 where there is none. Divided by `answerable`: the mean reciprocal rank.
    pub reciprocal_ranks: f32,
    /// Those whose answer holds what is expected.
    pub answered_rightly: u32,
    /// Those for which the bot said that it does not know.
    pub refused_wrongly: u32,
    /// Cases that have none.
    pub unanswerable: u32,
    /// Those of them for which the bot said so.
    pub refused_rightly: u32,
}

impl Score {
    /// Adds a case up.
    pub fn add(&mut self, case: &Case, result: &CaseResult) {
        if case.expected == Expected::Nothing {
            self.unanswerable += 1;
            self.refused_rightly += u32::from(result.is_right);
            return;
        }
        self.answerable += 1;
        self.found_first += u32::from(result.rank == Some(1));
        self.found_in_five += u32::from(result.rank.is_some_and(|rank| rank <= 5));
        self.reciprocal_ranks += result.rank.map_or(0.0, |rank| 1.0 / rank as f32);
        self.answered_rightly += u32::from(result.is_right);
        self.refused_wrongly += u32::from(!result.answered);
    }

    /// Cases that came out as expected.
    pub const fn right(&self) -> u32 {
        self.answered_rightly + self.refused_rightly
    }

    /// All cases.
    pub const fn cases(&self) -> u32 {
        self.answerable + self.unanswerable
    }
}

named! {
    /// Where an evaluation stands.
    EvaluationStatus {
        /// It waits, or cases are being put to the bot.
        Running = "running",
        /// All cases have a result.
        Done = "done",
        /// It came to no end; `error` says why.
        Failed = "failed",
    }
}

/// An evaluation without its cases, which may be many.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Its id.
    pub id: EvaluationId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot that is measured.
    pub bot_id: BotId,
    /// Where it stands.
    pub status: EvaluationStatus,
    /// How many cases it has.
    pub cases: u32,
    /// Its figures so far.
    pub score: Score,
    /// Why it failed: a sentence for a person.
    pub error: Option<String>,
    /// The change that it decides on; `None`: the bot is measured as it is.
    pub change: Option<Change>,
    /// Whether the change was made. `None`: it waits, or there is none.
    pub published: Option<bool>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A case of an evaluation, with its result once there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The case.
    pub case: Case,
    /// What it came to.
    pub result: Option<CaseResult>,
}

/// Where evaluations are kept.
#[async_trait]
pub trait Evaluations: Send + Sync {
    /// Keeps an evaluation, its cases and the job that does it ([`crate::jobs::JobKind::Evaluate`]), all or nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] (`Bot`); [`Error::Conflict`] (`AlreadyExists`) for an id that is taken.
    async fn create(&self, evaluation: &Evaluation, cases: &[Case], job: JobId) -> Result<()>;

    /// One of the tenant's.
    async fn find(&self, tenant: TenantId, id: EvaluationId) -> Result<Option<Evaluation>>;

    /// The cases from a place on, in order, `limit` of them at most.
    async fn cases(
        &self,
        tenant: TenantId,
        id: EvaluationId,
        from: u32,
        limit: u32,
    ) -> Result<Vec<Measured>>;

    /// Keeps the results of the cases from a place on, and the figures so far.
    async fn record(
        &self,
        tenant: TenantId,
        id: EvaluationId,
        from: u32,
        results: &[CaseResult],
        score: &Score,
    ) -> Result<()>;

    /// Ends it: well, or for a reason. `published`: [`Evaluation::published`].
    async fn finish(
        &self,
        tenant: TenantId,
        id: EvaluationId,
        error: Option<&str>,
        published: Option<bool>,
        at: Timestamp,
    ) -> Result<()>;

    /// The newest of a bot that tells how it answers as it is: done, and of no change, or of one that was made.
    async fn newest_in_force(&self, tenant: TenantId, bot: BotId) -> Result<Option<Evaluation>>;

    /// A page of a bot's, newest first.
    async fn list(
        &self,
        tenant: TenantId,
        bot: BotId,
        page: PageRequest,
    ) -> Result<Page<Evaluation>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(expected: Expected) -> Case {
        Case {
            question: "Are you open?".into(),
            expected,
        }
    }

    fn phrases(phrases: &[&str]) -> Expected {
        Expected::Phrases(phrases.iter().map(|p| (*p).to_owned()).collect())
    }

    #[test]
    fn phrases_are_found_whatever_their_case_and_blanks() {
        let expected = phrases(&["Nine  to five", "never"]);
        assert!(expected.is_in("We work NINE to\nFIVE.", &[]));
        assert!(!expected.is_in("We work nine until five.", &[]));
        let chunk = ChunkId(uuid::Uuid::nil());
        assert!(Expected::Chunks(vec![chunk]).is_in("", &[chunk]));
        assert!(!Expected::Nothing.is_in("anything", &[chunk]));
    }

    #[test]
    fn a_case_needs_a_question_and_something_to_expect() {
        assert!(case(phrases(&["nine"])).check(0).is_ok());
        assert!(case(Expected::Nothing).check(0).is_ok());
        for wrong in [
            case(phrases(&[])),
            case(phrases(&[" "])),
            case(phrases(&["a\0b"])),
            case(Expected::Chunks(Vec::new())),
            Case {
                question: " ".into(),
                ..case(Expected::Nothing)
            },
        ] {
            assert!(
                matches!(wrong.check(3), Err(Error::Invalid { field, .. }) if field == "cases[3]"),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_score_counts_what_was_found_and_what_was_said() {
        let result = |rank, answered, is_right| CaseResult {
            rank,
            answerable: 0.5,
            answered,
            answer: String::new(),
            is_right,
        };
        let mut score = Score::default();
        let (some, none) = (case(phrases(&["nine"])), case(Expected::Nothing));
        for (case, result) in [
            (&some, result(Some(1), true, true)),
            (&some, result(Some(4), true, false)),
            (&some, result(None, false, false)),
            (&none, result(None, false, true)),
            (&none, result(None, true, false)),
        ] {
            score.add(case, &result);
        }
        let expected = Score {
            answerable: 3,
            found_first: 1,
            found_in_five: 2,
            reciprocal_ranks: 1.25,
            answered_rightly: 1,
            refused_wrongly: 1,
            unanswerable: 2,
            refused_rightly: 1,
        };
        assert_eq!(score, expected);
        assert_eq!((score.right(), score.cases()), (2, 5));
    }
}
