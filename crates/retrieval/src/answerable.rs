//! Whether the best chunk answers the question at all.

/// What the judgement rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signals {
    /// The score of the best chunk as a share of the question's weight, in which a word that no chunk has counts in
    /// full: it grows with how many of the words stand in the chunk, how often, how close together, and with how
    /// short it is.
    pub(crate) strength: f32,
    /// How many words the question has, stop words aside. To share most of many words is no chance.
    pub(crate) asked: f32,
    /// How many words there are in all chunks: among many, some stand beside each other by chance.
    pub(crate) searched: f32,
    /// How near the best chunk is to what the question means, as a share of the nearest by chance. `None`: words alone
    /// tell.
    pub(crate) nearness: Option<f32>,
}

/// A nearness that makes the judgement of the words neither surer nor less sure.
const NEUTRAL: f32 = 0.55;

/// How likely it is, 0 to 1, that the chunk answers the question. A logistic regression over half of the questions of
/// sets in six languages, each put to a base of hundreds of passages and to a single document (`examples/eval.rs` measures
/// it), with round coefficients, and 0.8 more than it came to: of two errors a refusal is the one that is seen at once,
/// and nine of ten questions about what is not there are refused all the same.
pub(crate) fn probability(signals: &Signals) -> f32 {
    let z = -3.5 + 6.8 * signals.strength + 0.9 * signals.asked.max(1.0).ln()
        - 0.28 * signals.searched.max(1.0).ln()
        + signals.nearness.map_or(0.0, |near| 2.0 * (near - NEUTRAL));
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::retrieval::ANSWERABLE;

    const OPENING_HOURS: Signals = Signals {
        strength: 0.6,
        asked: 2.0,
        searched: 70.0,
        nearness: None,
    };

    #[test]
    fn half_of_a_short_question_answers_it_in_a_small_base_and_not_in_a_large_one() {
        assert!(probability(&OPENING_HOURS) >= ANSWERABLE);
        let large = Signals {
            searched: 20_000.0,
            ..OPENING_HOURS
        };
        assert!(probability(&large) < ANSWERABLE);
    }

    #[test]
    fn more_in_common_is_surer() {
        let all = Signals {
            strength: 1.5,
            ..OPENING_HOURS
        };
        assert!(probability(&all) > 0.95);
        let little = Signals {
            strength: 0.1,
            ..OPENING_HOURS
        };
        assert!(probability(&little) < ANSWERABLE);
    }
}
