use domain::Result;
use domain::actors::Actor;
use domain::bots::{Bot, BotFilter};
use domain::paging::{Page, PageRequest};

use crate::App;

/// A page of the tenant's bots, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "bots.list", skip_all)]
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: BotFilter,
    page: PageRequest,
) -> Result<Page<Bot>> {
    app.bots.list(actor.tenant_id(), filter, page).await
}
