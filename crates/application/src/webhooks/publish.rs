use domain::events::{Event, EventKind};
use domain::{BotId, Result, TenantId};
use serde_json::Value;
use uuid::Uuid;

use crate::App;

/// Something that happened, to be told to the tenant's endpoints.
#[derive(Debug, Clone)]
pub struct Happened {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The bot that it is about, if it is about one.
    pub bot_id: Option<BotId>,
    /// What happened.
    pub kind: EventKind,
    /// See [`Event::subject`].
    pub subject: Uuid,
    /// See [`Event::data`].
    pub data: Value,
}

/// Tells the tenant's endpoints that chose the kind; they hear of it soon, and for certain.
///
/// # Errors
/// As [`domain::events::Outbox::publish`].
pub async fn publish(app: &App, happened: Happened) -> Result<()> {
    let event = Event {
        id: app.ids.uuid().into(),
        tenant_id: happened.tenant_id,
        bot_id: happened.bot_id,
        kind: happened.kind,
        subject: happened.subject,
        data: happened.data,
        created_at: app.clock.now(),
    };
    if app.outbox.publish(&event).await? {
        app.delivery_bell.ring();
    }
    Ok(())
}
