//! What can be done with channels: their owner's side (making, connecting), what comes to their hooks, and the way of
//! the answers.

mod answer;
mod change;
mod connect;
mod create;
mod delete;
mod get;
mod pace;
mod receive;
mod turn;

pub use answer::{Work, answer, begin, forget_old};
pub use change::{Change, change};
pub use connect::{connect, disconnect};
pub use create::{Create, create};
pub use delete::delete;
pub use get::{active, get, list};
pub use pace::Pace;
pub use receive::{Hooked, hooked, receive};

use std::sync::Arc;

use domain::channels::{
    CREDENTIALS, Channel, ChannelAdapter, ChannelCredentials, ChannelStatus, Connection,
};
use domain::events::{Event, EventKind};
use domain::secrets::SecretContext;
use domain::{ChannelId, Error, Result, TenantId};
use serde_json::json;

use crate::App;

/// Where what comes to a channel is sent, on this server.
pub fn hook_path(id: ChannelId) -> String {
    format!("/hooks/{id}")
}

/// The same with the server's public address, where the operator has set one.
pub fn hook_url(app: &App, id: ChannelId) -> Option<String> {
    let base = app.public_url.as_deref()?;
    Some(format!("{}{}", base.trim_end_matches('/'), hook_path(id)))
}

/// Where the credentials of a channel are kept.
fn place(tenant_id: TenantId, id: ChannelId) -> SecretContext {
    SecretContext {
        tenant_id,
        row: id.into(),
        purpose: CREDENTIALS,
    }
}

fn seal(
    app: &App,
    tenant: TenantId,
    id: ChannelId,
    credentials: &ChannelCredentials,
) -> Result<Vec<u8>> {
    let clear = credentials.expose().to_string();
    app.secrets.seal(&place(tenant, id), clear.as_bytes())
}

/// What the platform is spoken to with.
fn connection(app: &App, channel: &Channel) -> Result<Connection> {
    let place = place(channel.tenant_id, channel.id);
    let clear = app.secrets.open(&place, &channel.credentials)?;
    let value = serde_json::from_slice(&clear).map_err(Error::internal)?;
    let credentials = ChannelCredentials::read(channel.kind(), &value).map_err(Error::internal)?;
    Connection::new(channel.settings.clone(), credentials).map_err(Error::internal)
}

/// Who speaks to the channel's platform.
fn platform<'a>(app: &'a App, channel: &Channel) -> Result<&'a Arc<dyn ChannelAdapter>> {
    let mut all = app.platforms.iter();
    all.find(|platform| platform.kind() == channel.kind())
        .ok_or_else(|| Error::internal(format!("nobody speaks to {}", channel.kind())))
}

/// Keeps that a channel's credential is dead, and tells the tenant's endpoints; once, however many notice it. A channel
/// that was changed since it was read is left as it is.
async fn lost(app: &App, channel: &Channel, reason: &str) -> Result<()> {
    let now = app.clock.now();
    let lost = Channel {
        status: ChannelStatus::Disconnected,
        reason: Some(reason.to_owned()),
        updated_at: now,
        ..channel.clone()
    };
    let event = Event {
        id: app.ids.uuid().into(),
        tenant_id: channel.tenant_id,
        bot_id: Some(channel.bot_id),
        kind: EventKind::ChannelDisconnected,
        subject: channel.id.into(),
        data: json!({
            "bot_id": channel.bot_id.0,
            "channel": {
                "id": channel.id.0,
                "type": channel.kind().as_str(),
                "name": channel.name,
                "reason": reason,
            },
        }),
        created_at: now,
    };
    if app.channels.update(&lost, Some(&event)).await?.is_some() {
        tracing::warn!(
            channel_id = %channel.id,
            tenant_id = %channel.tenant_id,
            reason,
            "a channel is disconnected"
        );
        app.delivery_bell.ring();
        app.bell.ring();
    }
    Ok(())
}
