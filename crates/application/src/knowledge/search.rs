use domain::actors::Actor;
use domain::messages::Utterance;
use domain::retrieval::{Findings, Query};
use domain::text::{self, no_nul};
use domain::{BotId, Error, Resource, Result};
use validator::Validate;

use crate::App;

/// A question to a bot's knowledge.
#[derive(Debug, Clone, Validate)]
pub struct Search {
    /// Whose knowledge.
    pub bot_id: BotId,
    /// The question.
    #[validate(length(min = 1, max = text::MESSAGE_MAX, message = "must be 1 to 8000 characters long"), custom(function = no_nul))]
    pub query: String,
    /// What was said before, oldest first.
    pub history: Vec<Utterance>,
    /// The most chunks; `None`: ten.
    #[validate(range(min = 1, max = 50, message = "must be a whole number from 1 to 50"))]
    pub limit: Option<u32>,
}

/// Shows what retrieval finds for a question, as an answer would get it.
///
/// # Errors
/// [`Error::Invalid`]; [`Error::NotFound`] (`Bot`).
#[tracing::instrument(level = "debug", name = "knowledge.search", skip_all)]
pub async fn search(app: &App, actor: &Actor, search: Search) -> Result<Findings> {
    search.validate()?;
    let tenant_id = actor.tenant_id();
    let not_found = || Error::NotFound(Resource::Bot);
    let bot = app
        .bots
        .find(tenant_id, search.bot_id)
        .await?
        .ok_or_else(not_found)?;
    let knowledge = app
        .index
        .state(tenant_id, bot.id)
        .await?
        .ok_or_else(not_found)?;
    let query = Query {
        tenant_id,
        bot_id: bot.id,
        knowledge,
        language: bot.language,
        text: search.query,
        history: search.history,
        limit: search.limit.unwrap_or(10) as usize,
    };
    app.retriever.search(&query).await
}
