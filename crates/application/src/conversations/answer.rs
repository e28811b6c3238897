//! Answering a question: looked up in the knowledge, then asked of the providers.

use std::sync::Arc;

use domain::answers::{Answer, AnswerKind, Question};
use domain::bots::Bot;
use domain::knowledge::KnowledgeState;
use domain::messages::Utterance;
use domain::receipts::{Citation, Receipt, prompt_hash};
use domain::retrieval::{Query, Retriever};
use domain::{ConnectionId, Result, TenantId, Timestamp};

use crate::App;
use crate::answering::AnswerObserver;
use crate::connections;

/// Chunks that go into an answer.
const PASSAGES: usize = 6;

/// A question to a bot.
pub(crate) struct Asked<'a> {
    pub tenant: TenantId,
    pub bot: &'a Bot,
    pub knowledge: &'a KnowledgeState,
    /// What finds in it.
    pub retriever: &'a dyn Retriever,
    /// A connection that the bot answers by as if it were enabled.
    pub as_if: Option<ConnectionId>,
    /// What was said before, oldest first.
    pub history: &'a [Utterance],
    pub text: &'a str,
}

impl Asked<'_> {
    /// The answer and its receipt. `began`: since when somebody waits for it.
    ///
    /// # Errors
    /// [`domain::Error::ProviderFailed`], and as the ports.
    pub async fn answer(
        &self,
        app: &App,
        began: Timestamp,
        observer: &mut dyn AnswerObserver,
    ) -> Result<(Answer, Receipt)> {
        let query = Query {
            tenant_id: self.tenant,
            bot_id: self.bot.id,
            knowledge: self.knowledge.clone(),
            language: self.bot.language,
            text: self.text.to_owned(),
            history: self.history.to_vec(),
            limit: PASSAGES,
        };
        let findings = self.retriever.search(&query).await?;
        observer.found(&findings).await;
        let question = Question {
            system_prompt: self.bot.prompt(),
            language: self.bot.language,
            welcome_message: self.bot.welcome_message.clone(),
            history: query.history,
            text: query.text,
            findings,
        };
        let own = match self.bot.connections {
            0 => Vec::new(),
            _ => connections::usable(app, self.tenant, self.bot.id, self.as_if).await?,
        };
        let models: Vec<_> = own.iter().map(|own| Arc::clone(&own.model)).collect();
        let asking = app.answers.ask(&models, &question, observer).await;
        connections::record(app, &own, &asking.failures).await;
        let (answer, failures) = asking.answered()?;
        let hits = &question.findings.hits;
        let used = answer.used_hits.iter().filter_map(|&index| hits.get(index));
        let citations: Vec<_> = used.map(Citation::from).collect();
        let receipt = Receipt {
            provider: answer.provider.to_owned(),
            model: answer.model.clone(),
            fallback: !failures.is_empty(),
            failed_providers: failures
                .iter()
                .map(|failure| failure.provider.to_owned())
                .collect(),
            grounded: answer.kind == AnswerKind::Answer && !citations.is_empty(),
            answerable: question.findings.answerable,
            citations,
            prompt_hash: prompt_hash(&question),
            knowledge_version: self.knowledge.version,
            embedding_model: (question.findings.embedded)
                .then(|| self.knowledge.embedding_model.clone())
                .flatten(),
            tokens: answer.tokens,
            took_ms: (app.clock.now() - began).unsigned_abs().as_millis() as u64,
        };
        Ok((answer, receipt))
    }
}
