//! From a question to the terms to look for.

use domain::messages::Author;
use domain::retrieval::Query;

use crate::words::{Analyzer, Token};

/// More terms than fit a mask of bits add nothing but time.
pub(crate) const TERMS_MAX: usize = 64;
/// A question of so few words of its own ("and on Sundays?") leans on what was asked before it.
const FOLLOW_UP_MAX: usize = 2;
/// What the words of the question before count against the question's own.
const FOLLOW_UP_WEIGHT: f32 = 0.3;

/// A question as the words of it.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// What to look for: the question's own terms first, each once.
    pub(crate) terms: Vec<QueryTerm>,
    /// How many of the terms are the question's own, not those of the question before it.
    pub(crate) own: usize,
    /// Its words that say little, each once.
    pub(crate) stop_words: Vec<u64>,
}

/// A term to look for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryTerm {
    pub(crate) term: u64,
    /// What it counts; 1 for the question's own words.
    pub(crate) weight: f32,
    /// For a compound written as one, the bits of the terms that it stands for: finding it is finding them.
    pub(crate) stands_for: u64,
}

impl Question {
    /// A question that was asked after others.
    pub(crate) fn asked(analyzer: &Analyzer, query: &Query) -> Self {
        let mut question = Self::of(analyzer, &query.text);
        if let Some(before) = question.follows(query) {
            let own = question.stop_words.len();
            question.add(analyzer, before, FOLLOW_UP_WEIGHT);
            question.stop_words.truncate(own);
        }
        question
    }

    /// What a question asks in full, with the one before it where it leans on that.
    pub(crate) fn in_full(analyzer: &Analyzer, query: &Query) -> String {
        match Self::of(analyzer, &query.text).follows(query) {
            Some(before) => format!("{before}\n{}", query.text),
            None => query.text.clone(),
        }
    }

    /// The question before, if this one, which has no others' words yet, leans on it.
    fn follows<'q>(&self, query: &'q Query) -> Option<&'q str> {
        let words = self.terms.iter().filter(|t| t.stands_for == 0).count();
        // "How much?" has no word to look for and yet asks; "hi" and "?" do not.
        let asks =
            words > 0 || (query.text.contains('?') && query.text.contains(char::is_alphabetic));
        let before = query.history.iter().rfind(|u| u.author == Author::User)?;
        (asks && words <= FOLLOW_UP_MAX).then_some(&before.text)
    }

    /// A question by itself.
    pub(crate) fn of(analyzer: &Analyzer, text: &str) -> Self {
        let mut question = Self::default();
        question.add(analyzer, text, 1.0);
        question.own = question.terms.len();
        question
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.terms) + size_of_val(&*self.stop_words)
    }

    fn add(&mut self, analyzer: &Analyzer, text: &str, weight: f32) {
        let Self {
            terms, stop_words, ..
        } = self;
        // The bits of the words so far, in the order in which they stand.
        let mut bits: Vec<u64> = Vec::new();
        analyzer.terms(text, |token| {
            let (term, stands_for) = match token {
                Token::Word(term) => (term, 0),
                Token::Whole { term, parts } => {
                    let parts = &bits[bits.len().saturating_sub(parts as usize)..];
                    (term, parts.iter().fold(0, |all, bit| all | bit))
                }
                Token::StopWord(word) => {
                    if stop_words.len() < TERMS_MAX && !stop_words.contains(&word) {
                        stop_words.push(word);
                    }
                    return;
                }
            };
            let known = terms.iter().position(|known| known.term == term);
            let at = match known {
                Some(at) => at,
                None if terms.len() < TERMS_MAX => {
                    terms.push(QueryTerm {
                        term,
                        weight,
                        stands_for,
                    });
                    terms.len() - 1
                }
                None => return,
            };
            if stands_for == 0 {
                bits.push(1 << at);
            }
        });
    }
}
