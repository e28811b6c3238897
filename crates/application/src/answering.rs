//! Getting an answer: the first provider, and those that stand in for it.

use std::sync::Arc;

use async_trait::async_trait;
use domain::answers::{Answer, AnswerKind, AnswerModel, AnswerSink, Discard, Question};
use domain::retrieval::Findings;
use domain::{Error, Result};

/// Providers in the order in which they are asked.
pub struct AnswerChain {
    first: Arc<dyn AnswerModel>,
    fallbacks: Vec<Arc<dyn AnswerModel>>,
}

/// An answer, and what had failed before it came.
#[derive(Debug, Clone)]
pub struct ChainAnswer {
    /// The answer.
    pub answer: Answer,
    /// The providers that failed first, with the reasons. Empty: the first provider answered.
    pub failures: Vec<(&'static str, String)>,
}

/// Watches an answer being made.
#[async_trait]
pub trait AnswerObserver: Send {
    /// The knowledge was searched.
    async fn found(&mut self, _findings: &Findings) {}
    /// A further piece.
    async fn piece(&mut self, text: &str);
    /// What was given so far counts no more: the provider broke off, and another one answers.
    async fn restart(&mut self);
}

impl AnswerChain {
    /// A chain; the first provider streams, the fallbacks are shown when they are done.
    pub fn new(first: Arc<dyn AnswerModel>, fallbacks: Vec<Arc<dyn AnswerModel>>) -> Self {
        Self { first, fallbacks }
    }

    /// The provider that is asked first.
    pub fn provider(&self) -> &'static str {
        self.first.provider()
    }

    /// Asks one provider after the other until one answers. A fallback that only has to say that it does
    /// not know has not answered.
    ///
    /// # Errors
    /// [`Error::ProviderFailed`] when none has an answer.
    #[tracing::instrument(level = "debug", name = "provider", skip_all, fields(provider = self.first.provider()))]
    pub async fn answer(
        &self,
        question: &Question,
        observer: &mut dyn AnswerObserver,
    ) -> Result<ChainAnswer> {
        let mut sink = Watched {
            observer,
            any: false,
        };
        let mut failures = Vec::new();
        match self.first.answer(question, &mut sink).await {
            Ok(answer) => return Ok(ChainAnswer { answer, failures }),
            Err(error) => {
                tracing::warn!(provider = self.first.provider(), %error, "the provider gave no answer");
                failures.push((self.first.provider(), error.to_string()));
            }
        }
        let Watched { observer, any } = sink;
        if any {
            observer.restart().await;
        }
        for model in &self.fallbacks {
            match model.answer(question, &mut Discard).await {
                Ok(answer) if answer.kind == AnswerKind::DoesNotKnow => {
                    failures.push((model.provider(), "has no answer".to_owned()));
                }
                Ok(answer) => {
                    observer.piece(&answer.text).await;
                    return Ok(ChainAnswer { answer, failures });
                }
                Err(error) => failures.push((model.provider(), error.to_string())),
            }
        }
        let reasons: Vec<_> = failures
            .iter()
            .map(|(provider, reason)| format!("{provider}: {reason}"))
            .collect();
        Err(Error::ProviderFailed(reasons.join("; ")))
    }
}

struct Watched<'a> {
    observer: &'a mut dyn AnswerObserver,
    any: bool,
}

#[async_trait]
impl AnswerSink for Watched<'_> {
    async fn piece(&mut self, text: &str) {
        self.any = true;
        self.observer.piece(text).await;
    }
}
