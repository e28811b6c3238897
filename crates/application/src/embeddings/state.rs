use domain::embeddings::EmbeddingState;
use domain::{BotId, Error, Resource, Result, TenantId};

use crate::App;

/// By which model a bot is searched, and how far others have come with its knowledge.
///
/// # Errors
/// [`Error::NotFound`].
#[tracing::instrument(level = "debug", name = "embeddings.show", skip_all)]
pub async fn show(app: &App, tenant: TenantId, bot: BotId) -> Result<EmbeddingState> {
    app.embeddings
        .state(tenant, bot)
        .await?
        .ok_or(Error::NotFound(Resource::Bot))
}

/// Has all knowledge embedded by the embedder that there is now, as far as it is not.
///
/// # Errors
/// As the ports.
pub async fn want(app: &App) -> Result<()> {
    if let Some(embedder) = app.embedders.first() {
        app.embeddings
            .want(embedder.model(), app.clock.now())
            .await?;
        app.bell.ring();
    }
    Ok(())
}
