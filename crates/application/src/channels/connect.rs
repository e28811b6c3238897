use domain::actors::Actor;
use domain::bots::ChannelType;
use domain::channels::{Channel, ChannelError, ChannelStatus, Connected};
use domain::{ChannelId, Result};

use super::{change, connection, get, hook_path, hook_url, platform};
use crate::App;

/// Tries a channel's credentials and has the platform send its messages here, where that can be asked of it. What came
/// of it is the channel's status. What waited goes on.
///
/// # Errors
/// [`domain::Error::NotFound`].
#[tracing::instrument(level = "debug", name = "channels.connect", skip_all)]
pub async fn connect(app: &App, actor: &Actor, id: ChannelId) -> Result<Channel> {
    let channel = get(app, actor, id).await?;
    let outcome = ask(app, &channel).await?;
    let mut tried = Channel {
        updated_at: app.clock.now(),
        ..channel
    };
    match outcome {
        Ok(connected) => {
            tried.status = ChannelStatus::Connected;
            tried.reason = None;
            tried.account = Some(connected.account);
        }
        Err(error) => {
            // What works is not ended by a fault that passes.
            let goes_on = tried.is_connected() && matches!(error, ChannelError::Later { .. });
            if !goes_on {
                tried.status = ChannelStatus::Error;
            }
            tried.reason = Some(error.to_string());
        }
    }
    let Some(kept) = app.channels.update(&tried, None).await? else {
        // Somebody has changed it meanwhile, and what was tried is not what it is.
        return get(app, actor, id).await;
    };
    if kept.is_connected() {
        app.inbox_bell.ring();
    }
    Ok(kept)
}

async fn ask(app: &App, channel: &Channel) -> Result<Result<Connected, ChannelError>> {
    let url = match hook_url(app, channel.id) {
        Some(url) => url,
        // The others' owners tell the platform themselves, and may know a public address that the operator has not set.
        None if channel.kind() != ChannelType::Telegram => hook_path(channel.id),
        None => {
            let reason = "This server has no public address to give to the platform; its operator has to set one.";
            return Ok(Err(ChannelError::Invalid(reason.to_owned())));
        }
    };
    let connection = connection(app, channel)?;
    Ok(platform(app, channel)?.connect(&connection, &url).await)
}

/// Takes and answers nothing more in a channel; what waits stands still.
///
/// # Errors
/// [`domain::Error::NotFound`].
#[tracing::instrument(level = "debug", name = "channels.disconnect", skip_all)]
pub async fn disconnect(app: &App, actor: &Actor, id: ChannelId) -> Result<Channel> {
    let mut was_connected = false;
    let kept = change::write(app, actor, id, |channel| {
        was_connected = channel.is_connected();
        channel.status = ChannelStatus::Disconnected;
        channel.reason = None;
        Ok(())
    })
    .await?;
    if !was_connected {
        return Ok(kept);
    }
    let Some(problem) = change::leave(app, &kept).await else {
        return Ok(kept);
    };
    let told = Channel {
        reason: Some(format!(
            "It is disconnected here, but the platform was not told. {problem}"
        )),
        ..kept.clone()
    };
    Ok(app.channels.update(&told, None).await?.unwrap_or(kept))
}
