//! From a question to the terms to look for.

use domain::messages::{Author, Utterance};
use domain::retrieval::Query;

use crate::follow_ups::{asks, leans};
use crate::words::{Analyzer, Token};

/// More terms than fit a mask of bits add nothing but time.
pub(crate) const TERMS_MAX: usize = 64;
/// How many of the visitor's messages a question can lean on.
const FOLLOWED_MAX: usize = 4;
/// What the words of the questions before count against the question's own.
const FOLLOW_UP_WEIGHT: f32 = 0.3;

/// A question as the words of it.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// What to look for: the question's own terms first, each once.
    pub(crate) terms: Vec<QueryTerm>,
    /// How many of the terms are the question's own, not those of the questions before it.
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
        let own = question.stop_words.len();
        for before in question.follows(analyzer, query) {
            question.add(analyzer, before, FOLLOW_UP_WEIGHT);
        }
        question.stop_words.truncate(own);
        question
    }

    /// What a question asks in full, with those before it where it leans on them.
    pub(crate) fn in_full(analyzer: &Analyzer, query: &Query) -> String {
        let mut asked = Self::of(analyzer, &query.text).follows(analyzer, query);
        asked.reverse();
        asked.push(&query.text);
        asked.join("\n")
    }

    /// The questions that this one, which has no others' words yet, leans on, the newest first: the one before, and
    /// where that leans as well, the one before that.
    fn follows<'q>(&self, analyzer: &Analyzer, query: &'q Query) -> Vec<&'q str> {
        let mut followed = Vec::new();
        if !leans(analyzer, &query.text, self.words()) {
            return followed;
        }
        let said = query.history.iter().rev();
        let said = said.filter(|utterance| utterance.author == Author::User);
        for Utterance { text, .. } in said.take(FOLLOWED_MAX) {
            let words = Self::of(analyzer, text).words();
            if !asks(text, words) {
                continue;
            }
            followed.push(text.as_str());
            if !leans(analyzer, text, words) {
                break;
            }
        }
        followed
    }

    /// How many words to look for it has; a compound counts as its parts.
    pub(crate) fn words(&self) -> usize {
        self.terms.iter().filter(|t| t.stands_for == 0).count()
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
