//! The provider `extractive`: answers by quoting the knowledge, with no network and no model.

mod courtesy;
mod quoting;

use async_trait::async_trait;
use domain::answers::{Answer, AnswerKind, AnswerModel, AnswerSink, ProviderError, Question};
use domain::retrieval::ANSWERABLE;

use courtesy::Courtesy;

/// Quotes the sentences that retrieval has chosen, greets when greeted, and otherwise says that it does not
/// know, in the bot's language. It never fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extractive;

impl Extractive {
    /// The provider.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl AnswerModel for Extractive {
    fn provider(&self) -> &'static str {
        "extractive"
    }

    async fn answer(
        &self,
        question: &Question,
        sink: &mut dyn AnswerSink,
    ) -> Result<Answer, ProviderError> {
        let (kind, pieces, used_hits) = compose(question);
        for piece in &pieces {
            sink.piece(piece).await;
        }
        Ok(Answer {
            text: pieces.concat(),
            kind,
            provider: self.provider(),
            model: None,
            tokens: None,
            used_hits,
        })
    }
}

fn compose(question: &Question) -> (AnswerKind, Vec<String>, Vec<usize>) {
    let language = question.language;
    if let Some(courtesy) = courtesy::of(question) {
        let welcome = question.welcome_message.as_deref();
        let text = match courtesy {
            Courtesy::Greeting => welcome
                .filter(|text| !text.trim().is_empty())
                .unwrap_or(language.greeting()),
            Courtesy::CallForHelp => language.greeting(),
            Courtesy::Thanks => language.you_are_welcome(),
            Courtesy::Goodbye => language.goodbye(),
        };
        return (AnswerKind::Courtesy, vec![text.to_owned()], Vec::new());
    }
    if question.findings.answerable >= ANSWERABLE {
        let (pieces, used) = quoting::compose(&question.findings.hits);
        if !pieces.is_empty() {
            return (AnswerKind::Answer, pieces, used);
        }
    }
    let text = language.does_not_know().to_owned();
    (AnswerKind::DoesNotKnow, vec![text], Vec::new())
}

#[cfg(test)]
mod tests {
    use contracts::answers::{answerable, question};
    use domain::language::Language;

    use super::*;

    #[test]
    fn below_the_threshold_it_does_not_know() {
        let mut asked = answerable("When are you open?", &[("We open at nine.", 0.9)]);
        assert_eq!(compose(&asked).0, AnswerKind::Answer);
        asked.findings.answerable = ANSWERABLE - 0.01;
        asked.language = Language::De;
        let (kind, pieces, used) = compose(&asked);
        assert_eq!(kind, AnswerKind::DoesNotKnow);
        assert_eq!(pieces.concat(), Language::De.does_not_know());
        assert!(used.is_empty());
    }

    #[test]
    fn a_greeting_gets_the_welcome_message_and_a_question_after_it_the_knowledge() {
        let mut asked = question("Hello!");
        assert_eq!(compose(&asked).1.concat(), Language::En.greeting());
        asked.welcome_message = Some("Welcome to the shop.".into());
        assert_eq!(compose(&asked).1.concat(), "Welcome to the shop.");
        let mut asked = answerable(
            "Hello, what are your opening hours?",
            &[("We open at nine.", 0.9)],
        );
        asked.welcome_message = Some("Welcome to the shop.".into());
        assert_eq!(compose(&asked).1.concat(), "We open at nine.");
    }

    #[tokio::test]
    async fn poisoned_knowledge_is_quoted_as_text() {
        contracts::poisoned::is_quoted_as_text(std::sync::Arc::new(Extractive)).await;
    }
}
