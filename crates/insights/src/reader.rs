//! The words' side of insights, behind the domain's port.

use domain::insights::{
    MessageReader, Product, ProductCandidate, ProductFinder, QuestionGroup, QuestionGrouping,
};
use domain::language::Language;

use crate::candidates::candidates;
use crate::groups::Groups;
use crate::products::Catalogue;
use crate::questions::is_question;

/// Reads messages by their words.
#[derive(Debug, Clone, Copy, Default)]
pub struct WordReader;

impl MessageReader for WordReader {
    fn is_question(&self, language: Language, text: &str) -> bool {
        is_question(language, text)
    }

    fn finder(&self, language: Language, products: &[Product]) -> Box<dyn ProductFinder> {
        Box::new(Catalogue::new(language, products))
    }

    fn candidates(&self, language: Language, text: &str) -> Vec<ProductCandidate> {
        candidates(language, text)
    }

    fn grouping(
        &self,
        language: Language,
        groups: Vec<QuestionGroup>,
    ) -> Box<dyn QuestionGrouping> {
        Box::new(Groups::new(language, groups))
    }
}
