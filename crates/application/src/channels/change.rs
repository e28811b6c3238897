use std::time::Duration;

use domain::actors::Actor;
use domain::channels::{Channel, ChannelCredentials, ChannelSettings, ChannelStatus, Connection};
use domain::text::{NAME_MAX, no_nul};
use domain::{ChannelId, Error, Result};
use serde_json::Value;

use super::{connection, get, platform, seal};
use crate::App;

/// How often a change is tried while others change the same channel.
const ATTEMPTS: u32 = 5;

/// What an owner changes; `None` leaves a field as it is. Settings and credentials are changed as a whole.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// See [`Channel::name`].
    pub name: Option<String>,
    /// See [`ChannelSettings::read`].
    pub settings: Option<Value>,
    /// See [`ChannelCredentials::read`].
    pub credentials: Option<Value>,
}

/// Changes a channel. With other settings or credentials, it has to be connected again.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`], [`Error::Missing`].
#[tracing::instrument(level = "debug", name = "channels.change", skip_all)]
pub async fn change(app: &App, actor: &Actor, id: ChannelId, change: Change) -> Result<Channel> {
    if let Some(name) = &change.name {
        check_name(name)?;
    }
    let mut before = None;
    let kept = write(app, actor, id, |channel| {
        before = Some(channel.clone());
        apply(app, channel, &change)
    })
    .await?;
    if let Some(before) = before
        && before.is_connected()
        && !kept.is_connected()
    {
        leave(app, &before).await;
    }
    Ok(kept)
}

fn apply(app: &App, channel: &mut Channel, change: &Change) -> Result<()> {
    if let Some(name) = &change.name {
        channel.name.clone_from(name);
    }
    if change.settings.is_none() && change.credentials.is_none() {
        return Ok(());
    }
    let kind = channel.kind();
    let old = connection(app, channel)?;
    let settings = match &change.settings {
        Some(settings) => ChannelSettings::read(kind, settings)?,
        None => old.settings().clone(),
    };
    let credentials = match &change.credentials {
        Some(credentials) => ChannelCredentials::read(kind, credentials)?,
        None if moves(old.settings(), &settings) => return Err(Error::missing("credentials")),
        None => old.credentials().clone(),
    };
    let new = Connection::new(settings, credentials)?;
    if new == old {
        return Ok(());
    }
    channel.settings = new.settings().clone();
    channel.credentials = seal(app, channel.tenant_id, channel.id, new.credentials())?;
    if channel.status != ChannelStatus::Disconnected {
        channel.status = ChannelStatus::Disconnected;
        channel.reason = Some("It was changed; connect it again.".to_owned());
    }
    Ok(())
}

/// Whether the credentials would go to another server than the one that they were given for.
fn moves(old: &ChannelSettings, new: &ChannelSettings) -> bool {
    match (old, new) {
        (ChannelSettings::Email(old), ChannelSettings::Email(new)) => {
            let server = |own: &domain::channels::EmailSettings| {
                (own.smtp_host.clone(), own.smtp_port, own.security)
            };
            server(old) != server(new)
        }
        _ => false,
    }
}

/// Checks a channel's name.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn check_name(name: &str) -> Result<()> {
    let length = name.chars().count() as u64;
    if !(1..=NAME_MAX).contains(&length) || no_nul(name).is_err() {
        return Err(Error::invalid(
            "name",
            "The 'name' field must be 1 to 200 characters long, without NUL.",
        ));
    }
    Ok(())
}

/// Writes a change onto the channel as it is when it is written, and answers it as kept.
pub(super) async fn write(
    app: &App,
    actor: &Actor,
    id: ChannelId,
    mut change: impl FnMut(&mut Channel) -> Result<()> + Send,
) -> Result<Channel> {
    for _ in 0..ATTEMPTS {
        let mut channel = get(app, actor, id).await?;
        change(&mut channel)?;
        channel.updated_at = app.clock.now();
        if let Some(kept) = app.channels.update(&channel, None).await? {
            return Ok(kept);
        }
    }
    Err(Error::Unavailable {
        retry_after: Duration::from_secs(1),
    })
}

/// Has the platform send nothing more, if it will; answers why it would not.
pub(super) async fn leave(app: &App, channel: &Channel) -> Option<String> {
    let left = async {
        let connection = connection(app, channel).map_err(|error| error.to_string())?;
        let platform = platform(app, channel).map_err(|error| error.to_string())?;
        let left = platform.disconnect(&connection).await;
        left.map_err(|error| error.to_string())
    };
    let reason = left.await.err()?;
    tracing::debug!(channel_id = %channel.id, reason, "a platform was not told that a channel ends");
    Some(reason)
}
