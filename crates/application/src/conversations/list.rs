use domain::Result;
use domain::actors::Actor;
use domain::conversations::{Conversation, ConversationFilter};
use domain::paging::{Page, PageRequest};

use crate::App;

/// A page of the tenant's conversations, newest first.
///
/// # Errors
/// As the port.
#[tracing::instrument(level = "debug", name = "conversations.list", skip_all)]
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: ConversationFilter,
    page: PageRequest,
) -> Result<Page<Conversation>> {
    app.conversations
        .list(actor.tenant_id(), filter, page)
        .await
}
