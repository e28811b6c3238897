use domain::Result;
use domain::actors::{Actor, Scope};
use domain::conversations::{Conversation, ConversationFilter};
use domain::paging::{Page, PageRequest};

use crate::App;

/// A page of the conversations that the actor may see, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "conversations.list", skip_all)]
pub async fn list(
    app: &App,
    actor: &Actor,
    mut filter: ConversationFilter,
    page: PageRequest,
) -> Result<Page<Conversation>> {
    if let Scope::Bot(bot) = actor.scope {
        filter.bot_id = Some(bot);
    }
    app.conversations
        .list(actor.tenant_id(), &filter, page)
        .await
}
