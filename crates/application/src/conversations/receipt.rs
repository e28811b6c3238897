use domain::actors::Actor;
use domain::conversations::Exchange;
use domain::receipts::Receipt;
use domain::{Error, MessageId, Resource, Result};

use crate::App;

/// How a bot's answer came to be, with what it answers and where.
///
/// # Errors
/// [`Error::NotFound`], for a message that answers none too.
#[tracing::instrument(level = "debug", name = "conversations.receipt", skip_all)]
pub async fn receipt(app: &App, actor: &Actor, id: MessageId) -> Result<(Exchange, Receipt)> {
    let exchange = app
        .conversations
        .find_exchange(actor.tenant_id(), id)
        .await?
        .ok_or(Error::NotFound(Resource::Message))?;
    let receipt = receipt_of(&exchange.answer)?;
    Ok((exchange, receipt))
}

/// What a bot's message says of itself.
pub(crate) fn receipt_of(answer: &domain::messages::Message) -> Result<Receipt> {
    serde_json::from_value(answer.metadata.clone()).map_err(Error::internal)
}
