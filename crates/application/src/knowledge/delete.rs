use domain::actors::Actor;
use domain::{Error, Resource, Result, SourceId};

use crate::App;

/// Deletes a source, also while it is processed.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "knowledge.delete", skip_all)]
pub async fn delete(app: &App, actor: &Actor, id: SourceId) -> Result<()> {
    if app.knowledge.delete(actor.tenant_id(), id).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Resource::KnowledgeSource))
    }
}
