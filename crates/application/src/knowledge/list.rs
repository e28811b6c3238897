use domain::Result;
use domain::actors::Actor;
use domain::knowledge::{NamedSource, SourceFilter};
use domain::paging::{Page, PageRequest};

use crate::App;

/// A page of the tenant's sources, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "knowledge.list", skip_all)]
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: SourceFilter,
    page: PageRequest,
) -> Result<Page<NamedSource>> {
    app.knowledge.list(actor.tenant_id(), filter, page).await
}
