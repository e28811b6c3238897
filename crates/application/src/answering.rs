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

/// A provider that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its name.
    pub provider: &'static str,
    /// Why, as [`domain::answers::ProviderError`] says it.
    pub reason: String,
}

/// What came of asking.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The answer; `None`: nobody had one.
    pub answer: Option<Answer>,
    /// The providers that failed before it came, in the order in which they were asked.
    pub failures: Vec<Failure>,
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

    /// Who is asked first.
    pub fn first(&self) -> &dyn AnswerModel {
        self.first.as_ref()
    }

    /// Asks one provider after the other until one answers, a bot's `own` before the operator's. A fallback that only
    /// has to say that it does not know has not answered.
    #[tracing::instrument(level = "debug", name = "provider", skip_all, fields(provider = self.first.provider()))]
    pub async fn ask(
        &self,
        own: &[Arc<dyn AnswerModel>],
        question: &Question,
        observer: &mut dyn AnswerObserver,
    ) -> Asking {
        let mut failures: Vec<Failure> = Vec::new();
        let mut fail = |provider, reason: String| failures.push(Failure { provider, reason });
        let mut sink = Watched {
            observer,
            any: false,
        };
        let operators = std::iter::once(&self.first).chain(&self.fallbacks);
        let mut models = own.iter().chain(operators);
        let first = models.next().unwrap_or(&self.first);
        match first.answer(question, &mut sink).await {
            Ok(answer) => {
                return Asking {
                    answer: Some(answer),
                    failures,
                };
            }
            Err(error) => {
                tracing::warn!(provider = first.provider(), %error, "the provider gave no answer");
                fail(first.provider(), error.to_string());
            }
        }
        let Watched { observer, any } = sink;
        if any {
            observer.restart().await;
        }
        for model in models {
            match model.answer(question, &mut Discard).await {
                Ok(answer) if answer.kind == AnswerKind::DoesNotKnow => {
                    fail(model.provider(), "has no answer".to_owned());
                }
                Ok(answer) => {
                    observer.piece(&answer.text).await;
                    return Asking {
                        answer: Some(answer),
                        failures,
                    };
                }
                Err(error) => fail(model.provider(), error.to_string()),
            }
        }
        Asking {
            answer: None,
            failures,
        }
    }
}

impl Asking {
    /// The answer with what failed before it.
    ///
    /// # Errors
    /// [`Error::ProviderFailed`] where there is none.
    pub fn answered(self) -> Result<(Answer, Vec<Failure>)> {
        if let Some(answer) = self.answer {
            return Ok((answer, self.failures));
        }
        let reasons: Vec<_> = self
            .failures
            .iter()
            .map(|failure| format!("{}: {}", failure.provider, failure.reason))
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
