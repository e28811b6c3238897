use domain::actors::Actor;
use domain::knowledge::{Chunk, NamedSource};
use domain::{Error, Resource, Result, SourceId};

use crate::App;

/// A source with all it holds.
#[derive(Debug, Clone)]
pub struct SourceDetails {
    /// The source.
    pub named: NamedSource,
    /// Its whole text.
    pub content: String,
    /// Its chunks in order.
    pub chunks: Vec<Chunk>,
}

/// One source with its content and chunks.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "knowledge.get", skip_all)]
pub async fn get(app: &App, actor: &Actor, id: SourceId) -> Result<SourceDetails> {
    let tenant = actor.tenant_id();
    let named = find(app, actor, id).await?;
    let content = app.knowledge.content(tenant, id).await?;
    let chunks = app.knowledge.chunks(tenant, id).await?;
    Ok(SourceDetails {
        named,
        content,
        chunks,
    })
}

/// One source without its content, which may be large.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "knowledge.find", skip_all)]
pub async fn find(app: &App, actor: &Actor, id: SourceId) -> Result<NamedSource> {
    app.knowledge
        .find(actor.tenant_id(), id)
        .await?
        .ok_or(Error::NotFound(Resource::KnowledgeSource))
}
