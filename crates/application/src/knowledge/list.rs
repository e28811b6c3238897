use domain::Result;
use domain::actors::{Actor, Scope};
use domain::knowledge::{NamedSource, SourceFilter};
use domain::paging::{Page, PageRequest};

use crate::App;

/// A page of the sources that the actor may see, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "knowledge.list", skip_all)]
pub async fn list(
    app: &App,
    actor: &Actor,
    mut filter: SourceFilter,
    page: PageRequest,
) -> Result<Page<NamedSource>> {
    if let Scope::Bot(bot) = actor.scope {
        filter.bot_id = Some(bot);
    }
    app.knowledge.list(actor.tenant_id(), filter, page).await
}
