use domain::actors::Actor;
use domain::jobs::NextRun;
use domain::knowledge::{NamedSource, SourceType};
use domain::{Error, Resource, Result, SourceId};

use crate::App;

/// Has a file or a website read again, soon and in the background. What was read before is answered from until
/// then. A source that is being read already is left to that.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] (`source_type`) for a source that was not read from anywhere.
#[tracing::instrument(level = "debug", name = "knowledge.refresh", skip_all)]
pub async fn refresh(app: &App, actor: &Actor, id: SourceId) -> Result<NamedSource> {
    let tenant = actor.tenant_id();
    let source_type = super::find(app, actor, id).await?.source.source_type;
    if matches!(source_type, SourceType::Text | SourceType::Qa) {
        return Err(Error::invalid(
            "source_type",
            "Only sources of type file and url can be read again; change this one instead.",
        ));
    }
    let next = NextRun {
        job_id: app.ids.uuid().into(),
        due: app.clock.now(),
    };
    if !app.knowledge.refresh(tenant, id, next).await? {
        return Err(Error::NotFound(Resource::KnowledgeSource));
    }
    app.bell.ring();
    super::find(app, actor, id).await
}
