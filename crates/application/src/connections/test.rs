use domain::actors::Actor;
use domain::answers::{Discard, Question};
use domain::language::Language;
use domain::retrieval::Findings;
use domain::{ConnectionId, Result};

use super::{get, model};
use crate::App;

/// What a test asks.
const QUESTION: &str = "Say hello.";

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The answer, or why there is none.
    pub answer: Result<String, String>,
    /// The model that answered, where it says so.
    pub model: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Asks a connection's model something, and forgets its failures where it answers.
///
/// # Errors
/// [`domain::Error::NotFound`]; [`domain::Error::Invalid`] for what can't be used any more.
#[tracing::instrument(level = "debug", name = "connections.test", skip_all)]
pub async fn test(app: &App, actor: &Actor, id: ConnectionId) -> Result<Tested> {
    let connection = get(app, actor, id).await?;
    let model = model(app, &connection)?;
    let question = Question {
        system_prompt: "You are being tested. Answer in a few words.".to_owned(),
        language: Language::En,
        welcome_message: None,
        history: Vec::new(),
        text: QUESTION.to_owned(),
        findings: Findings::default(),
    };
    let began = app.clock.now();
    let answered = model.answer(&question, &mut Discard).await;
    let now = app.clock.now();
    let tenant = actor.tenant_id();
    let (answer, model) = match answered {
        Ok(answer) => {
            app.connections.record(tenant, id, None, now).await?;
            (Ok(answer.text), answer.model)
        }
        Err(error) => (Err(error.to_string()), None),
    };
    Ok(Tested {
        answer,
        model,
        took_ms: (now - began).unsigned_abs().as_millis() as u64,
    })
}
